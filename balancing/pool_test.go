package balancing

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// t0 is the time at which every test begins.
var t0 = time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)

func TestSmoke(t *testing.T) {
	a, b := NewServer(ServerOptions{Name: "A"}), NewServer(ServerOptions{Name: "B"})
	p := NewPool(PoolOptions{Members: []Member{{Server: a}, {Server: b}}, Persistence: NewPersistence(PersistenceOptions{})})
	s, err := p.Pick(Request{Key: Key{1}, Now: t0})
	require.NoError(t, err)
	again, err := p.Pick(Request{Key: Key{1}, Now: t0})
	require.NoError(t, err)
	require.Same(t, s, again)
}
