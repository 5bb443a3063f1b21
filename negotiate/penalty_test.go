package negotiate

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPenalty(t *testing.T) {
	const forgive, first, longest = 10 * time.Minute, 30 * time.Second, 5 * time.Minute
	begin := time.Date(2026, 1, 5, 3, 0, 0, 0, time.UTC)
	tests := []struct {
		name     string
		offences []time.Duration // since begin
		at       time.Duration
		free     int
		steps    int
		want     time.Duration
	}{
		{"a clean record", nil, 0, 0, 0, 0},
		{"the first offence", []time.Duration{0}, 0, 0, 1, first},
		{"one is free", []time.Duration{0}, 0, 1, 1, 0},
		{"the second beyond one that is free", []time.Duration{0, time.Minute}, time.Minute, 1, 2, first},
		{"doubles", []time.Duration{0, 1, 2, 3}, 3, 0, 4, 4 * time.Minute},
		{"up to the longest", []time.Duration{0, 1, 2, 3, 4, 5, 6, 7}, 7, 0, 8, longest},
		{"one step forgiven", []time.Duration{0, 1}, forgive + 1, 0, 1, first},
		{"not quite", []time.Duration{0, 1}, forgive, 0, 2, 2 * first},
		{"all forgiven", []time.Duration{0, 1, 2}, 3*forgive + 2, 0, 0, 0},
		{"each offence starts the clock again", []time.Duration{0, forgive - 1, 2*forgive - 2}, 2*forgive - 2, 0, 3, 2 * time.Minute},
		{"a clock that goes back forgives nothing", []time.Duration{0}, -time.Hour, 0, 1, first},
		{"a year later", []time.Duration{0}, 365 * 24 * time.Hour, 0, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var p Penalty
			for _, at := range tt.offences {
				p = p.Offend(begin.Add(at), forgive)
			}
			p = p.Forgiven(begin.Add(tt.at), forgive)
			require.Equal(t, tt.steps, p.Offences())
			require.Equal(t, tt.want, p.Time(tt.free, first, longest))
		})
	}
}

func TestPenaltyBounds(t *testing.T) {
	var p Penalty
	for range 1000 {
		p = p.Offend(time.Time{}, 0)
	}
	require.Equal(t, maxSteps, p.Offences(), "without forgiveness the record is still bounded")
	require.Equal(t, time.Hour, p.Time(0, time.Nanosecond*1e9, time.Hour))
	require.Equal(t, time.Hour, p.Time(0, time.Hour, time.Minute), "the longest is never below the first")
	require.Zero(t, p.Time(0, 0, time.Hour), "a first time of 0 turns it off")
}

// TestPenaltyBeyondTheLongestTime: offences that made nothing longer need no forgiveness of their own. After a bad
// night one fall is one fall again as soon as its doublings are taken back.
func TestPenaltyBeyondTheLongestTime(t *testing.T) {
	const first, longest, forgive = 30 * time.Second, 5 * time.Minute, 10 * time.Minute
	now := time.Date(2026, 1, 5, 3, 0, 0, 0, time.UTC)
	var p Penalty
	for range 40 {
		now = now.Add(time.Minute)
		p = p.Offend(now, forgive).Capped(1, first, longest)
	}
	require.Equal(t, longest, p.Time(1, first, longest))
	require.Equal(t, 4*time.Minute, p.Forgiven(now.Add(forgive), forgive).Time(1, first, longest))
	require.Zero(t, p.Forgiven(now.Add(6*forgive), forgive).Offences())
	require.Equal(t, 1, Penalty{}.Offend(now, forgive).Capped(1, 0, 0).Offences(), "no times, nothing to cap")
}
