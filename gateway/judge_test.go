package gateway

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/balancing"
	"gantry/gateway/config"
	"gantry/negotiate"
)

var (
	three    = time.Date(2026, 1, 5, 3, 0, 0, 0, time.UTC)
	modality = netip.MustParseAddr("10.0.0.1")
	other    = netip.MustParseAddr("10.0.0.2")
)

// judgedBackend has the checks echo and find, and the settings of the service.
func judgedBackend(s config.Service) *backend {
	c := config.Server{Name: "DICOM1", Address: "10.0.0.9:104", Host: "10.0.0.9", Port: 104, Weight: 100,
		Checks: []config.Check{{Name: "echo"}, {Name: "find"}}}
	b := newBackend("DICOM", c, 0)
	b.commit(&s, c, three)
	return b
}

// found lets a check of the server find a state at a time.
func (b *backend) found(check string, st negotiate.State, at time.Time) verdict {
	return b.follow(check, func() (negotiate.Status, bool) { return negotiate.Status{State: st}, true }, at)
}

func TestSumOfChecks(t *testing.T) {
	const checking, up, degraded, down = negotiate.Checking, negotiate.Up, negotiate.Degraded, negotiate.Down
	tests := []struct {
		echo, find negotiate.State
		want       string
	}{
		{checking, checking, "checking"},
		{up, checking, "checking"},
		{degraded, checking, "checking"},
		{down, checking, "down"},
		{up, up, "up"},
		{up, degraded, "degraded"},
		{degraded, degraded, "degraded"},
		{degraded, down, "down"},
		{up, down, "down"},
	}
	for _, tt := range tests {
		t.Run(tt.echo.String()+" and "+tt.find.String(), func(t *testing.T) {
			b := judgedBackend(config.Service{DegradedWeight: 0.25})
			b.found("echo", tt.echo, three)
			b.found("find", tt.find, three)
			require.Equal(t, tt.want, b.server.State())
			if tt.want == "degraded" {
				require.Equal(t, 25.0, b.server.EffectiveWeight(three))
			}
		})
	}
}

func TestFlappingServerIsHeldBack(t *testing.T) {
	b := judgedBackend(config.Service{Flapping: config.Flapping{Hold: 30 * time.Second, MaxHold: 2 * time.Minute, Forgive: 10 * time.Minute}})
	b.found("find", negotiate.Up, three)
	require.Zero(t, b.found("echo", negotiate.Up, three).held)
	now := three
	for i, want := range []time.Duration{0, 30 * time.Second, time.Minute, 2 * time.Minute, 2 * time.Minute} {
		now = now.Add(5 * time.Second)
		require.Equal(t, balancing.Down, b.found("echo", negotiate.Down, now).to)
		require.Equal(t, "down", b.server.State())
		now = now.Add(5 * time.Second)
		v := b.found("echo", negotiate.Up, now)
		require.Equal(t, want, v.held, "recovery %d", i+1)
		require.Equal(t, min(i+1, 4), v.offences, "more make it no longer")
		if want > 0 {
			require.Equal(t, "held", b.server.State())
			require.Equal(t, now.Add(want), b.asideUntil())
		}
	}
	_, back := b.release(now.Add(119 * time.Second))
	require.False(t, back, "not yet")
	why, back := b.release(now.Add(2 * time.Minute))
	require.True(t, back)
	require.Equal(t, balancing.Held, why)
	require.Equal(t, "up", b.server.State())

	now = now.Add(time.Hour) // without a fall: all is forgiven
	b.found("echo", negotiate.Down, now)
	require.Zero(t, b.found("echo", negotiate.Up, now).held)
}

func TestFlappingOff(t *testing.T) {
	b := judgedBackend(config.Service{})
	b.found("find", negotiate.Up, three)
	for range 10 {
		b.found("echo", negotiate.Down, three)
		require.Zero(t, b.found("echo", negotiate.Up, three).held)
	}
}

// TestBlame: which runs of symptoms are a reason to eject.
func TestBlame(t *testing.T) {
	type symptoms []struct {
		what symptom
		from netip.Addr
	}
	tests := []struct {
		name string
		met  symptoms
		want bool
	}{
		{"too few", symptoms{{failedDial, modality}, {failedDial, modality}}, false},
		{"dials that failed, for one client", symptoms{{failedDial, modality}, {failedDial, modality}, {failedDial, modality}}, true},
		{"resets met by one client may be its own doing", symptoms{{mute, modality}, {mute, modality}, {mute, modality}}, false},
		{"resets met by two clients", symptoms{{mute, modality}, {mute, other}, {mute, modality}}, true},
		{"a dial among the resets of one client", symptoms{{mute, modality}, {failedDial, modality}, {mute, modality}}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := judgedBackend(config.Service{Passive: &config.Passive{Failures: 3, Eject: time.Minute, MaxEject: time.Hour, MaxEjected: 1}})
			got := false
			for _, s := range tt.met {
				got = b.blame(s.what, s.from)
			}
			require.Equal(t, tt.want, got)

			b.credit()
			for i, s := range tt.met {
				if i > 0 {
					b.credit()
				}
				require.False(t, b.blame(s.what, s.from), "an answer in between ends the run")
			}
		})
	}
	for _, off := range []*config.Passive{nil, {Failures: 0}} {
		b := judgedBackend(config.Service{Passive: off})
		for range 100 {
			require.False(t, b.blame(failedDial, modality))
		}
	}
}

func TestEjectionGrowsAndIsForgiven(t *testing.T) {
	b := judgedBackend(config.Service{Passive: &config.Passive{Failures: 1, Eject: 30 * time.Second, MaxEject: 2 * time.Minute}})
	b.found("echo", negotiate.Up, three)
	b.found("find", negotiate.Up, three)
	now := three
	for _, want := range []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute, 2 * time.Minute} {
		require.True(t, b.blame(failedDial, modality))
		require.Equal(t, want, b.eject(now))
		require.Equal(t, "ejected", b.server.State())
		require.False(t, b.blame(failedDial, modality), "once is enough")
		now = now.Add(want)
		_, back := b.release(now)
		require.True(t, back)
	}
	require.EqualValues(t, 4, b.ejections())
	require.Equal(t, 30*time.Second, b.eject(now.Add(time.Hour)))
	require.True(t, b.absolve(now), "a person takes it back")
	require.Equal(t, "up", b.server.State())
	require.EqualValues(t, 5, b.ejections(), "a counter never goes back")
}

// TestWitnessOfASingleSlotServer: what excuses a check that it does not answer.
func TestWitnessOfASingleSlotServer(t *testing.T) {
	tests := []struct {
		name           string
		limit, running int
		in, out        int64 // what moves
		want           bool
	}{
		{"full and answering", 1, 1, 0, 12, true},
		{"full and taking a large upload", 1, 1, minUpload, 0, true},
		{"full, and taking what the kernel alone can take", 1, 1, minUpload - 1, 0, false},
		{"full and still", 1, 1, 0, 0, false},
		{"a place is free", 2, 1, 0, 12, false},
		{"no limit is known", 0, 1, 0, 12, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := judgedBackend(config.Service{})
			b.server.SetMaxConnections(tt.limit)
			for range tt.running {
				require.True(t, b.server.TryAcquire())
			}
			b.server.AddBytes(100, 100)
			w := newWitness(b)
			skip, excuse := w.begin()
			require.Empty(t, skip, "nothing moved since the witness was made")
			b.server.AddBytes(tt.in, tt.out)
			require.Equal(t, tt.want, excuse() != "")
			skip, _ = w.begin()
			require.Equal(t, tt.want, skip != "")
		})
	}
}
