package main

import (
	"bytes"
	"context"
	"flag"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gantry/gateway/admin"
	"gantry/negotiate/transcript"
)

var update = flag.Bool("update", false, "write the golden files and docs/commands.md anew")

// TestMain looks for goroutines left behind; those that packages start when they are imported do not count.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m, goleak.IgnoreCurrent()) }

// golden compares with a file of testdata. URL stands for the address of the test's gateway.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

// stage is a program's surroundings for a test: what it prints, and a terminal or none.
type stage struct {
	surroundings
	out, err bytes.Buffer
}

func newStage() *stage {
	s := &stage{}
	s.surroundings = surroundings{
		out: &s.out, err: &s.err,
		getenv:   func(string) string { return "" },
		size:     func() (int, int, bool) { return 0, 0, false },
		now:      func() time.Time { return morning.Add(76 * time.Hour) },
		signals:  realSignals,
		open:     openGateway,
		notify:   func(string) {},
		watchdog: func() time.Duration { return 0 },
	}
	return s
}

// terminal makes the stage's output a terminal of a size.
func (s *stage) terminal(columns, rows int) *stage {
	s.size = func() (int, int, bool) { return columns, rows, true }
	return s
}

func (s *stage) run(t testing.TB, args ...string) int {
	t.Helper()
	return run(t.Context(), &s.surroundings, args)
}

var morning = time.Date(2026, 3, 1, 8, 0, 0, 0, time.Local)

// site is a gateway with two services, in every state that a server can have.
type site struct {
	mu       sync.Mutex
	status   admin.Status
	reloaded admin.Reloaded
	refusal  error
	by       string
}

var _ admin.Control = (*site)(nil)

func (h *site) Status() admin.Status {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.status
}

func (h *site) Events() []admin.Event { return nil }

func (h *site) History(_, server string) ([]admin.CheckHistory, error) {
	if server != "DICOM2" {
		return nil, &admin.NotFoundError{Kind: "server", Name: server, Known: []string{"DICOM2"}}
	}
	hung := admin.CheckResult{Start: morning.Add(-24 * time.Hour), DurationMS: 5002.6, Outcome: admin.OutcomeFailed, Stage: "open",
		Reason: "timeout", Message: "accepts TCP but does not answer", Stages: []admin.StageTime{{Stage: "connect", MS: 0.31}, {Stage: "open", MS: 5002.2}}}
	slow := admin.CheckResult{Start: morning.Add(-10 * time.Second), DurationMS: 2112, Outcome: admin.OutcomeDegraded, Stage: "ask",
		Reason: "slow", Message: "answers correctly, but slowly", Stages: []admin.StageTime{{Stage: "connect", MS: 0.28}, {Stage: "ask", MS: 2110.4}}}
	good := admin.CheckResult{Start: morning.Add(-20 * time.Second), DurationMS: 3.2, Outcome: admin.OutcomePassed, Message: "passed",
		Stages: []admin.StageTime{{Stage: "connect", MS: 0.25}, {Stage: "ask", MS: 2.9}}}
	return []admin.CheckHistory{
		{Name: "dicom-echo", Type: "dicom-echo", State: "up", Since: morning.Add(-time.Hour), Count: "1/3",
			Recent: []admin.CheckResult{good, slow}, Failures: []admin.CheckResult{hung, slow}},
		{Name: "worklist", Type: "dicom-find", State: "checking"},
	}, nil
}

func (h *site) CheckOnce(_ context.Context, _, _, check string, shown bool) (admin.CheckResult, error) {
	r := admin.CheckResult{Check: check, DurationMS: 0.6, Outcome: admin.OutcomeFailed, Stage: "open", Reason: "rejected",
		Peer: "A-ASSOCIATE-RJ 1/1/7", Message: "called AE title 'VNA' not recognised",
		Stages: []admin.StageTime{{Stage: "connect", MS: 0.2}, {Stage: "open", MS: 0.3}}}
	if check == "dicom-find" {
		r = admin.CheckResult{Check: check, DurationMS: 4, Outcome: admin.OutcomePassed, Message: "passed"}
	}
	if shown {
		r.Transcript = []transcript.Passage{
			{Sent: true, AtMS: 0.2, Title: "A-ASSOCIATE-RQ, 12 bytes", Notes: []string{"called 'VNA'"}, Hex: "010000000006564e412a2a2a2a", Masked: [][2]int{{8, 12}}},
			{AtMS: 0.4, Title: "an answer in text", Text: "MSA|AA|1\rNTE|****\r"},
		}
	}
	return r, nil
}

func (h *site) Probe(context.Context, string, string) ([]admin.CheckResult, error) { return nil, nil }

func (h *site) Ready() error { return nil }

func (h *site) Reload(ctx context.Context) (admin.Reloaded, error) {
	h.by = admin.Actor(ctx)
	return h.reloaded, h.refusal
}

func (h *site) SetServer(service, server string, c admin.ServerChange) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range h.status.Services {
		if h.status.Services[i].Name != service {
			continue
		}
		for j := range h.status.Services[i].Servers {
			if r := &h.status.Services[i].Servers[j]; r.Name == server {
				change(r, c)
				return nil
			}
		}
		return &admin.NotFoundError{Kind: "server", Name: server}
	}
	return &admin.NotFoundError{Kind: "service", Name: service, Known: []string{"DICOM-Modalities", "HL7"}}
}

func change(r *admin.ServerStatus, c admin.ServerChange) {
	if c.Weight != nil {
		r.Weight = *c.Weight
	}
	if c.Admin != nil && *c.Admin == admin.AdminReady {
		r.Admin, r.State = *c.Admin, "checking"
	} else if c.Admin != nil {
		r.Admin, r.State = *c.Admin, *c.Admin
	}
}

func newHospital() *site {
	up := func(kind, message string) admin.CheckStatus {
		return admin.CheckStatus{Name: kind, Type: kind, State: "up", Since: morning, Last: morning, Message: message}
	}
	down := func(kind, message string) admin.CheckStatus {
		return admin.CheckStatus{Name: kind, Type: kind, State: "down", Since: morning, Last: morning,
			Stage: "connect", Reason: "refused", Message: message}
	}
	return &site{status: admin.Status{
		Version: "0.1.0", Started: morning,
		Config: admin.ConfigStatus{Hash: "5f2c77a09bd1e4c6", Loaded: morning, OK: true},
		Services: []admin.ServiceStatus{
			{Name: "DICOM-Modalities", Protocol: "dicom", Mode: "l7-snat", State: "up",
				Listen: []string{"10.12.1.100:104", "10.12.1.100:11112"},
				Servers: []admin.ServerStatus{
					{Name: "DICOM1", Address: "10.12.1.110", State: "up", Admin: "ready", Weight: 100, Active: 12,
						Total: 20480, BytesIn: 5 << 40, BytesOut: 3 << 20,
						Checks: []admin.CheckStatus{up("dicom-echo", "C-ECHO answered with success in 3 ms")}},
					{Name: "DICOM2", Address: "10.12.1.111", State: "down", Admin: "ready", Weight: 50, Total: 7, BytesIn: 999,
						Checks: []admin.CheckStatus{up("connect", "connected"),
							down("dicom-echo", "10.12.1.111:104 refuses connections; is the archive running?")}},
					{Name: "DICOM3", Address: "10.12.1.112", State: "drain", Admin: "drain", Weight: 1, Backup: true, Active: 1,
						Total: 3, BytesIn: 1536,
						Left: &admin.LeftStatus{Sessions: 1, Bytes: 1200, Words: "1 association, 1.2 kB so far, CT2 → DICOM3",
							Until: morning.Add(76*time.Hour + 9*time.Minute), Oldest: []admin.SessionStatus{}},
						Checks: []admin.CheckStatus{up("connect", "connected"), up("dicom-echo", "C-ECHO answered")}},
				}},
			{Name: "HL7", Protocol: "mllp", Mode: "l7-snat", State: "checking", Listen: []string{"10.12.1.120:2575"},
				Servers: []admin.ServerStatus{
					{Name: "HL71", Address: "10.12.1.130:2575", State: "checking", Admin: "ready", Weight: 100,
						Checks: []admin.CheckStatus{{Name: "connect", Type: "connect", State: "checking", Since: morning}}},
					{Name: "HL72", Address: "10.12.1.131:2575", State: "maint", Admin: "maint", Weight: 100},
				}},
		},
	}}
}

// serve is a running admin address of a site; token may be empty.
func (h *site) serve(t *testing.T, token string) string {
	t.Helper()
	s := httptest.NewServer(admin.Handler(admin.Options{Control: h, Gatherer: prometheus.NewRegistry(), Token: token}))
	t.Cleanup(s.Close)
	return s.URL
}

// withoutURL makes a text independent of the port that a test got.
func withoutURL(text, url string) string { return strings.ReplaceAll(text, url, "URL") }

func tokenFile(t *testing.T, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
	return file
}
