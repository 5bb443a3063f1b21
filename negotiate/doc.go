// Package negotiate judges servers by talking to them: it knows when to check, how to
// count results and what to remember, but no protocol. The protocols are one folder
// each below this one (connect, http, dicomecho ...) and meet it in two small interfaces:
// [Prober], one conversation on a connection that is already open, and [Settings], the
// configuration keys that build one.
//
//	Supervisor -- one monitor per Key -- Run -- dial, TLS, Prober.Negotiate, close
//	     |               |                         |
//	  Reconcile        Health (rise/fall)        nil or *Fault: Stage x Reason + a sentence
//
// The monitor, not the probe, opens the connection, so connecting and TLS are timed and
// named once for all kinds, and a probe can be tested on a [net.Pipe].
//
// A check that fails because of this machine (no descriptors, no local ports) or because
// it was cancelled says nothing about the server, and never moves its state.
package negotiate
