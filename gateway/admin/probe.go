package admin

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// maxProbes bounds the checks that callers may have running at once: each holds a connection, and the servers have work
// to do.
const maxProbes = 8

// scrapeMargin is what is left of Prometheus's own time limit to carry the answer.
const scrapeMargin = 500 * time.Millisecond

// enterProbe counts a caller in; when there are too many it has been told so.
func (a *api) enterProbe(w http.ResponseWriter) (leave func(), ok bool) {
	select {
	case a.probes <- struct{}{}:
		return func() { <-a.probes }, true
	default:
		w.Header().Set("Retry-After", "1")
		writeError(w, &Error{Status: http.StatusServiceUnavailable, Code: codeBusy,
			Message: fmt.Sprintf("%d checks that were asked for are running, more are not started; ask again", maxProbes)})
		return nil, false
	}
}

// probe is GET /probe?service=NAME&target=HOST:PORT, for Prometheus: the service's checks, once, against any target. A
// page of another site must not be able to start checks by an <img>, though it could not read the answer.
func (a *api) probe(w http.ResponseWriter, r *http.Request) {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		writeError(w, &Error{Status: http.StatusForbidden, Code: codeForbidden, Message: "checks are not started for pages of other sites"})
		return
	}
	service, target := r.URL.Query().Get("service"), r.URL.Query().Get("target")
	if service == "" || target == "" {
		writeError(w, &InvalidError{Message: "say /probe?service=NAME&target=HOST:PORT: whose checks, and what to check"})
		return
	}
	leave, ok := a.enterProbe(w)
	if !ok {
		return
	}
	defer leave()
	ctx, cancel := context.WithTimeout(r.Context(), scrapeTimeout(r))
	defer cancel()
	begun := time.Now()
	results, err := a.control.Probe(ctx, service, target)
	if err != nil {
		writeError(w, late(err))
		return
	}
	reg := prometheus.NewRegistry()
	describe(reg, results, time.Since(begun))
	promhttp.HandlerFor(reg, promhttp.HandlerOpts{}).ServeHTTP(w, r)
}

// scrapeTimeout is what Prometheus allows (its header), less the margin, at most checkTimeout.
func scrapeTimeout(r *http.Request) time.Duration {
	seconds, err := strconv.ParseFloat(r.Header.Get("X-Prometheus-Scrape-Timeout-Seconds"), 64)
	if err != nil || !(seconds > 0) || seconds > checkTimeout.Seconds() {
		return checkTimeout
	}
	d := time.Duration(seconds * float64(time.Second))
	return max(d-scrapeMargin, d/2)
}

// describe writes results in the words of blackbox_exporter, with the check as a label where there is more to say.
func describe(reg *prometheus.Registry, results []CheckResult, took time.Duration) {
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
		reg.MustRegister(g)
		return g
	}
	success := gauge("probe_success", "1 if every check passed, or passed degraded.")
	degraded := gauge("probe_degraded", "1 if a check found the server degraded.")
	duration := gauge("probe_duration_seconds", "Time that all checks took, the wait for their turn included.")
	each := gauge("probe_check_success", "1 if the check passed, or passed degraded.", "check", "type")
	stages := gauge("probe_stage_duration_seconds", "Time that each stage of a check took.", "check", "stage")
	failed := gauge("probe_failed_info", "1 for the stage and reason of a check that failed or is degraded.", "check", "stage", "reason")
	all, some := 1.0, 0.0
	for _, r := range results {
		passed := 1.0
		switch r.Outcome {
		case OutcomeFailed, OutcomeNotMade:
			passed, all = 0, 0
		case OutcomeDegraded:
			some = 1
		}
		each.WithLabelValues(r.Check, r.Type).Set(passed)
		for _, s := range r.Stages {
			stages.WithLabelValues(r.Check, s.Stage).Set(s.MS / 1000)
		}
		if r.Outcome != OutcomePassed {
			failed.WithLabelValues(r.Check, r.Stage, r.Reason).Set(1)
		}
	}
	success.WithLabelValues().Set(all)
	degraded.WithLabelValues().Set(some)
	duration.WithLabelValues().Set(took.Seconds())
}
