package relay_test

import (
	"io"
	"net"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"gantry/gateway/relay"
)

// memory is what this process holds in heap and stacks, in bytes.
func memory() uint64 {
	for range 4 { // each collection halves stacks at most
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}

// idleCarriers tells what one more idle connection takes when it is carried, in bytes,
// beside what it takes without; all of them have carried a message of some kilobytes.
func idleCarriers(t testing.TB, d *relay.Desk, how kind, n int) (each float64) {
	t.Helper()
	peers, ours := make([]*peer, n), make([]net.Conn, n)
	text, buf := make([]byte, 3000), make([]byte, 3000)
	for i := range n {
		peers[i], ours[i] = secured(t, how)
		for _, way := range [][2]net.Conn{{peers[i], ours[i]}, {ours[i], peers[i]}} {
			_, err := way[0].Write(text)
			require.NoError(t, err)
			_, err = io.ReadFull(way[1], buf)
			require.NoError(t, err)
		}
	}
	before := memory()
	for i, p := range peers {
		p.carried(t, d, ours[i], echo{})
	}
	for range 2 {
		for _, p := range peers {
			_, err := p.Write(text)
			require.NoError(t, err)
			_, err = io.ReadFull(p, buf)
			require.NoError(t, err)
		}
	}
	each = (float64(memory()) - float64(before)) / float64(n)
	for _, p := range peers {
		_ = p.Close()
		_ = p.tcp.Close()
		p.over(t, patience)
	}
	runtime.KeepAlive(ours)
	return each
}

func TestIdleCarriersCostLittle(t *testing.T) {
	const most = 24 << 10 // 11 kB, and the race detector's share
	d, _ := newDesk(t)
	require.Less(t, idleCarriers(t, d, tls13, 200), float64(most))
}

// BenchmarkIdleCarriers tells the memory of a carried connection that is silent.
func BenchmarkIdleCarriers(b *testing.B) {
	for _, how := range kinds {
		b.Run(how.name, func(b *testing.B) {
			d, _ := newDesk(b)
			for b.Loop() {
				b.ReportMetric(idleCarriers(b, d, how, 500), "B/conn")
			}
		})
	}
}

// BenchmarkCarrierPingPong is BenchmarkDeskPingPong with connections that are carried,
// the peers' own TLS included; beside it is what TLS costs without a desk.
func BenchmarkCarrierPingPong(b *testing.B) {
	for _, how := range kinds {
		b.Run(how.name, func(b *testing.B) {
			d := benchRelay(b).NewDesk(newClerk())
			pingPong(b, how, func(p *peer, ours net.Conn) { p.carried(b, d, ours, echo{}) })
		})
		b.Run(how.name+" without", func(b *testing.B) {
			pingPong(b, how, func(p *peer, ours net.Conn) {
				go func() {
					defer close(p.ended)
					defer ours.Close()
					_, _ = io.Copy(struct{ io.Writer }{ours}, struct{ io.Reader }{ours})
				}()
			})
		})
	}
}

func pingPong(b *testing.B, how kind, serve func(p *peer, ours net.Conn)) {
	var peers []*peer
	for range benchLinks {
		p, ours := secured(b, how)
		serve(p, ours)
		peers = append(peers, p)
	}
	before := processorTime(b)
	b.ReportAllocs()
	b.ResetTimer()
	var wg sync.WaitGroup
	for i, p := range peers {
		wg.Go(func() {
			buf := make([]byte, len(message))
			for range (b.N + len(peers) - 1 - i) / len(peers) {
				if _, err := p.Write(message); err != nil {
					b.Error(err)
					return
				}
				if _, err := io.ReadFull(p, buf); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64(processorTime(b)-before)/float64(b.N), "cpu-ns/op")
	for _, p := range peers {
		_ = p.Close()
		p.over(b, patience)
	}
}

// BenchmarkCarrierBulk is megabytes one way.
func BenchmarkCarrierBulk(b *testing.B) {
	for _, how := range []kind{tls13, bare} {
		b.Run(how.name, func(b *testing.B) {
			d := benchRelay(b).NewDesk(newClerk())
			p, ours := secured(b, how)
			p.carried(b, d, ours, sink{})
			buf := make([]byte, 1<<20)
			b.SetBytes(int64(len(buf)))
			for b.Loop() {
				_, err := p.Write(buf)
				require.NoError(b, err)
			}
			_ = p.tcp.Close()
		})
	}
}
