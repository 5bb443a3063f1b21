package relay_test

import (
	"io"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/gateway/relay"
)

// Whatever the rhythm of both sides, every byte arrives once and in its place, both
// ways, and the end behind the last.
func TestCarriersCarryEveryByte(t *testing.T) {
	d, _ := newDesk(t)
	const size = 2 << 20
	var wg sync.WaitGroup
	for i, how := range []kind{tls12, tls13, bare, tls13} {
		p, _ := carry(t, d, how, &mirror{ear: newEar()})
		require.NoError(t, p.SetDeadline(time.Now().Add(4*patience)))
		seed := uint64(i)
		wg.Go(func() {
			src, sizes := io.LimitReader(stream(seed), size), rand.New(rand.NewPCG(seed, 1))
			for buf := make([]byte, 128<<10); ; {
				n, err := src.Read(buf[:1+sizes.IntN(1<<sizes.IntN(18))])
				if err != nil {
					break
				}
				if _, err := p.Write(buf[:n]); err != nil {
					t.Error(err)
					return
				}
			}
			_ = p.Conn.(interface{ CloseWrite() error }).CloseWrite()
		})
		wg.Go(func() { expects(t, p, seed, size) })
	}
	wg.Wait()
	at(t, d, func() { require.Zero(t, d.Links()) })
}

// expects reads the stream of a seed in odd pieces.
func expects(t testing.TB, from io.Reader, seed uint64, size int64) {
	want, got, sizes := make([]byte, 64<<10), make([]byte, 64<<10), rand.New(rand.NewPCG(seed, 2))
	expect := io.LimitReader(stream(seed), size)
	for {
		n, err := from.Read(got[:1+sizes.IntN(len(got))])
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
}

// ruffian is a peer of any manners, on the far end of a carrier.
func (p *peer) ruffian(seed uint64) {
	dice := rand.New(rand.NewPCG(seed, 1))
	buf := make([]byte, 1<<16)
	for {
		switch dice.IntN(30) {
		case 0:
			_ = p.tcp.SetLinger(0)
			_ = p.tcp.Close()
			return
		case 1:
			_ = p.Conn.(interface{ CloseWrite() error }).CloseWrite()
			_ = p.SetDeadline(time.Now().Add(patience))
			_, _ = io.Copy(io.Discard, p)
			_ = p.Close()
			return
		case 2:
			_ = p.tcp.CloseWrite() // TLS breaks off
			_, _ = io.Copy(io.Discard, p.tcp)
			_ = p.tcp.Close()
			return
		case 3, 4, 5, 6, 7, 8, 9:
			_ = p.SetWriteDeadline(time.Now().Add(5 * time.Millisecond))
			if _, err := p.Write(buf[:1+dice.IntN(1<<dice.IntN(17))]); err != nil {
				_ = p.tcp.Close() // after a timeout TLS can write no more
				return
			}
		default:
			_ = p.SetReadDeadline(time.Now().Add(time.Millisecond))
			_, _ = p.Read(buf[:1+dice.IntN(len(buf)-1)])
		}
	}
}

// Whatever is done with carried links from within whatever call, and whatever their
// peers do, what is told stays as promised, and no carrier stays behind.
func TestAnythingInsideAnyCallOfCarriedLinks(t *testing.T) {
	d, c := newDesk(t)
	r := &rascal{t: t, desk: d, dice: rand.New(rand.NewPCG(11, 11)), servers: []netip.AddrPort{unused(t)}}
	var peers sync.WaitGroup
	var carriers []*peer
	for turn := range uint64(200) {
		p, ours := secured(t, kinds[turn%3])
		carriers = append(carriers, p)
		peers.Go(func() { p.ruffian(turn) })
		fd, err := relay.Carry(ours, func() { close(p.ended) })
		require.NoError(t, err)
		at(t, d, func() {
			k := &trace{rascal: r}
			k.link = d.Adopt(fd, k)
			r.all = append(r.all, k)
			for range 10 {
				r.act()
			}
		})
	}
	at(t, d, func() {
		open := 0
		for _, k := range r.all {
			if !k.over {
				open++
			}
		}
		require.Equal(t, open, d.Links())
		d.Close()
	})
	for _, p := range carriers {
		p.over(t, 10*relay.CarryLinger+patience)
		_ = p.tcp.Close()
	}
	peers.Wait()
	require.Zero(t, relay.Carriers())
	require.Empty(t, c.ended)
}
