package relay_test

import (
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"gantry/gateway/relay"
)

// reset has a peer close with RST.
func reset(t testing.TB, c *net.TCPConn) {
	t.Helper()
	require.NoError(t, c.SetLinger(0))
	require.NoError(t, c.Close())
}

func TestResetOfALinkIsToldBehindItsBytes(t *testing.T) {
	d, _ := newDesk(t)
	e := newEar()
	e.onLost = func(l *relay.Link) {
		if d.Links() != 0 || l.FD() >= 0 {
			t.Error("the link was not closed when Lost was told")
		}
	}
	near, fd := socket(t)
	at(t, d, func() {
		d.Adopt(fd, e)
		write(t, near, "last words")
		reset(t, near)
		time.Sleep(time.Millisecond) // both are there when the loop looks, mostly
	})
	e.receives(t, "last words")
	require.ErrorIs(t, e.hears(t, "lost").err, unix.ECONNRESET)
	e.silent(t, d)
}

func TestResetAfterFIN(t *testing.T) {
	d, _ := newDesk(t)
	e := newEar()
	near, l := link(t, d, e)
	require.NoError(t, near.CloseWrite())
	e.hears(t, "finished")
	reset(t, near)
	require.Error(t, e.hears(t, "lost").err)
	at(t, d, func() {
		_, err := l.Write([]byte("x"))
		require.ErrorIs(t, err, net.ErrClosed)
		require.False(t, l.Quiet())
		l.Close()
		l.Reset()
		l.Part()
		l.Resume()
		l.QuickAck()
	})
	e.silent(t, d)
}

// Nobody waits for Resume to learn that a peer is gone.
func TestResetOfAPausedLinkIsToldAtOnce(t *testing.T) {
	d, _ := newDesk(t)
	e := newEar()
	near, l := link(t, d, e)
	at(t, d, l.Pause)
	write(t, near, "unread")
	reset(t, near)
	require.ErrorIs(t, e.hears(t, "lost").err, unix.ECONNRESET)
	e.silent(t, d)
}

// A write that meets a reset must not cost the answer that came before it.
func TestFailedWriteLeavesWhatThePeerHadSaid(t *testing.T) {
	d, _ := newDesk(t)
	e := newEar()
	near, l := link(t, d, e)
	at(t, d, func() {
		write(t, near, "the answer")
		reset(t, near)
		require.Eventually(t, func() bool {
			_, err := l.Write([]byte("next"))
			return err != nil
		}, patience, time.Millisecond)
		require.Empty(t, e.heard, "told from within Write")
		_, err := l.Write([]byte("once more"))
		require.Error(t, err)
		require.False(t, l.Quiet())
	})
	e.receives(t, "the answer")
	require.Error(t, e.hears(t, "lost").err)
	e.silent(t, d)
}

// Nor must one that fails only later, with bytes waiting.
func TestFailedFlush(t *testing.T) {
	d, _ := newDesk(t)
	e := newEar()
	near, l := link(t, d, e)
	at(t, d, func() {
		flushed, err := l.Write(make([]byte, 32<<20))
		require.NoError(t, err)
		require.False(t, flushed)
	})
	write(t, near, "too large")
	e.receives(t, "too large")
	reset(t, near)
	require.ErrorIs(t, e.hears(t, "lost").err, unix.ECONNRESET)
	e.silent(t, d)
	at(t, d, func() { require.Positive(t, l.Unsent(), "not all was delivered") })
}

func TestUnsentAfterLost(t *testing.T) {
	for _, tt := range []struct {
		name      string
		delivered bool
	}{{"delivered", true}, {"not delivered", false}} {
		t.Run(tt.name, func(t *testing.T) {
			d, _ := newDesk(t)
			e := newEar()
			near, l := link(t, d, e)
			if tt.delivered {
				at(t, d, func() { _, _ = l.Write([]byte("answer")) })
				require.Equal(t, "answer", read(t, near, 6))
			} else {
				at(t, d, func() { _, _ = l.Write(make([]byte, 32<<20)) })
			}
			reset(t, near)
			e.hears(t, "lost")
			at(t, d, func() { require.Equal(t, tt.delivered, l.Unsent() == 0) })
		})
	}
}

func TestAdoptedDescriptorThatCannotBeWatched(t *testing.T) {
	d, _ := newDesk(t)
	e := newEar()
	f, err := os.CreateTemp(t.TempDir(), "")
	require.NoError(t, err)
	fd, err := unix.Dup(int(f.Fd()))
	require.NoError(t, err)
	require.NoError(t, f.Close())
	at(t, d, func() {
		d.Adopt(fd, e)
		require.Empty(t, e.heard, "told from within Adopt")
	})
	for n := e.next(t); n.what != "lost"; n = e.next(t) {
		require.Equal(t, "finished", n.what, "the end of the file")
	}
	e.silent(t, d)
}

// The handler may do away with the very link it is told of.
func TestEndInsideReceived(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  func(l *relay.Link)
		sees func(err error) bool
	}{
		{"close", (*relay.Link).Close, func(err error) bool { return err == nil || isReset(err) }},
		{"reset", (*relay.Link).Reset, isReset},
		{"part", (*relay.Link).Part, func(err error) bool { return err == nil }},
		{"desk", nil, func(err error) bool { return err == nil || isReset(err) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, _ := newDesk(t)
			e := newEar()
			e.onReceived = func(l *relay.Link, _ []byte) {
				if tt.end == nil {
					d.Close()
					return
				}
				tt.end(l)
				if d.Links() != 0 {
					t.Error("the link still counts")
				}
			}
			near, fd := socket(t)
			write(t, near, strings.Repeat("x", 2*relay.ReadSize))
			require.True(t, d.Post(func() { d.Adopt(fd, e) }))
			e.hears(t, "received")
			_, err := io.ReadAll(near)
			require.True(t, tt.sees(err), "got %v", err)
			require.NoError(t, near.Close())
			require.Empty(t, e.heard)
		})
	}
}

// A FIN in the midst of what was written would be a lie.
func TestCloseWithBytesPendingIsAReset(t *testing.T) {
	d, _ := newDesk(t)
	near, l := link(t, d, newEar())
	at(t, d, func() {
		_, err := l.Write(make([]byte, 32<<20))
		require.NoError(t, err)
		l.Close()
	})
	_, err := io.Copy(io.Discard, near)
	require.True(t, isReset(err), "got %v", err)
}

// An event that was fetched for a link that is closed since must not reach the
// one that has its slot now.
func TestStaleEventAfterSlotReuse(t *testing.T) {
	d, _ := newDesk(t)
	first, second, third := newEar(), newEar(), newEar()
	nearFirst, _ := link(t, d, first)
	nearSecond, victim := link(t, d, second)
	nearThird, fd := socket(t)
	first.onReceived = func(*relay.Link, []byte) {
		victim.Close()
		d.Adopt(fd, third)
	}
	at(t, d, func() {
		write(t, nearFirst, "now")
		reset(t, nearSecond) // an event that would end any link
		require.Eventually(t, func() bool { return !victim.Quiet() }, patience, time.Millisecond)
	})
	first.receives(t, "now")
	write(t, nearThird, "hello")
	third.receives(t, "hello")
	third.silent(t, d)
	require.Empty(t, second.heard)
}
