package gateway_test

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/gateway/admin"
)

// mute accepts connections, as a check of type connect likes it, and resets them when the client speaks.
func mute(t testing.TB, name string) *named {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				if n, _ := c.Read(make([]byte, 1)); n == 1 {
					_ = c.(*net.TCPConn).SetLinger(0)
				}
			}()
		}
	}()
	return &named{name: name, addr: l.Addr().String(), l: l, open: map[net.Conn]bool{}}
}

// speak connects from a source, says something, and waits for the end.
func speak(t testing.TB, source, addr string) string {
	t.Helper()
	c := dialFrom(t, source, addr)
	_, _ = io.WriteString(c, "hello")
	_ = c.CloseWrite()
	return c.ended()
}

const passive = "  persistence: {by: none}\n  distribution: failover\n  passive: {failures: 3, eject: 1s, max_eject: 1h, max_ejected: %s}\n"

func TestPassiveEjection(t *testing.T) {
	a, b := mute(t, "A"), serve(t, "B")
	addr := freePort(t)
	h := start(t, tcpService(addr, fmt.Sprintf(passive, "50%"), a, b))
	h.await("S", "A", "up")
	h.await("S", "B", "up")
	for range 10 {
		require.Equal(t, "reset", speak(t, "127.0.0.1", addr))
	}
	require.Equal(t, "up", h.server("S", "A").State, "ten failures of one client do not take the server from the others")
	require.Equal(t, "reset", speak(t, "127.0.0.2", addr))
	h.await("S", "A", "ejected")
	require.False(t, h.server("S", "A").AsideUntil.IsZero())
	require.Equal(t, "B", dial(t, addr).greeting(t))
	require.Contains(t, exposition(t, h), `gantry_server_ejections_total{server="A",service="S"} 1`)
	require.Contains(t, exposition(t, h), `gantry_server_state{server="A",service="S",state="ejected"} 1`)
	h.await("S", "A", "up") // its second is over

	for i := 0; h.server("S", "A").State != "ejected"; i++ { // a session is counted a moment after its end
		speak(t, fmt.Sprintf("127.0.0.%d", i%3+1), addr)
	}
	require.Greater(t, time.Until(h.server("S", "A").AsideUntil), time.Second, "longer than the first time")
	ready := admin.AdminReady
	require.NoError(t, h.SetServer("S", "A", admin.ServerChange{Admin: &ready}))
	require.Equal(t, "up", h.server("S", "A").State, "a person takes it back")
	kinds := map[string]int{}
	for _, e := range h.Events() {
		kinds[e.Kind]++
	}
	require.Equal(t, 2, kinds["ejected"])
	require.Equal(t, 1, kinds["back"])
}

// TestMaxEjected: a share of the servers always stays, whatever their failures; and a server that
// is ejected still serves when it is the only one left.
func TestMaxEjected(t *testing.T) {
	a, b := mute(t, "A"), mute(t, "B")
	addr := freePort(t)
	h := start(t, tcpService(addr, fmt.Sprintf(passive, "50%"), a, b))
	h.await("S", "A", "up")
	h.await("S", "B", "up")
	for i := range 20 {
		require.Equal(t, "reset", speak(t, fmt.Sprintf("127.0.0.%d", i+1), addr))
	}
	ejected := 0
	for _, s := range h.Status().Services[0].Servers {
		if s.State == "ejected" {
			ejected++
		}
	}
	require.LessOrEqual(t, ejected, 1)
	drain := admin.AdminDrain
	require.NoError(t, h.SetServer("S", "B", admin.ServerChange{Admin: &drain}))
	require.Equal(t, "reset", speak(t, "127.0.0.1", addr), "A serves: better a doubtful server than none")
	require.NotEqual(t, "down", h.Status().Services[0].State)
}

func TestPanic(t *testing.T) {
	for _, tt := range []struct{ panics, state string }{{"none", "down"}, {"all", "panic"}} {
		t.Run(tt.panics, func(t *testing.T) {
			a := serve(t, "A")
			addr := freePort(t)
			h := start(t, "services:\n- name: S\n  protocol: tcp\n  listen: ['"+addr+"']\n  panic: "+tt.panics+"\n"+
				"  checks: [{type: http, interval: 200ms, fast_interval: 100ms, rise: 1, fall: 1}]\n"+ // which a greeting server fails
				"  servers: [{name: A, address: '"+a.addr+"'}]\n")
			h.await("S", "A", "down")
			require.Equal(t, tt.state, h.Status().Services[0].State)
			if tt.panics == "all" {
				require.Equal(t, "A", dial(t, addr).greeting(t))
			} else {
				require.Contains(t, []string{"closed", "reset"}, refused(t, "127.0.0.1", addr))
			}
		})
	}
}

// TestSingleSlotServerThatWorksStaysUp: it cannot answer a check while its one place is taken.
func TestSingleSlotServerThatWorksStaysUp(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() { // one connection after the other, like storescp
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.Copy(c, c)
			_ = c.Close()
		}
	}()
	one := &named{name: "A", addr: l.Addr().String()}
	addr := freePort(t)
	h := start(t, "services:\n- name: S\n  protocol: tcp\n  listen: ['"+addr+"']\n"+
		"  checks: [{type: http, path: /, interval: 150ms, fast_interval: 100ms, timeout: 120ms, rise: 1, fall: 1, expect_status: [200]}]\n"+
		"  servers: [{name: A, address: '"+one.addr+"', max_connections: 1}]\n  panic: all\n")
	h.await("S", "A", "down") // an echo server is no web server: that is what the check says while nobody uses it
	c := dial(t, addr)
	c.echo(t, "first")
	// While its place is taken and bytes move, nothing is counted against it; the message tells why.
	require.Eventually(t, func() bool {
		c.echo(t, "word")
		return h.server("S", "A").Checks[0].Reason == "" && h.server("S", "A").Checks[0].Message != ""
	}, patience, 10*time.Millisecond)
	require.Contains(t, h.server("S", "A").Checks[0].Message, "not asked: all 1 connections of max_connections are in use and make progress")
}

// TestEjectionGoesByTheConfigurationInForce: a session may have begun under an older one, which had other servers and
// other limits.
func TestEjectionGoesByTheConfigurationInForce(t *testing.T) {
	const passive = "  passive: {failures: 2, eject: 1h, max_eject: 1h, max_ejected: 100%}\n"
	for _, tt := range []struct{ name, before string }{{"no ejections", ""}, {"no other server", passive}} {
		t.Run(tt.name, func(t *testing.T) {
			a, b := mute(t, "A"), serve(t, "B")
			addr := freePort(t)
			var log syncBuffer
			h := startLogged(t, tcpService(addr, tt.before, a), slog.New(slog.NewTextHandler(&log, nil)))
			h.await("S", "A", "up")
			one, two := dialFrom(t, "127.0.0.1", addr), dialFrom(t, "127.0.0.2", addr)
			require.Eventually(t, func() bool { return h.server("S", "A").Active == 2 }, patience, time.Millisecond)
			_, err := h.reload(tcpService(addr, passive, a, b))
			require.NoError(t, err)
			h.await("S", "B", "up")
			for _, c := range []*client{one, two} {
				_, _ = io.WriteString(c, "hello")
				require.Equal(t, "reset", c.ended())
			}
			h.await("S", "A", "ejected")
			require.NotContains(t, log.String(), "only servers that are held or ejected")
		})
	}
}
