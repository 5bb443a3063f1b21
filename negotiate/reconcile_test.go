package negotiate

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestReconcile(t *testing.T) {
	t.Run("an unchanged monitor goes on undisturbed", func(t *testing.T) {
		bubble(t, Options{}, func(t *testing.T, s *Supervisor) {
			w := newWard()
			for range 100 {
				s.Reconcile(only(w.check()))
				pass(time.Second)
			}
			require.Equal(t, seconds(0.5, 5.5, 15.5, 25.5), w.seen()[:4])
		})
	})
	t.Run("new settings keep the judgement and are tried soon", func(t *testing.T) {
		var changes []string
		bubble(t, Options{OnChange: func(_ Key, from, to State, _ Result) { changes = append(changes, fmt.Sprint(from, ">", to)) }},
			func(t *testing.T, s *Supervisor) {
				w := newWard()
				s.Reconcile(only(w.check()))
				pass(2 * time.Second)
				c := newWard(errSick).check()
				c.Fingerprint, c.Fall = "2", 2
				s.Reconcile(only(c))
				status, _ := s.Snapshot(dicom1)
				require.Equal(t, Up, status.State)
				require.Equal(t, "0/2", status.Health.String())
				pass(600 * time.Millisecond)
				status, _ = s.Snapshot(dicom1)
				require.Equal(t, "1/2", status.Health.String(), "the first result under new settings is not decisive")
				pass(10 * time.Second)
				require.Equal(t, []string{"checking>up", "up>down"}, changes)
				require.Len(t, w.seen(), 1, "the old settings are not used any more")
			})
	})
	t.Run("new settings call off the running check", func(t *testing.T) {
		var results []Result
		bubble(t, Options{OnResult: func(_ Key, r Result) { results = append(results, r) }}, func(t *testing.T, s *Supervisor) {
			hung := newWard(errSick)
			hung.takes = time.Hour
			c := hung.check()
			c.Timeout = time.Hour
			s.Reconcile(only(c))
			pass(time.Second)
			next := newWard().check()
			next.Fingerprint = "2"
			s.Reconcile(only(next))
			pass(time.Second)
			require.Len(t, results, 1)
			require.True(t, results[0].OK())
			require.Equal(t, 0, hung.now)
		})
	})
	t.Run("another machine starts anew", func(t *testing.T) {
		bubble(t, Options{}, func(t *testing.T, s *Supervisor) {
			w := newWard()
			s.Reconcile(map[Key]Assignment{dicom1: {Check: w.check(), Identity: "10.0.0.1"}})
			pass(2 * time.Second)
			s.Reconcile(map[Key]Assignment{dicom1: {Check: w.check(), Identity: "10.0.0.2"}})
			status, _ := s.Snapshot(dicom1)
			require.Equal(t, Checking, status.State)
			require.Zero(t, status.Last)
		})
	})
	t.Run("initial state", func(t *testing.T) {
		bubble(t, Options{}, func(t *testing.T, s *Supervisor) {
			s.Reconcile(map[Key]Assignment{dicom1: {Check: newWard(errSick).check(), Initial: Up}})
			pass(time.Second)
			status, _ := s.Snapshot(dicom1)
			require.Equal(t, Up, status.State)
			require.Equal(t, "1/3", status.Health.String())
		})
	})
	t.Run("a dropped monitor is gone, its check called off, and it tells nothing", func(t *testing.T) {
		told := 0
		bubble(t, Options{OnResult: func(Key, Result) { told++ }}, func(t *testing.T, s *Supervisor) {
			w := newWard()
			w.takes = 3 * time.Second
			s.Reconcile(only(w.check()))
			pass(time.Second)
			s.Reconcile(nil)
			_, ok := s.Snapshot(dicom1)
			require.False(t, ok)
			recent, failures := s.History(dicom1)
			require.Empty(t, append(recent, failures...))
			synctest.Wait()
			require.Equal(t, 0, w.now)
			require.Empty(t, s.turns, "nothing is left behind")
			pass(time.Hour)
			require.Len(t, w.seen(), 1)
			require.Zero(t, told)
		})
	})
	t.Run("a successor waits for the farewell of the check called off", func(t *testing.T) {
		bubble(t, Options{Random: func() float64 { return 0 }}, func(t *testing.T, s *Supervisor) {
			var now, most atomic.Int32
			c := newWard().check()
			c.Timeout = time.Hour
			c.Prober = proberFunc(func(ctx context.Context, _ net.Conn) error {
				most.Store(max(most.Load(), now.Add(1)))
				<-ctx.Done()
				time.Sleep(40 * time.Millisecond) // last words
				now.Add(-1)
				return errors.New("called off")
			})
			for i := range 20 {
				s.Reconcile(map[Key]Assignment{{"DICOM", "DICOM1", fmt.Sprint(i)}: {Check: c}})
				pass(10 * time.Millisecond)
			}
			require.EqualValues(t, 1, most.Load())
		})
	})
}
