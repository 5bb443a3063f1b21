package gateway

import (
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"gantry/balancing"
	"gantry/negotiate"
)

const namespace = "gantry"

// Registry holds the metrics of one gateway.
type Registry = prometheus.Registry

// NewRegistry returns an empty one.
func NewRegistry() *Registry { return prometheus.NewRegistry() }

// Buckets in seconds: a LAN dial takes a fraction of a millisecond, a check of
// a healthy archive up to a second, and both end with their timeouts. Checks
// have a histogram for each server and stage, so they have few: they are most
// of what a scrape carries.
var (
	dialBuckets  = []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .05, .25, 1, 5}
	checkBuckets = []float64{.002, .01, .05, .25, 1, 5}
)

// metrics are those that are fed as things happen. What can be read from the
// living state is collected at each scrape (collector).
type metrics struct {
	dial          *prometheus.HistogramVec
	checkSeconds  *prometheus.HistogramVec
	checkFailures *prometheus.CounterVec
	dicomMetrics
	hl7Metrics
}

func newMetrics(reg prometheus.Registerer, g *Gateway) *metrics {
	m := &metrics{
		dial: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: namespace, Name: "dial_duration_seconds", Buckets: dialBuckets,
			Help: "Time that opening a connection to a server took, failed ones included.",
		}, []string{"service"}),
		checkSeconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: namespace, Name: "check_duration_seconds", Buckets: checkBuckets,
			Help: "Time that each stage of a check took.",
		}, []string{"service", "server", "check", "stage"}),
		checkFailures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Name: "check_failures_total", Help: "Failed checks by stage and reason, without those that live traffic excused.",
		}, []string{"service", "server", "check", "stage", "reason"}),
	}
	m.dicomMetrics = newDICOMMetrics(reg)
	m.hl7Metrics = newHL7Metrics(reg)
	build := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: namespace, Name: "build_info", Help: "1, with the version as labels.",
		ConstLabels: prometheus.Labels{"version": g.opts.Version, "go_version": runtime.Version()},
	}, func() float64 { return 1 })
	reg.MustRegister(m.dial, m.checkSeconds, m.checkFailures, build, newCollector(g),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) dialed(service string, took time.Duration) {
	m.dial.WithLabelValues(service).Observe(took.Seconds())
}

func (m *metrics) checked(k negotiate.Key, r negotiate.Result) {
	for _, st := range r.Stages {
		m.checkSeconds.WithLabelValues(k.Service, k.Server, k.Check, string(st.Stage)).Observe(st.Took.Seconds())
	}
	if r.Fault != nil && r.Excused == "" {
		m.checkFailures.WithLabelValues(k.Service, k.Server, k.Check, string(r.Fault.Stage), string(r.Fault.Reason)).Inc()
	}
}

// forget drops the series of services and checks that a reload took away.
func (m *metrics) forget(old, now *plan) {
	for _, s := range old.services {
		if now.service(s.cfg.Name) == nil {
			m.dial.DeleteLabelValues(s.cfg.Name)
		}
		m.dicomMetrics.forget(s, now.service(s.cfg.Name))
		m.hl7Metrics.forget(s, now.service(s.cfg.Name))
	}
	stay := map[negotiate.Key]bool{}
	for _, a := range now.checks {
		stay[a.key] = true
	}
	for _, a := range old.checks {
		if !stay[a.key] {
			l := prometheus.Labels{"service": a.key.Service, "server": a.key.Server, "check": a.key.Check}
			m.checkSeconds.DeletePartialMatch(l)
			m.checkFailures.DeletePartialMatch(l)
		}
	}
}

// collector reads the living state at each scrape.
type collector struct {
	g       *Gateway
	descs   map[string]*prometheus.Desc
	ordered []*prometheus.Desc
}

func newCollector(g *Gateway) *collector {
	c := &collector{g: g, descs: map[string]*prometheus.Desc{}}
	for _, d := range []struct {
		name, help string
		labels     []string
	}{
		{"server_up", "1 while the server takes new sessions.", []string{"service", "server"}},
		{"server_state", "1 for the state the server is in, 0 for the others.", []string{"service", "server", "state"}},
		{"server_weight", "Weight of the server, 1 to 256.", []string{"service", "server"}},
		{"server_state_changes_total", "Changes of the server's health.", []string{"service", "server"}},
		{"server_ejections_total", "Times that failures of live traffic took the server out.", []string{"service", "server"}},
		{"check_up", "1 while the check's judgement is up or degraded.", []string{"service", "server", "check"}},
		{"connections_active", "Sessions running now.", []string{"service", "server"}},
		{"connections_total", "Sessions given to the server, failed dials included.", []string{"service", "server"}},
		{"connection_failures_total", "Dials that failed and sessions that the server reset.", []string{"service", "server", "reason"}},
		{"bytes_total", "Payload bytes; in is from clients to the server.", []string{"service", "server", "direction"}},
		{"persistence_entries", "Clients remembered.", []string{"service"}},
		{"persistence_evicted_total", "Clients forgotten early because the table was full.", []string{"service"}},
		{"rejected_total", "Clients turned away, or gone before they were served.", []string{"service", "reason"}},
		{"dicom_associations_waiting", "Associations that wait for a place (dicom.queue).", []string{"service"}},
		{"hl7_messages_waiting", "Messages received and not sent to a server yet (routing: per-message).", []string{"service"}},
		{"connections_limit", "Most client connections that the limit on open files allows.", nil},
		{"connections_in_use", "Client connections now, all services.", nil},
		{"config_last_reload_successful", "1 if the last attempt to load the configuration succeeded.", nil},
		{"config_last_reload_success_timestamp_seconds", "When the configuration in force was loaded.", nil},
		{"config_info", "1, with the hash of the configuration in force.", []string{"hash"}},
	} {
		desc := prometheus.NewDesc(prometheus.BuildFQName(namespace, "", d.name), d.help, d.labels, nil)
		c.descs[d.name] = desc
		c.ordered = append(c.ordered, desc)
	}
	return c
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range c.ordered {
		ch <- d
	}
}

// scrape is one pass of the collector.
type scrape struct {
	c  *collector
	ch chan<- prometheus.Metric
}

func (s scrape) gauge(name string, v float64, labels ...string) {
	s.ch <- prometheus.MustNewConstMetric(s.c.descs[name], prometheus.GaugeValue, v, labels...)
}

func (s scrape) counter(name string, v int64, labels ...string) {
	s.ch <- prometheus.MustNewConstMetric(s.c.descs[name], prometheus.CounterValue, float64(v), labels...)
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	s := scrape{c, ch}
	p, last := c.g.plan.Load(), c.g.last.Load()
	s.gauge("config_last_reload_successful", truth(last.ok))
	s.gauge("config_last_reload_success_timestamp_seconds", float64(p.loaded.UnixNano())/1e9)
	s.gauge("config_info", 1, p.config.Hash)
	if c.g.phase.Load() == phaseNew {
		return
	}
	s.gauge("connections_limit", float64(c.g.budget.limit()))
	s.gauge("connections_in_use", float64(c.g.budget.inUse()))
	for _, sv := range p.services {
		s.service(sv)
	}
	for _, a := range p.checks {
		snap, _ := c.g.super.Snapshot(a.key)
		s.gauge("check_up", truth(snap.State.Serves()), a.key.Service, a.key.Server, a.key.Check)
	}
}

func (s scrape) service(sv *service) {
	name := sv.cfg.Name
	for i := range sv.vip.refused {
		s.counter("rejected_total", sv.vip.refused[i].Load(), name, refusalWords[i])
	}
	if sv.cfg.Protocol == "dicom" {
		s.gauge("dicom_associations_waiting", float64(sv.vip.queue.length()), name)
	}
	if b := sv.vip.switchboard.Load(); b != nil {
		s.gauge("hl7_messages_waiting", float64(b.waiting()), name)
	}
	if t := sv.table; t != nil {
		s.gauge("persistence_entries", float64(t.Len()), name)
		s.counter("persistence_evicted_total", t.Evicted(), name)
	}
	for _, b := range sv.backends {
		s.server(name, b)
	}
}

func (s scrape) server(service string, b *backend) {
	sv := b.server
	name, state := sv.Name(), sv.State()
	s.gauge("server_up", truth(state == "up" || state == "degraded"), service, name)
	for _, st := range balancing.States() {
		s.gauge("server_state", truth(st == state), service, name, st)
	}
	s.gauge("server_weight", float64(sv.Weight()), service, name)
	s.counter("server_state_changes_total", b.changes.Load(), service, name)
	s.counter("server_ejections_total", b.ejections(), service, name)
	s.gauge("connections_active", float64(sv.Active()), service, name)
	s.counter("connections_total", sv.Total(), service, name)
	for _, f := range balancing.Failures() {
		s.counter("connection_failures_total", sv.Failures(f), service, name, f.String())
	}
	s.counter("bytes_total", sv.BytesIn(), service, name, "in")
	s.counter("bytes_total", sv.BytesOut(), service, name, "out")
}
