package conformance

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/conformance/peers"
)

// within is the test's context with an end. No test waits for ever for another process.
func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// gateway starts the program with the configuration, in a folder of its own. At the end of the test it
// must stop gently, with exit code 0, and must have written neither a panic nor a data race.
func gateway(t *testing.T, program, yaml string) *peers.Gantry {
	t.Helper()
	g, err := peers.StartGantry(within(t, time.Minute), program, t.TempDir(), yaml)
	require.NoError(t, err)
	t.Cleanup(func() { farewell(t, g) })
	return g
}

func farewell(t *testing.T, g *peers.Gantry) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	code, err := g.Terminate(ctx)
	g.Stop()
	if t.Failed() {
		t.Log("the gateway wrote:\n" + g.Log())
	}
	require.NoError(t, err)
	require.Zero(t, code, "exit code after SIGTERM; it wrote:\n%s", g.Log())
	sane(t, g)
}

func sane(t *testing.T, g *peers.Gantry) {
	t.Helper()
	for _, bad := range []string{"DATA RACE", "panic:", "fatal error:"} {
		require.NotContains(t, g.Log(), bad)
	}
}

// relay is a middle in front of one TCP server: the gateway with a tcp service. CONFORMANCE_MIDDLE in the
// environment puts something else there, to see whether a hard case is fair: "none" is the server itself,
// which passes everything by definition; "haproxy" passes all but the server's reset.
type relay struct {
	*peers.Process // nil for "none"
	addr           string
}

func relayTo(t *testing.T, program func(*testing.T) string, server string) relay {
	t.Helper()
	switch os.Getenv("CONFORMANCE_MIDDLE") {
	case "none":
		return relay{nil, server}
	case "haproxy":
		m, err := peers.StartHAProxy(within(t, time.Minute), t.TempDir(), server, false)
		require.NoError(t, err)
		t.Cleanup(m.Stop)
		return relay{m.Process, m.Addr}
	}
	addr := peers.FreeAddr()
	g := gateway(t, program(t), tcpService(addr, server))
	return relay{g.Process, addr}
}

// tcpService is the configuration of one plain service without persistence, which stops without waiting
// long for sessions that a test forgot.
func tcpService(listen string, servers ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "services:\n- name: relay\n  protocol: tcp\n  listen: [%q]\n", listen)
	fmt.Fprintf(&b, "  timeouts: {drain: 1s}\n  persistence: {by: none}\n  servers:\n")
	for i, server := range servers {
		fmt.Fprintf(&b, "  - {name: s%d, address: %q}\n", i+1, server)
	}
	return b.String()
}
