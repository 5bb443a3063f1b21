package relay_test

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"gantry/gateway/relay"
)

// What the peer had sent before its reset is told first; what it never
// acknowledged is known afterwards.
func TestResetByThePeer(t *testing.T) {
	d, _ := newDesk(t)
	e := newEar()
	near, l := link(t, d, e)
	unsent := make(chan int, 1)
	e.onLost = func(l *relay.Link) { unsent <- l.Unsent() }
	at(t, d, func() {
		_, err := l.Write([]byte(strings.Repeat("x", 16<<20)))
		require.NoError(t, err)
		write(t, near, "last words")
		require.NoError(t, near.SetLinger(0))
		require.NoError(t, near.Close())
	})
	e.receives(t, "last words")
	require.ErrorIs(t, e.hears(t, "lost").err, unix.ECONNRESET)
	require.Positive(t, <-unsent)
	e.silent(t, d)
	at(t, d, func() {
		require.Zero(t, d.Links())
		_, err := l.Write([]byte("x"))
		require.ErrorIs(t, err, net.ErrClosed)
		l.Close()
		l.Reset()
		l.Part()
		l.Resume()
		l.QuickAck()
		require.False(t, l.Quiet())
		require.True(t, l.Ended())
	})
	e.silent(t, d)
}

// A paused link is told of a reset at once: nobody waits for its bytes.
func TestResetOfAPausedLink(t *testing.T) {
	d, _ := newDesk(t)
	e := newEar()
	near, l := link(t, d, e)
	at(t, d, l.Pause)
	write(t, near, "never told")
	require.NoError(t, near.SetLinger(0))
	require.NoError(t, near.Close())
	e.hears(t, "lost")
	e.silent(t, d)
}

// A write to a peer that is gone fails, and Lost follows once and on a later turn.
func TestWriteThatFails(t *testing.T) {
	d, _ := newDesk(t)
	e := newEar()
	near, l := link(t, d, e)
	at(t, d, func() {
		require.NoError(t, near.SetLinger(0))
		require.NoError(t, near.Close())
		require.Eventually(t, func() bool { _, err := l.Write([]byte("x")); return err != nil }, patience, time.Millisecond)
		_, err := l.Write([]byte("x"))
		require.Error(t, err)
		require.False(t, l.Quiet())
		require.True(t, l.Ended())
		require.Empty(t, e.heard, "told from within Write")
	})
	e.hears(t, "lost")
	e.silent(t, d)
}

func TestEnded(t *testing.T) {
	d, _ := newDesk(t)
	near, l := link(t, d, newEar())
	at(t, d, func() {
		require.False(t, l.Ended())
		write(t, near, "x")
		require.Eventually(t, func() bool { return !l.Quiet() }, patience, time.Millisecond)
		require.False(t, l.Ended(), "bytes are no end")
		require.NoError(t, near.CloseWrite())
		require.Eventually(t, l.Ended, patience, time.Millisecond)
	})
}

func TestWaysToEndALink(t *testing.T) {
	for _, tt := range []struct {
		name  string
		end   func(l *relay.Link)
		reset bool
	}{
		{"close", (*relay.Link).Close, false},
		{"part", (*relay.Link).Part, false},
		{"reset", (*relay.Link).Reset, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, _ := newDesk(t)
			e := newEar()
			near, l := link(t, d, e)
			at(t, d, func() {
				_, err := l.Write([]byte("bye"))
				require.NoError(t, err)
				tt.end(l)
				require.Zero(t, d.Links())
				_, err = l.Write([]byte("x"))
				require.ErrorIs(t, err, net.ErrClosed)
			})
			got, err := io.ReadAll(near)
			if tt.reset {
				require.True(t, isReset(err), "%v", err)
			} else {
				require.NoError(t, err)
				require.Equal(t, "bye", string(got))
			}
			require.NoError(t, near.Close())
			e.silent(t, d)
		})
	}
}

// A FIN in the midst of what was written would be a lie.
func TestCloseBeforeAllIsSentIsAReset(t *testing.T) {
	d, _ := newDesk(t)
	near, l := link(t, d, newEar())
	at(t, d, func() {
		_, err := l.Write([]byte(strings.Repeat("x", 16<<20)))
		require.NoError(t, err)
		l.Close()
	})
	_, err := io.Copy(io.Discard, near)
	require.True(t, isReset(err), "%v", err)
}

// All that was written arrives, FIN behind it, although the peer sends on and
// reads late.
func TestPartDeliversWhatWasWritten(t *testing.T) {
	d, _ := newDesk(t)
	e := newEar()
	near, l := link(t, d, e)
	big := strings.Repeat("b", 16<<20)
	at(t, d, func() {
		l.Pause()
		write(t, near, "unread")
		_, err := l.Write([]byte(big))
		require.NoError(t, err)
		l.Part()
	})
	write(t, near, "and more")
	require.True(t, big == rest(t, near), "something is missing")
	e.silent(t, d)
}

// A peer that has ended its side already has nothing to add: no linger.
func TestPartAfterThePeersFIN(t *testing.T) {
	d, _ := newDesk(t)
	e := newEar()
	near, l := link(t, d, e)
	require.NoError(t, near.CloseWrite())
	e.hears(t, "finished")
	before := openFiles(t)
	at(t, d, func() {
		_, err := l.Write([]byte("answer"))
		require.NoError(t, err)
		l.Part()
		require.Equal(t, before-1, openFiles(t))
	})
	require.Equal(t, "answer", rest(t, near))
}

func TestPartEndsForPeersThatDoNot(t *testing.T) {
	for name, pending := range map[string]int{"all is sent": 0, "nothing is taken": 16 << 20} {
		t.Run(name, func(t *testing.T) {
			d, _ := newDesk(t)
			_, l := link(t, d, newEar())
			before := openFiles(t)
			at(t, d, func() {
				_, err := l.Write(make([]byte, pending))
				require.NoError(t, err)
				l.Part()
			})
			start := time.Now()
			require.Eventually(t, func() bool { return openFiles(t) < before }, relay.PartLinger+patience, 10*time.Millisecond)
			require.GreaterOrEqual(t, time.Since(start), relay.PartLinger/2)
		})
	}
}

// A peer that takes a little now and then gets all of it, however long that takes.
func TestPartFromASlowReader(t *testing.T) {
	d, _ := newDesk(t)
	near, l := link(t, d, newEar())
	require.NoError(t, near.SetReadBuffer(64<<10))
	const size = 16 << 20
	at(t, d, func() {
		_, err := l.Write(make([]byte, size))
		require.NoError(t, err)
		l.Part()
	})
	got := 0
	for buf := make([]byte, 1<<20); got < size; {
		if got < 5<<20 {
			time.Sleep(relay.PartLinger / 4) // what it is about; over PartLinger in all
		}
		n, err := io.ReadFull(near, buf)
		got += n
		require.NoError(t, err, "after %d bytes", got)
	}
	require.Empty(t, rest(t, near))
}
