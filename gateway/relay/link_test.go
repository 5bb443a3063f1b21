package relay_test

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"gantry/gateway/relay"
)

func TestBytesAndFINOfALink(t *testing.T) {
	d, _ := newDesk(t)
	e := newEar()
	near, l := link(t, d, e)
	write(t, near, "hello")
	e.receives(t, "hello")
	require.NoError(t, near.CloseWrite())
	e.hears(t, "finished")
	at(t, d, func() { // half-closed by the peer, and still we write
		require.Equal(t, 1, d.Links())
		flushed, err := l.Write([]byte("still here"))
		require.True(t, flushed)
		require.NoError(t, err)
	})
	require.Equal(t, "still here", read(t, near, 10))
	at(t, d, l.Close)
	require.Empty(t, rest(t, near))
	e.silent(t, d)
	at(t, d, func() { require.Zero(t, d.Links()) })
}

func TestDialOfALink(t *testing.T) {
	for _, tt := range []struct {
		name string
		err  error
	}{
		{"connected", nil},
		{"refused", unix.ECONNREFUSED},
		{"too slow", relay.ErrConnectTimeout},
		{"wrong at once", unix.ENETUNREACH},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, _ := newDesk(t)
			e, accept := newEar(), func() *net.TCPConn { return nil }
			addr, within := unused(t), patience
			switch tt.err {
			case nil:
				addr, accept = listen(t)
			case relay.ErrConnectTimeout:
				addr, within = fullBacklog(t), 50*time.Millisecond
			case unix.ENETUNREACH:
				addr = netipMust("255.255.255.255:1")
			}
			at(t, d, func() {
				l := d.Dial(addr, within, e)
				if len(e.heard) > 0 {
					t.Error("told from within Dial")
				}
				_, err := l.Write([]byte("kept until then"))
				_ = err
			})
			n := e.hears(t, "dialed")
			if tt.err == nil {
				require.NoError(t, n.err)
				require.Equal(t, "kept until then", read(t, accept(), 15))
				e.hears(t, "flushed")
			} else {
				require.ErrorIs(t, n.err, tt.err)
			}
			e.silent(t, d)
			at(t, d, func() { require.Equal(t, map[bool]int{true: 1}[tt.err == nil], d.Links()) })
		})
	}
}

// The greeting of a server that speaks first is not lost between the handshake
// and the first read.
func TestServerThatSpeaksFirst(t *testing.T) {
	d, _ := newDesk(t)
	e := newEar()
	addr, accept := listen(t)
	dial(t, d, addr, patience, e)
	server := accept()
	write(t, server, "welcome")
	e.hears(t, "dialed")
	e.receives(t, "welcome")
}

func TestDialThatIsClosedTellsNothing(t *testing.T) {
	d, _ := newDesk(t)
	e, nobody, slow := newEar(), unused(t), fullBacklog(t)
	at(t, d, func() {
		d.Dial(nobody, time.Hour, e).Close()
		d.Dial(netipMust("255.255.255.255:1"), time.Hour, e).Reset()
		d.Dial(slow, time.Millisecond, e).Part()
	})
	require.Never(t, func() bool { return len(e.heard) > 0 }, 50*time.Millisecond, 5*time.Millisecond)
	at(t, d, func() { require.Zero(t, d.Links()) })
}

// A FIN behind bytes is told behind them, and neither while the link is paused.
func TestPausedLinkIsToldNothing(t *testing.T) {
	d, _ := newDesk(t)
	e := newEar()
	near, l := link(t, d, e)
	at(t, d, l.Pause)
	write(t, near, "first")
	require.NoError(t, near.CloseWrite())
	require.Never(t, func() bool { return len(e.heard) > 0 }, 50*time.Millisecond, 5*time.Millisecond)
	at(t, d, func() {
		l.Resume()
		if len(e.heard) > 0 {
			t.Error("told from within Resume")
		}
	})
	e.receives(t, "first")
	e.hears(t, "finished")
	e.silent(t, d)
}

// Pause holds at once, also in the midst of what the kernel has.
func TestPauseInsideReceived(t *testing.T) {
	d, _ := newDesk(t)
	e := newEar()
	e.onReceived = func(l *relay.Link, _ []byte) { l.Pause() }
	near, fd := socket(t)
	text := strings.Repeat("x", 3*relay.ReadSize)
	write(t, near, text)
	var l *relay.Link
	at(t, d, func() { l = d.Adopt(fd, e) })
	for got := 0; got < len(text); {
		n := e.hears(t, "received")
		got += len(n.text)
		e.silent(t, d)
		at(t, d, l.Resume)
	}
}

// The bytes of a peer that is not read stay on its side.
func TestPausedLinkHoldsItsPeerBack(t *testing.T) {
	d, _ := newDesk(t)
	e := newEar()
	near, l := link(t, d, e)
	at(t, d, l.Pause)
	sent := stall(t, near)
	require.Empty(t, e.heard)
	at(t, d, l.Resume)
	for got := 0; got < sent; {
		got += len(e.hears(t, "received").text)
	}
}

func TestPeerThatReadsSlowly(t *testing.T) {
	d, _ := newDesk(t)
	e := newEar()
	near, l := link(t, d, e)
	big := strings.Repeat("b", 16<<20)
	at(t, d, func() {
		flushed, err := l.Write([]byte(big))
		require.NoError(t, err)
		require.False(t, flushed)
		require.Positive(t, l.Pending())
		flushed, err = l.Write([]byte("end"))
		require.NoError(t, err)
		require.False(t, flushed)
		require.Greater(t, l.Unsent(), l.Pending())
	})
	e.silent(t, d)
	require.Equal(t, big+"end", read(t, near, len(big)+3))
	e.hears(t, "flushed")
	at(t, d, func() { require.Zero(t, l.Pending()) })
	require.Eventually(t, func() bool { n := -1; at(t, d, func() { n = l.Unsent() }); return n == 0 }, patience, time.Millisecond)
	e.silent(t, d)
}

func TestQuiet(t *testing.T) {
	for _, tt := range []struct {
		name  string
		spoil func(near *net.TCPConn) error
	}{
		{"a byte", func(c *net.TCPConn) error { _, err := c.Write([]byte("x")); return err }},
		{"a FIN", func(c *net.TCPConn) error { return c.Close() }},
		{"a reset", func(c *net.TCPConn) error { _ = c.SetLinger(0); return c.Close() }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, _ := newDesk(t)
			near, l := link(t, d, newEar())
			at(t, d, func() {
				require.True(t, l.Quiet())
				l.QuickAck()
				require.NoError(t, tt.spoil(near))
				require.Eventually(t, func() bool { return !l.Quiet() }, patience, time.Millisecond)
			})
		})
	}
}
