package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files anew")

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

func TestAnswers(t *testing.T) {
	refused := newFake()
	refused.status.Config.OK = false
	refused.status.Config.Problems = []Problem{problem}
	tests := []struct {
		name, path, golden string
		control            *fakeControl
	}{
		{"the whole status", "/api/v1/status", "status.json", newFake()},
		{"status after a refused reload", "/api/v1/status", "status-refused.json", refused},
		{"nil lists are empty lists", "/api/v1/status", "status-empty.json", &fakeControl{status: Status{
			Services: []ServiceStatus{{Name: "A", Servers: []ServerStatus{{Name: "B"}}}, {Name: "C"}}}}},
		{"events", "/api/v1/events", "events.json", newFake()},
		{"no events yet", "/api/v1/events", "events-empty.json", &fakeControl{}},
		{"the index", "/", "index.txt", newFake()},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := exchange{method: "GET", path: tt.path}.do(t, options(tt.control))
			require.Equal(t, http.StatusOK, w.StatusCode)
			require.Equal(t, "no-store", w.Header.Get("Cache-Control"))
			require.Equal(t, "nosniff", w.Header.Get("X-Content-Type-Options"))
			golden(t, tt.golden, text(t, w))
		})
	}
}

var problem = Problem{File: "gantry.yaml", Line: 14, Col: 9, Path: "services[0].servers[1].weight",
	Message: "weight is out of range", Got: "300", Want: "use 1 to 256"}

func TestHealthPages(t *testing.T) {
	c := newFake()
	w := exchange{method: "GET", path: "/healthz"}.do(t, options(c))
	require.Equal(t, "ok\n", text(t, w))

	w = exchange{method: "GET", path: "/readyz"}.do(t, options(c))
	require.Equal(t, "ready\n", text(t, w))

	c.ready = &InvalidError{"DICOM does not listen on 10.12.1.100:104 yet"}
	w = exchange{method: "GET", path: "/readyz"}.do(t, options(c))
	require.Equal(t, http.StatusServiceUnavailable, w.StatusCode)
	require.JSONEq(t, `{"error":{"code":"not_ready","message":"DICOM does not listen on 10.12.1.100:104 yet"}}`, text(t, w))
}

func TestMetrics(t *testing.T) {
	o := options(newFake())
	reg := prometheus.NewRegistry()
	g := prometheus.NewGauge(prometheus.GaugeOpts{Name: "gantry_build_info", Help: "Build."})
	reg.MustRegister(g)
	o.Gatherer = reg
	w := exchange{method: "GET", path: "/metrics"}.do(t, o)
	require.Equal(t, http.StatusOK, w.StatusCode)
	require.Contains(t, text(t, w), "gantry_build_info 0\n")
}

func TestSetServer(t *testing.T) {
	tests := []struct {
		name, server, body string
		want               ServerStatus // of interest: Admin, Weight
	}{
		{"drain", "PACS2", `{"admin":"drain"}`, ServerStatus{Admin: "drain", Weight: 50}},
		{"weight", "PACS2", `{"weight":256}`, ServerStatus{Admin: "ready", Weight: 256}},
		{"both at once", "PACS2", `{"weight":1,"admin":"maint"}`, ServerStatus{Admin: "maint", Weight: 1}},
		{"a name with a space", "PACS%201", `{"admin":"ready"}`, ServerStatus{Admin: "ready", Weight: 100}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newFake()
			w := exchange{method: "PUT", path: "/api/v1/services/DICOM/servers/" + tt.server, body: tt.body,
				header: asJSON}.do(t, options(c))
			require.Equal(t, http.StatusOK, w.StatusCode)
			var got ServerStatus
			require.NoError(t, json.Unmarshal([]byte(text(t, w)), &got))
			require.Equal(t, tt.want.Admin, got.Admin)
			require.Equal(t, tt.want.Weight, got.Weight)
			require.NotEmpty(t, got.Checks)
			require.Equal(t, "127.0.0.1", c.change.By, "the event says who asked")
		})
	}
}

func TestReload(t *testing.T) {
	c := newFake()
	c.reloaded = Reloaded{Changed: true, Hash: "77aa", Servers: Difference{Added: []string{"DICOM/PACS3"}}}
	for _, body := range []string{"", "{}", " {} "} {
		w := exchange{method: "POST", path: "/api/v1/reload", body: body, header: asJSON}.do(t, options(c))
		require.Equal(t, http.StatusOK, w.StatusCode)
		golden(t, "reloaded.json", text(t, w))
	}
	require.Equal(t, "127.0.0.1", c.actor)
}

func TestReloadOutlivesItsCaller(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // the caller has hung up
	r := httptest.NewRequestWithContext(ctx, "POST", "http://127.0.0.1/api/v1/reload", nil)
	w := httptest.NewRecorder()
	Handler(options(newFake())).ServeHTTP(w, r)
	require.Equal(t, http.StatusOK, w.Code)
}

func TestPanicIsAnErrorAndALogLine(t *testing.T) {
	c := newFake()
	c.panics = true
	o := options(c)
	var log bytes.Buffer
	o.Logger = slog.New(slog.NewJSONHandler(&log, nil))
	w := exchange{method: "GET", path: "/api/v1/status"}.do(t, o)
	require.Equal(t, http.StatusInternalServerError, w.StatusCode)
	require.JSONEq(t, `{"error":{"code":"internal","message":"the gateway made a mistake; its log has the details"}}`, text(t, w))
	require.Contains(t, log.String(), "a mistake")
	require.Contains(t, log.String(), "fake_test.go", "with the stack")
}

func TestHandlerNeedsItsParts(t *testing.T) {
	require.Panics(t, func() { Handler(Options{}) })
	require.NotPanics(t, func() { Handler(Options{Control: newFake(), Gatherer: prometheus.NewRegistry()}) })
}

func TestServerHasBounds(t *testing.T) {
	s := NewServer(http.NotFoundHandler(), nil)
	for name, d := range map[string]time.Duration{
		"header": s.ReadHeaderTimeout, "read": s.ReadTimeout, "write": s.WriteTimeout, "idle": s.IdleTimeout,
	} {
		require.Positive(t, d, name)
	}
	require.Positive(t, s.MaxHeaderBytes)
	require.Greater(t, s.WriteTimeout, reloadTimeout, "a reload's caller still reads the answer")
}

func TestProblemString(t *testing.T) {
	tests := []struct {
		name string
		p    Problem
		want string
	}{
		{"all parts", problem,
			"gantry.yaml:14:9: services[0].servers[1].weight: weight is out of range (got 300); use 1 to 256"},
		{"no place", Problem{File: "gantry.yaml", Message: "cannot be read"}, "gantry.yaml: cannot be read"},
		{"no path", Problem{File: "g.yaml", Line: 2, Col: 1, Message: "a tab"}, "g.yaml:2:1: a tab"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { require.Equal(t, tt.want, tt.p.String()) })
	}
}

func TestStatusServer(t *testing.T) {
	s := newFake().status
	got, ok := s.Server("DICOM", "PACS2")
	require.True(t, ok)
	require.Equal(t, "10.12.1.111:11112", got.Address)
	_, ok = s.Server("DICOM", "PACS9")
	require.False(t, ok)
	_, ok = s.Server("HL7", "PACS2")
	require.False(t, ok)
}

func TestIndexNamesEveryRoute(t *testing.T) {
	a := &api{control: newFake(), gatherer: prometheus.NewRegistry(), log: slog.New(slog.DiscardHandler)}
	page := text(t, exchange{method: "GET", path: "/"}.do(t, options(newFake())))
	for _, r := range a.routes() {
		require.Contains(t, page, strings.TrimSuffix(r.path, "{$}"))
	}
}
