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

// SendAdmissions runs python-hl7's mllp_send with n invented messages on one connection, and returns the
// acknowledgements that it prints. Their control ids are CONF0000, CONF0001 and so on.
func SendAdmissions(ctx context.Context, dir, addr string, n int) (string, error) {
	var b strings.Builder // in the form that mllp_send --loose reads: one segment a line
	for i := range n {
		fmt.Fprintf(&b, "MSH|^~\\&|WARD|TEST|GANTRY|TEST|20240101120000||ADT^A01|CONF%04d|T|2.5.1\r\n"+
			"EVN|A01|20240101120000\r\nPID|1||ZZ-%d^^^TEST||CONFORMANCE^INVENTED\r\nPV1|1|O\r\n", i, i)
	}
	file := filepath.Join(dir, "admissions.hl7")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		return "", err
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", err
	}
	return Run(ctx, "mllp_send", "--loose", "--file", file, "--port", port, host)
}
