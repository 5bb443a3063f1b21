package conformance

import (
	"fmt"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/conformance/peers"
)

// patientService drains for as long as a test may take.
func patientService(listen, server string) string {
	return fmt.Sprintf("services:\n- {name: relay, protocol: tcp, listen: [%q], timeouts: {drain: 5m}, servers: [{name: s1, address: %q}]}\n",
		listen, server)
}

// TestGentleEnd: SIGTERM closes the door and lets those inside finish; the program ends with them.
func TestGentleEnd(t *testing.T) {
	ctx := within(t, time.Minute)
	addr := peers.FreeAddr()
	g, session := sessionAtTheEnd(t, addr)
	require.NoError(t, g.Signal(syscall.SIGTERM))
	require.NoError(t, peers.Until(ctx, "the door is closed", func() error { return refuses(addr) }))
	for range 3 {
		require.NoError(t, exchange(session), "a running session goes on")
	}
	require.True(t, g.Running())
	require.NoError(t, session.Close())
	code, err := g.ExitCode(ctx)
	require.NoError(t, err)
	require.Zero(t, code)
	sane(t, g)
}

// TestSecondSignalEndsAtOnce: whoever asks twice does not want to wait for the drain.
func TestSecondSignalEndsAtOnce(t *testing.T) {
	addr := peers.FreeAddr()
	g, session := sessionAtTheEnd(t, addr)
	require.NoError(t, g.Signal(syscall.SIGTERM))
	require.NoError(t, peers.Until(within(t, 30*time.Second), "the door is closed", func() error { return refuses(addr) }))
	require.NoError(t, exchange(session))
	require.NoError(t, g.Signal(syscall.SIGTERM))
	_, err := g.ExitCode(within(t, 5*time.Second))
	require.NoError(t, err)
	require.Error(t, exchange(session))
	sane(t, g)
}

// TestDrainedServer: the order "drain" takes no session away and sends no new one.
func TestDrainedServer(t *testing.T) {
	ctx := within(t, time.Minute)
	addr, server := peers.FreeAddr(), serve(t, echo)
	g := gateway(t, raced(t), tcpService(addr, server))
	session := dial(t, addr)
	require.NoError(t, exchange(session))
	require.NoError(t, g.SetServer(ctx, "relay", "s1", peers.ServerChange{Admin: "drain"}))
	require.NoError(t, exchange(session), "the running session")
	require.Error(t, exchange(dial(t, addr)), "a new one: there is no other server")
	require.NoError(t, g.SetServer(ctx, "relay", "s1", peers.ServerChange{Admin: "ready"}))
	require.NoError(t, exchange(dial(t, addr)))
	require.NoError(t, exchange(session))
}

// sessionAtTheEnd is a gateway that the test itself ends, with one running session.
func sessionAtTheEnd(t *testing.T, addr string) (*peers.Gantry, *net.TCPConn) {
	t.Helper()
	g, err := peers.StartGantry(within(t, time.Minute), raced(t), t.TempDir(), patientService(addr, serve(t, echo)))
	require.NoError(t, err)
	t.Cleanup(g.Kill)
	session := dial(t, addr)
	require.NoError(t, exchange(session))
	return g, session
}

func refuses(addr string) error {
	c, err := dialQuick(addr)
	if err != nil {
		return nil
	}
	c.Close()
	return fmt.Errorf("%s still accepts", addr)
}

// TestIPv6: clients of IPv6 reach servers of IPv4 and the other way round.
func TestIPv6(t *testing.T) {
	probe, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Skip("this machine has no IPv6 loopback: ", err)
	}
	probe.Close()
	four, six := peers.FreePort(), peers.FreePort()
	server4, server6 := serve(t, echo), serveOn(t, "[::1]:0", echo)
	gateway(t, raced(t), fmt.Sprintf(`services:
- {name: six-to-four, protocol: tcp, listen: ["[::1]:%d"], timeouts: {drain: 1s}, servers: [{name: s, address: %q}]}
- {name: four-to-six, protocol: tcp, listen: ["127.0.0.1:%d"], timeouts: {drain: 1s}, servers: [{name: s, address: %q}]}
`, six, server4, four, server6))
	require.NoError(t, exchange(dial(t, fmt.Sprintf("[::1]:%d", six))))
	require.NoError(t, exchange(dial(t, fmt.Sprintf("127.0.0.1:%d", four))))
}
