package relay_test

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/gateway/relay"
)

// closed waits until the relay has given all its descriptors but a number back.
func closed(t testing.TB, files int) {
	t.Helper()
	require.Eventually(t, func() bool { return openFiles(t) == files }, patience, 5*time.Millisecond)
}

func TestPartSendsAllAndThenFIN(t *testing.T) {
	for _, tt := range []struct {
		name string
		size int
	}{{"nothing", 0}, {"a little", 10}, {"more than the kernel takes", 24 << 20}} {
		t.Run(tt.name, func(t *testing.T) {
			d, _ := newDesk(t)
			e := newEar()
			near, l := link(t, d, e)
			write(t, near, "unread")
			e.receives(t, "unread")
			at(t, d, l.Pause)
			write(t, near, "never read")
			text := strings.Repeat("z", tt.size)
			at(t, d, func() {
				_, err := l.Write([]byte(text))
				require.NoError(t, err)
				l.Part()
				require.Zero(t, d.Links())
				_, err = l.Write([]byte("x"))
				require.Error(t, err)
			})
			require.Equal(t, text, rest(t, near), "no reset may overtake it")
			files := openFiles(t)
			require.NoError(t, near.Close())
			closed(t, files-2) // both ends: Part has not waited for its time
			e.silent(t, d)
		})
	}
}

// A peer that has ended its side already is closed at once.
func TestPartAfterThePeersFIN(t *testing.T) {
	d, _ := newDesk(t)
	e := newEar()
	near, l := link(t, d, e)
	require.NoError(t, near.CloseWrite())
	e.hears(t, "finished")
	at(t, d, func() {
		_, err := l.Write([]byte("bye"))
		require.NoError(t, err)
		l.Part()
		require.Equal(t, -1, l.FD())
	})
	require.Equal(t, "bye", rest(t, near))
}

// A peer that never closes, or goes on sending, is closed after PartLinger.
func TestPartTakesItsTimeAndNoMore(t *testing.T) {
	d, _ := newDesk(t)
	near, l := link(t, d, newEar())
	var start time.Time
	at(t, d, func() { start = d.Now(); l.Part() })
	var err error
	for err == nil {
		_, err = near.Write([]byte("and another thing"))
		time.Sleep(time.Millisecond)
	}
	require.GreaterOrEqual(t, time.Since(start), relay.PartLinger)
	require.Less(t, time.Since(start), relay.PartLinger+patience/2)
}

// What was not taken in time ends in a reset: it is not whole.
func TestPartOfAPeerThatDoesNotRead(t *testing.T) {
	d, _ := newDesk(t)
	near, l := link(t, d, newEar())
	at(t, d, func() {
		_, err := l.Write(make([]byte, 32<<20))
		require.NoError(t, err)
		l.Part()
	})
	require.Eventually(t, func() bool { fd := 0; at(t, d, func() { fd = l.FD() }); return fd < 0 }, patience, 10*time.Millisecond)
	_, err := io.Copy(io.Discard, near)
	require.True(t, isReset(err), "got %v", err)
}

// The last answer still goes out when the desk is closed behind it; the relay's
// end is the end of that, too.
func TestPartingOutlivesTheDesk(t *testing.T) {
	r := newRelay(t, relay.Options{Loops: 1})
	d := r.NewDesk(newClerk())
	near, l := link(t, d, newEar())
	far, other := link(t, d, newEar())
	text := strings.Repeat("z", 24<<20)
	at(t, d, func() {
		_, err := l.Write([]byte(text))
		require.NoError(t, err)
		l.Part()
		other.Part()
		d.Close()
	})
	require.Equal(t, text, rest(t, near))
	r.Close()
	require.Equal(t, -1, l.FD())
	require.Equal(t, -1, other.FD())
	require.Empty(t, rest(t, far))
}

func TestPartOfAPeerThatResets(t *testing.T) {
	d, _ := newDesk(t)
	near, l := link(t, d, newEar())
	at(t, d, l.Part)
	reset(t, near)
	start := time.Now()
	require.Eventually(t, func() bool { fd := 0; at(t, d, func() { fd = l.FD() }); return fd < 0 }, patience, time.Millisecond)
	require.Less(t, time.Since(start), relay.PartLinger)
}
