package balancing

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestDegradedWeight: a degraded server takes clients with the share of its weight that was set.
func TestDegradedWeight(t *testing.T) {
	for _, algorithm := range []Algorithm{RoundRobin, SourceHash} {
		a, b := upServer("A", 100), upServer("B", 100)
		b.SetDegradedWeight(0.25)
		p := NewPool(PoolOptions{Members: []Member{{Server: a}, {Server: b}}, Algorithm: algorithm})
		requireShares(t, map[string]float64{"A": 50, "B": 50}, shares(t, p, 4000), 3)
		b.SetHealth(Degraded, t0)
		requireShares(t, map[string]float64{"A": 80, "B": 20}, shares(t, p, 4000), 3)
		b.SetWeight(200)
		requireShares(t, map[string]float64{"A": 66.7, "B": 33.3}, shares(t, p, 4000), 3)
		b.SetHealth(Up, t0)
		require.Equal(t, 200.0, b.EffectiveWeight(t0), "from degraded to up is no recovery, there is no ramp")
	}
}

func TestDegradedWeightBounds(t *testing.T) {
	s := upServer("A", 1)
	s.SetHealth(Degraded, t0)
	for share, want := range map[float64]float64{-1: 0.001, 0: 0.001, 0.5: 0.5, 1: 1, 7: 1} {
		s.SetDegradedWeight(share)
		require.Equal(t, want, s.EffectiveWeight(t0), "share %v", share)
	}
}

func TestStates(t *testing.T) {
	tests := []struct {
		name   string
		health Health
		admin  Admin
		aside  Aside
		want   string
		usable bool
	}{
		{"up", Up, Ready, InUse, "up", true},
		{"degraded", Degraded, Ready, InUse, "degraded", true},
		{"not judged", Checking, Ready, InUse, "checking", true},
		{"down", Down, Ready, InUse, "down", false},
		{"held", Up, Ready, Held, "held", false},
		{"ejected", Degraded, Ready, Ejected, "ejected", false},
		{"ejected, then down", Down, Ready, Ejected, "down", false},
		{"drained, whatever else", Up, Drain, Held, "drain", false},
		{"maint, whatever else", Down, Maint, InUse, "maint", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := NewServer(ServerOptions{Name: "A"})
			s.SetHealth(tt.health, t0)
			s.SetAside(tt.aside, t0)
			s.SetAdmin(tt.admin)
			require.Equal(t, tt.want, s.State())
			require.Equal(t, tt.usable, s.Usable())
			require.Contains(t, States(), s.State())
			require.Equal(t, []any{tt.health, tt.admin, tt.aside}, []any{s.Health(), s.Admin(), s.Aside()})
		})
	}
}

// TestLastResorts: those set aside serve when no other can, backups included, and with Panic
// those that are down when nobody else is left.
func TestLastResorts(t *testing.T) {
	a, b, c := upServer("A", 0), upServer("B", 0), upServer("C", 0)
	members := []Member{{Server: a}, {Server: b}, {Server: c, Backup: true}}
	calm, panics := NewPool(PoolOptions{Members: members}), NewPool(PoolOptions{Members: members, Panic: true})
	both := func(want Standing, name string) {
		t.Helper()
		for _, p := range []*Pool{calm, panics} {
			require.Equal(t, want, p.Standing())
			require.Equal(t, name, visit(t, p, Request{}).Name())
		}
	}
	a.SetAside(Ejected, t0)
	both(Sound, "B")
	b.SetHealth(Down, t0)
	both(Sound, "C")
	c.SetAside(Held, t0)
	both(Makeshift, "A")
	a.SetHealth(Down, t0)
	both(Makeshift, "C")
	c.SetHealth(Down, t0)
	b.SetAdmin(Drain)
	require.Equal(t, Without, calm.Standing())
	_, err := calm.Pick(Request{Now: t0})
	require.ErrorIs(t, err, ErrNoServer)
	require.Equal(t, Panicking, panics.Standing())
	require.Equal(t, "A", visit(t, panics, Request{}).Name())
	a.SetAdmin(Maint)
	require.Equal(t, "C", visit(t, panics, Request{}).Name())
	c.SetAdmin(Drain)
	require.Equal(t, Without, panics.Standing(), "a person's word is not overruled")
}

func TestBackFromAside(t *testing.T) {
	s := NewServer(ServerOptions{Name: "A", SlowStart: time.Minute})
	s.SetHealth(Up, t0)
	require.Equal(t, InUse, s.SetAside(InUse, t0))
	require.Equal(t, 100.0, s.EffectiveWeight(t0), "it never was aside")
	require.Equal(t, InUse, s.SetAside(Ejected, t0))
	require.Equal(t, Ejected, s.SetAside(InUse, t0.Add(time.Minute)))
	require.Equal(t, 10.0, s.EffectiveWeight(t0.Add(time.Minute)), "it begins with the slow start")
	require.Equal(t, 100.0, s.EffectiveWeight(t0.Add(2*time.Minute)))
}
