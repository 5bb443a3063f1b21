// Package peers starts and ends the programs that the conformance tests and the benchmark stand between:
// Orthanc, DCMTK, pynetdicom, receivers on python-hl7 and HAPI, nginx, HAProxy, and the gateway itself.
//
// Every program is a Process: started in a process group of its own, its output kept, ended by its own
// pid. None is started as a service of the system, none listens outside the loopback addresses we can
// choose for it, and none outlives the one who started it. Starting means waiting until the program
// answers in its own protocol.
//
//	orthanc, err := peers.StartOrthanc(ctx, dir)
//	defer orthanc.Stop()
//	n, err := orthanc.Instances(ctx)
package peers
