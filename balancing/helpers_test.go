package balancing

import (
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// t0 is the time at which every test begins.
var t0 = time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)

// upServers makes n servers that were judged up.
func upServers(n int) []Member {
	out := make([]Member, n)
	for i := range out {
		out[i] = Member{Server: upServer(fmt.Sprintf("S%d", i), 0)}
	}
	return out
}

// upServer makes a server that was judged up; weight 0 = the default.
func upServer(name string, weight int) *Server {
	s := NewServer(ServerOptions{Name: name, Weight: weight})
	s.SetHealth(Up, t0)
	return s
}

// weighted makes servers A, B, C ... with these weights, judged up.
func weighted(weights ...int) []Member {
	out := make([]Member, len(weights))
	for i, w := range weights {
		out[i] = Member{Server: upServer(string(rune('A'+i)), w)}
	}
	return out
}

// numbered is the key of the i-th client.
func numbered(i int) (k Key) {
	binary.BigEndian.PutUint64(k[8:], uint64(i)+1)
	return k
}

// filled is a table with exactly n entries, and room for no more.
func filled(n int) *Persistence {
	p := NewPersistence(PersistenceOptions{MaxEntries: n})
	for i := range n {
		p.Put(numbered(i), 1, t0)
	}
	return p
}

// pick picks and leaves the session running.
func pick(t testing.TB, p *Pool, r Request) *Server {
	t.Helper()
	if r.Now.IsZero() {
		r.Now = t0
	}
	s, err := p.Pick(r)
	require.NoError(t, err)
	return s
}

// visit picks and ends the session at once.
func visit(t testing.TB, p *Pool, r Request) *Server {
	t.Helper()
	s := pick(t, p, r)
	s.Release()
	return s
}

// shares visits n times, each time another client, and counts by server name.
func shares(t testing.TB, p *Pool, n int) map[string]int {
	t.Helper()
	got := map[string]int{}
	for i := range n {
		got[visit(t, p, Request{Key: numbered(i)}).Name()]++
	}
	return got
}

// requireShares compares counts with wanted percentages, give or take points.
func requireShares(t testing.TB, want map[string]float64, got map[string]int, points float64) {
	t.Helper()
	sum := 0
	for _, n := range got {
		sum += n
	}
	for name, percent := range want {
		require.InDelta(t, percent, 100*float64(got[name])/float64(sum), points, "share of %s in %v", name, got)
	}
}
