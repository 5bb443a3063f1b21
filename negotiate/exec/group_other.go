//go:build !linux

package execcheck

import (
	"errors"
	"os/exec"
	"syscall"
)

// Elsewhere than on Linux, where gantry runs, a program and all it starts cannot be ended for certain;
// none is started there.

func ownGroup() (*syscall.SysProcAttr, error) { return nil, errors.ErrUnsupported }

func awaitExit(int) {}

func signalGroup(*exec.Cmd, syscall.Signal) {}
