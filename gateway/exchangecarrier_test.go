package gateway_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/fixtures/secure"
	"gantry/gateway/relay"
)

// securely is a client of a service over TLS of that version, given to it by a carrier; tcp is what lies beneath.
func securely(t *testing.T, h *house, version uint16) (c *talker, tcp *net.TCPConn) {
	t.Helper()
	id, err := secure.SelfSigned("ZZ-GANTRY")
	require.NoError(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	dialled, err := net.DialTimeout("tcp", l.Addr().String(), patience)
	require.NoError(t, err)
	ours, err := l.Accept()
	require.NoError(t, err)

	config := id.Config(func() secure.Faults { return secure.Faults{} })
	config.MinVersion, config.MaxVersion = version, version
	server, shaken := tls.Server(relay.Beneath(ours), config), make(chan error, 1)
	go func() { shaken <- server.Handshake() }()
	client := id.Client(dialled)
	require.NoError(t, client.Handshake())
	require.NoError(t, <-shaken)
	require.Equal(t, version, client.ConnectionState().Version)

	ended := make(chan struct{})
	require.NoError(t, h.TakeCarried("S", server, func() { close(ended) }))
	t.Cleanup(func() {
		_ = dialled.Close()
		select {
		case <-ended:
		case <-time.After(patience):
			t.Error("the carrier has not ended")
		}
	})
	return newTalker(t, client), dialled.(*net.TCPConn)
}

// eachTLS runs a test for the versions of TLS that there are.
func eachTLS(t *testing.T, test func(t *testing.T, version uint16)) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) { test(t, version) })
	}
}

// TestMessagesOverTLS: the router serves senders over TLS beside others, in one order, and half-closing ones have their
// answers.
func TestMessagesOverTLS(t *testing.T) {
	eachTLS(t, func(t *testing.T, version uint16) {
		e := newEngine(t)
		addr := freePort(t)
		h := start(t, hl7Service(addr, "order_by: PID-3.1, client_pipelining: 8, max_message: 8MiB|", e))
		h.await("S", "A", "up")
		over, _ := securely(t, h, version)
		plain := talk(t, addr)

		over.sends(admission("1", "SAME"))
		p, first := e.meets()
		require.Equal(t, "1", controlID(first))
		plain.sends(admission("2", "SAME"))
		h.becomes("gantry_hl7_messages_waiting", "", 1) // behind the other's
		p.sends(answerTo(first, "AA"))
		require.Equal(t, "AA 1", over.acked())
		second := p.hears()
		require.Equal(t, "2", controlID(second))

		large := admission("3", "SAME") + strings.Repeat("OBX|1|TX|||"+strings.Repeat("x", 1<<10)+"\r", 4<<10)
		over.sends(large) // more than pair and buffers hold
		over.sends(admission("4", "SAME"))
		require.NoError(t, over.CloseWrite())
		p.sends(answerTo(second, "AA"))
		require.Equal(t, "AA 2", plain.acked())
		third := p.hears()
		require.True(t, third == large, "the bytes as they came")
		p.sends(answerTo(third, "AE"))
		require.Equal(t, "AE 3", over.acked())
		p.sends(answerTo(p.hears(), "AA"))
		require.Equal(t, "AA 4", over.acked())
		_, err := over.next()
		require.ErrorIs(t, err, io.EOF, "close_notify, behind the last answer")
		require.NoError(t, over.Close())
		require.Eventually(t, func() bool { return h.InUse() == 1 }, patience, time.Millisecond)
	})
}

// TestTLSThatBreaksOff: TLS that ends without close_notify has not ended as its sender wanted, so that what it had not
// got answers to and was not sent yet stays unsent; half of a frame is never a message.
func TestTLSThatBreaksOff(t *testing.T) {
	for name, breakOff := range map[string]func(t *testing.T, c *talker, tcp *net.TCPConn){
		"between records": func(t *testing.T, _ *talker, tcp *net.TCPConn) { require.NoError(t, tcp.CloseWrite()) },
		"in a frame": func(t *testing.T, c *talker, tcp *net.TCPConn) {
			c.raw("\x0b" + admission("3", "SAME"))
			require.NoError(t, tcp.CloseWrite())
		},
		"in a record": func(t *testing.T, _ *talker, tcp *net.TCPConn) {
			_, err := tcp.Write([]byte("\x17\x03\x03\x00\x40half"))
			require.NoError(t, err)
			require.NoError(t, tcp.CloseWrite())
		},
		"by a reset": func(t *testing.T, _ *talker, tcp *net.TCPConn) {
			require.NoError(t, tcp.SetLinger(0))
			require.NoError(t, tcp.Close())
		},
	} {
		t.Run(name, func(t *testing.T) {
			eachTLS(t, func(t *testing.T, version uint16) {
				e := newEngine(t)
				h := start(t, hl7Service(freePort(t), "client_pipelining: 8|", e))
				h.await("S", "A", "up")
				c, tcp := securely(t, h, version)
				c.sends(admission("1", "SAME"))
				p, first := e.meets()
				c.sends(admission("2", "SAME"))
				h.becomes("gantry_hl7_messages_waiting", "", 1)
				breakOff(t, c, tcp)
				require.Eventually(t, func() bool { return h.InUse() == 0 }, patience, time.Millisecond)
				p.sends(answerTo(first, "AA"))
				h.becomes("gantry_hl7_messages_waiting", "", 0)

				next, _ := securely(t, h, version)
				next.sends(admission("5", "SAME"))
				msg := p.hears()
				require.Equal(t, "5", controlID(msg), "neither 2 nor 3 came before it")
				p.sends(answerTo(msg, "AA"))
				require.Equal(t, "AA 5", next.acked())
			})
		})
	}
}

// TestDrainOfSendersOverTLS: a gateway that stops answers what it has before it says close_notify.
func TestDrainOfSendersOverTLS(t *testing.T) {
	eachTLS(t, func(t *testing.T, version uint16) {
		e := newEngine(t)
		h := start(t, hl7Service(freePort(t), "", e))
		h.await("S", "A", "up")
		busy, _ := securely(t, h, version)
		idle, _ := securely(t, h, version)
		busy.sends(admission("1", "1"))
		p, msg := e.meets()
		require.Eventually(t, func() bool { return h.InUse() == 2 }, patience, time.Millisecond)

		stopped := make(chan error, 1)
		go func() { stopped <- h.Stop(t.Context()) }()
		_, err := idle.next()
		require.ErrorIs(t, err, io.EOF)
		p.sends(answerTo(msg, "AA"))
		require.Equal(t, "AA 1", busy.acked())
		_, err = busy.next()
		require.ErrorIs(t, err, io.EOF)
		for _, c := range []*talker{busy, idle} {
			require.NoError(t, c.Close())
		}
		require.NoError(t, <-stopped)
	})
}

// TestSlowSendersOverTLS: one that does not read its answers is not read from for ever, and what it sends meanwhile is
// not kept in memory without end.
func TestSlowSendersOverTLS(t *testing.T) {
	e := newEngine(t).obliges()
	h := start(t, hl7Service(freePort(t), "client_pipelining: 8|", e))
	h.await("S", "A", "up")
	c, _ := securely(t, h, tls.VersionTLS13)
	require.NoError(t, c.SetWriteDeadline(time.Now().Add(2*time.Second)))
	sent, long := 0, strings.Repeat("M", 1000) // so that few fill the buffers
	for i := 0; i < 1<<20; i++ {
		msg := admission(fmt.Sprint(long, i), "1")
		if _, err := c.Write([]byte("\x0b" + msg + "\x1c\r")); err != nil {
			require.ErrorContains(t, err, "timeout")
			break
		}
		sent++
	}
	require.Less(t, sent, 1<<20, "it was told to wait")
	require.Equal(t, 1, h.InUse(), "and not cut off")
	for i := range sent {
		require.Equal(t, fmt.Sprint("AA "+long, i), c.acked())
	}
}
