package peers

import (
	"context"
	_ "embed"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
)

// receiver is a program on python-hl7's own MLLP server.
//
//go:embed receiver.py
var receiver []byte

// debianPython is the interpreter for which the package python3-hl7 is installed; a python3 that comes
// earlier in PATH does not know it.
const debianPython = "/usr/bin/python3"

// Receiver is a running HL7 receiver, on python-hl7 or on HAPI. It acknowledges every message with AA under its
// control id and writes one line a message: "received CONTROL-ID SHA-256".
type Receiver struct {
	*Process
	MLLP string
}

// What python-hl7's server takes when nobody has told it otherwise: other messages end the connection.
const (
	pythonEncoding = "ascii"
	pythonLimit    = 64 << 10 // bytes
)

// StartHL7Receiver starts a receiver and returns when it listens.
func StartHL7Receiver(ctx context.Context, dir string) (*Receiver, error) {
	return StartHL7ReceiverFor(ctx, dir, pythonEncoding, pythonLimit)
}

// StartHL7ReceiverFor starts a receiver of messages of an encoding, as Python calls it, and of at most so many bytes.
func StartHL7ReceiverFor(ctx context.Context, dir, encoding string, limit int) (*Receiver, error) {
	file := filepath.Join(dir, "receiver.py")
	if err := os.WriteFile(file, receiver, 0o600); err != nil {
		return nil, err
	}
	addr := FreeAddr()
	host, port, _ := net.SplitHostPort(addr)
	p, err := Start(Command{Name: "python-hl7", Path: debianPython, Args: []string{"-u", file, host, port, encoding, fmt.Sprint(limit)}})
	if err != nil {
		return nil, err
	}
	return &Receiver{p, addr}, untilReady(ctx, p, accepts(addr))
}

// SendAdmissions runs python-hl7's mllp_send with n invented messages on one connection, and returns the
// acknowledgements that it prints. Their control ids are CONF0000, CONF0001 and so on.
func SendAdmissions(ctx context.Context, dir, addr string, n int) (string, error) {
	return SendAdmissionsAs(ctx, "CONF", dir, addr, n)
}

// SendAdmissionsAs is SendAdmissions with another word in front of the control ids' numbers, and of its patients'.
func SendAdmissionsAs(ctx context.Context, prefix, dir, addr string, n int) (string, error) {
	var b strings.Builder // in the form that mllp_send --loose reads: one segment a line
	for i := range n {
		fmt.Fprintf(&b, "MSH|^~\\&|WARD|TEST|GANTRY|TEST|20240101120000||ADT^A01|%s%04d|T|2.5.1\r\n"+
			"EVN|A01|20240101120000\r\nPID|1||ZZ-%s-%d^^^TEST||CONFORMANCE^INVENTED\r\nPV1|1|O\r\n", prefix, i, prefix, i)
	}
	file := filepath.Join(dir, prefix+".hl7")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		return "", err
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", err
	}
	return Run(ctx, "mllp_send", "--loose", "--file", file, "--port", port, host)
}
