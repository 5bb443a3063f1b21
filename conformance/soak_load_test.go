package conformance

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gantry/fixtures/hl7"
	"gantry/fixtures/modality"
)

// Sizes of the load. The same objects are sent again and again, so that no archive grows.
const (
	soakObjects    = 20 // of an association
	soakObjectSize = 64 << 10
	soakMessages   = 50 // of a connection
	soakReport     = 2 << 10
	soakPatience   = 15 * time.Second // of a modality
)

// soakLoad is what clients do meanwhile.
type soakLoad struct {
	objects, messages, failed atomic.Int64
	excused                   atomic.Int64 // failures of Orthanc's
	mu                        sync.Mutex
	first                     error // of those that failed
	orthanc                   string
	stop                      context.CancelFunc
	all                       sync.WaitGroup
}

// startSoakLoad lets clients work until end is called. Each of the DICOM addresses has an association all the
// time for each time that it is named, each of the HL7 ones a connection. The first DICOM address is that of
// Orthanc.
func startSoakLoad(ctx context.Context, dicom, mllp []string) *soakLoad {
	l := &soakLoad{orthanc: dicom[0]}
	ctx, l.stop = context.WithCancel(ctx)
	for _, addr := range dicom {
		study := modality.NewStudy()
		var objects []modality.Object
		for range soakObjects {
			objects = append(objects, study.Object(soakObjectSize))
		}
		l.work(ctx, addr, func() error { return l.storeAll(ctx, addr, objects) })
	}
	for i, addr := range mllp {
		n := 0
		l.work(ctx, addr, func() error { return l.reportAll(ctx, addr, fmt.Sprintf("SOAK%d", i), &n) })
	}
	return l
}

// soakHangs is how many C-STOREs Orthanc may leave without an answer: version 1.10.1 does so once in some
// ten thousand, also to those that speak to it directly.
const soakHangs = 2

// work repeats do until the end. What the end itself interrupts has not failed.
func (l *soakLoad) work(ctx context.Context, addr string, do func() error) {
	l.all.Go(func() {
		for ctx.Err() == nil {
			if err := do(); err != nil && ctx.Err() == nil {
				if addr == l.orthanc && errors.Is(err, context.DeadlineExceeded) && l.excused.Add(1) <= soakHangs {
					continue
				}
				l.failed.Add(1)
				l.mu.Lock()
				if l.first == nil {
					l.first = fmt.Errorf("%s: %w", addr, err)
				}
				l.mu.Unlock()
			}
		}
	})
}

func (l *soakLoad) storeAll(ctx context.Context, addr string, objects []modality.Object) error {
	a, err := modality.Dial(ctx, modality.Options{Address: addr, Timeout: soakPatience})
	if err != nil {
		return err
	}
	defer a.Close()
	for _, o := range objects {
		r, err := a.Store(ctx, o)
		if err == nil && r.Status != 0 {
			err = fmt.Errorf("C-STORE answered with %04X", r.Status)
		}
		if err != nil {
			return err
		}
		l.objects.Add(1)
	}
	return a.Release(ctx)
}

func (l *soakLoad) reportAll(ctx context.Context, addr, application string, n *int) error {
	s, err := hl7.Dial(ctx, hl7.SenderOptions{Address: addr})
	if err != nil {
		return err
	}
	defer s.Close()
	for range soakMessages {
		*n++
		ack, err := s.Send(ctx, hl7.Report(application, *n, soakReport))
		if err == nil && ack.Code != "AA" {
			err = fmt.Errorf("message acknowledged with %s", ack.Code)
		}
		if err != nil {
			return err
		}
		l.messages.Add(1)
	}
	return nil
}

// end waits until the clients have gone.
func (l *soakLoad) end() error {
	l.stop()
	l.all.Wait()
	return l.first
}

// keepIdle holds associations that do nothing. Each is renewed before the server's patience ends.
func keepIdle(ctx context.Context, addr string, associations int) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	for range associations {
		all.Go(func() {
			for ctx.Err() == nil {
				a, err := modality.Dial(ctx, modality.Options{Address: addr})
				if err != nil {
					continue
				}
				renew, stop := context.WithTimeout(ctx, 15*time.Second)
				<-renew.Done()
				stop()
				if ctx.Err() == nil {
					_ = a.Release(ctx)
				}
				_ = a.Close()
			}
		})
	}
	return func() { cancel(); all.Wait() }
}

// processors is the work of all processors of this machine since it started: busy, and all in all, in the
// kernel's ticks.
func processors() (busy, all float64) {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 1
	}
	line, _, _ := strings.Cut(string(b), "\n") // cpu user nice system idle iowait irq softirq steal
	var ticks [8]float64
	for i, f := range strings.Fields(line)[1:9] {
		_, _ = fmt.Sscan(f, &ticks[i])
		all += ticks[i]
	}
	return all - ticks[3] - ticks[4], all
}
