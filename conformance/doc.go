// Package conformance is what Gantry promises, written as tests that a reader can run.
//
// These kinds of proof stand here, each in files of its own:
//
//	layers_*_test.go   the arrows between the rooms of the source tree (no process is started)
//	real_*_test.go     the gateway between peers that this project did not write:
//	                   DCMTK, Orthanc, python-hl7, HAPI, curl, nginx
//	real_quiet_*       what checks leave in the logs of such peers: nothing
//	real_broken_*      such peers hung, with a broken storage, or unwilling
//	soak_*             no false alarm, while the machine is busy (SOAK=20m in the environment: for longer)
//	hard_*_test.go     the cases that break proxies: slow readers, half-closed and reset connections,
//	                   exhausted descriptors, thousands of idle sessions, reloads under load
//
// The gateway is tested through the program itself: TestMain builds cmd/gantry once, each test writes a
// YAML file, starts `gantry run`, waits for /readyz and stops it with SIGTERM. Nothing here reaches into
// the gateway's packages, so the tests hold for any way of building it. Only the checks of real_quiet_* and
// real_broken_* are built from configuration and made in this process, as `gantry probe` does: there are
// thousands of them.
//
// The folder peers starts and ends foreign programs; the folder bench measures Gantry beside HAProxy and
// nginx. Programs that are not installed cause a skip, and every skip is listed at the end of the run;
// with CI set in the environment a missing program is a failure.
package conformance
