package negotiate

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestWitness: live traffic excuses a check that a busy server could not answer, and nothing else.
func TestWitness(t *testing.T) {
	tests := []struct {
		name   string
		fault  *Fault
		excuse string
		want   State
		asked  bool
	}{
		{"silent, and carrying traffic", &Fault{Reason: ReasonTimeout}, "carries 1 session", Up, true},
		{"says that it is full, and carries traffic", &Fault{Reason: ReasonRejected, Busy: true}, "carries 1 session", Up, true},
		{"silent, without traffic", &Fault{Reason: ReasonTimeout}, "", Down, true},
		{"rejects for another reason", &Fault{Reason: ReasonRejected}, "carries 1 session", Down, false},
		{"refuses connections", &Fault{Reason: ReasonRefused}, "carries 1 session", Down, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var excused []string
			o := Options{OnResult: func(_ Key, r Result) { excused = append(excused, r.Excused) }}
			bubble(t, o, func(t *testing.T, s *Supervisor) {
				w, asked := newWard(nil, tt.fault), 0
				c := w.check()
				c.Witness = func() (string, func() string) {
					return "", func() string { asked++; return tt.excuse }
				}
				s.Reconcile(only(c))
				pass(time.Minute)
				status, _ := s.Snapshot(dicom1)
				require.Equal(t, tt.want, status.State)
				require.Equal(t, tt.asked, asked > 0)
				if tt.want == Up {
					require.Equal(t, "0/3", status.Health.String())
					require.Equal(t, tt.excuse, excused[len(excused)-1])
				}
			})
		})
	}
}

// TestWitnessSkips: a server that live traffic speaks for is not asked, and its judgement stays.
func TestWitnessSkips(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, s *Supervisor) {
		w := newWard(nil, errSick)
		var busy atomic.Bool
		c := w.check()
		c.Witness = func() (string, func() string) {
			if busy.Load() {
				return "it works", nil
			}
			return "", func() string { return "" }
		}
		s.Reconcile(only(c))
		pass(time.Second)
		busy.Store(true)
		pass(time.Minute)
		require.Len(t, w.seen(), 1)
		status, _ := s.Snapshot(dicom1)
		require.Equal(t, Up, status.State)
		require.Equal(t, "it works", status.Last.Excused)
		require.False(t, status.Last.Counts())
	})
}

// TestFailuresAreRemembered: they outlive the successes after them.
func TestFailuresAreRemembered(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, s *Supervisor) {
		w := newWard(nil, errSick, nil)
		s.Reconcile(only(w.check()))
		pass(10 * time.Minute)
		recent, failures := s.History(dicom1)
		require.Len(t, recent, HistoryLen)
		require.Len(t, failures, 1)
		require.Same(t, errSick, failures[0].Fault)
	})
}

// TestProbe: it waits for its turn at the machine, counts toward nothing, and ends with its context.
func TestProbe(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, s *Supervisor) {
		w := newWard()
		w.takes = 3 * time.Second
		c := w.check()
		s.Reconcile(map[Key]Assignment{dicom1: {Check: c, Identity: "10.0.0.1:104"}})
		pass(time.Second) // the monitor is at it, since 0.5 s
		begun := time.Now()
		r, err := s.Probe(t.Context(), "10.0.0.1:104", c)
		require.NoError(t, err)
		require.True(t, r.OK())
		require.Equal(t, 5500*time.Millisecond, time.Since(begun), "after 2.5 s of waiting for the other")
		require.Equal(t, 1, w.most)
		recent, _ := s.History(dicom1)
		require.Len(t, recent, 1)

		hung := newWard()
		hung.takes = time.Hour
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		long := hung.check()
		long.Timeout = time.Hour
		go func() { _, _ = s.Probe(t.Context(), "10.0.0.2:104", long) }()
		pass(time.Millisecond)
		_, err = s.Probe(ctx, "10.0.0.2:104", c)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, "map[10.0.0.1:104:1 10.0.0.2:104:1]", turnsOf(s))
	})
	s := NewSupervisor(Options{})
	s.Close()
	_, err := s.Probe(t.Context(), "x", Check{})
	require.ErrorIs(t, err, ErrClosed)
}

func turnsOf(s *Supervisor) string {
	users := map[string]int{}
	for identity, turn := range s.turns {
		users[identity] = turn.users
	}
	return fmt.Sprint(users)
}
