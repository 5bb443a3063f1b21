package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// rig runs the real gateway in this process, as `gantry run` does, with its signals in the test's hand.
type rig struct {
	file     string
	arrived  chan os.Signal
	notified chan string
	gw       process
	code     chan int
	stage    *stage
}

func startRig(t *testing.T, configuration string) *rig {
	t.Helper()
	r := &rig{
		file:    filepath.Join(t.TempDir(), "gantry.yaml"),
		arrived: make(chan os.Signal, 8), notified: make(chan string, 64), code: make(chan int, 1), stage: newStage(),
	}
	r.write(t, configuration)
	s := r.stage
	s.signals = func(...os.Signal) (<-chan os.Signal, func()) { return r.arrived, func() {} }
	s.notify = func(state string) { r.notified <- state }
	s.open = func(o gatewayOptions) (gw process, err error) {
		r.gw, err = openGateway(o)
		return r.gw, err
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.code <- s.run(t, "run", "--config", r.file)
	}()
	t.Cleanup(func() { // for a test that failed half-way
		r.arrived <- syscall.SIGTERM
		next(t, ended)
	})
	return r
}

func (r *rig) write(t *testing.T, configuration string) {
	t.Helper()
	require.NoError(t, os.WriteFile(r.file, []byte(configuration), 0o600))
}

// patience is far above what anything here takes, also on a busy machine with the race detector.
const patience = 30 * time.Second

// next waits for a value, and fails rather than hangs.
func next[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		require.FailNow(t, "nothing came")
		panic("not reached")
	}
}

// command runs another command against the rig's gateway and returns all it prints.
func (r *rig) command(t *testing.T, args string) (code int, said string) {
	t.Helper()
	s := newStage()
	code = s.run(t, append(strings.Fields(args), "--admin", "http://"+r.gw.AdminAddr())...)
	return code, s.out.String() + s.err.String()
}

// freePort is a loopback address that nothing listened on a moment ago.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

func sample(listen, servers string) string {
	return fmt.Sprintf(`
admin: {listen: "127.0.0.1:0"}
services:
  - name: HL7
    protocol: mllp
    listen: [%q]
    servers: [%s]
`, listen, servers)
}

// TestWithTheRealGateway goes once around: run, status, server, reload, a refused reload, SIGHUP, SIGTERM.
func TestWithTheRealGateway(t *testing.T) {
	const one, two = `{name: A, address: "127.0.0.1:1"}`, `{name: A, address: "127.0.0.1:1"}, {name: B, address: "127.0.0.1:2"}`
	listen := freePort(t)
	r := startRig(t, sample(listen, one))
	require.Equal(t, "READY=1\nSTATUS=serving 1 service", next(t, r.notified))

	code, said := r.command(t, "status")
	require.Equal(t, exitOK, code, said)
	require.Contains(t, said, "HL7      mllp")
	require.Contains(t, said, listen)

	code, said = r.command(t, "server weight HL7/A 7")
	require.Equal(t, exitOK, code, said)
	code, said = r.command(t, "server maint HL7/A")
	require.Equal(t, exitOK, code, said)
	require.Equal(t, "HL7/A: maint, weight 7, 0 sessions active\n", said)

	code, said = r.command(t, "reload")
	require.Equal(t, exitOK, code, said)
	require.Contains(t, said, "nothing changed")

	r.write(t, sample(listen, two))
	code, said = r.command(t, "reload")
	require.Equal(t, exitOK, code, said)
	require.Contains(t, said, "  added    server   HL7/B\n")

	r.write(t, sample(listen, "{name: A}"))
	code, said = r.command(t, "reload")
	require.Equal(t, exitUsage, code)
	require.Contains(t, said, r.file+":", "every problem with its place")
	code, said = r.command(t, "status")
	require.Equal(t, exitOK, code)
	require.Contains(t, said, "the last reload was refused")
	require.Contains(t, said, "  B ", "the old configuration is in force")

	r.write(t, sample(listen, one))
	r.arrived <- syscall.SIGHUP
	require.Contains(t, next(t, r.notified), "RELOADING=1\nMONOTONIC_USEC=")
	require.Equal(t, "READY=1\nSTATUS=serving 1 service", next(t, r.notified))

	r.arrived <- syscall.SIGTERM
	require.Equal(t, exitOK, next(t, r.code), r.stage.err.String())
	_, err := net.Dial("tcp", listen)
	require.ErrorIs(t, err, syscall.ECONNREFUSED, "nothing listens any more")
}

func TestListenerInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	r := startRig(t, sample(l.Addr().String(), `{name: A, address: "127.0.0.1:1"}`))
	require.Equal(t, exitFailed, next(t, r.code))
	said := r.stage.err.String()
	require.Equal(t, 1, strings.Count(said, "gantry: "), said)
	require.Contains(t, said, "gantry: service HL7: cannot listen on "+l.Addr().String()+": address already in use")
	require.Empty(t, r.notified)
}
