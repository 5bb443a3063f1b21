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
