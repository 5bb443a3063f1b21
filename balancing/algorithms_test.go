package balancing

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestLeastConnections(t *testing.T) {
	tests := []struct {
		name    string
		weights []int
		active  []int
		want    string // names of those who may serve
	}{
		{"fewest serves", []int{100, 100, 100}, []int{2, 1, 2}, "B"},
		{"all equal", []int{100, 100, 100}, []int{1, 1, 1}, "ABC"},
		{"idle, the heavier first", []int{100, 50}, []int{0, 0}, "A"},
		{"2/100 = 1/50", []int{100, 50}, []int{1, 0}, "AB"},
		{"3/100 > 1/50", []int{100, 50}, []int{2, 0}, "B"},
		{"smallest and largest weight", []int{1, 256}, []int{0, 254}, "B"},
		{"smallest and largest weight, level", []int{1, 256}, []int{0, 255}, "AB"},
		{"smallest and largest weight, over", []int{1, 256}, []int{0, 256}, "A"},
		{"many running", []int{256, 255}, []int{1_000_000, 1_000_000}, "A"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			members := weighted(tt.weights...)
			for i, n := range tt.active {
				members[i].Server.active.Store(int64(n))
			}
			p := NewPool(PoolOptions{Members: members})
			seen := map[string]int{}
			for range 12 * len(tt.want) {
				seen[visit(t, p, Request{}).Name()]++
			}
			for _, name := range strings.Split(tt.want, "") {
				require.Equal(t, 12, seen[name], "fair share of %s in %v", name, seen)
			}
		})
	}
}

// TestLeastConnectionsTies takes servers away and brings them back: whoever is
// tied is served in turn, and nobody inherits the turns of a missing neighbour.
func TestLeastConnectionsTies(t *testing.T) {
	members := upServers(4)
	p := NewPool(PoolOptions{Members: members})
	members[0].Server.SetHealth(Down, t0)
	requireShares(t, map[string]float64{"S1": 100. / 3, "S2": 100. / 3, "S3": 100. / 3}, shares(t, p, 300), 0.01)
	members[0].Server.SetHealth(Up, t0)
	requireShares(t, map[string]float64{"S0": 25, "S1": 25, "S2": 25, "S3": 25}, shares(t, p, 400), 0.5)
}

// TestLeastConnectionsFills lets sessions run on: they stand by weight.
func TestLeastConnectionsFills(t *testing.T) {
	members := weighted(200, 100, 50, 1)
	p := NewPool(PoolOptions{Members: members})
	got := map[string]int{}
	for range 3510 {
		got[pick(t, p, Request{}).Name()]++
	}
	require.Equal(t, map[string]int{"A": 2000, "B": 1000, "C": 500, "D": 10}, got)
}

func TestRoundRobin(t *testing.T) {
	tests := []struct {
		name    string
		weights []int
		want    string
	}{
		{"equal", []int{100, 100, 100}, "ABCABCABC"},
		{"nginx's own example, 5 1 1", []int{5, 1, 1}, "AABACAAAABACAA"},
		{"half", []int{100, 50}, "ABAABA"},
		{"one", []int{7}, "AAAA"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := NewPool(PoolOptions{Members: weighted(tt.weights...), Algorithm: RoundRobin})
			var got strings.Builder
			for range tt.want {
				got.WriteString(visit(t, p, Request{}).Name())
			}
			require.Equal(t, tt.want, got.String())
		})
	}
}

func TestRoundRobinPassesOver(t *testing.T) {
	members := weighted(100, 100, 100)
	p := NewPool(PoolOptions{Members: members, Algorithm: RoundRobin})
	members[1].Server.SetHealth(Down, t0)
	requireShares(t, map[string]float64{"A": 50, "C": 50}, shares(t, p, 100), 0.01)
	members[1].Server.SetHealth(Up, t0)
	requireShares(t, map[string]float64{"A": 100. / 3, "B": 100. / 3, "C": 100. / 3}, shares(t, p, 300), 1)
	var sum int64
	for _, m := range p.members {
		sum += m.current
	}
	require.Zero(t, sum, "what is gained is paid")
}

// TestRandomTwoAvoidsLoad: of two drawn the less loaded one serves, so the most
// loaded of all is never chosen.
func TestRandomTwoAvoidsLoad(t *testing.T) {
	members := weighted(100, 100, 100, 100)
	members[2].Server.active.Store(5)
	got := shares(t, NewPool(PoolOptions{Members: members, Algorithm: RandomTwo}), 2000)
	require.Zero(t, got["C"])
	requireShares(t, map[string]float64{"A": 33.3, "B": 33.3, "D": 33.3}, got, 6)
}

func TestRandomTwoComparesByWeight(t *testing.T) {
	members := weighted(200, 100)
	p := NewPool(PoolOptions{Members: members, Algorithm: RandomTwo})
	members[0].Server.active.Store(3)
	members[1].Server.active.Store(2)
	require.Equal(t, map[string]int{"A": 100}, shares(t, p, 100), "3/200 < 2/100")
}

// TestShares: what arrives one after the other, from many clients, lands by
// weight. Least-connections is not here: it looks at what runs, not at what came.
func TestShares(t *testing.T) {
	for _, algorithm := range []Algorithm{RoundRobin, RandomTwo, SourceHash} {
		for name, tt := range map[string]struct {
			weights []int
			want    map[string]float64
		}{
			"equal":   {[]int{100, 100, 100, 100}, map[string]float64{"A": 25, "B": 25, "C": 25, "D": 25}},
			"mixed":   {[]int{200, 100, 50, 50}, map[string]float64{"A": 50, "B": 25, "C": 12.5, "D": 12.5}},
			"extreme": {[]int{256, 1, 128, 127}, map[string]float64{"A": 50, "B": 0.195, "C": 25, "D": 24.8}},
		} {
			t.Run(algorithm.String()+" "+name, func(t *testing.T) {
				p := NewPool(PoolOptions{Members: weighted(tt.weights...), Algorithm: algorithm})
				requireShares(t, tt.want, shares(t, p, 40_000), 1.5) // six standard deviations
			})
		}
	}
}

// TestShareOfRecovered: a recovered server gets a tenth of its part first, half
// of the way 55 hundredths, and all of it in the end.
func TestShareOfRecovered(t *testing.T) {
	for _, algorithm := range []Algorithm{RoundRobin, RandomTwo, SourceHash} {
		t.Run(algorithm.String(), func(t *testing.T) {
			members := weighted(100, 100)
			b := members[1].Server
			b.SetSlowStart(time.Minute)
			b.SetHealth(Down, t0)
			b.SetHealth(Up, t0)
			p := NewPool(PoolOptions{Members: members, Algorithm: algorithm})
			for after, want := range map[time.Duration]float64{0: 10. / 1.1, 30 * time.Second: 55. / 1.55, time.Minute: 50} {
				got := map[string]int{}
				for i := range 20_000 {
					got[visit(t, p, Request{Key: numbered(i), Now: t0.Add(after)}).Name()]++
				}
				requireShares(t, map[string]float64{"B": want}, got, 2)
			}
		})
	}
}

// TestSourceHashMoves: whatever changes, only clients of the server that shrinks
// or comes move, and only from or to that one.
func TestSourceHashMoves(t *testing.T) {
	const clients = 5000
	tests := []struct {
		name   string
		change func(m []Member)
		moved  func(from, to string) bool // which moves are right
	}{
		{"C goes down", func(m []Member) { m[2].Server.SetHealth(Down, t0) }, func(from, _ string) bool { return from == "C" }},
		{"C gets lighter", func(m []Member) { m[2].Server.SetWeight(40) }, func(from, _ string) bool { return from == "C" }},
		{"C gets heavier", func(m []Member) { m[2].Server.SetWeight(256) }, func(_, to string) bool { return to == "C" }},
		{"nothing", func([]Member) {}, func(_, _ string) bool { return false }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			members := weighted(100, 50, 100, 200)
			p := NewPool(PoolOptions{Members: members, Algorithm: SourceHash})
			before := make([]string, clients)
			for i := range before {
				before[i] = visit(t, p, Request{Key: numbered(i)}).Name()
			}
			tt.change(members)
			for i := range before {
				if now := visit(t, p, Request{Key: numbered(i)}).Name(); now != before[i] {
					require.True(t, tt.moved(before[i], now), "client %d went from %s to %s", i, before[i], now)
				}
			}
		})
	}
}

// TestSourceHashAgrees: another process with the same names, in another order,
// sends clients the same way; and so will the next version.
func TestSourceHashAgrees(t *testing.T) {
	here := NewPool(PoolOptions{Members: weighted(100, 60, 30), Algorithm: SourceHash})
	m := weighted(100, 60, 30)
	there := NewPool(PoolOptions{Members: []Member{m[2], m[0], m[1]}, Algorithm: SourceHash})
	var got strings.Builder
	for i := range 1000 {
		name := visit(t, here, Request{Key: numbered(i)}).Name()
		require.Equal(t, name, visit(t, there, Request{Key: numbered(i)}).Name(), "client %d", i)
		if i < 40 {
			got.WriteString(name)
		}
	}
	require.Equal(t, goldenHash, got.String(), "the hash must not change between versions")
}

// goldenHash is where clients 0 to 39 go among A:100 B:60 C:30.
const goldenHash = "CAAAAABBABBCAABCBABCACBCBBBAAAAACAAAABAA"

// TestLotBefore compares the shortcut with plain logarithms.
func TestLotBefore(t *testing.T) {
	some := &member{}
	for i := range uint64(2000) {
		a := lot{some, mix(i, 1), int64(1 + mix(i, 2)%256000)}
		b := lot{some, mix(i, 3), int64(1 + mix(i, 4)%256000)}
		require.Equal(t, number(a) < number(b), a.before(&b), "%v %v", a, b)
	}
	require.Less(t, unit(^uint64(0)), 1.0)
	require.Greater(t, unit(0), 0.0)
}

// number is a lot's number as the definition says.
func number(l lot) float64 { return -math.Log(unit(l.h)) / float64(l.w) }
