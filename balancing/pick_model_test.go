package balancing

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// world is a pool with everything that may happen to it, and what a simple
// model knows about it.
type world struct {
	pool    *Pool
	members []Member
	now     time.Time
	running []*Server // sessions not yet released
	homes   *modelTable
	panics  bool
}

// newWorld draws a pool.
func newWorld(t *rapid.T) *world {
	w := &world{now: t0, panics: rapid.Bool().Draw(t, "panic"), homes: &modelTable{timeout: time.Hour, limit: 1000}}
	for i := range rapid.IntRange(0, 6).Draw(t, "servers") {
		s := NewServer(ServerOptions{
			Name:           fmt.Sprintf("S%d", i),
			Weight:         rapid.IntRange(1, 256).Draw(t, "weight"),
			MaxConnections: rapid.IntRange(0, 4).Draw(t, "max_connections"),
			SlowStart:      time.Minute,
		})
		w.members = append(w.members, Member{s, rapid.Bool().Draw(t, "backup")})
	}
	w.pool = NewPool(PoolOptions{
		Members:      w.members,
		Algorithm:    rapid.SampledFrom([]Algorithm{LeastConnections, RoundRobin, RandomTwo, SourceHash}).Draw(t, "algorithm"),
		Distribution: rapid.SampledFrom([]Distribution{Balance, Failover}).Draw(t, "distribution"),
		Persistence:  NewPersistence(PersistenceOptions{Timeout: time.Hour, MaxEntries: 1000}),
		Panic:        w.panics,
	})
	return w
}

// rungOf is the ladder as it is promised, lower is better; -1 = serves nobody.
func (w *world) rungOf(m Member) int {
	side := 0
	if m.Backup {
		side = 1
	}
	switch s := m.Server; {
	case s.Admin() != Ready, s.Health() == Down && !w.panics:
		return -1
	case s.Health() == Down:
		return 6 + side
	case s.Aside() != InUse:
		return 4 + side
	case s.Health() == Checking:
		return 2*side + 1
	default:
		return 2 * side
	}
}

// ordinary says whether the rung is one for clients to settle on.
func ordinary(rung int) bool { return rung >= 0 && rung < 4 }

// room says whether a session may come in.
func (w *world) room(s *Server) bool {
	running := 0
	for _, r := range w.running {
		if r == s {
			running++
		}
	}
	return s.MaxConnections() == 0 || running < s.MaxConnections()
}

// mayServe lists the servers of the best rung with room, in file order, and the
// error if there is none.
func (w *world) mayServe(tried []*Server) ([]*Server, error) {
	var best []*Server
	at, err := 8, ErrNoServer
	for _, m := range w.members {
		rung := w.rungOf(m)
		switch {
		case rung < 0 || slices.Contains(tried, m.Server):
		case !w.room(m.Server):
			err = ErrFull
		case rung < at:
			at, best = rung, []*Server{m.Server}
		case rung == at:
			best = append(best, m.Server)
		}
	}
	if best != nil {
		err = nil
	}
	return best, err
}

// home is the client's server if it may go there, full or not. One that serves only because
// nobody better is left is a home for as long.
func (w *world) home(key Key, tried []*Server) *Server {
	id, known := w.homes.get(key, w.now)
	var home *Server
	at, best := -1, 8
	for _, m := range w.members {
		rung := w.rungOf(m)
		if rung < 0 || slices.Contains(tried, m.Server) {
			continue
		}
		best = min(best, rung)
		if known && m.Server.ID() == id {
			home, at = m.Server, rung
		}
	}
	if home == nil || !ordinary(at) && best/2 < at/2 {
		return nil
	}
	return home
}

// pick asks the pool and judges the answer.
func (w *world) pick(t *rapid.T) {
	key := numbered(rapid.IntRange(0, 5).Draw(t, "client"))
	var tried []*Server
	for _, m := range w.members {
		if rapid.IntRange(0, 4).Draw(t, "tried") == 0 {
			tried = append(tried, m.Server)
		}
	}
	home := w.home(key, tried)
	want, wantErr := w.mayServe(tried)
	if home != nil && w.room(home) {
		want, wantErr = []*Server{home}, nil
	} else if w.pool.distribution == Failover && len(want) > 0 {
		want = want[:1]
	}
	got, err := w.pool.Pick(Request{Key: key, Now: w.now, Tried: tried})
	require.Equal(t, wantErr, err)
	if err != nil {
		require.Nil(t, got)
		return
	}
	require.Contains(t, want, got)
	w.running = append(w.running, got)
	if home == nil { // new, or moved for good; away from a full home it leaves no trace
		w.homes.put(key, got.ID(), w.now)
	}
}

// check holds after everything.
func (w *world) check(t *rapid.T) {
	running := map[*Server]int64{}
	for _, s := range w.running {
		running[s]++
	}
	usable := false
	for _, m := range w.members {
		require.Equal(t, running[m.Server], m.Server.Active())
		usable = usable || w.rungOf(m) >= 0
		require.Equal(t, ordinary(w.rungOf(m)), m.Server.Usable())
	}
	require.Equal(t, usable, w.pool.Usable())
	w.homes.settle(w.now)
	require.Equal(t, w.homes.content(), stored(w.pool.persistence, w.now))
}

// TestPickModel plays random histories: servers change, clients come and go.
// Pick never gives an unusable server, always one when there is one, never goes
// above max_connections, stays while it can, moves once and stays there.
func TestPickModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		some := func(do func(t *rapid.T, s *Server)) func(*rapid.T) {
			return func(t *rapid.T) {
				if len(w.members) == 0 {
					t.Skip("no servers")
				}
				do(t, rapid.SampledFrom(w.members).Draw(t, "server").Server)
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"pick":  w.pick,
			"pick2": w.pick, // more often than the rest
			"pick3": w.pick,
			"release": func(t *rapid.T) {
				if len(w.running) == 0 {
					t.Skip("nothing runs")
				}
				i := rapid.IntRange(0, len(w.running)-1).Draw(t, "session")
				w.running[i].Release()
				w.running = slices.Delete(w.running, i, i+1)
			},
			"health": some(func(t *rapid.T, s *Server) {
				s.SetHealth(rapid.SampledFrom([]Health{Checking, Up, Up, Degraded, Down}).Draw(t, "health"), w.now)
			}),
			"aside": some(func(t *rapid.T, s *Server) {
				s.SetAside(rapid.SampledFrom([]Aside{InUse, InUse, Held, Ejected}).Draw(t, "aside"), w.now)
			}),
			"admin": some(func(t *rapid.T, s *Server) {
				s.SetAdmin(rapid.SampledFrom([]Admin{Ready, Ready, Drain, Maint}).Draw(t, "admin"))
			}),
			"weight": some(func(t *rapid.T, s *Server) { s.SetWeight(rapid.IntRange(1, 256).Draw(t, "weight")) }),
			"limit":  some(func(t *rapid.T, s *Server) { s.SetMaxConnections(rapid.IntRange(0, 4).Draw(t, "limit")) }),
			"time": func(t *rapid.T) {
				w.now = w.now.Add(time.Duration(rapid.IntRange(1, 40).Draw(t, "minutes")) * time.Minute)
			},
			"": w.check,
		})
	})
}

// TestPickWithoutPersistence: the same judge, for pools that remember nobody:
// every answer comes from the best rung.
func TestPickWithoutPersistence(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		w.pool.persistence = nil
		for _, m := range w.members {
			m.Server.SetHealth(rapid.SampledFrom([]Health{Checking, Up, Degraded, Down}).Draw(t, "health"), t0)
		}
		for range rapid.IntRange(1, 30).Draw(t, "picks") {
			want, wantErr := w.mayServe(nil)
			got, err := w.pool.Pick(Request{Key: numbered(1), Now: t0})
			require.Equal(t, wantErr, err)
			if err == nil {
				require.Contains(t, want, got)
				w.running = append(w.running, got)
			}
		}
	})
}
