package execcheck

import (
	"errors"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// ownGroup makes the program the leader of a process group, so that all it starts can be ended with it.
func ownGroup() (*syscall.SysProcAttr, error) { return &syscall.SysProcAttr{Setpgid: true}, nil }

// awaitExit returns when the process has ended, and leaves it to be reaped: until then its number, which
// is that of its group too, belongs to nobody else.
func awaitExit(pid int) {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return
		}
	}
}

// signalGroup sends a signal to the program and all in its group that has not left it.
func signalGroup(cmd *exec.Cmd, s syscall.Signal) { _ = syscall.Kill(-cmd.Process.Pid, s) }
