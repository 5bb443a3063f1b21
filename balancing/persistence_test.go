package balancing

import (
	"math/bits"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// stored reads an entry without Get's restart of the clock.
func stored(p *Persistence, now time.Time) map[Key]uint32 {
	out := map[Key]uint32{}
	for e := range p.Entries(now) {
		out[e.Key] = e.Server
	}
	return out
}

func TestPersistenceDefaults(t *testing.T) {
	p := NewPersistence(PersistenceOptions{})
	require.Equal(t, time.Hour, p.Timeout())
	require.Equal(t, 1_000_000, p.MaxEntries())
	require.Zero(t, p.Len())
	require.Zero(t, p.Expire(t0, 100))
	require.Empty(t, stored(p, t0))
	_, ok := p.Get(Key{}, t0)
	require.False(t, ok)
}

// TestPersistenceExpiry: one entry, put at t0 with a timeout of a minute.
func TestPersistenceExpiry(t *testing.T) {
	tests := []struct {
		name  string
		touch []time.Duration // earlier Gets
		at    time.Duration
		want  bool
	}{
		{"at once", nil, 0, true},
		{"just before", nil, time.Minute - 1, true},
		{"on the dot", nil, time.Minute, false},
		{"a hit restarts", []time.Duration{50 * time.Second}, 109 * time.Second, true},
		{"a hit restarts, then over", []time.Duration{50 * time.Second}, 110 * time.Second, false},
		{"a miss does not", []time.Duration{time.Minute}, 61 * time.Second, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := NewPersistence(PersistenceOptions{Timeout: time.Minute})
			p.Put(Key{1}, 5, t0)
			for _, d := range tt.touch {
				p.Get(Key{1}, t0.Add(d))
			}
			id, ok := p.Get(Key{1}, t0.Add(tt.at))
			require.Equal(t, tt.want, ok)
			require.Equal(t, map[bool]uint32{true: 5}[tt.want], id)
		})
	}
}

func TestPersistenceReplace(t *testing.T) {
	p := NewPersistence(PersistenceOptions{Timeout: time.Minute})
	require.EqualValues(t, 5, p.Replace(Key{1}, 0, 5, t0), "there is none")
	require.EqualValues(t, 5, p.Replace(Key{1}, 0, 6, t0), "somebody was first")
	require.EqualValues(t, 6, p.Replace(Key{1}, 5, 6, t0), "as expected")
	require.EqualValues(t, 6, p.Replace(Key{1}, 5, 7, t0), "changed meanwhile")
	require.EqualValues(t, 8, p.Replace(Key{1}, 5, 8, t0.Add(time.Minute)), "expired counts as none")
	require.EqualValues(t, 9, p.Replace(Key{2}, 5, 9, t0), "gone counts as none")
	require.Equal(t, 2, p.Len())
}

// TestPersistenceEvicts: the one unused for the longest time goes, wherever the
// hash put it.
func TestPersistenceEvicts(t *testing.T) {
	p := NewPersistence(PersistenceOptions{MaxEntries: 100})
	at := t0
	tick := func() time.Time { at = at.Add(time.Millisecond); return at }
	for i := range 100 {
		p.Put(numbered(i), 1, tick())
	}
	p.Get(numbered(0), tick()) // 0 is no longer the oldest, 1 is
	require.Zero(t, p.Evicted())
	for i := range 50 {
		p.Put(numbered(100+i), 2, tick())
		require.Equal(t, 100, p.Len())
		require.EqualValues(t, i+1, p.Evicted())
		_, there := stored(p, at)[numbered(i+1)]
		require.False(t, there, "client %d should have gone", i+1)
	}
	_, there := stored(p, at)[numbered(0)]
	require.True(t, there)
	p.Put(numbered(0), 3, tick())
	require.EqualValues(t, 50, p.Evicted(), "a known key needs no room")
}

// TestPersistenceEvictsExpiredUncounted: room made by the dead costs nobody anything.
func TestPersistenceEvictsExpiredUncounted(t *testing.T) {
	p := NewPersistence(PersistenceOptions{MaxEntries: 10, Timeout: time.Minute})
	for i := range 10 {
		p.Put(numbered(i), 1, t0)
	}
	p.Put(numbered(10), 1, t0.Add(time.Minute))
	require.Zero(t, p.Evicted())
	require.LessOrEqual(t, p.Len(), 10)
}

// TestPersistenceSetMaxEntries: a lowered limit costs each Put two entries, not
// one Put all of them.
func TestPersistenceSetMaxEntries(t *testing.T) {
	p := filled(1000)
	p.SetMaxEntries(900)
	require.Equal(t, 1000, p.Len())
	for i := range 200 {
		before := p.Len()
		p.Put(numbered(1000+i), 1, t0.Add(time.Duration(i)))
		require.LessOrEqual(t, before-p.Len(), 1)
	}
	require.Equal(t, 900, p.Len())
}

// TestPersistenceSetTimeout: clocks run from the last use, whatever the timeout was then.
func TestPersistenceSetTimeout(t *testing.T) {
	p := NewPersistence(PersistenceOptions{Timeout: time.Hour})
	p.Put(Key{1}, 1, t0)
	p.SetTimeout(time.Minute)
	require.Empty(t, stored(p, t0.Add(time.Minute)))
	p.SetTimeout(2 * time.Hour)
	require.Len(t, stored(p, t0.Add(time.Hour)), 1)
}

// TestPersistenceSweeps: a hundred thousand entries expire at the same moment,
// and no call clears away more than a few.
func TestPersistenceSweeps(t *testing.T) {
	const n = 100_000
	p := filled(n)
	later := t0.Add(time.Hour)
	for i := range 1000 {
		before := p.Len()
		p.Get(numbered(n+i), later)
		require.LessOrEqual(t, before-p.Len(), sweep)
		p.Put(numbered(n+i), 1, later)
		require.LessOrEqual(t, before-p.Len(), 2*sweep)
	}
	require.Less(t, p.Len(), n-1500, "though traffic alone makes it shrink")

	require.Equal(t, 5000, p.Expire(later, 5000), "no more than asked for")
	for p.Expire(later, 5000) > 0 {
	}
	require.Equal(t, 1000, p.Len(), "the new ones are left")
	require.Zero(t, p.Evicted())
}

// TestPersistenceEntries walks while the loop itself changes the table.
func TestPersistenceEntries(t *testing.T) {
	const n = 3000
	p := filled(n)
	p.SetMaxEntries(10 * n)
	seen := map[Key]int{}
	next := n
	for e := range p.Entries(t0) {
		seen[e.Key]++
		require.EqualValues(t, 1, e.Server)
		require.True(t, e.Expires.Equal(t0.Add(time.Hour)))
		p.Put(numbered(next), 1, t0)
		p.Put(e.Key, 1, t0) // a use must not move it out of the walk
		if next++; next == 2*n {
			break
		}
	}
	for k, times := range seen {
		require.Equal(t, 1, times, "%v", k)
	}
	require.Len(t, stored(p, t0), 2*n)
	require.Empty(t, stored(p, t0.Add(time.Hour)), "expired ones are left out")
}

// TestPersistenceCopies is what a second gateway would do: take the entries in
// order of expiry and Put them as of their last use.
func TestPersistenceCopies(t *testing.T) {
	from := NewPersistence(PersistenceOptions{Timeout: time.Hour})
	for i := range 500 {
		from.Put(numbered(i), uint32(i+1), t0.Add(time.Duration(i)*time.Second))
	}
	now := t0.Add(10 * time.Minute)
	entries := slices.SortedFunc(from.Entries(now), func(a, b Entry) int { return a.Expires.Compare(b.Expires) })
	to := NewPersistence(PersistenceOptions{Timeout: time.Hour})
	for _, e := range entries {
		to.Put(e.Key, e.Server, e.Expires.Add(-to.Timeout()))
	}
	later := t0.Add(time.Hour + 250*time.Second)
	require.Equal(t, stored(from, now), stored(to, now))
	require.Equal(t, stored(from, later), stored(to, later))
	require.Len(t, stored(to, later), 249)
}

// TestPersistenceClocksBehind: callers read the clock before they lock, so times
// may arrive out of order. The order of the list must stand all the same.
func TestPersistenceClocksBehind(t *testing.T) {
	p := NewPersistence(PersistenceOptions{Timeout: time.Minute})
	for i := range 1000 {
		p.Put(numbered(i), 1, t0.Add(time.Duration(i%7)*time.Millisecond))
	}
	require.NotPanics(t, func() { requireOrder(t, p) })
	require.Equal(t, 1000, p.Expire(t0.Add(time.Minute+6*time.Millisecond), 2000))
}

// requireOrder checks the insides: list in order of use, both ways, every entry
// found through its bucket, counts right.
func requireOrder(t testing.TB, p *Persistence) {
	t.Helper()
	all := 0
	for i := range p.shards {
		s := &p.shards[i]
		n, prev := 0, uint32(none)
		for i := s.first(); i != none; i = s.at(i).newer {
			require.Equal(t, prev, s.at(i).older)
			require.True(t, prev == none || s.at(prev).used <= s.at(i).used)
			require.Equal(t, i, s.find(p.hash(s.at(i).key), s.at(i).key))
			prev, n = i, n+1
		}
		require.Equal(t, s.live, n)
		all += n
	}
	require.Equal(t, p.Len(), all)
}

// TestBuckets grows a linear hash table and checks its address rule: every
// bucket is reached, and each split touches one bucket.
func TestBuckets(t *testing.T) {
	s := &shard{}
	for n := 1; n < 200; n++ {
		s.buckets = make([]uint32, n)
		level := 1 << (bits.Len(uint(n)) - 1)
		seen := map[int]bool{}
		for h := range uint64(4 * n) {
			b := s.bucket(h)
			require.Less(t, b, n)
			require.Equal(t, int(h)%level, b%level)
			seen[b] = true
		}
		require.Len(t, seen, n)
	}
}

// TestPersistenceMemory: a million entries stay under 100 MB. All are of one age
// here, so that eviction empties one shard after the other and leaves it with
// slots it does not need: no traffic with a real clock is that unlucky.
func TestPersistenceMemory(t *testing.T) {
	const n = 1_000_000
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	p := filled(n)
	full := heap() - before
	for i := range n / 4 { // churn: every Put evicts
		p.Put(numbered(n+i), 2, t0.Add(time.Duration(i)))
	}
	churned := heap() - before
	t.Logf("%d entries: %.1f MB, %.1f bytes each; after %d evictions %.1f MB",
		p.Len(), float64(full)/1e6, float64(full)/n, p.Evicted(), float64(churned)/1e6)
	require.Equal(t, n, p.Len())
	require.EqualValues(t, n/4, p.Evicted())
	require.Less(t, churned, uint64(100e6))
	runtime.KeepAlive(p)
}

// TestPersistenceTogether lets many goroutines use a small table at once.
func TestPersistenceTogether(t *testing.T) {
	const limit, workers, turns = 500, 8, 4000
	p := NewPersistence(PersistenceOptions{MaxEntries: limit, Timeout: time.Second})
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range turns {
				now := t0.Add(time.Duration(i) * time.Millisecond)
				k := numbered((i*7 + w*31) % 2000)
				switch i % 5 {
				case 0:
					p.Put(k, uint32(w+1), now)
				case 1:
					p.Replace(k, 0, uint32(w+1), now)
				case 2:
					p.Expire(now, 3)
				default:
					p.Get(k, now)
				}
				if i%1000 == 0 {
					for range p.Entries(now) {
					}
				}
			}
		})
	}
	wg.Wait()
	requireOrder(t, p)
	require.LessOrEqual(t, p.Len(), limit)
}
