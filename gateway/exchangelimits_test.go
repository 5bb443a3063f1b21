package gateway_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestMaxMessageOfAnExchange: a message, or an answer, that is too large is named as such; a reload reaches those who
// are connected.
func TestMaxMessageOfAnExchange(t *testing.T) {
	large := "OBX|1|TX|||" + strings.Repeat("x", 80<<10) + "\r"
	e := newEngine(t)
	addr := freePort(t)
	var log syncBuffer
	h := startLogged(t, hl7Service(addr, "max_message: 64KiB|", e), slog.New(slog.NewTextHandler(&log, nil)))
	h.await("S", "A", "up")

	c := talk(t, addr)
	c.sends(admission("1", "1"))
	p, msg := e.meets()
	p.sends(answerTo(msg, "AA"))
	require.Equal(t, "AA 1", c.acked())
	other := talk(t, addr)
	other.sends(admission("2", "1") + large)
	other.over()
	h.becomes("gantry_rejected_total", "message-too-large", 1)
	require.Contains(t, log.String(), "larger than mllp.max_message")
	require.Contains(t, log.String(), "more than 65536 bytes")

	_, err := h.reload(hl7Service(addr, "max_message: 1MiB|", e))
	require.NoError(t, err)
	h.OnLoop("S", func() {})
	c.sends(admission("5", "1") + large)
	p.sends(answerTo(p.hears(), "AA") + large)
	require.Equal(t, "AA 5", c.acked())

	_, err = h.reload(hl7Service(addr, "max_message: 64KiB|", e))
	require.NoError(t, err)
	h.OnLoop("S", func() {})
	c.sends(admission("3", "1"))
	p.sends(answerTo(p.hears(), "AA") + large)
	c.over()
	require.Contains(t, log.String(), "its answer is larger than mllp.max_message")
	require.NotContains(t, log.String(), "xxx")
}

// TestForeignClientsOfAnExchange: who begins with TLS or HTTP is told so by a close, and the log says which it was.
func TestForeignClientsOfAnExchange(t *testing.T) {
	for first, sentence := range map[string]string{
		"\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03": "begins with a TLS handshake",
		"GET / HTTP/1.1\r\nHost: gateway\r\n\r\n":      "begins with an HTTP request",
		"OPTIONS * HTTP/1.1\r\n":                       "begins with an HTTP request",
	} {
		var log syncBuffer
		e := newEngine(t)
		addr := freePort(t)
		h := startLogged(t, hl7Service(addr, "", e), slog.New(slog.NewTextHandler(&log, nil)))
		h.await("S", "A", "up")
		c := talk(t, addr)
		c.raw(first)
		c.over()
		h.becomes("gantry_rejected_total", "malformed", 1)
		require.Contains(t, log.String(), sentence)

		c = talk(t, addr)
		c.raw("GETTING ON\r\n\x0b" + admission("1", "1") + "\x1c\r") // junk in front of a frame
		p, msg := e.meets()
		p.sends(answerTo(msg, "AA"))
		require.Equal(t, "AA 1", c.acked())
		c.raw(first) // a read begins with it, but not the connection: junk as any other
		c.sends(admission("2", "1"))
		p.sends(answerTo(p.hears(), "AA"))
		require.Equal(t, "AA 2", c.acked())
		c.sends("GET / HTTP/1.1\r\n") // within a frame, and not the first
		c.over()
	}
}

// TestMemoryOfAnExchange: however many senders there are, no more is held than mllp.memory and one message.
func TestMemoryOfAnExchange(t *testing.T) {
	const clients, size = 40, 60 << 10
	e := newEngine(t)
	addr := freePort(t)
	h := start(t, hl7Service(addr, "memory: 256KiB, max_message: 64KiB, connections_per_server: 1|", e))
	h.await("S", "A", "up")
	filler := "OBX|1|TX|||" + strings.Repeat("x", size) + "\r"
	first := talk(t, addr)
	first.sends(admission("first", "1"))
	p, msg := e.meets()
	var senders []*talker
	for i := range clients {
		c := talk(t, addr)
		senders = append(senders, c)
		go func() { _, _ = c.Write([]byte("\x0b" + admission(fmt.Sprint("M", i), "1") + filler + "\x1c\r")) }()
	}
	h.becomes("gantry_hl7_messages_waiting", "", 5)
	time.Sleep(50 * time.Millisecond) // for one too many to come
	h.becomes("gantry_hl7_messages_waiting", "", 5)
	p.sends(answerTo(msg, "AA"))
	require.Equal(t, "AA first", first.acked())
	for range clients {
		p.sends(answerTo(p.hears(), "AA"))
	}
	for i, c := range senders {
		require.Equal(t, fmt.Sprint("AA M", i), c.acked())
	}
}
