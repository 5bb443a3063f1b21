package balancing

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// fleet builds members from words such as "A:up B:down/backup C:checking/full D:up/drain".
func fleet(t testing.TB, words string) []Member {
	t.Helper()
	var out []Member
	for w := range strings.FieldsSeq(words) {
		name, rest, _ := strings.Cut(w, ":")
		s := NewServer(ServerOptions{Name: name})
		m := Member{Server: s}
		for word := range strings.SplitSeq(rest, "/") {
			switch word {
			case "checking":
			case "up":
				s.SetHealth(Up, t0)
			case "down":
				s.SetHealth(Down, t0)
			case "drain":
				s.SetAdmin(Drain)
			case "maint":
				s.SetAdmin(Maint)
			case "full":
				s.SetMaxConnections(1)
				require.True(t, s.TryAcquire())
			case "backup":
				m.Backup = true
			default:
				t.Fatalf("unknown word %q", word)
			}
		}
		out = append(out, m)
	}
	return out
}

// named finds servers by one-letter names.
func named(members []Member, names string) (out []*Server) {
	for _, m := range members {
		if strings.Contains(names, m.Server.Name()) {
			out = append(out, m.Server)
		}
	}
	return out
}

// TestLadder is the ladder rung by rung. Who may serve is what every algorithm
// must keep to; failover takes the first of them.
func TestLadder(t *testing.T) {
	tests := []struct {
		name  string
		fleet string
		tried string
		want  string // who may serve, in file order
		err   error
	}{
		{name: "no servers", fleet: "", err: ErrNoServer},
		{name: "one up", fleet: "A:up", want: "A"},
		{name: "up before checking", fleet: "A:checking B:up C:up", want: "BC"},
		{name: "checking when none is up", fleet: "A:down B:checking C:checking", want: "BC"},
		{name: "checking before a backup that is up", fleet: "A:up/backup B:checking C:down", want: "B"},
		{name: "backup up", fleet: "A:checking/backup B:down C:up/backup D:up/backup", want: "CD"},
		{name: "backup checking", fleet: "A:down B:checking/backup C:down/backup", want: "B"},
		{name: "only backups", fleet: "A:up/backup", want: "A"},
		{name: "all down", fleet: "A:down B:down/backup", err: ErrNoServer},
		{name: "drain takes nothing new", fleet: "A:up/drain B:up", want: "B"},
		{name: "maint takes nothing new", fleet: "A:up/maint B:checking/maint C:up/backup", want: "C"},
		{name: "drained alone", fleet: "A:up/drain", err: ErrNoServer},
		{name: "full passed over", fleet: "A:up/full B:up", want: "B"},
		{name: "all up are full: checking", fleet: "A:up/full B:checking", want: "B"},
		{name: "all regular are full: backup", fleet: "A:up/full B:checking/full C:up/backup", want: "C"},
		{name: "everyone full", fleet: "A:up/full B:checking/full C:up/backup/full D:down", err: ErrFull},
		{name: "full and down", fleet: "A:down/full", err: ErrNoServer},
		{name: "full and drained", fleet: "A:up/full/drain", err: ErrNoServer},
		{name: "tried passed over", fleet: "A:up B:up C:up", tried: "A", want: "BC"},
		{name: "all up tried: checking", fleet: "A:up B:up C:checking", tried: "AB", want: "C"},
		{name: "all regular tried: backup", fleet: "A:up B:checking C:up/backup", tried: "AB", want: "C"},
		{name: "everyone tried", fleet: "A:up B:up", tried: "AB", err: ErrNoServer},
		{name: "the rest is full", fleet: "A:up B:up/full", tried: "A", err: ErrFull},
		{name: "the full one was tried", fleet: "A:up/full B:down", tried: "A", err: ErrNoServer},
	}
	for _, tt := range tests {
		for _, o := range everyWay() {
			t.Run(fmt.Sprintf("%s, %v %v", tt.name, o.Distribution, o.Algorithm), func(t *testing.T) {
				o.Members = fleet(t, tt.fleet)
				want := tt.want
				if o.Distribution == Failover && want != "" {
					want = want[:1]
				}
				requireServes(t, NewPool(o), named(o.Members, tt.tried), want, tt.err)
			})
		}
	}
}

// everyWay lists all ways to choose.
func everyWay() (out []PoolOptions) {
	for _, a := range []Algorithm{LeastConnections, RoundRobin, RandomTwo, SourceHash} {
		out = append(out, PoolOptions{Algorithm: a})
	}
	return append(out, PoolOptions{Distribution: Failover})
}

// requireServes visits often enough to see everybody who serves.
func requireServes(t *testing.T, p *Pool, tried []*Server, want string, wantErr error) {
	t.Helper()
	seen := map[string]bool{}
	for i := range 100 {
		s, err := p.Pick(Request{Key: numbered(i), Now: t0, Tried: tried})
		require.Equal(t, wantErr, err)
		if err != nil {
			require.Nil(t, s)
			continue
		}
		s.Release()
		seen[s.Name()] = true
	}
	got := ""
	for _, m := range p.Members() {
		if seen[m.Server.Name()] {
			got += m.Server.Name()
		}
	}
	require.Equal(t, want, got)
}

func TestPoolUsable(t *testing.T) {
	for words, want := range map[string]bool{
		"":                                false,
		"A:up":                            true,
		"A:checking":                      true,
		"A:down B:down/backup":            false,
		"A:down B:up/backup":              true,
		"A:up/full":                       true,
		"A:up/drain B:checking/maint":     false,
		"A:down B:up/maint C:up/full":     true,
		"A:down B:down C:checking/backup": true,
	} {
		require.Equal(t, want, NewPool(PoolOptions{Members: fleet(t, words)}).Usable(), words)
	}
}

func TestPoolMembers(t *testing.T) {
	in := fleet(t, "A:up B:up/backup C:down")
	p := NewPool(PoolOptions{Members: in})
	require.Equal(t, in, p.Members())
	p.Members()[0] = Member{}
	require.Equal(t, in, p.Members(), "the caller's copy is the caller's")
}

// sticky is a pool with persistence over such a fleet.
func sticky(t testing.TB, words string, o PoolOptions) (*Pool, []Member) {
	t.Helper()
	o.Members = fleet(t, words)
	o.Persistence = NewPersistence(PersistenceOptions{Timeout: time.Hour})
	return NewPool(o), o.Members
}

// TestPersistenceKeeps: where a client with an entry for A goes on its next
// connection, and where after everything is as before.
func TestPersistenceKeeps(t *testing.T) {
	client := numbered(7)
	tests := []struct {
		name   string
		change func(a *Server)
		undo   func(a *Server)
		tried  bool   // A was tried in this connection
		during string // who serves the connection
		after  string // who serves when all is well again
	}{
		{name: "nothing happens", during: "A", after: "A"},
		{name: "down", change: func(a *Server) { a.SetHealth(Down, t0) },
			undo: func(a *Server) { a.SetHealth(Up, t0) }, during: "B", after: "B"},
		{name: "drain may not be overridden", change: func(a *Server) { a.SetAdmin(Drain) },
			undo: func(a *Server) { a.SetAdmin(Ready) }, during: "B", after: "B"},
		{name: "maint may not be overridden", change: func(a *Server) { a.SetAdmin(Maint) },
			undo: func(a *Server) { a.SetAdmin(Ready) }, during: "B", after: "B"},
		{name: "its dial failed", tried: true, during: "B", after: "B"},
		{name: "checking is usable", change: func(a *Server) { a.SetHealth(Checking, t0) },
			undo: func(a *Server) { a.SetHealth(Up, t0) }, during: "A", after: "A"},
		{name: "only full", change: func(a *Server) { a.SetMaxConnections(1); a.TryAcquire() },
			undo: (*Server).Release, during: "B", after: "A"},
		{name: "weight does not matter", change: func(a *Server) { a.SetWeight(1) }, during: "A", after: "A"},
	}
	for _, tt := range tests {
		for _, o := range everyWay() {
			t.Run(fmt.Sprintf("%s, %v %v", tt.name, o.Distribution, o.Algorithm), func(t *testing.T) {
				p, m := sticky(t, "A:up B:up", o)
				a := m[0].Server
				p.persistence.Put(client, a.ID(), t0)
				if tt.change != nil {
					tt.change(a)
				}
				r := Request{Key: client}
				if tt.tried {
					r.Tried = []*Server{a}
				}
				require.Equal(t, tt.during, visit(t, p, r).Name(), "during")
				if tt.undo != nil {
					tt.undo(a)
				}
				for range 5 {
					require.Equal(t, tt.after, visit(t, p, Request{Key: client}).Name(), "after")
				}
			})
		}
	}
}

// TestPersistenceOnBackup: a client that had to go to a backup stays there,
// others go back.
func TestPersistenceOnBackup(t *testing.T) {
	p, m := sticky(t, "A:down B:up/backup", PoolOptions{Distribution: Failover})
	require.Equal(t, "B", visit(t, p, Request{Key: numbered(1)}).Name())
	m[0].Server.SetHealth(Up, t0)
	require.Equal(t, "B", visit(t, p, Request{Key: numbered(1)}).Name(), "stays afterwards")
	require.Equal(t, "A", visit(t, p, Request{Key: numbered(2)}).Name(), "a new client")
}

func TestPersistenceClock(t *testing.T) {
	p, m := sticky(t, "A:up B:up", PoolOptions{Distribution: Failover})
	at := func(d time.Duration) Request { return Request{Key: numbered(1), Now: t0.Add(d)} }
	m[0].Server.SetAdmin(Drain)
	require.Equal(t, "B", visit(t, p, at(0)).Name())
	m[0].Server.SetAdmin(Ready)
	require.Equal(t, "B", visit(t, p, at(59*time.Minute)).Name())
	require.Equal(t, "B", visit(t, p, at(118*time.Minute)).Name(), "each connection restarts the clock")
	require.Equal(t, "A", visit(t, p, at(178*time.Minute)).Name(), "an hour of silence and it is over")
}

// TestPersistenceForgets: requests that leave no entry, and entries of no use.
func TestPersistenceForgets(t *testing.T) {
	p, m := sticky(t, "A:up B:down", PoolOptions{})
	visit(t, p, Request{})
	require.Zero(t, p.persistence.Len(), "no key, no entry")

	m[0].Server.SetHealth(Down, t0)
	_, err := p.Pick(Request{Key: numbered(1), Now: t0})
	require.Equal(t, ErrNoServer, err)
	require.Zero(t, p.persistence.Len(), "no server, no entry")

	p.persistence.Put(numbered(2), NewServer(ServerOptions{Name: "gone"}).ID(), t0)
	m[1].Server.SetHealth(Up, t0)
	require.Equal(t, "B", visit(t, p, Request{Key: numbered(2)}).Name(), "its server left with a reload")
	id, _ := p.persistence.Get(numbered(2), t0)
	require.Equal(t, m[1].Server.ID(), id)
}

// TestPersistenceOutlivesPool: after a reload the new pool finds the old entries.
func TestPersistenceOutlivesPool(t *testing.T) {
	p, m := sticky(t, "A:up B:up C:up", PoolOptions{Algorithm: RandomTwo})
	home := visit(t, p, Request{Key: numbered(1)})
	next := NewPool(PoolOptions{Members: []Member{m[2], m[1], m[0]}, Algorithm: RoundRobin, Persistence: p.persistence})
	for range 5 {
		require.Same(t, home, visit(t, next, Request{Key: numbered(1)}))
	}
}

// TestSettle plays the moment in which two first connections of one client have
// both found no entry and both acquired a server.
func TestSettle(t *testing.T) {
	tests := []struct {
		name   string
		fleet  string
		tried  string
		serves string // who serves the second connection, which acquired B
		keeps  string // whom the entry names then; the first one settled on A
	}{
		{"follows the first", "A:up B:up", "", "A", "A"},
		{"the first's server went down", "A:down B:up", "", "B", "B"},
		{"the first's server failed this connection", "A:up B:up", "A", "B", "B"},
		{"the first's server is full", "A:up/full B:up", "", "B", "A"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, m := sticky(t, tt.fleet, PoolOptions{})
			a, b := m[0].Server, m[1].Server
			before := a.Active()
			p.persistence.Put(numbered(1), a.ID(), t0)
			require.True(t, b.acquire())
			got := p.settle(&Request{Key: numbered(1), Now: t0, Tried: named(m, tt.tried)}, 0, b)
			require.Equal(t, tt.serves, got.Name())
			require.EqualValues(t, 1, a.Active()+b.Active()-before, "one session, whatever happened")
			id, _ := p.persistence.Get(numbered(1), t0)
			require.Equal(t, named(m, tt.keeps)[0].ID(), id)
		})
	}
}

func TestPickCountsTotal(t *testing.T) {
	p, m := sticky(t, "A:up", PoolOptions{})
	visit(t, p, Request{Key: numbered(1)})
	visit(t, p, Request{Key: numbered(1)})
	require.EqualValues(t, 2, m[0].Server.Total())
	require.Zero(t, m[0].Server.Active())
}

// TestPickDoesNotAllocate covers all ways to choose, persistence hits and
// misses, and both errors.
func TestPickDoesNotAllocate(t *testing.T) {
	var ways []PoolOptions
	for _, o := range everyWay() {
		kept := o
		kept.Persistence = filled(1000)
		ways = append(ways, o, kept)
	}
	for _, o := range ways {
		for _, words := range []string{"A:up B:up C:up/backup", "A:up/full", "A:down"} {
			o.Members = fleet(t, words)
			p, i := NewPool(o), 0
			tried := []*Server{o.Members[0].Server}
			require.Zero(t, testing.AllocsPerRun(2000, func() {
				i++
				r := Request{Key: numbered(i % 2000), Now: t0}
				if i%3 == 0 {
					r.Tried = tried
				}
				if s, err := p.Pick(r); err == nil {
					s.Release()
				}
			}), "%v %v %s", o.Distribution, o.Algorithm, words)
		}
	}
}
