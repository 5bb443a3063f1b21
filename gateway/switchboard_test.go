package gateway_test

import (
	"fmt"
	"log/slog"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/gateway"
	codec "gantry/protocols/mllp"
)

// manyLoops lets a test's gateway have two loops or more, whatever the machine has.
func manyLoops(t *testing.T) {
	was := runtime.GOMAXPROCS(0)
	runtime.GOMAXPROCS(max(was, 2))
	t.Cleanup(func() { runtime.GOMAXPROCS(was) })
}

// wide is a service that is spread over two loops.
func wide(listen, more string, engines ...*hl7Engine) string {
	return hl7Service(listen, "connections_per_server: 16"+more+"|", engines...)
}

func TestWhoIsSpreadOverLoops(t *testing.T) {
	manyLoops(t)
	loops := runtime.GOMAXPROCS(0)
	tests := []struct {
		name, settings, server string
		exchanges              int
	}{
		{name: "four connections a server, the default", exchanges: 1},
		{name: "one less than is worth it", settings: ", connections_per_server: 15", exchanges: 1},
		{name: "enough for two", settings: ", connections_per_server: 16", exchanges: 2},
		{name: "enough for all", settings: ", connections_per_server: 256", exchanges: min(loops, 32)},
		{name: "keys", settings: ", connections_per_server: 16, order_by: PID-3.1", exchanges: 1},
		{name: "duplicates", settings: ", connections_per_server: 16, duplicates: {for: 1m}", exchanges: 1},
		{name: "a server that takes few", settings: ", connections_per_server: 16", server: ", max_connections: 2", exchanges: 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := start(t, fmt.Sprintf("services:\n- name: S\n  protocol: mllp\n  listen: ['%s']\n  mllp: {routing: per-message%s}\n"+
				"  servers: [{name: A, address: '%s'%s}]\n", freePort(t), tt.settings, newEngine(t).addr, tt.server))
			require.Len(t, h.Exchanges("S"), tt.exchanges)
		})
	}
}

// TestSpreadServiceKeepsItsLimit: clients are spread evenly, each has its own answer, and the server has no more
// connections in all than it may.
func TestSpreadServiceKeepsItsLimit(t *testing.T) {
	manyLoops(t)
	const clients, most = 20, 16
	e := newEngine(t)
	addr := freePort(t)
	h := start(t, wide(addr, "", e))
	h.await("S", "A", "up")
	senders := map[string]*talker{}
	for i := range clients {
		id := fmt.Sprint("M", i)
		senders[id] = talk(t, addr)
		senders[id].sends(admission(id, id))
	}
	var servers []*talker
	var messages []string
	for range most {
		p, msg := e.meets()
		servers, messages = append(servers, p), append(messages, msg)
	}
	h.becomes("gantry_hl7_messages_waiting", "", clients-most)
	require.Equal(t, []int{clients / 2, clients / 2}, h.Exchanges("S"))
	for i, p := range servers {
		go func() { // also those that waited, on whichever connection
			for msg, err := messages[i], error(nil); err == nil; msg, err = p.next() {
				_, _ = p.Write(codec.Append(nil, []byte(answerTo(msg, "AA"))))
			}
		}()
	}
	for id, c := range senders {
		require.Equal(t, "AA "+id, c.acked())
	}
	h.becomes("gantry_hl7_messages_waiting", "", 0)
	h.becomes("gantry_hl7_messages_total", "AA,ADT^A08,A", clients)
	require.Zero(t, h.server("S", "A").Active)
	for _, c := range senders {
		require.NoError(t, c.Close())
	}
	require.Eventually(t, func() bool { return h.InUse() == 0 }, patience, time.Millisecond)
	require.Equal(t, []int{0, 0}, h.Exchanges("S"))
}

// TestReloadGathersASpreadService: with a key to be told over all clients, they are asked to come again, each after
// the answer that it waits for.
func TestReloadGathersASpreadService(t *testing.T) {
	manyLoops(t)
	e := newEngine(t)
	addr := freePort(t)
	h := start(t, wide(addr, "", e))
	h.await("S", "A", "up")
	busy, idle := talk(t, addr), talk(t, addr)
	busy.sends(admission("1", "1"))
	p, msg := e.meets()
	require.Eventually(t, func() bool { return h.InUse() == 2 }, patience, time.Millisecond)

	_, err := h.reload(wide(addr, ", order_by: PID-3.1", e))
	require.NoError(t, err)
	idle.over()
	p.sends(answerTo(msg, "AA"))
	require.Equal(t, "AA 1", busy.acked())
	busy.over()
	p.over()

	one, two := talk(t, addr), talk(t, addr)
	one.sends(admission("2", "1"))
	p, msg = e.meets()
	two.sends(admission("3", "1"))
	h.becomes("gantry_hl7_messages_waiting", "", 1)
	p.sends(answerTo(msg, "AA"))
	require.Equal(t, "AA 2", one.acked())
	p.sends(answerTo(p.hears(), "AA"))
	require.Equal(t, "AA 3", two.acked())
	require.Equal(t, []int{2}, h.Exchanges("S"))

	_, err = h.reload(wide(addr, "", e))
	require.NoError(t, err)
	one.over()
	two.over()
	require.Len(t, h.Exchanges("S"), 2)
}

// TestPanicInOneExchange costs the clients of that one.
func TestPanicInOneExchange(t *testing.T) {
	manyLoops(t)
	e := newEngine(t)
	addr := freePort(t)
	h := startLogged(t, wide(addr, "", e), slog.New(slog.DiscardHandler))
	h.await("S", "A", "up")
	var clients, servers [2]*talker
	for i := range clients {
		clients[i] = talk(t, addr)
		clients[i].sends(admission(fmt.Sprint(i), "1"))
		var msg string
		servers[i], msg = e.meets()
		servers[i].sends(answerTo(msg, "AA"))
		require.Equal(t, fmt.Sprint("AA ", i), clients[i].acked())
	}
	require.Equal(t, []int{1, 1}, h.Exchanges("S"))
	h.Sabotage("S")
	clients[0].sends(admission("3", "1"))
	servers[0].sends(answerTo(servers[0].hears(), "AA"))
	clients[0].over()
	servers[0].over()
	clients[1].sends(admission("4", "1"))
	servers[1].sends(answerTo(servers[1].hears(), "AA"))
	require.Equal(t, "AA 4", clients[1].acked())
	require.Eventually(t, func() bool { return h.InUse() == 1 && h.server("S", "A").Active == 0 }, patience, time.Millisecond)
	clients[0] = talk(t, addr)
	clients[0].sends(admission("5", "1"))
	p, msg := e.meets()
	p.sends(answerTo(msg, "AA"))
	require.Equal(t, "AA 5", clients[0].acked())
	require.Equal(t, []int{1, 1}, h.Exchanges("S"))
}

func TestShares(t *testing.T) {
	for _, tt := range []struct {
		n     int
		parts []int
	}{{16, []int{8, 8}}, {17, []int{9, 8}}, {256, []int{86, 85, 85}}, {64, []int{64}}} {
		total := 0
		for i, want := range tt.parts {
			require.Equal(t, want, gateway.ShareOf(i, len(tt.parts), tt.n))
			total += want
		}
		require.Equal(t, tt.n, total)
	}
}
