package balancing

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestClientsStayInATimeOfNeed: where only servers that are set aside or down serve, a client
// still has one server, and leaves it for a better one when there is one.
func TestClientsStayInATimeOfNeed(t *testing.T) {
	tests := []struct {
		name string
		need func(s *Server)
	}{
		{"ejected", func(s *Server) { s.SetAside(Ejected, t0) }},
		{"held", func(s *Server) { s.SetAside(Held, t0) }},
		{"down", func(s *Server) { s.SetHealth(Down, t0) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, b, c := upServer("A", 0), upServer("B", 0), upServer("C", 0)
			p := NewPool(PoolOptions{Members: []Member{{Server: a}, {Server: b}, {Server: c}}, Panic: true,
				Persistence: NewPersistence(PersistenceOptions{Timeout: time.Hour})})
			for _, s := range []*Server{a, b, c} {
				tt.need(s)
			}
			client := Request{Key: numbered(1)}
			home := pick(t, p, client)
			for range 10 {
				require.Equal(t, home.Name(), pick(t, p, client).Name())
			}
			other := visit(t, p, Request{Key: numbered(1), Tried: []*Server{home}})
			require.NotEqual(t, home, other)
			require.Equal(t, other, visit(t, p, client), "it moved for good")
			other.SetAdmin(Drain)
			home.SetHealth(Up, t0)
			home.SetAside(InUse, t0)
			require.Equal(t, home, visit(t, p, client))
			other.SetAdmin(Ready)
			require.Equal(t, home, visit(t, p, client))
		})
	}
}

// TestFullServersAreWaitedFor: who says which servers have no room for it is sent to no server that serves only when
// these cannot, and to others beside them.
func TestFullServersAreWaitedFor(t *testing.T) {
	a, b, c := NewServer(ServerOptions{Name: "a"}), NewServer(ServerOptions{Name: "b"}), NewServer(ServerOptions{Name: "c"})
	for _, s := range []*Server{a, b, c} {
		s.SetHealth(Up, t0)
	}
	for _, tt := range []struct {
		name        string
		pool        PoolOptions
		tried, full []*Server
		want        *Server
		err         error
	}{
		{"beside it", PoolOptions{Members: []Member{{Server: a}, {Server: b}}}, nil, []*Server{a}, b, nil},
		{"all", PoolOptions{Members: []Member{{Server: a}, {Server: b}}}, nil, []*Server{a, b}, nil, ErrFull},
		{"not the backup", PoolOptions{Members: []Member{{Server: a}, {Server: b, Backup: true}}}, nil, []*Server{a}, nil, ErrFull},
		{"the backup, where the other was tried", PoolOptions{Members: []Member{{Server: a}, {Server: b, Backup: true}}}, []*Server{a}, nil, b, nil},
		{"tried and full is tried", PoolOptions{Members: []Member{{Server: a}, {Server: b, Backup: true}}}, []*Server{a}, []*Server{a}, b, nil},
		{"failover", PoolOptions{Members: []Member{{Server: a}, {Server: b}}, Distribution: Failover}, nil, []*Server{a}, nil, ErrFull},
		{"failover, first tried", PoolOptions{Members: []Member{{Server: a}, {Server: b}, {Server: c}}, Distribution: Failover}, []*Server{a}, []*Server{b}, nil, ErrFull},
		{"failover, a later one is full", PoolOptions{Members: []Member{{Server: a}, {Server: b}}, Distribution: Failover}, nil, []*Server{b}, a, nil},
		{"round-robin", PoolOptions{Members: []Member{{Server: a}, {Server: b, Backup: true}}, Algorithm: RoundRobin}, nil, []*Server{a}, nil, ErrFull},
		{"random-two", PoolOptions{Members: []Member{{Server: a}, {Server: b}, {Server: c}}, Algorithm: RandomTwo}, nil, []*Server{a, b}, c, nil},
		{"source-hash", PoolOptions{Members: []Member{{Server: a}, {Server: b}}, Algorithm: SourceHash}, nil, []*Server{a}, b, nil},
		{"of no pool", PoolOptions{Members: []Member{{Server: a}, {Server: b, Backup: true}}}, []*Server{a}, []*Server{c}, b, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := NewPool(tt.pool).Pick(Request{Now: t0, Tried: tt.tried, Full: tt.full})
			require.ErrorIs(t, err, tt.err)
			require.Same(t, tt.want, got)
			if got != nil {
				got.Release()
			}
		})
	}
}
