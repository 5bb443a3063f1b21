package gateway_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gantry/gateway/admin"
	codec "gantry/protocols/mllp"
)

// TestMessagesShareTheServers: one long-lived sender uses both receivers, and has every answer.
func TestMessagesShareTheServers(t *testing.T) {
	a, b := newEngine(t), newEngine(t)
	addr := freePort(t)
	h := start(t, hl7Service(addr, "  algorithm: round-robin\n", a, b))
	h.await("S", "A", "up")
	h.await("S", "B", "up")
	c := talk(t, addr)
	var at [2]*talker
	for i := range 6 {
		id := fmt.Sprint(i)
		c.sends(admission(id, "1"))
		var p *talker
		var msg string
		if p = at[i%2]; p == nil {
			p, msg = []*hl7Engine{a, b}[i%2].meets()
			at[i%2] = p
		} else {
			msg = p.hears()
		}
		require.Equal(t, admission(id, "1"), msg, "not a byte is changed")
		p.sends(answerTo(msg, "AA"))
		require.Equal(t, "AA "+id, c.acked())
	}
	require.NoError(t, c.Close())
	h.becomes("gantry_hl7_messages_total", "AA,ADT^A08,A", 3)
	h.becomes("gantry_hl7_facility_messages_total", "HOSPITAL", 6)
	require.Equal(t, int64(3), h.server("S", "B").Total)
}

// TestFraming: what arrives odd leaves exact, in one piece.
func TestFraming(t *testing.T) {
	e := newEngine(t)
	addr := freePort(t)
	h := start(t, hl7Service(addr, "", e))
	h.await("S", "A", "up")
	m := admission("1", "1")
	tests := []struct {
		name, raw string
		fin       bool
	}{
		{name: "as it should be", raw: "\x0b" + m + "\x1c\r"},
		{name: "LF, CRLF and NUL around", raw: "\r\n\x00\x0b" + m + "\x1c\r\n"},
		{name: "junk in front", raw: "HELLO\x0b" + m + "\x1c\r"},
		{name: "a byte order mark", raw: "\x0b\xef\xbb\xbf" + m + "\x1c\r"},
		{name: "a truncated one before", raw: "\x0bMSH|^~\\&|RIS|HOSP\x0b" + m + "\x1c\r"},
		{name: "an empty one before", raw: "\x0b\x1c\r\x0b" + m + "\x1c\r"},
		{name: "without its last byte, then silence", raw: "\x0b" + m + "\x1c"},
		{name: "without its last byte, then the end", raw: "\x0b" + m + "\x1c", fin: true},
	}
	var p *talker
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := talk(t, addr)
			c.raw(tt.raw)
			if tt.fin {
				require.NoError(t, c.CloseWrite())
			}
			var got string
			if p == nil {
				p, got = e.meets()
			} else {
				got = p.hears()
			}
			require.Equal(t, m, got)
			require.Empty(t, p.buf)
			require.Zero(t, p.dec.Stats)
			p.sends(answerTo(got, "AA"))
			require.Equal(t, "AA 1", c.acked(), "also with one side ended")
		})
	}
}

// TestByteByByte: a message may come in any pieces.
func TestByteByByte(t *testing.T) {
	e := newEngine(t)
	addr := freePort(t)
	start(t, hl7Service(addr, "", e)).await("S", "A", "up")
	c := talk(t, addr)
	for _, b := range codec.Append(nil, []byte(admission("1", "1"))) {
		c.raw(string([]byte{b}))
	}
	p, msg := e.meets()
	for _, b := range codec.Append(nil, []byte(answerTo(msg, "AA"))) {
		p.raw(string([]byte{b}))
	}
	require.Equal(t, "AA 1", c.acked())
}

// TestLargeMessages: both ways, beyond what sockets hold.
func TestLargeMessages(t *testing.T) {
	e := newEngine(t)
	addr := freePort(t)
	start(t, hl7Service(addr, "", e)).await("S", "A", "up")
	c := talk(t, addr)
	m := admission("1", "1") + "OBX|1|ED|PDF||" + strings.Repeat("JVBERi0x", 1<<20) + "\r"
	go c.sends(m)
	p, got := e.meets()
	require.Equal(t, len(m), len(got))
	require.True(t, m == got)
	answer := answerTo(got, "AA") + "NTE|1||" + strings.Repeat("x", 8<<20) + "\r"
	go p.sends(answer)
	require.True(t, answer == c.hears())
}

func TestNotHL7IsClosed(t *testing.T) {
	e := newEngine(t)
	addr := freePort(t)
	start(t, hl7Service(addr, "max_message: 1KiB|", e)).await("S", "A", "up")
	for name, raw := range map[string]string{
		"another protocol":  strings.Repeat("GET / HTTP/1.1\r\nHost: x\r\n\r\n", 5000),
		"a frame of text":   "\x0bHELLO\x1c\r",
		"UTF-16":            "\x0b\xfe\xff\x00M\x00S\x00H\x1c\r",
		"beyond the limit":  "\x0b" + admission("1", "1") + strings.Repeat("x", 2048) + "\x1c\r",
		"an end in between": "\x0bMSH|^~\\&|A\x1cB|\x1c\r",
	} {
		t.Run(name, func(t *testing.T) {
			c := talk(t, addr)
			_, _ = c.Write([]byte(raw))
			c.over()
		})
	}
}

// TestFrameTimeout: a frame that is not finished takes no place for ever.
func TestFrameTimeout(t *testing.T) {
	e := newEngine(t)
	addr := freePort(t)
	start(t, hl7Service(addr, "frame_timeout: 300ms|", e)).await("S", "A", "up")
	c := talk(t, addr)
	c.raw("\x0bMSH|^~\\&|RIS")
	c.over()
}

func TestAckTimeoutClosesBoth(t *testing.T) {
	e := newEngine(t)
	addr := freePort(t)
	var log syncBuffer
	h := startLogged(t, hl7Service(addr, "ack_timeout: 300ms|", e), slog.New(slog.NewTextHandler(&log, nil)))
	h.await("S", "A", "up")
	c := talk(t, addr)
	c.sends(admission("1", "SECRET"))
	p, msg := e.meets()
	p.over()
	c.over()
	_, _ = p.Write(codec.Append(nil, []byte(answerTo(msg, "AA")))) // too late for anybody
	again := talk(t, addr)
	again.sends(admission("1", "SECRET"))
	p, msg = e.meets()
	p.sends(answerTo(msg, "AA"))
	require.Equal(t, "AA 1", again.acked())
	h.becomes("gantry_hl7_unknown_outcome_total", "A", 1)
	require.Contains(t, log.String(), "control_id=1")
	require.NotContains(t, log.String(), "SECRET")
}

// TestSlowReaderOfAnswers: a sender that takes no answers is not read for ever, and loses none.
func TestSlowReaderOfAnswers(t *testing.T) {
	e := newEngine(t)
	addr := freePort(t)
	start(t, hl7Service(addr, "", e)).await("S", "A", "up")
	c := talk(t, addr)
	const n = 2000
	go func() {
		for i := range n {
			if _, err := c.Write(codec.Append(nil, []byte(admission(fmt.Sprint(i), "1")))); err != nil {
				return
			}
		}
	}()
	p, msg := e.meets()
	stuffing := "NTE|1||" + strings.Repeat("x", 8<<10) + "\r"
	go func() {
		for {
			if _, err := p.Write(codec.Append(nil, []byte(answerTo(msg, "AA")+stuffing))); err != nil {
				return
			}
			var err error
			if msg, err = p.next(); err != nil {
				return
			}
		}
	}()
	for i := range n {
		require.Equal(t, fmt.Sprintf("AA %d", i), c.acked())
	}
}

// TestDrainBetweenMessages: a drained server finishes what it was sent; the next message goes
// elsewhere, on the sender's same connection.
func TestDrainBetweenMessages(t *testing.T) {
	a, b := newEngine(t), newEngine(t)
	addr := freePort(t)
	h := start(t, hl7Service(addr, "  distribution: failover\n", a, b))
	h.await("S", "A", "up")
	h.await("S", "B", "up")
	c := talk(t, addr)
	c.sends(admission("1", "1"))
	p, msg := a.meets()
	drain := "drain"
	require.NoError(t, h.SetServer("S", "A", admin.ServerChange{Admin: &drain}))
	require.Equal(t, "1 message not answered yet", h.server("S", "A").Left.Words)
	p.sends(answerTo(msg, "AA"))
	require.Equal(t, "AA 1", c.acked())
	p.over()
	c.sends(admission("2", "1"))
	q, msg := b.meets()
	q.sends(answerTo(msg, "AA"))
	require.Equal(t, "AA 2", c.acked())
}

// TestStopFinishesMessages: what was received is answered before the gateway is gone.
func TestStopFinishesMessages(t *testing.T) {
	e := newEngine(t)
	addr := freePort(t)
	h := start(t, hl7Service(addr, "", e))
	h.await("S", "A", "up")
	c, idle := talk(t, addr), talk(t, addr)
	c.sends(admission("1", "1"))
	p, msg := e.meets()
	stopped := make(chan error, 1)
	go func() { stopped <- h.Stop(context.Background()) }()
	idle.over()
	p.sends(answerTo(msg, "AA"))
	require.Equal(t, "AA 1", c.acked())
	c.over()
	require.NoError(t, <-stopped)
}

func TestStopHasADeadline(t *testing.T) {
	e := newEngine(t)
	addr := freePort(t)
	h := start(t, hl7Service(addr, "  timeouts: {drain: 300ms}\n", e))
	h.await("S", "A", "up")
	c := talk(t, addr)
	c.sends(admission("1", "1"))
	e.meets()
	require.NoError(t, h.Stop(context.Background()))
	c.over()
}

// TestReloadKeepsConnections: a reload changes rules under open connections, and back to whole
// connections it lets them finish.
func TestReloadOfAnExchange(t *testing.T) {
	a, b := newEngine(t), newEngine(t)
	addr := freePort(t)
	h := start(t, hl7Service(addr, "", a))
	h.await("S", "A", "up")
	c := talk(t, addr)
	c.sends(admission("1", "1"))
	p, first := a.meets()
	swapped := strings.Replace(hl7Service(addr, "", b), "name: A", "name: B", 1)
	_, err := h.reload(swapped)
	require.NoError(t, err)
	h.await("S", "B", "up")
	p.sends(answerTo(first, "AA"))
	require.Equal(t, "AA 1", c.acked(), "the old server's answer still counts")
	c.sends(admission("2", "1"))
	q, msg := b.meets()
	q.sends(answerTo(msg, "AA"))
	require.Equal(t, "AA 2", c.acked())
	_, err = h.reload(strings.Replace(swapped, "per-message", "per-connection", 1))
	require.NoError(t, err)
	c.over()
	d := talk(t, addr)
	d.sends(admission("3", "1"))
	_, msg = b.meets()
	require.Equal(t, "3", controlID(msg))
}

// TestNoServerAtStart: senders may come before receivers do.
func TestHoldThroughTheGateway(t *testing.T) {
	e := newEngine(t)
	addr := freePort(t)
	require.NoError(t, e.l.Close())
	h := start(t, hl7Service(addr, "hold: 300ms, on_no_server: nak-ar|", e))
	h.await("S", "A", "down")
	c := talk(t, addr)
	c.sends(admission("1", "1"))
	require.Equal(t, "AR 1", c.acked())
	h.becomes("gantry_hl7_messages_total", "nak,ADT^A08,", 1)
}
