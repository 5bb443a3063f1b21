// Package execcheck is the check that runs a program of the operator's own, in the way of the
// monitoring plugins that hospitals have for years: it says with its exit code how the server is, and
// with its first line of output why.
//
//	0  OK         healthy
//	1  WARNING    degraded
//	2  CRITICAL   failure
//	3  UNKNOWN    counts neither way: the program could not find out
//	other codes   failure: plugins do not use them, but curl and the like do when they fail
//	126, 127      counts neither way: a shell found no program to run
//
// What says nothing about the server counts neither way: a program that is not there or cannot be
// started, one that a signal ended, one that cannot be killed. A broken plugin thus never takes
// servers down, but a server that has no other check then stays in the state it had. A program
// that is not done in time is a failure: it waits for the server as a rule.
//
// The program is started directly, without a shell, as a process group of its own: with an empty
// standard input, in the directory /, with an environment of six variables (PATH, LANG, GANTRY_SERVICE,
// GANTRY_SERVER, GANTRY_HOST, GANTRY_PORT), with the rights of gantry. When its time is up the group
// gets SIGTERM and, KillWait later, SIGKILL; what the program leaves running in its group is killed too
// when it ends.
//
// Its output is shown: the first line goes into sentences, logs and the status page, printable ASCII
// only. Write a program that prints nothing about patients.
//
// The folder is named exec as the kind is in the configuration; the package is not, so that it can
// stand beside os/exec.
package execcheck
