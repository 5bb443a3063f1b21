package negotiate

import (
	"context"
	"time"
)

// recorder collects stage times and warnings while a check runs. It is used by one
// goroutine: the one that runs the check.
type recorder struct {
	start   time.Time // of the check
	entered time.Time // of the stage at the end of stages
	timeout time.Duration
	stages  []StageTime
	warning *Fault
	// degraded is why the server serves less than it should.
	degraded *Fault
	answered time.Duration // from start to the answer; 0 = not yet
	tap      *tap          // nil: nobody wants a transcript
	asked    bool          // in the TLS handshake the server asked for a client certificate
}

type recorderKey struct{}

func recorderOf(ctx context.Context) *recorder {
	r, _ := ctx.Value(recorderKey{}).(*recorder)
	return r
}

// Enter tells the check that runs under ctx that its Prober begins a stage; the time until
// the next call belongs to that stage. Without such a check it does nothing.
func Enter(ctx context.Context, s Stage) {
	if r := recorderOf(ctx); r != nil {
		r.enter(s)
	}
}

// Warn notes something wrong that is no reason to call the server unhealthy. The last
// warning is kept.
func Warn(ctx context.Context, f *Fault) {
	if r := recorderOf(ctx); r != nil {
		r.warning = f
	}
}

// Degrade notes why a server that answers should get less to do than others: it counts as
// degraded, unless the check fails after all. The first reason is kept.
func Degrade(ctx context.Context, f *Fault) {
	if r := recorderOf(ctx); r != nil && r.degraded == nil {
		r.degraded = f
	}
}

// ClientCertificateAsked says whether the server asked for a client certificate in the TLS
// handshake of the check that runs under ctx. With TLS 1.3 it says only afterwards whether it
// takes the one it got, or none.
func ClientCertificateAsked(ctx context.Context) bool {
	r := recorderOf(ctx)
	return r != nil && r.asked
}

// Within returns the time that the whole check has, in words for a sentence: "5 s".
func Within(ctx context.Context) string {
	if r := recorderOf(ctx); r != nil {
		return Seconds(r.timeout)
	}
	return "its time"
}

func newRecorder(timeout time.Duration) *recorder {
	return &recorder{start: time.Now(), timeout: timeout, stages: make([]StageTime, 0, 5)}
}

func (r *recorder) enter(s Stage) {
	r.leave()
	if s == StageClose && r.answered == 0 {
		r.answered = time.Since(r.start)
	}
	if r.stage() != s {
		r.stages = append(r.stages, StageTime{Stage: s})
	}
	r.entered = time.Now()
}

// leave books the time of the present stage.
func (r *recorder) leave() {
	if n := len(r.stages); n > 0 {
		r.stages[n-1].Took += time.Since(r.entered)
	}
}

// stage is the one entered last.
func (r *recorder) stage() Stage {
	if n := len(r.stages); n > 0 {
		return r.stages[n-1].Stage
	}
	return ""
}

// slowest is the stage, the close left out, that took most of the time.
func (r *recorder) slowest() Stage {
	var most StageTime
	for i, s := range r.stages {
		if i == len(r.stages)-1 {
			s.Took += time.Since(r.entered) // not booked yet
		}
		if s.Stage != StageClose && s.Took >= most.Took {
			most = s
		}
	}
	return most.Stage
}

func (r *recorder) result(f *Fault) Result {
	r.leave()
	res := Result{Start: r.start, Duration: time.Since(r.start), Stages: r.stages, Fault: f, Warning: r.warning}
	if f == nil {
		res.Degraded = r.degraded
	}
	return res
}
