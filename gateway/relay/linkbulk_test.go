package relay_test

import (
	"io"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"gantry/gateway/relay"
)

// mirror writes what it reads, and reads only while little waits to be written. It
// parts behind the peer's FIN.
type mirror struct {
	*ear
	finished bool
}

func (e *mirror) Received(l *relay.Link, b []byte) {
	if _, err := l.Write(b); err == nil && l.Pending() > relay.ReadSize {
		l.Pause()
	}
}

func (e *mirror) Finished(l *relay.Link) {
	e.finished = true
	if l.Pending() == 0 {
		l.Part()
	}
}

func (e *mirror) Flushed(l *relay.Link) {
	if e.finished {
		l.Part()
		return
	}
	l.Resume()
}

// Whatever the rhythm of both sides: no edge is lost, and every byte arrives once
// and in its place, FIN behind the last.
func TestLinksCarryEveryByte(t *testing.T) {
	d, _ := newDesk(t)
	const size = 4 << 20
	var wg sync.WaitGroup
	for i := range 8 {
		near, _ := link(t, d, &mirror{ear: newEar()})
		require.NoError(t, near.SetDeadline(time.Now().Add(4*patience)))
		seed := uint64(i)
		wg.Go(func() {
			src, sizes := io.LimitReader(stream(seed), size), rand.New(rand.NewPCG(seed, 1))
			for buf := make([]byte, 256<<10); ; {
				n, err := src.Read(buf[:1+sizes.IntN(len(buf))])
				if err != nil {
					break
				}
				if _, err := near.Write(buf[:n]); err != nil {
					t.Error(err)
					return
				}
			}
			_ = near.CloseWrite()
		})
		wg.Go(func() {
			want, got, sizes := make([]byte, 64<<10), make([]byte, 64<<10), rand.New(rand.NewPCG(seed, 2))
			expect := io.LimitReader(stream(seed), size)
			for {
				n, err := near.Read(got[:1+sizes.IntN(len(got))])
				_, _ = io.ReadFull(expect, want[:n])
				if string(got[:n]) != string(want[:n]) {
					t.Error("other bytes than were sent")
					return
				}
				if err != nil {
					left, _ := io.Copy(io.Discard, expect)
					if err != io.EOF || left != 0 {
						t.Errorf("%v, and %d bytes are missing", err, left)
					}
					return
				}
				if sizes.IntN(16) == 0 {
					runtime.Gosched()
				}
			}
		})
	}
	wg.Wait()
	at(t, d, func() { require.Zero(t, d.Links()) })
}

// A link with bytes without end does not keep others, nor functions posted, nor
// flows from their turn.
func TestBusyLinkStarvesNobody(t *testing.T) {
	r := newRelay(t, relay.Options{Loops: 1})
	d := r.NewDesk(newClerk())
	polite := newEar()
	var stop sync.WaitGroup
	near, fd := socket(t)
	at(t, d, func() { d.Adopt(fd, sink{}) })
	stop.Go(func() {
		for buf := make([]byte, 1<<20); ; {
			if _, err := near.Write(buf); err != nil {
				return
			}
		}
	})
	beside, _ := link(t, d, polite)
	client, server, h := pair(t, r, relay.Limits{})
	for range 100 {
		write(t, beside, "x")
		polite.receives(t, "x")
		write(t, client, "y")
		require.Equal(t, "y", read(t, server, 1))
	}
	require.NoError(t, near.Close())
	stop.Wait()
	require.NoError(t, client.Close())
	require.NoError(t, server.Close())
	h.wait(t)
}

// sink throws away what it hears.
type sink struct{}

func (sink) Dialed(*relay.Link, time.Duration, error) {}
func (sink) Received(*relay.Link, []byte)             {}
func (sink) Finished(*relay.Link)                     {}
func (sink) Lost(*relay.Link, error)                  {}
func (sink) Flushed(*relay.Link)                      {}

// A peer that leaves a few bytes of many does not hold the memory of all.
func TestMemoryOfWhatWasSentIsGivenBack(t *testing.T) {
	d, _ := newDesk(t)
	near, l := link(t, d, newEar())
	const size = 64 << 20
	before := heap()
	at(t, d, func() {
		_, err := l.Write([]byte(strings.Repeat("x", size)))
		require.NoError(t, err)
	})
	require.Greater(t, heap(), before+size/2)
	pending := func() (n int) { at(t, d, func() { n = l.Pending() }); return n }
	for buf := make([]byte, 256<<10); pending() > size/8; {
		_, err := near.Read(buf)
		require.NoError(t, err)
	}
	require.Positive(t, pending())
	require.Less(t, heap(), before+size/2)
}

// What a link that parts still has to write leaves when the relay is closed; what
// its peer does not take holds the relay up for PartLinger at most.
func TestRelayClosesBehindWhatParts(t *testing.T) {
	for name, reads := range map[string]bool{"it is taken": true, "it is not": false} {
		t.Run(name, func(t *testing.T) {
			r, err := relay.New(relay.Options{Loops: 1})
			require.NoError(t, err)
			d := r.NewDesk(newClerk())
			near, l := link(t, d, newEar())
			sent, _ := link(t, d, newEar())
			big := strings.Repeat("b", 16<<20)
			at(t, d, func() {
				_, err := l.Write([]byte(big))
				require.NoError(t, err)
				l.Part()
			})
			closed := make(chan time.Duration, 1)
			start := time.Now()
			go func() { r.Close(); closed <- time.Since(start) }()
			require.Empty(t, rest(t, sent), "links of desks are closed at once")
			if reads {
				require.True(t, big == rest(t, near), "something is missing")
			}
			require.Less(t, <-closed, relay.PartLinger+patience)
		})
	}
}

// A dial to a free port of this machine may meet itself.
func TestSelfConnected(t *testing.T) {
	for _, to := range []string{"127.0.0.1", "::1"} {
		addr := netip.MustParseAddr(to)
		fd, err := unix.Socket(map[bool]int{true: unix.AF_INET, false: unix.AF_INET6}[addr.Is4()], unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		require.NoError(t, err)
		defer func() { _ = unix.Close(fd) }()
		of := func(port int) unix.Sockaddr {
			if addr.Is4() {
				return &unix.SockaddrInet4{Port: port, Addr: addr.As4()}
			}
			return &unix.SockaddrInet6{Port: port, Addr: addr.As16()}
		}
		if err := unix.Bind(fd, of(0)); err != nil {
			t.Skip("no such address here: ", err)
		}
		sa, err := unix.Getsockname(fd)
		require.NoError(t, err)
		port := 0
		switch sa := sa.(type) {
		case *unix.SockaddrInet4:
			port = sa.Port
		case *unix.SockaddrInet6:
			port = sa.Port
		}
		require.NoError(t, unix.Connect(fd, of(port)))
		require.True(t, relay.SelfConnected(fd, netip.AddrPortFrom(addr, uint16(port))))
		require.False(t, relay.SelfConnected(fd, netip.AddrPortFrom(addr, uint16(port-1))))
	}
}
