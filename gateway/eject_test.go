package gateway

import (
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/balancing"
	"gantry/gateway/config"
	"gantry/negotiate"
)

// upBackend is one that its checks find well.
func upBackend(s config.Service) *backend {
	b := judgedBackend(s)
	b.found("echo", negotiate.Up, three)
	b.found("find", negotiate.Up, three)
	return b
}

func passiveAfter(failures int) config.Service {
	return config.Service{Passive: &config.Passive{Failures: failures, Eject: time.Minute, MaxEject: time.Hour, MaxEjected: 1}}
}

// TestOneEjectionForOneRun: sessions end on several loops at the same moment.
func TestOneEjectionForOneRun(t *testing.T) {
	b := upBackend(passiveAfter(1))
	require.True(t, b.blame(failedDial, modality))
	require.True(t, b.blame(failedDial, modality), "the other loop was not ejecting it yet")
	require.Equal(t, time.Minute, b.eject(three))
	require.Zero(t, b.eject(three), "it is ejected")
	require.EqualValues(t, 1, b.ejections())
	b.release(three.Add(time.Minute))
	require.Equal(t, 2*time.Minute, b.eject(three.Add(time.Minute)), "one doubling, not two")
}

// TestOnlyServersInUseAreEjected: on others the checks, or a person, have spoken already, and an ejection would outlast
// that and take one of the places of max_ejected.
func TestOnlyServersInUseAreEjected(t *testing.T) {
	for name, out := range map[string]func(b *backend){
		"down":  func(b *backend) { b.found("echo", negotiate.Down, three) },
		"maint": func(b *backend) { b.server.SetAdmin(balancing.Maint) },
		"drain": func(b *backend) { b.server.SetAdmin(balancing.Drain) },
		"held":  func(b *backend) { b.server.SetAside(balancing.Held, three) },
	} {
		t.Run(name, func(t *testing.T) {
			b := upBackend(passiveAfter(2))
			out(b)
			for range 5 {
				require.False(t, b.blame(failedDial, modality))
			}
		})
	}
}

// TestReloadEndsEjections: a person who turns passive off, or makes its times shorter, does not wait for the old ones.
func TestReloadEndsEjections(t *testing.T) {
	tests := []struct {
		name  string
		now   config.Service
		state string
		left  time.Duration
	}{
		{"as it was", passiveAfter(1), "ejected", time.Minute},
		{"removed", config.Service{}, "up", 0},
		{"shorter", config.Service{Passive: &config.Passive{Failures: 1, Eject: time.Second, MaxEject: 10 * time.Second}}, "ejected", 10 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			now := time.Now()
			b := upBackend(passiveAfter(1))
			b.blame(failedDial, modality)
			b.eject(now)
			b.commit(&tt.now, config.Server{Checks: []config.Check{{Name: "echo"}, {Name: "find"}}}, time.Now())
			require.WithinDuration(t, now.Add(tt.left), b.asideUntil(), time.Second)
			b.release(time.Now()) // which housekeeping does every second
			require.Equal(t, tt.state, b.server.State())
		})
	}
}

func TestReloadEndsHolds(t *testing.T) {
	now := time.Now()
	b := upBackend(config.Service{Flapping: config.Flapping{Hold: time.Hour, MaxHold: time.Hour, Forgive: time.Hour}})
	for range 2 {
		b.found("echo", negotiate.Down, now)
		b.found("echo", negotiate.Up, now)
	}
	require.Equal(t, "held", b.server.State())
	b.commit(&config.Service{}, config.Server{Checks: []config.Check{{Name: "echo"}, {Name: "find"}}}, time.Now())
	b.release(time.Now())
	require.Equal(t, "up", b.server.State(), "hold: 0s = never")
}

// TestShareOfServers: max_ejected is a share, and shares are seldom exact in binary.
func TestShareOfServers(t *testing.T) {
	for _, tt := range []struct {
		share          float64
		servers, allow int
	}{{0.5, 1, 0}, {0.5, 2, 1}, {0.5, 3, 1}, {1, 1, 1}, {0.29, 100, 29}, {0.57, 100, 57}, {0.01, 256, 2}} {
		s := &service{cfg: config.Service{Passive: &config.Passive{MaxEjected: tt.share}}}
		for range tt.servers {
			s.backends = append(s.backends, upBackend(config.Service{}))
		}
		n := 0
		for ; n < tt.servers && s.mayEject(); n++ {
			s.backends[n].server.SetAside(balancing.Ejected, three)
		}
		require.Equal(t, tt.allow, n, "%v of %d", tt.share, tt.servers)
	}
}

// smallGateway has one service of two servers that nobody checks.
func smallGateway(log *slog.Logger) (*Gateway, *service) {
	a, b := upBackend(config.Service{}), upBackend(config.Service{})
	s := &service{cfg: config.Service{Name: "DICOM"}, vip: newVIP(), backends: []*backend{a, b}}
	s.pool = balancing.NewPool(balancing.PoolOptions{Members: []balancing.Member{{Server: a.server}, {Server: b.server}}})
	g := &Gateway{log: log, events: newEventRing(maxEvents)}
	g.plan.Store(&plan{services: []*service{s}, byName: map[string]*service{"DICOM": s}})
	return g, s
}

// TestStandingIsToldInOrder: of two judgements at the same moment the later one has the last word.
func TestStandingIsToldInOrder(t *testing.T) {
	g, s := smallGateway(slog.New(slog.DiscardHandler))
	for range 3000 {
		var all sync.WaitGroup
		for i, b := range s.backends {
			all.Go(func() {
				for _, h := range []balancing.Health{balancing.Down, balancing.Up}[:2-i] {
					b.server.SetHealth(h, three)
					g.tellUsable(s)
				}
			})
		}
		all.Wait()
		require.Equal(t, s.pool.Standing(), s.vip.standing)
		for _, b := range s.backends {
			b.server.SetHealth(balancing.Up, three)
		}
		g.tellUsable(s)
	}
}

// TestTimeAsideOfADeadServerEnds: it is not said to be back in use.
func TestTimeAsideOfADeadServerEnds(t *testing.T) {
	var log strings.Builder
	g, s := smallGateway(slog.New(slog.NewTextHandler(&log, nil)))
	b := s.backends[0]
	b.commit(&config.Service{Passive: passiveAfter(1).Passive}, config.Server{Checks: []config.Check{{Name: "echo"}, {Name: "find"}}}, time.Now())
	now := time.Now()
	b.eject(now)
	b.found("echo", negotiate.Down, now)
	g.releaseAll(s, now.Add(time.Minute))
	require.NotContains(t, log.String(), "back in use")
	require.Contains(t, g.events.newestFirst()[0].Message, "it is down")
}
