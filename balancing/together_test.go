package balancing

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// occupancy counts a server's sessions from outside: the count goes up after
// Pick and down before Release, so it may never exceed max_connections.
type occupancy struct {
	limit int64
	now   atomic.Int64
	ever  atomic.Int64
}

// TestTogether lets many clients use pools from many goroutines, while servers
// change state, and counts every session in and out.
func TestTogether(t *testing.T) {
	for _, o := range everyWay() {
		for _, persistent := range []bool{false, true} {
			t.Run(fmt.Sprintf("%v %v persistence %v", o.Distribution, o.Algorithm, persistent), func(t *testing.T) {
				if persistent {
					o.Persistence = NewPersistence(PersistenceOptions{Timeout: time.Second, MaxEntries: 50})
				}
				together(t, o)
			})
		}
	}
}

// together runs clients on two generations of a pool over the same servers.
func together(t *testing.T, o PoolOptions) {
	const clients, turns = 8, 1500
	count := map[*Server]*occupancy{}
	o.Members = upServers(5)
	for i, m := range o.Members {
		m.Server.SetMaxConnections(i)
		count[m.Server] = &occupancy{limit: int64(i)}
	}
	o.Members[4].Backup = true
	before, after := NewPool(o), NewPool(o)

	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		disturb(o.Members, stop)
	}()
	var wg sync.WaitGroup
	var over atomic.Int64
	for range clients {
		wg.Go(func() {
			for i := range turns {
				p := []*Pool{before, after}[i%2]
				over.Add(session(p, count, t0.Add(time.Duration(i)*time.Millisecond)))
			}
		})
	}
	wg.Wait()
	close(stop)
	<-stopped

	require.Zero(t, over.Load(), "sessions above max_connections or wrong answers")
	for _, m := range o.Members {
		require.Zero(t, m.Server.Active(), "%s", m.Server.Name())
		require.Equal(t, count[m.Server].ever.Load(), m.Server.Total(), "%s", m.Server.Name())
	}
}

// session is one client connection whose first dial fails now and then. It
// returns how many things went wrong.
func session(p *Pool, count map[*Server]*occupancy, now time.Time) (wrong int64) {
	r := Request{Key: numbered(rand.IntN(100)), Now: now}
	for range 2 {
		s, err := p.Pick(r)
		if err != nil {
			if s != nil || !errors.Is(err, ErrNoServer) && !errors.Is(err, ErrFull) {
				wrong++
			}
			return wrong
		}
		c := count[s]
		c.ever.Add(1)
		if n := c.now.Add(1); c.limit > 0 && n > c.limit {
			wrong++
		}
		if len(r.Tried) > 0 && r.Tried[0] == s {
			wrong++
		}
		s.AddBytes(1, 1)
		c.now.Add(-1)
		s.Release()
		if rand.IntN(4) > 0 {
			return wrong
		}
		r.Tried = []*Server{s}
	}
	return wrong
}

// disturb changes states and weights until told to stop.
func disturb(members []Member, stop <-chan struct{}) {
	for i := 0; ; i++ {
		select {
		case <-stop:
			return
		default:
		}
		s := members[rand.IntN(len(members))].Server
		s.SetHealth([]Health{Up, Up, Checking, Down}[rand.IntN(4)], t0.Add(time.Duration(i)))
		s.SetAdmin([]Admin{Ready, Ready, Drain, Maint}[rand.IntN(4)])
		s.SetWeight(rand.IntN(257))
	}
}

// TestTogetherLastPlace: of many who want the last places exactly so many get them.
func TestTogetherLastPlace(t *testing.T) {
	for _, o := range everyWay() {
		o.Members = upServers(3)
		for _, m := range o.Members {
			m.Server.SetMaxConnections(7)
		}
		p := NewPool(o)
		var got, full atomic.Int64
		var wg sync.WaitGroup
		for i := range 50 {
			wg.Go(func() {
				switch _, err := p.Pick(Request{Key: numbered(i), Now: t0}); err {
				case nil:
					got.Add(1)
				case ErrFull:
					full.Add(1)
				}
			})
		}
		wg.Wait()
		require.EqualValues(t, 21, got.Load(), "%v %v", o.Distribution, o.Algorithm)
		require.EqualValues(t, 29, full.Load(), "%v %v", o.Distribution, o.Algorithm)
	}
}

// TestTogetherFirstVisit: a client that opens many connections at its first
// visit ends up with every later connection on one server.
func TestTogetherFirstVisit(t *testing.T) {
	p, _ := sticky(t, "A:up B:up C:up D:up", PoolOptions{})
	for client := range 200 {
		names := make([]string, 6)
		var wg sync.WaitGroup
		for i := range names {
			wg.Go(func() { s, _ := p.Pick(Request{Key: numbered(client), Now: t0}); names[i] = s.Name() })
		}
		wg.Wait()
		for _, name := range names {
			require.Equal(t, names[0], name, "client %d", client)
		}
	}
}
