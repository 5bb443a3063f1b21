package relay_test

import (
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/gateway/relay"
)

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
