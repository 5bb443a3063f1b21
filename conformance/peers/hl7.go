package peers

import (
	"context"
	_ "embed"
	"net"
	"os"
	"path/filepath"
)

// receiver is a program on python-hl7's own MLLP server.
//
//go:embed receiver.py
var receiver []byte

// debianPython is the interpreter for which the package python3-hl7 is installed; a python3 that comes
// earlier in PATH does not know it.
const debianPython = "/usr/bin/python3"

// Receiver is a running HL7 receiver of python-hl7. It acknowledges every message with AA under its
// control id and writes one line a message: "received CONTROL-ID".
type Receiver struct {
	*Process
	MLLP string
}

// StartHL7Receiver starts a receiver and returns when it listens.
func StartHL7Receiver(ctx context.Context, dir string) (*Receiver, error) {
	file := filepath.Join(dir, "receiver.py")
	if err := os.WriteFile(file, receiver, 0o600); err != nil {
		return nil, err
	}
	addr := FreeAddr()
	host, port, _ := net.SplitHostPort(addr)
	p, err := Start(Command{Name: "python-hl7", Path: debianPython, Args: []string{"-u", file, host, port}})
	if err != nil {
		return nil, err
	}
	return &Receiver{p, addr}, untilReady(ctx, p, accepts(addr))
}
