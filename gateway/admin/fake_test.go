package admin

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	shown "gantry/negotiate/transcript"
)

// fakeControl is a gateway with one service of two servers. It notes what it was asked.
type fakeControl struct {
	mu       sync.Mutex
	status   Status
	events   []Event
	ready    error
	reloaded Reloaded
	refusal  error // what Reload returns
	panics   bool  // Status panics

	change ServerChange
	actor  string

	hold    chan struct{} // CheckOnce waits for it, after a word in held
	held    chan struct{}
	outcome string    // of Probe's first check
	probed  time.Time // the deadline that Probe was given
}

var _ Control = (*fakeControl)(nil)

func (f *fakeControl) Status() Status {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.panics {
		panic("a mistake")
	}
	return f.status
}

func (f *fakeControl) Events() []Event { return f.events }

func (f *fakeControl) SetServer(service, server string, c ServerChange) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if service != "DICOM" {
		return &NotFoundError{Kind: "service", Name: service, Known: []string{"DICOM"}}
	}
	for i := range f.status.Services[0].Servers {
		s := &f.status.Services[0].Servers[i]
		if s.Name == server {
			f.change = c
			return apply(s, c)
		}
	}
	return &NotFoundError{Kind: "server", Name: server, Known: []string{"PACS 1", "PACS2"}}
}

func apply(s *ServerStatus, c ServerChange) error {
	if c.Weight != nil {
		s.Weight = *c.Weight
	}
	if c.Admin != nil {
		s.Admin, s.State = *c.Admin, *c.Admin
	}
	return nil
}

func (f *fakeControl) Reload(ctx context.Context) (Reloaded, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.actor = Actor(ctx)
	if ctx.Err() != nil {
		return Reloaded{}, errors.New("the reload was cancelled")
	}
	return f.reloaded, f.refusal
}

func (f *fakeControl) Ready() error { return f.ready }

var at = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

func newFake() *fakeControl {
	return &fakeControl{
		status: Status{
			Version: "0.1.0", Started: at,
			Config: ConfigStatus{Hash: "5f2c", Loaded: at.Add(time.Second), OK: true},
			Services: []ServiceStatus{{
				Name: "DICOM", Protocol: "dicom", Mode: "l7-snat", State: "up",
				Listen: []string{"10.12.1.100:104", "[fd00::1]:104"},
				Servers: []ServerStatus{
					{Name: "PACS 1", Address: "10.12.1.110", State: "up", Admin: "ready", Weight: 100,
						Active: 3, Total: 120, BytesIn: 1 << 30, BytesOut: 2048,
						Checks: []CheckStatus{{Name: "dicom-echo", Type: "dicom-echo", State: "up", Since: at,
							Last: at.Add(time.Minute), DurationMS: 3.25, Message: "C-ECHO answered with success"}}},
					{Name: "PACS2", Address: "10.12.1.111:11112", State: "down", Admin: "ready", Weight: 50, Backup: true,
						Checks: []CheckStatus{{Name: "dicom-echo", Type: "dicom-echo", State: "down", Since: at,
							Last: at.Add(time.Minute), DurationMS: 0.5, Stage: "connect", Reason: "refused",
							Message: "nothing listens on 10.12.1.111:11112; is the archive running?"}}},
					{Name: "PACS4", Address: "10.12.1.114:104", State: "drain", Admin: "drain", Weight: 100, Active: 1, Total: 9,
						Left: &LeftStatus{Sessions: 1, Bytes: 1200, Words: "1 association, 1.2 kB so far, CT2 → PACS4", Until: at.Add(time.Hour),
							Oldest: []SessionStatus{{Client: "10.12.7.9:50123", CalledAE: "VNA", CallingAE: "CT2", Began: at, Bytes: 1200}}},
						Checks: []CheckStatus{}},
				},
			}},
			Leaving: []LeavingStatus{{Service: "DICOM", Server: "PACS3", Left: LeftStatus{Sessions: 2, Bytes: 5,
				Words: "2 associations, 5 B so far, MR1 → PACS3", Oldest: []SessionStatus{}}}},
		},
		events: []Event{
			{Time: at.Add(time.Hour), Kind: "admin", Service: "DICOM", Server: "PACS2", From: "ready", To: "drain", By: "127.0.0.1"},
			{Time: at, Kind: "state", Service: "DICOM", Server: "PACS2", Check: "dicom-echo", From: "checking", To: "down",
				Message: "nothing listens on 10.12.1.111:11112"},
		},
	}
}

// exchange is one request to a handler.
type exchange struct {
	method, path, body string
	header             map[string]string
	host               string // empty: 127.0.0.1:9440
}

func (x exchange) do(t testing.TB, o Options) *http.Response {
	t.Helper()
	return x.through(t, Handler(o))
}

func (x exchange) through(t testing.TB, h http.Handler) *http.Response {
	t.Helper()
	r := httptest.NewRequest(x.method, "http://127.0.0.1:9440"+x.path, strings.NewReader(x.body))
	r.RemoteAddr = "127.0.0.1:50123"
	if x.host != "" {
		r.Host = x.host
	}
	for k, v := range x.header {
		r.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func options(c Control) Options {
	return Options{Control: c, Gatherer: prometheus.NewRegistry(), Logger: slog.New(slog.DiscardHandler)}
}

func text(t testing.TB, w *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

var asJSON = map[string]string{"Content-Type": "application/json"}

func (f *fakeControl) History(service, server string) ([]CheckHistory, error) {
	if service != "DICOM" {
		return nil, &NotFoundError{Kind: "service", Name: service, Known: []string{"DICOM"}}
	}
	return []CheckHistory{{Name: "dicom-echo", Type: "dicom-echo", State: "down", Count: "1/2",
		Failures: []CheckResult{{Check: "dicom-echo", Outcome: OutcomeFailed, Stage: "open", Reason: "timeout", Message: "hung"}}}}, nil
}

func (f *fakeControl) CheckOnce(ctx context.Context, _, _, check string, transcript bool) (CheckResult, error) {
	if f.hold != nil {
		f.held <- struct{}{}
		select {
		case <-f.hold:
		case <-ctx.Done():
			return CheckResult{}, ctx.Err()
		}
	}
	r := CheckResult{Check: check, Outcome: OutcomePassed, Message: "passed"}
	if transcript {
		r.Transcript = []shown.Passage{{Sent: true, Title: "C-ECHO-RQ"}}
	}
	return r, nil
}

func (f *fakeControl) Probe(ctx context.Context, service, target string) ([]CheckResult, error) {
	f.probed, _ = ctx.Deadline()
	return []CheckResult{
		{Check: "dicom-echo", Type: "dicom-echo", Outcome: f.outcome, Stage: "ask", Reason: "slow",
			Stages: []StageTime{{"connect", 1}, {"ask", 2500}}},
		{Check: "find", Type: "dicom-find", Outcome: OutcomePassed},
	}, nil
}
