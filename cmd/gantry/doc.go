// Command gantry is the gateway and everything a person does with it: run it, check its configuration, look at it,
// change a server's state, reload it.
//
// One file a command: flags in, one call into the rooms below, exit code out. What belongs to the process and not to
// the gateway is here and nowhere else: flags, signals, the service manager's notifications, colours, exit codes.
//
// Exit codes: 0 ok, 1 failed, 2 bad usage or bad configuration.
package main
