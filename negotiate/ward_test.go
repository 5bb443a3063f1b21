package negotiate

import (
	"context"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// ward is a server whose checks are scripted: results are used up one by one, the last one
// lasts. It notes when checks began, and how many were running at once.
type ward struct {
	mu      sync.Mutex
	begun   time.Time
	results []error
	takes   time.Duration
	starts  []time.Duration
	now     int
	most    int
}

func newWard(results ...error) *ward { return &ward{begun: time.Now(), results: results} }

func (w *ward) Negotiate(ctx context.Context, _ net.Conn) error {
	w.mu.Lock()
	w.now++
	w.most = max(w.most, w.now)
	w.starts = append(w.starts, time.Since(w.begun))
	var err error
	if len(w.results) > 0 {
		err = w.results[0]
	}
	if len(w.results) > 1 {
		w.results = w.results[1:]
	}
	w.mu.Unlock()
	select {
	case <-time.After(w.takes):
	case <-ctx.Done():
	}
	w.mu.Lock()
	w.now--
	w.mu.Unlock()
	return err
}

func (w *ward) seen() []time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]time.Duration(nil), w.starts...)
}

// check is 10 s, fast 2 s, rise 2, fall 3, no jitter.
func (w *ward) check() Check {
	return Check{Name: "echo", Address: at("10.0.0.1:104"), Dial: piped(silent), Prober: w,
		Interval: 10 * time.Second, FastInterval: 2 * time.Second, Rise: 2, Fall: 3, Fingerprint: "1"}
}

var (
	errSick = &Fault{Stage: StageAsk, Reason: ReasonTimeout, Sentence: "does not answer"}
	dicom1  = Key{"DICOM", "DICOM1", "echo"}
)

// half is the middle of every random choice: starts after 0.5 s, second wait 5 s.
func half() float64 { return 0.5 }

func seconds(s ...float64) (ds []time.Duration) {
	for _, x := range s {
		ds = append(ds, time.Duration(x*float64(time.Second)))
	}
	return ds
}

func only(c Check) map[Key]Assignment { return map[Key]Assignment{dicom1: {Check: c}} }

// bubble runs f with a Supervisor in fake time and closes it at the end.
func bubble(t *testing.T, o Options, f func(t *testing.T, s *Supervisor)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		if o.Random == nil {
			o.Random = half
		}
		s := NewSupervisor(o)
		defer s.Close()
		f(t, s)
	})
}

// pass lets time pass and waits until everybody has done what was due.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}
