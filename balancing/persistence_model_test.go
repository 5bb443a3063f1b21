package balancing

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// modelEntry is a client that the model remembers.
type modelEntry struct {
	key    Key
	server uint32
	used   time.Time
}

// modelTable is Persistence as one would write it without caring for speed: a
// list in order of use.
type modelTable struct {
	entries []modelEntry // oldest use first; no expired ones after settle
	timeout time.Duration
	limit   int
	evicted int64
}

// settle drops what has expired.
func (m *modelTable) settle(now time.Time) {
	m.entries = slices.DeleteFunc(m.entries, func(e modelEntry) bool { return now.Sub(e.used) >= m.timeout })
}

// get looks up and restarts the clock.
func (m *modelTable) get(k Key, now time.Time) (uint32, bool) {
	m.settle(now)
	i := slices.IndexFunc(m.entries, func(e modelEntry) bool { return e.key == k })
	if i < 0 {
		return 0, false
	}
	e := m.entries[i]
	e.used = now
	m.entries = append(slices.Delete(m.entries, i, i+1), e)
	return e.server, true
}

// put writes and evicts.
func (m *modelTable) put(k Key, id uint32, now time.Time) {
	if _, ok := m.get(k, now); ok {
		m.entries[len(m.entries)-1].server = id
		return
	}
	m.entries = append(m.entries, modelEntry{k, id, now})
	if len(m.entries) > m.limit {
		m.entries = m.entries[1:]
		m.evicted++
	}
}

// content is what stored gives of the real one.
func (m *modelTable) content() map[Key]uint32 {
	out := map[Key]uint32{}
	for _, e := range m.entries {
		out[e.key] = e.server
	}
	return out
}

// TestPersistenceModel plays random histories on the table and on the model.
func TestPersistenceModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		timeout := time.Duration(rapid.IntRange(1, 100).Draw(t, "timeout"))
		limit := rapid.IntRange(1, 40).Draw(t, "limit")
		p := NewPersistence(PersistenceOptions{Timeout: timeout, MaxEntries: limit})
		m := &modelTable{timeout: timeout, limit: limit}
		now := t0
		key := rapid.Custom(func(t *rapid.T) Key { return numbered(rapid.IntRange(0, 60).Draw(t, "client")) })
		server := rapid.Uint32Range(1, 5)
		// Each action takes some time, so that no two uses are equally old.
		act := func(do func(t *rapid.T)) func(*rapid.T) {
			return func(t *rapid.T) {
				now = now.Add(time.Duration(rapid.IntRange(1, 12).Draw(t, "passes")))
				do(t)
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"get": act(func(t *rapid.T) {
				k := key.Draw(t, "key")
				want, wantOK := m.get(k, now)
				got, ok := p.Get(k, now)
				require.Equal(t, wantOK, ok)
				require.Equal(t, want, got)
			}),
			"put": act(func(t *rapid.T) {
				k, id := key.Draw(t, "key"), server.Draw(t, "server")
				m.put(k, id, now)
				p.Put(k, id, now)
			}),
			"replace": act(func(t *rapid.T) {
				k, old, id := key.Draw(t, "key"), rapid.Uint32Range(0, 5).Draw(t, "old"), server.Draw(t, "server")
				want := id
				if have, ok := m.get(k, now); ok && have != old {
					want = have
				}
				m.put(k, want, now)
				require.Equal(t, want, p.Replace(k, old, id, now))
			}),
			"expire": act(func(*rapid.T) { p.Expire(now, 1000) }),
			"timeout": act(func(t *rapid.T) {
				d := time.Duration(rapid.IntRange(1, 100).Draw(t, "timeout"))
				m.settle(now)
				p.Expire(now, 1000) // or a longer timeout would bring some back
				m.timeout = d
				p.SetTimeout(d)
			}),
			"": func(t *rapid.T) {
				m.settle(now)
				require.Equal(t, m.content(), stored(p, now))
				require.Equal(t, m.evicted, p.Evicted())
				require.LessOrEqual(t, p.Len(), m.limit)
				requireInside(t, p)
			},
		})
	})
}

// requireInside is requireOrder for rapid's T, which is no testing.TB.
func requireInside(t require.TestingT, p *Persistence) {
	all := 0
	for i := range p.shards {
		s := &p.shards[i]
		n := 0
		for i := s.first(); i != none; i = s.at(i).newer {
			require.Equal(t, i, s.find(p.hash(s.at(i).key), s.at(i).key))
			n++
		}
		require.Equal(t, s.live, n)
		all += n
	}
	require.Equal(t, p.Len(), all)
}
