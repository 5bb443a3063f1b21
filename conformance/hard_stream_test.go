package conformance

import (
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const mib = 1 << 20

// TestSlowReaderCostsNoMemory: a server offers 2 GB, the client reads 1 MB a second. What the client does
// not take must stay at the server. Twenty seconds are enough to see a leak: without back-pressure the
// whole 2 GB arrive in the first two.
func TestSlowReaderCostsNoMemory(t *testing.T) {
	t.Parallel()
	const offered, perSecond, seconds = 2000 * mib, 1_000_000, 20
	var sent atomic.Int64
	middle := relayTo(t, plain, serve(t, func(c *net.TCPConn) {
		for block := make([]byte, 256<<10); sent.Load() < offered; {
			n, err := c.Write(block)
			sent.Add(int64(n))
			if err != nil {
				return
			}
		}
	}))
	before := rss(t, middle)
	c := dial(t, middle.addr)
	read, most, start := 0, before, time.Now()
	block := make([]byte, perSecond/100)
	pace(func() bool {
		n, err := io.ReadFull(c, block)
		require.NoError(t, err)
		if read += n; read%perSecond == 0 {
			most = max(most, rss(t, middle))
		}
		return time.Since(start) < seconds*time.Second
	})
	require.Less(t, most-before, int64(32*mib), "resident memory grew by this much")
	require.Less(t, sent.Load()-int64(read), int64(64*mib), "bytes that left the server without a reader")
	t.Logf("read %d MB of %d MB offered; %d MB under way; memory grew by %d kB",
		read/1_000_000, offered/1_000_000, (sent.Load()-int64(read))/1_000_000, (most-before)>>10)
}

func rss(t *testing.T, r relay) int64 {
	t.Helper()
	if r.Process == nil {
		t.Skip("there is no middle to look at")
	}
	n, err := r.RSS()
	require.NoError(t, err)
	return n
}

// TestEverythingArrivesBeforeTheEnd: a server writes 64 MiB and closes at once; a slow client still gets
// every byte and then the end of the stream, not a reset.
func TestEverythingArrivesBeforeTheEnd(t *testing.T) {
	t.Parallel()
	data := make([]byte, 64*mib)
	random := rand.NewChaCha8([32]byte{1})
	_, _ = random.Read(data)
	middle := relayTo(t, raced, serve(t, func(c *net.TCPConn) { _, _ = c.Write(data) }))
	c := dial(t, middle.addr)
	got, block := sha256.New(), make([]byte, 128<<10) // 12.8 MB a second
	pace(func() bool {
		n, err := io.ReadFull(c, block)
		got.Write(block[:n])
		if errors.Is(err, io.EOF) {
			return false
		}
		require.NoError(t, err)
		return true
	})
	want := sha256.Sum256(data)
	require.Equal(t, want[:], got.Sum(nil), "the bytes that arrived")
}

// TestHalfClose: a peer that says "that was all" still hears the answer, in both directions.
func TestHalfClose(t *testing.T) {
	answer := make([]byte, 8*mib)
	t.Run("client first", func(t *testing.T) {
		middle := relayTo(t, raced, serve(t, func(c *net.TCPConn) {
			asked, _ := io.ReadAll(c) // returns when the client's end arrives
			_, _ = c.Write(append(asked, answer...))
		}))
		c := dial(t, middle.addr)
		_, err := c.Write([]byte("question"))
		require.NoError(t, err)
		require.NoError(t, c.CloseWrite())
		got, err := io.ReadAll(c)
		require.NoError(t, err)
		require.Equal(t, "question", string(got[:8]))
		require.Len(t, got, len("question")+len(answer))
	})
	t.Run("server first", func(t *testing.T) {
		heard := make(chan int, 1)
		middle := relayTo(t, raced, serve(t, func(c *net.TCPConn) {
			_ = c.CloseWrite()
			all, _ := io.ReadAll(c)
			if len(all) > 0 { // a health check says nothing
				heard <- len(all)
			}
		}))
		c := dial(t, middle.addr)
		rest, err := io.ReadAll(c)
		require.NoError(t, err)
		require.Empty(t, rest)
		_, err = c.Write(answer)
		require.NoError(t, err)
		require.NoError(t, c.CloseWrite())
		select {
		case n := <-heard:
			require.Equal(t, len(answer), n)
		case <-within(t, 30*time.Second).Done():
			t.Fatal("the server never heard the client's bytes")
		}
	})
}

// TestResetIsPassedOn: an abrupt end is not made to look like a gentle one, in both directions.
func TestResetIsPassedOn(t *testing.T) {
	t.Run("server", func(t *testing.T) {
		middle := relayTo(t, raced, serve(t, func(c *net.TCPConn) {
			_, _ = io.ReadFull(c, make([]byte, 4))
			_ = c.SetLinger(0) // the next Close sends RST
		}))
		c := dial(t, middle.addr)
		require.ErrorIs(t, exchange(c), syscall.ECONNRESET)
	})
	t.Run("client", func(t *testing.T) {
		ended := make(chan error, 1)
		middle := relayTo(t, raced, serve(t, func(c *net.TCPConn) {
			if _, err := io.ReadFull(c, make([]byte, 4)); err != nil {
				return // a health check
			}
			_, _ = c.Write([]byte("pong"))
			_, err := c.Read(make([]byte, 1))
			ended <- err
		}))
		c := dial(t, middle.addr)
		require.NoError(t, exchange(c))
		require.NoError(t, c.SetLinger(0))
		require.NoError(t, c.Close())
		select {
		case err := <-ended:
			require.ErrorIs(t, err, syscall.ECONNRESET)
		case <-within(t, 30*time.Second).Done():
			t.Fatal("the server was never told")
		}
	})
}
