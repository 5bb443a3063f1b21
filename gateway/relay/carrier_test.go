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

// each runs a test for every kind of connection.
func each(t *testing.T, f func(t *testing.T, how kind, d *relay.Desk)) {
	for _, how := range kinds {
		t.Run(how.name, func(t *testing.T) {
			d, _ := newDesk(t)
			f(t, how, d)
		})
	}
}

// readFrom reads n bytes.
func readFrom(t testing.TB, c io.Reader, n int) string {
	t.Helper()
	b := make([]byte, n)
	_, err := io.ReadFull(c, b)
	require.NoError(t, err)
	return string(b)
}

// say writes.
func say(t testing.TB, c io.Writer, text string) {
	t.Helper()
	_, err := io.WriteString(c, text)
	require.NoError(t, err)
}

func TestCarriedBytesAndEnds(t *testing.T) {
	each(t, func(t *testing.T, how kind, d *relay.Desk) {
		e := newEar()
		p, l := carry(t, d, how, e)
		say(t, p, "hello")
		e.receives(t, "hello")
		at(t, d, func() {
			require.True(t, l.Quiet())
			require.False(t, l.Ended())
			flushed, err := l.Write([]byte("hello yourself"))
			require.True(t, flushed)
			require.NoError(t, err)
			l.QuickAck()
		})
		require.Equal(t, "hello yourself", readFrom(t, p, 14))
		p.finish(t)
		e.hears(t, "finished")
		at(t, d, func() {
			require.False(t, l.Quiet())
			require.True(t, l.Ended())
			_, err := l.Write([]byte("still here"))
			require.NoError(t, err)
		})
		require.Equal(t, "still here", readFrom(t, p, 10), "half-closed by the peer")
		at(t, d, func() {
			_, err := l.Write([]byte("bye"))
			require.NoError(t, err)
			l.Part()
		})
		require.Equal(t, "bye", rest(t, p), "and an end in order")
		p.over(t, relay.CarryLinger/2)
		e.silent(t, d)
	})
}

// Part says FIN, and what the peer still sends does no harm to what it reads.
func TestPartOfACarriedLink(t *testing.T) {
	for _, size := range []int{0, 10, 8 << 20} {
		each(t, func(t *testing.T, how kind, d *relay.Desk) {
			e := newEar()
			p, l := carry(t, d, how, e)
			say(t, p, "never read")
			at(t, d, func() {
				_, err := l.Write([]byte(strings.Repeat("z", size)))
				require.NoError(t, err)
				l.Part()
			})
			say(t, p, "nor this")
			require.Len(t, rest(t, p), size)
			say(t, p, "nor that")
			p.finish(t)
			require.NoError(t, p.Close())
			p.over(t, relay.CarryLinger/2)
		})
	}
}

// So does Close, of a connection that the peer does not use.
func TestCloseOfACarriedLink(t *testing.T) {
	each(t, func(t *testing.T, how kind, d *relay.Desk) {
		p, l := carry(t, d, how, newEar())
		at(t, d, func() {
			_, err := l.Write([]byte("last words"))
			require.NoError(t, err)
			l.Close()
		})
		require.Equal(t, "last words", rest(t, p))
		require.NoError(t, p.Close())
		p.over(t, relay.CarryLinger/2)
	})
}

// A peer that does not end its own side is left behind CarryLinger.
func TestCloseIsNotHeldUpByThePeer(t *testing.T) {
	each(t, func(t *testing.T, how kind, d *relay.Desk) {
		p, l := carry(t, d, how, newEar())
		at(t, d, l.Close)
		p.over(t, relay.CarryLinger+patience/2)
		require.Empty(t, rest(t, p))
	})
}

// What the desk does not read stays with the peer, and is all there afterwards.
func TestPausedCarriedLinkHoldsItsPeerBack(t *testing.T) {
	each(t, func(t *testing.T, how kind, d *relay.Desk) {
		e := newEar()
		p, l := carry(t, d, how, e)
		at(t, d, l.Pause)
		sent := 0
		stalled := make(chan struct{})
		go func() {
			defer close(stalled)
			buf := make([]byte, 16<<10)
			_ = p.SetWriteDeadline(time.Now().Add(500 * time.Millisecond))
			for sent < 64<<20 {
				n, err := p.Write(buf)
				if sent += n; err != nil {
					return
				}
			}
		}()
		<-stalled
		require.Less(t, sent, 32<<20, "the kernel's buffers, and not memory without end")
		require.Empty(t, e.heard)
		at(t, d, l.Resume)
		for got := 0; got < sent-relay.CarryBuffer; { // TLS drops the record that failed
			got += len(e.hears(t, "received").text)
		}
	})
}

func TestPeerOfACarriedLinkThatReadsSlowly(t *testing.T) {
	each(t, func(t *testing.T, how kind, d *relay.Desk) {
		e := newEar()
		p, l := carry(t, d, how, e)
		big := strings.Repeat("b", 8<<20)
		at(t, d, func() {
			flushed, err := l.Write([]byte(big))
			require.NoError(t, err)
			require.False(t, flushed)
			require.Positive(t, l.Pending())
		})
		require.Eventually(t, func() bool {
			before, after := 0, 0
			at(t, d, func() { before = l.Pending() })
			time.Sleep(20 * time.Millisecond)
			at(t, d, func() { after = l.Pending() })
			return before == after
		}, patience, time.Millisecond)
		at(t, d, func() {
			require.Positive(t, l.Pending(), "it is not taken into memory")
			require.Greater(t, l.Unsent(), l.Pending())
		})
		require.True(t, big == readFrom(t, p, len(big)))
		e.hears(t, "flushed")
		at(t, d, func() { require.Zero(t, l.Pending()) })
		e.silent(t, d)
	})
}

// A desk that takes the other side of a dial: handshake on a goroutine, then a link.
func TestTLSServerReachedFromADesk(t *testing.T) {
	for _, how := range []kind{tls12, tls13} {
		t.Run(how.name, func(t *testing.T) {
			d, _ := newDesk(t)
			e := newEar()
			e.onReceived = func(l *relay.Link, _ []byte) { l.Close() }
			addr, accept := listen(t)
			id, err := identity()
			require.NoError(t, err)
			ended, linked := make(chan struct{}), make(chan *relay.Link, 1)
			go dialTLS(t, d, addr.String(), id.Client, e, ended, linked)
			server := serverTLS(t, accept(), how)
			l := <-linked
			at(t, d, func() {
				_, err := l.Write([]byte("\x0bMSH|question\x1c\r"))
				require.NoError(t, err)
			})
			require.Equal(t, "\x0bMSH|question\x1c\r", readFrom(t, server, 15))
			say(t, server, "\x0bMSH|answer\x1c\r")
			e.receives(t, "\x0bMSH|answer\x1c\r")
			require.Empty(t, rest(t, server))
			require.NoError(t, server.Close())
			<-ended
		})
	}
}

// Whose number a descriptor has later is none of the carrier's business.
func TestLossIsToldToNobodyElse(t *testing.T) {
	d, _ := newDesk(t)
	for range 50 {
		p, ours := secured(t, bare)
		fd, err := relay.Carry(ours, func() { close(p.ended) })
		require.NoError(t, err)
		other, same := twins(t)
		require.NoError(t, unix.Dup2(same, fd)) // closes the desk's end
		reset(t, p.tcp)
		p.over(t, patience)
		_, err = unix.Read(other, make([]byte, 1))
		require.ErrorIs(t, err, unix.EAGAIN)
		for _, fd := range []int{other, same, fd} {
			require.NoError(t, unix.Close(fd))
		}
	}
	at(t, d, func() { require.Zero(t, d.Links()) })
}

// Without descriptors Carry fails, and takes nothing.
func TestCarryWithoutDescriptors(t *testing.T) {
	p, ours := secured(t, bare)
	var was unix.Rlimit
	require.NoError(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &was))
	files := openFiles(t)
	low := was
	low.Cur = 3
	require.NoError(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &low))
	_, err := relay.Carry(ours, func() { t.Error("told") })
	require.NoError(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &was))
	require.ErrorIs(t, err, unix.EMFILE)
	require.Equal(t, files, openFiles(t))
	require.Zero(t, relay.Carriers())
	say(t, ours, "still mine")
	require.Equal(t, "still mine", readFrom(t, p, 10))
	require.NoError(t, ours.Close())
	require.NoError(t, p.Close())
}

var _ net.Conn = (*peer)(nil)
