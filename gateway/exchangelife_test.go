package gateway_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/gateway"
	codec "gantry/protocols/mllp"
)

// A panic costs the connections of one service, and nothing else: what was counted for them is
// given back, and the service goes on with whoever comes next.
func TestPanicInAnExchange(t *testing.T) {
	e, other := newEngine(t), newEngine(t).obliges()
	addr, beside := freePort(t), freePort(t)
	var log syncBuffer
	second := strings.Replace(strings.TrimPrefix(hl7Service(beside, "", other), "services:\n"), "name: S", "name: T", 1)
	text := hl7Service(addr, "  limits: {connections: 2}\n", e) + second
	h := startLogged(t, text, slog.New(slog.NewTextHandler(&log, nil)))
	h.await("S", "A", "up")
	h.await("T", "A", "up")
	before := gateway.Partial()
	neighbour := talk(t, beside)
	neighbour.asks("1")
	for round := range 3 {
		c, idle := talk(t, addr), talk(t, addr)
		idle.raw("\x0bMSH|" + strings.Repeat("x", 100_000)) // half a message
		require.Eventually(t, func() bool { return gateway.Partial() > before }, patience, time.Millisecond)
		c.sends(admission("1", "SECRET"))
		p, msg := e.meets()
		p.raw("\x0bMSH|" + strings.Repeat("y", 100_000)) // and half an answer
		require.Eventually(t, func() bool { return gateway.Partial() > before+150_000 }, patience, time.Millisecond)
		h.Sabotage("S")
		p.raw("\x0b" + answerTo(msg, "AA") + "\x1c\r") // drops what came before, and is counted
		c.over()
		idle.over()
		p.over()
		require.Eventually(t, func() bool { return h.InUse() == 1 }, patience, time.Millisecond, "round %d", round)
		require.Zero(t, h.server("S", "A").Active)
		require.Equal(t, before, gateway.Partial())
		require.Eventually(t, func() bool { return h.Serves("S") }, patience, time.Millisecond)
	}
	c := talk(t, addr)
	c.sends(admission("2", "1"))
	p, msg := e.meets()
	p.sends(answerTo(msg, "AA"))
	require.Equal(t, "AA 2", c.acked())
	neighbour.asks("2")
	require.Contains(t, log.String(), "internal error")
	require.NotContains(t, log.String(), "SECRET")
}

// A reload that comes while a service begins anew is in force there.
func TestReloadAfterAPanic(t *testing.T) {
	a, b := newEngine(t), newEngine(t).obliges()
	addr := freePort(t)
	h := start(t, hl7Service(addr, "", a))
	h.await("S", "A", "up")
	c := talk(t, addr)
	c.sends(admission("1", "1"))
	p, msg := a.meets()
	h.Sabotage("S")
	p.sends(answerTo(msg, "AA"))
	_, err := h.reload(strings.Replace(hl7Service(addr, "", b), "name: A", "name: B", 1))
	require.NoError(t, err)
	c.over()
	h.await("S", "B", "up")
	talk(t, addr).asks("2")
	_, err = h.reload(hl7Service(freePort(t), "", b))
	require.NoError(t, err)
}

// An exchange that is not wanted any more ends with its last message: its connections to servers
// are closed then, not when they have been idle for mllp.idle.
func TestServiceTakenAwayLetsItsServersGo(t *testing.T) {
	e := newEngine(t)
	addr := freePort(t)
	h := start(t, hl7Service(addr, "", e))
	h.await("S", "A", "up")
	c := talk(t, addr)
	c.sends(admission("1", "1"))
	p, msg := e.meets()
	_, err := h.reload("services: []\n")
	if err != nil { // a configuration must have a service
		_, err = h.reload(strings.Replace(hl7Service(freePort(t), "", e), "name: S", "name: T", 1))
	}
	require.NoError(t, err)
	p.sends(answerTo(msg, "AA"))
	require.Equal(t, "AA 1", c.acked())
	c.over()
	p.over()
	require.Eventually(t, func() bool { return h.InUse() == 0 }, patience, time.Millisecond)
}

// A drain deadline cuts the senders, and with the last answer, or its deadline, the servers.
func TestDrainDeadlineOfAnExchange(t *testing.T) {
	e := newEngine(t)
	addr := freePort(t)
	h := start(t, hl7Service(addr, "ack_timeout: 1s|  timeouts: {drain: 200ms}\n", e))
	h.await("S", "A", "up")
	c := talk(t, addr)
	c.sends(admission("1", "1"))
	p, _ := e.meets()
	_, err := h.reload(strings.Replace(hl7Service(freePort(t), "", e), "name: S", "name: T", 1))
	require.NoError(t, err)
	c.over()
	p.over()
	require.Zero(t, h.InUse())
}

// A reload that gives the address to another protocol lets messages finish; clients of addresses
// that go stay, those of the service's other settings too.
func TestReloadOfProtocolAndAddresses(t *testing.T) {
	e := newEngine(t)
	one, two := freePort(t), freePort(t)
	h := start(t, hl7Service(one, "", e))
	h.await("S", "A", "up")
	c := talk(t, one)
	c.sends(admission("1", "1"))
	p, msg := e.meets()
	_, err := h.reload(hl7Service(two, "", e))
	require.NoError(t, err)
	p.sends(answerTo(msg, "AA"))
	require.Equal(t, "AA 1", c.acked())
	c.sends(admission("2", "1"))
	msg = p.hears()
	require.Equal(t, "2", controlID(msg), "on the old connection, to an address that is closed")
	plain := serve(t, "P")
	_, err = h.reload(tcpService(two, "", plain))
	require.NoError(t, err)
	p.sends(answerTo(msg, "AA"))
	require.Equal(t, "AA 2", c.acked())
	c.over()
	p.over()
	h.await("S", "P", "up")
	require.Equal(t, "P", dial(t, two).greeting(t))
}

// A client that said nothing before a reload began to route messages has them routed.
func TestSilentClientThroughAReloadToMessages(t *testing.T) {
	e := newEngine(t).obliges()
	addr := freePort(t)
	text := hl7Service(addr, "", e)
	h := start(t, strings.Replace(text, "per-message", "per-connection", 1))
	h.await("S", "A", "up")
	c := talk(t, addr)
	require.Eventually(t, func() bool { return h.InUse() == 1 }, patience, time.Millisecond)
	_, err := h.reload(text)
	require.NoError(t, err)
	c.asks("1")
	c.asks("2")
	h.becomes("gantry_hl7_messages_total", "AA,ADT^A08,A", 2)
	require.NoError(t, c.Close())
	require.Eventually(t, func() bool { return h.InUse() == 0 }, patience, time.Millisecond)
}

// mllp.frame_timeout is for one message, not for a stream of them that never comes to rest between
// two.
func TestFrameTimeoutIsOfEachMessage(t *testing.T) {
	e := newEngine(t).obliges()
	addr := freePort(t)
	h := start(t, hl7Service(addr, "frame_timeout: 500ms|", e))
	h.await("S", "A", "up")
	c := talk(t, addr)
	const n = 30
	for i := range n + 1 { // the end of one with the beginning of the next
		tail := ""
		if i > 0 {
			tail = admission(fmt.Sprint(i), "1")[10:] + "\x1c\r"
		}
		if i < n {
			tail += "\x0b" + admission(fmt.Sprint(i+1), "1")[:10]
		}
		c.raw(tail)
		time.Sleep(50 * time.Millisecond) // it is about time
	}
	for i := range n {
		require.Equal(t, fmt.Sprintf("AA %d", i+1), c.acked())
	}
}

// An application answer that comes the moment its connection is used again is passed on.
func TestApplicationAnswerMeetsTheNextMessage(t *testing.T) {
	e := newEngine(t)
	addr := freePort(t)
	h := start(t, hl7Service(addr, "connections_per_server: 1|", e))
	h.await("S", "A", "up")
	c := talk(t, addr)
	enhanced := strings.Replace(admission("1", "1"), "|2.5\r", "|2.5|||AL|AL\r", 1)
	c.sends(enhanced)
	p, msg := e.meets()
	p.sends(answerTo(msg, "CA"))
	require.Equal(t, "CA 1", c.acked())
	h.OnLoop("S", func() { // both have come when the loop looks again, the message first
		c.sends(admission("2", "1"))
		time.Sleep(20 * time.Millisecond)
		p.sends(answerTo(msg, "AA"))
		time.Sleep(20 * time.Millisecond)
	})
	second := p.hears()
	p.sends(answerTo(second, "AA"))
	require.ElementsMatch(t, []string{"AA 1", "AA 2"}, []string{c.acked(), c.acked()})
}

// What was received is answered to the last byte, although the gateway stops and the client reads
// late.
func TestStopDeliversLargeAnswers(t *testing.T) {
	e := newEngine(t)
	addr := freePort(t)
	h := start(t, hl7Service(addr, "", e))
	h.await("S", "A", "up")
	c := talk(t, addr)
	c.sends(admission("1", "1"))
	p, msg := e.meets()
	stopped := make(chan error, 1)
	go func() { stopped <- h.Stop(context.Background()) }()
	require.Eventually(t, func() bool { return h.Ready() != nil }, patience, time.Millisecond)
	answer := answerTo(msg, "AA") + "NTE|1||" + strings.Repeat("x", 12<<20) + "\r"
	p.sends(answer)
	require.True(t, answer == c.hears())
	c.over()
	require.NoError(t, <-stopped)
}

// Names that come from peers have series of their own up to a bound, reloads or not.
func TestSeriesOfMessagesAreBounded(t *testing.T) {
	e := newEngine(t).obliges()
	addr := freePort(t)
	h := start(t, hl7Service(addr, "", e))
	h.await("S", "A", "up")
	c := talk(t, addr)
	send := func(from, to int) {
		for i := from; i < to; i++ {
			msg := strings.Replace(admission(fmt.Sprint(i), "1"), "ADT^A08", fmt.Sprintf("ADT^Z%d", i), 1)
			c.sends(strings.Replace(msg, "RIS|HOSPITAL", fmt.Sprintf("RIS|H%d", i), 1))
			require.Equal(t, fmt.Sprintf("AA %d", i), c.acked())
		}
	}
	send(0, 150)
	_, err := h.reload(hl7Service(addr, "hold: 1s|", e))
	require.NoError(t, err)
	send(150, 300)
	h.becomes("gantry_hl7_messages_total", "AA,other,A", 200)
	h.becomes("gantry_hl7_facility_messages_total", "other", 236)
	require.Len(t, h.counts("gantry_hl7_messages_total"), 101)
	require.Len(t, h.counts("gantry_hl7_facility_messages_total"), 65)
	for _, odd := range []string{"\xff\xfe|", "ADT^A\x01", strings.Repeat("L", 500)} {
		c.sends(strings.Replace(strings.Replace(admission("x", "1"), "ADT^A08", odd, 1), "RIS|HOSPITAL", "RIS|"+odd, 1))
		_, _ = c.next()
	}
	c.asks("300")
}

// A truncated last message is counted once, whatever the client reads or not.
func TestTruncatedLastMessageIsCountedOnce(t *testing.T) {
	e := newEngine(t)
	addr := freePort(t)
	h := start(t, hl7Service(addr, "", e))
	h.await("S", "A", "up")
	c := talk(t, addr)
	both := codec.Append(codec.Append(nil, []byte(admission("1", "1"))), []byte(admission("2", "1")))
	c.raw(string(both) + "\x0bMSH|^~\\&|RIS")
	require.NoError(t, c.CloseWrite())
	p, msg := e.meets()
	h.becomes("gantry_hl7_framing_oddities_total", "truncated", 1)
	stuffed := make(chan struct{})
	go func() {
		defer close(stuffed)
		p.sends(answerTo(msg, "AA") + "NTE|1||" + strings.Repeat("x", 12<<20) + "\r")
	}()
	<-stuffed
	msg = p.hears() // the gateway has the whole answer, and its client has not
	_ = c.hears()
	h.OnLoop("S", func() {})
	p.sends(answerTo(msg, "AA"))
	require.Equal(t, "AA 2", c.acked())
	_, err := c.next()
	require.ErrorIs(t, err, io.EOF)
	h.becomes("gantry_hl7_framing_oddities_total", "truncated", 1)
}
