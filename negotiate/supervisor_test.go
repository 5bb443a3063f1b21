package negotiate

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestScheduleOfAMonitor(t *testing.T) {
	sick := error(errSick)
	tests := []struct {
		name    string
		results []error
		edit    func(*Check)
		want    []time.Duration
	}{
		// Start after half of 1 s, the second wait is half a period, then whole ones.
		{"healthy", nil, nil, seconds(0.5, 5.5, 15.5, 25.5, 35.5)},
		{"short interval", nil, func(c *Check) { c.Interval = 600 * time.Millisecond }, seconds(0.3, 0.6, 1.2, 1.8, 2.4)},
		{"fails, then down", []error{nil, nil, sick}, nil, seconds(0.5, 5.5, 15.5, 17.5, 19.5, 29.5)},
		{"down, own interval", []error{nil, nil, sick}, func(c *Check) { c.DownInterval = 30 * time.Second }, seconds(0.5, 5.5, 15.5, 17.5, 19.5, 49.5)},
		{"one failure", []error{nil, nil, sick, nil}, nil, seconds(0.5, 5.5, 15.5, 17.5, 27.5)},
		{"recovers", []error{sick, sick, nil}, nil, seconds(0.5, 5.5, 15.5, 17.5, 27.5)},
		{"slow checks start on time", nil, func(c *Check) { c.Prober.(*ward).takes = 3 * time.Second }, seconds(0.5, 8.5, 18.5)},
		{"a check longer than its interval rests", nil, func(c *Check) {
			c.Interval, c.Timeout, c.Prober.(*ward).takes = time.Second, time.Minute, 3*time.Second
		}, seconds(0.5, 4, 7.25)},
		{"jitter", nil, func(c *Check) { c.Jitter = 0.2 }, seconds(0.5, 5.5, 14.5, 23.5)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, Options{}, func(t *testing.T, s *Supervisor) {
				w := newWard(tt.results...)
				c := w.check()
				if tt.edit != nil {
					tt.edit(&c)
				}
				s.Reconcile(only(c))
				pass(tt.want[len(tt.want)-1] + time.Millisecond)
				require.Equal(t, tt.want, w.seen())
			})
		})
	}
}

func TestSupervisorTells(t *testing.T) {
	var log bytes.Buffer
	var events []string
	synctest.Test(t, func(t *testing.T) {
		s := NewSupervisor(Options{
			Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelInfo, ReplaceAttr: noTime})),
			Random: half,
			OnResult: func(k Key, r Result) {
				if r.Fault != nil {
					events = append(events, "failed "+r.State.String())
				}
			},
			OnChange: func(k Key, from, to State, r Result) {
				events = append(events, fmt.Sprintf("%s %v>%v", k.Server, from, to))
			},
		})
		w := newWard(nil, nil, errSick, nil, errSick, errSick, errSick, errSick, nil, nil)
		s.Reconcile(only(w.check()))

		status, ok := s.Snapshot(dicom1)
		require.True(t, ok)
		require.Equal(t, Status{Since: w.begun, Health: NewHealth(Checking, 2, 3)}, status)

		pass(18 * time.Second) // after the first failure
		status, _ = s.Snapshot(dicom1)
		require.Equal(t, Up, status.State)
		require.Equal(t, w.begun.Add(500*time.Millisecond), status.Since)
		require.Equal(t, "0/3", status.Health.String())

		pass(2 * time.Minute)
		s.Close()
		status, _ = s.Snapshot(dicom1)
		require.Equal(t, Up, status.State)
		recent, failures := s.History(dicom1)
		require.Len(t, recent, HistoryLen)
		require.Len(t, failures, 5)
		for _, f := range failures {
			require.Equal(t, errSick, f.Fault)
		}
		require.Equal(t, status.Last, recent[HistoryLen-1])
	})
	require.Equal(t, []string{"DICOM1 checking>up", "failed up", "failed up", "failed up",
		"failed down", "DICOM1 up>down", "failed down", "DICOM1 down>up"}, events)
	const who = " service=DICOM server=DICOM1 check=echo took=0s"
	const why = " stage=ask reason=timeout err=\"does not answer\""
	require.Equal(t, []string{
		`level=INFO msg="check is up (first result)"` + who,
		`level=INFO msg="check fails (1/3 to down)"` + who + why,
		`level=INFO msg="check fails (1/3 to down)"` + who + why,
		`level=INFO msg="check fails (2/3 to down)"` + who + why,
		`level=INFO msg="check is down (3/3)"` + who + why,
		`level=INFO msg="check passes (1/2 to up)"` + who,
		`level=INFO msg="check is up (2/2)"` + who,
	}, strings.Split(strings.TrimSpace(log.String()), "\n"))
}

func noTime(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}

// TestLocalFaultsDoNotJudge: a gateway without descriptors must not take all servers down.
func TestLocalFaultsDoNotJudge(t *testing.T) {
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelInfo, ReplaceAttr: noTime}))
	bubble(t, Options{Logger: logger}, func(t *testing.T, s *Supervisor) {
		w := newWard()
		c := w.check()
		var out atomic.Bool
		c.Dial = func(ctx context.Context, a string) (net.Conn, error) {
			if out.Load() {
				return nil, syscall.EMFILE
			}
			return piped(silent)(ctx, a)
		}
		s.Reconcile(only(c))
		pass(time.Second)
		out.Store(true)
		pass(5 * time.Minute)
		status, _ := s.Snapshot(dicom1)
		require.Equal(t, Up, status.State)
		require.Equal(t, ReasonLocal, status.Last.Fault.Reason)
		require.False(t, status.Health.Moving())
	})
	require.Equal(t, 1, strings.Count(log.String(), "level=WARN"), "said once")
	require.Contains(t, log.String(), `msg="check could not be made"`)
}

func TestPanicIsAFailedCheck(t *testing.T) {
	var log bytes.Buffer
	bubble(t, Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}, func(t *testing.T, s *Supervisor) {
		c := newWard().check()
		c.Prober = proberFunc(func(context.Context, net.Conn) error { panic("bug") })
		s.Reconcile(only(c))
		pass(time.Second)
		status, _ := s.Snapshot(dicom1)
		require.Equal(t, Down, status.State)
		require.Equal(t, ReasonInternal, status.Last.Fault.Reason)
	})
	require.Contains(t, log.String(), "reason=internal")
	require.Contains(t, log.String(), "TestPanicIsAFailedCheck", "the line names the place")
}

func TestTakingTurns(t *testing.T) {
	tests := []struct {
		name       string
		maxRunning int
		identities []string
		most       int
	}{
		{"checks of one server", 0, []string{"", "", ""}, 1},
		{"servers at one address", 0, []string{"10.0.0.1", "10.0.0.1"}, 1},
		{"different servers run together", 0, []string{"a", "b", "c", "d"}, 4},
		{"but not more than allowed", 2, []string{"a", "b", "c", "d"}, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, Options{MaxRunning: tt.maxRunning}, func(t *testing.T, s *Supervisor) {
				w := newWard()
				w.takes = time.Second
				wanted := map[Key]Assignment{}
				for i, identity := range tt.identities {
					wanted[Key{"S", "A", fmt.Sprint(i)}] = Assignment{Check: w.check(), Identity: identity}
				}
				s.Reconcile(wanted)
				pass(time.Minute)
				require.Equal(t, tt.most, w.most)
				require.Greater(t, len(w.seen()), 5*len(tt.identities), "everyone gets a turn")
			})
		})
	}
}

// TestWaitingForATurnIsNoFailure: the deadline of a check starts when its turn has come.
func TestWaitingForATurnIsNoFailure(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, s *Supervisor) {
		slow, quick := newWard(), newWard()
		slow.takes = 4 * time.Second
		other := Key{"DICOM", "DICOM1", "find"}
		c := quick.check()
		c.Timeout = time.Second
		s.Reconcile(map[Key]Assignment{dicom1: {Check: slow.check()}, other: {Check: c}})
		pass(10 * time.Minute)
		_, failures := s.History(other)
		require.Empty(t, failures)
	})
}

func TestCheckNow(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, s *Supervisor) {
		w := newWard()
		w.takes = 100 * time.Millisecond
		s.CheckNow("DICOM", "DICOM1") // not watched: nothing
		s.Reconcile(only(w.check()))
		pass(16 * time.Second)
		require.Equal(t, seconds(0.5, 5.6, 15.6), w.seen())

		// At rest, 400 ms after the last check began: one check, one gap after it.
		for range 100 {
			s.CheckNow("DICOM", "DICOM1")
		}
		pass(600*time.Millisecond + time.Millisecond)
		require.Equal(t, seconds(16.6), w.seen()[3:])

		// While one runs: one more, one gap later.
		s.CheckNow("DICOM", "DICOM1")
		s.CheckNow("DICOM", "DICOM1")
		s.CheckNow("DICOM", "other")
		pass(5 * time.Second)
		require.Equal(t, seconds(16.6, 17.6), w.seen()[3:])

		// Long after: at once, and the regular schedule counts from there, by its ticks.
		s.CheckNow("DICOM", "DICOM1")
		pass(11 * time.Second)
		require.Equal(t, seconds(16.6, 17.6, 21.601, 31.6), w.seen()[3:])
	})
}

// TestCheckNowUnderFire asks at every failed connection, a thousand times a second.
func TestCheckNowUnderFire(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, s *Supervisor) {
		w := newWard(nil, errSick)
		s.Reconcile(only(w.check()))
		for range 10_000 {
			s.CheckNow("DICOM", "DICOM1")
			pass(time.Millisecond)
		}
		require.Len(t, w.seen(), 11, "one a second, both ends counted")
		require.Equal(t, 1, w.most)
		status, _ := s.Snapshot(dicom1)
		require.Equal(t, Down, status.State)
	})
}

func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewSupervisor(Options{MaxRunning: 1, Random: half})
		w := newWard()
		w.takes = time.Hour
		wanted := map[Key]Assignment{}
		for i := range 10 { // one runs, one waits for its turn, the others for a slot
			c := w.check()
			c.Timeout = 2 * time.Hour
			wanted[Key{"S", fmt.Sprint(i / 2), fmt.Sprint(i)}] = Assignment{Check: c}
		}
		s.Reconcile(wanted)
		pass(time.Minute)
		s.Close()
		require.Equal(t, 0, w.now, "Close has waited")
		require.Len(t, w.seen(), 1)
		s.Close()
		s.Reconcile(wanted)
		s.CheckNow("S", "0")
		pass(time.Hour)
		require.Len(t, w.seen(), 1)
		require.Empty(t, s.turns)
	})
}

// TestEverythingAtOnce is for the race detector.
func TestEverythingAtOnce(t *testing.T) {
	var s *Supervisor
	status := func(k Key) { s.Snapshot(k); s.History(k); s.CheckNow(k.Service, k.Server) }
	bubble(t, Options{
		OnResult: func(k Key, _ Result) { status(k) },
		OnChange: func(k Key, _, _ State, _ Result) { status(k) },
	}, func(t *testing.T, sup *Supervisor) {
		s = sup
		var all sync.WaitGroup
		for n := range 4 {
			all.Go(func() {
				for i := range 100 {
					wanted := map[Key]Assignment{}
					for k := range 8 {
						if (i+k)%3 != 0 {
							c := newWard(nil, errSick, nil).check()
							c.Fingerprint = fmt.Sprint(i / 10 % 2)
							wanted[Key{"S", fmt.Sprint(k % 4), fmt.Sprint(k)}] = Assignment{Check: c, Identity: fmt.Sprint(k % 2)}
						}
					}
					s.Reconcile(wanted)
					time.Sleep(time.Duration(n+1) * 100 * time.Millisecond)
					status(Key{"S", "1", "1"})
				}
			})
		}
		all.Wait()
	})
}
