package balancing

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// sink keeps the compiler from dropping what is measured.
var sink *Server

func BenchmarkPick(b *testing.B) {
	for _, algorithm := range []Algorithm{LeastConnections, RoundRobin, RandomTwo, SourceHash} {
		for _, n := range []int{2, 16, 100} {
			b.Run(fmt.Sprintf("%v/%d", algorithm, n), func(b *testing.B) {
				benchPick(b, NewPool(PoolOptions{Members: upServers(n), Algorithm: algorithm}))
			})
		}
	}
	b.Run("source-hash-mixed-weights/16", func(b *testing.B) {
		members := upServers(16)
		for i, m := range members {
			m.Server.SetWeight(16 * (i + 1))
		}
		benchPick(b, NewPool(PoolOptions{Members: members, Algorithm: SourceHash}))
	})
	b.Run("failover/16", func(b *testing.B) {
		benchPick(b, NewPool(PoolOptions{Members: upServers(16), Distribution: Failover}))
	})
	b.Run("persistent/16", func(b *testing.B) {
		benchPick(b, NewPool(PoolOptions{Members: upServers(16), Persistence: NewPersistence(PersistenceOptions{})}))
	})
}

// benchPick opens and closes one session a turn, for 1,024 clients.
func benchPick(b *testing.B, p *Pool) {
	b.ReportAllocs()
	r := Request{Key: Key{1}, Now: t0}
	for i := 0; b.Loop(); i++ {
		binary.LittleEndian.PutUint16(r.Key[4:], uint16(i%1024))
		sink, _ = p.Pick(r)
		sink.Release()
	}
}

// BenchmarkPickParallel is the same from all cores at once.
func BenchmarkPickParallel(b *testing.B) {
	for _, algorithm := range []Algorithm{LeastConnections, RoundRobin, RandomTwo, SourceHash} {
		b.Run(fmt.Sprintf("%v/16", algorithm), func(b *testing.B) {
			p := NewPool(PoolOptions{Members: upServers(16), Algorithm: algorithm})
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				r := Request{Key: Key{byte(rand.Uint32()), 1}, Now: t0}
				for pb.Next() {
					s, _ := p.Pick(r)
					s.Release()
				}
			})
		})
	}
}

func BenchmarkPersistenceGet(b *testing.B) {
	for _, n := range []int{1_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p := filled(n)
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				now := t0
				for pb.Next() {
					now = now.Add(time.Nanosecond)
					p.Get(numbered(rand.IntN(n)), now)
				}
			})
		})
	}
}

// BenchmarkPersistencePut writes known keys; Full writes new ones into a full
// table, so that each one evicts another.
func BenchmarkPersistencePut(b *testing.B) {
	const n = 1_000_000
	for _, full := range []bool{false, true} {
		b.Run(map[bool]string{false: "Known", true: "Full"}[full], func(b *testing.B) {
			p := filled(n)
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				now := t0
				for pb.Next() {
					now = now.Add(time.Nanosecond)
					k := numbered(rand.IntN(n))
					if full {
						k = numbered(int(rand.Uint32()) + n)
					}
					p.Put(k, 7, now)
				}
			})
		})
	}
}
