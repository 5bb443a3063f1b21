package negotiate

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPeriod(t *testing.T) {
	all := Check{Interval: 10 * time.Second, FastInterval: 2 * time.Second, DownInterval: 30 * time.Second}
	up, down := NewHealth(Up, 2, 3), NewHealth(Down, 2, 3)
	tests := []struct {
		name   string
		check  Check
		health Health
		want   time.Duration
	}{
		{"at rest", all, up, 10 * time.Second},
		{"not yet judged", all, NewHealth(Checking, 2, 3), 10 * time.Second},
		{"failing", all, up.Step(Failed), 2 * time.Second},
		{"down", all, down, 30 * time.Second},
		{"rising", all, down.Step(Passed), 2 * time.Second},
		{"no fast interval", Check{Interval: 10 * time.Second}, up.Step(Failed), 10 * time.Second},
		{"no down interval", Check{Interval: 10 * time.Second}, down, 10 * time.Second},
		{"fast interval slower than the interval", Check{Interval: time.Second, FastInterval: 2 * time.Second}, up.Step(Failed), time.Second},
		{"default", Check{}, up, DefaultInterval},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, periodOf(tt.check, tt.health))
		})
	}
}

func TestNextWait(t *testing.T) {
	const s = time.Second
	tests := []struct {
		name           string
		period         time.Duration
		jitter, random float64
		took           time.Duration
		want           time.Duration
	}{
		{"plain", 10 * s, 0, 0.9, 0, 10 * s},
		{"start to start", 10 * s, 0, 0, 3 * s, 7 * s},
		{"jitter shortens", 10 * s, 0.2, 0.5, 0, 9 * s},
		{"jitter at its least", 10 * s, 0.2, 0, 0, 10 * s},
		{"a check longer than its period", 2 * s, 0.2, 0, 5 * s, minRest},
		{"a period shorter than the rest", 20 * time.Millisecond, 0, 0, s, 20 * time.Millisecond},
		{"jitter out of range", 10 * s, 7, 0.5, 0, 5 * s},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, nextWait(tt.period, tt.jitter, tt.random, tt.took))
		})
	}
}

func TestStartAndSpread(t *testing.T) {
	require.Equal(t, 500*time.Millisecond, startDelay(Check{Interval: 10 * time.Second}, 0.5))
	require.Equal(t, 50*time.Millisecond, startDelay(Check{Interval: 100 * time.Millisecond}, 0.5))
	require.Equal(t, 5*time.Second, spreadWait(10*time.Second, 0.5))
	require.Equal(t, minRest, spreadWait(10*time.Second, 0))
	require.Equal(t, 100*time.Millisecond, spreadWait(100*time.Millisecond, 0.5))
}
