package admin

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestHistory(t *testing.T) {
	w := exchange{method: "GET", path: "/api/v1/services/DICOM/servers/PACS2/checks"}.do(t, options(newFake()))
	require.Equal(t, http.StatusOK, w.StatusCode)
	golden(t, "checks.json", text(t, w))
	w = exchange{method: "GET", path: "/api/v1/services/HL8/servers/A/checks"}.do(t, options(newFake()))
	require.Equal(t, http.StatusNotFound, w.StatusCode)
}

func TestRunCheck(t *testing.T) {
	run := "/api/v1/services/DICOM/servers/PACS2/checks/dicom-echo/run"
	for path, passages := range map[string]int{run: 0, run + "?transcript=true": 1, run + "?transcript=no": 0} {
		var r CheckResult
		w := exchange{method: "POST", path: path}.do(t, options(newFake()))
		require.Equal(t, http.StatusOK, w.StatusCode)
		require.NoError(t, json.Unmarshal([]byte(text(t, w)), &r))
		require.Equal(t, "dicom-echo", r.Check)
		require.Len(t, r.Transcript, passages)
	}
	w := exchange{method: "GET", path: run}.do(t, options(newFake()))
	require.Equal(t, http.StatusMethodNotAllowed, w.StatusCode, "a GET makes no check: a browser may send one unasked")
}

// TestTooManyChecks: what callers can start at once is bounded, and over when they leave.
func TestTooManyChecks(t *testing.T) {
	f := newFake()
	f.hold, f.held = make(chan struct{}), make(chan struct{}, maxProbes)
	h := Handler(options(f))
	run := exchange{method: "POST", path: "/api/v1/services/DICOM/servers/A/checks/c/run"}
	done := make(chan int, maxProbes)
	for range maxProbes {
		go func() { done <- run.through(t, h).StatusCode }()
	}
	for range maxProbes {
		<-f.held
	}
	w := run.through(t, h)
	require.Equal(t, http.StatusServiceUnavailable, w.StatusCode)
	require.Contains(t, text(t, w), "8 checks that were asked for are running")
	close(f.hold)
	for range maxProbes {
		require.Equal(t, http.StatusOK, <-done)
	}
	require.Equal(t, http.StatusOK, run.through(t, h).StatusCode)
}

func TestProbeForPrometheus(t *testing.T) {
	for _, outcome := range []string{OutcomePassed, OutcomeDegraded, OutcomeFailed} {
		f := newFake()
		f.outcome = outcome
		w := exchange{method: "GET", path: "/probe?service=DICOM&target=10.12.1.113:104"}.do(t, options(f))
		require.Equal(t, http.StatusOK, w.StatusCode)
		got := text(t, w)
		require.Regexp(t, `(?m)^probe_duration_seconds [0-9]`, got)
		require.Contains(t, got, "probe_check_success{check=\"find\",type=\"dicom-find\"} 1\n")
		require.Contains(t, got, "probe_stage_duration_seconds{check=\"dicom-echo\",stage=\"ask\"} 2.5\n")
		require.Contains(t, got, map[string]string{
			OutcomePassed: "\nprobe_success 1\n", OutcomeDegraded: "\nprobe_success 1\n", OutcomeFailed: "\nprobe_success 0\n"}[outcome])
		require.Contains(t, got, map[string]string{
			OutcomePassed: "\nprobe_degraded 0\n", OutcomeDegraded: "\nprobe_degraded 1\n", OutcomeFailed: "\nprobe_degraded 0\n"}[outcome])
		require.Equal(t, outcome != OutcomePassed,
			strings.Contains(got, `probe_failed_info{check="dicom-echo",reason="slow",stage="ask"} 1`))
	}
}

func TestProbeRefusals(t *testing.T) {
	tests := []struct {
		name, path string
		header     map[string]string
		want       int
	}{
		{"no target", "/probe?service=DICOM", nil, http.StatusBadRequest},
		{"no service", "/probe?target=a:1", nil, http.StatusBadRequest},
		{"an image on a page of another site", "/probe?service=DICOM&target=a:1", map[string]string{"Sec-Fetch-Site": "cross-site"}, http.StatusForbidden},
		{"typed into a browser", "/probe?service=DICOM&target=a:1", map[string]string{"Sec-Fetch-Site": "none"}, http.StatusOK},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := exchange{method: "GET", path: tt.path, header: tt.header}.do(t, options(newFake()))
			require.Equal(t, tt.want, w.StatusCode)
		})
	}
}

// TestScrapeTimeout: the answer must come before Prometheus gives up.
func TestScrapeTimeout(t *testing.T) {
	for header, want := range map[string]time.Duration{
		"": checkTimeout, "10": 9500 * time.Millisecond, "0.6": 300 * time.Millisecond, "9999": checkTimeout,
		"-1": checkTimeout, "NaN": checkTimeout, "soon": checkTimeout,
	} {
		f := newFake()
		exchange{method: "GET", path: "/probe?service=DICOM&target=a:1",
			header: map[string]string{"X-Prometheus-Scrape-Timeout-Seconds": header}}.do(t, options(f))
		require.WithinDuration(t, time.Now().Add(want), f.probed, 5*time.Second, header)
		require.LessOrEqual(t, time.Until(f.probed), want, header)
	}
}

func TestClientOfChecks(t *testing.T) {
	s := httptest.NewServer(Handler(options(newFake())))
	defer s.Close()
	c, err := NewClient(s.URL, "")
	require.NoError(t, err)
	defer c.Close()
	h, err := c.History(t.Context(), "DICOM", "PACS 1")
	require.NoError(t, err)
	require.Equal(t, "1/2", h[0].Count)
	r, err := c.CheckOnce(t.Context(), "DICOM", "PACS 1", "dicom-echo", true)
	require.NoError(t, err)
	require.Equal(t, "C-ECHO-RQ", r.Transcript[0].Title)
}
