package gateway

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"gantry/gateway/mllpgate"
	"gantry/protocols/mllp"
)

// hl7Metrics count what messages are about.
type hl7Metrics struct {
	messages   *prometheus.CounterVec
	facilities *prometheus.CounterVec
	seconds    *prometheus.HistogramVec
	unknown    *prometheus.CounterVec
	mismatch   *prometheus.CounterVec
	duplicates *prometheus.CounterVec
	refused    *prometheus.CounterVec
	oddities   *prometheus.CounterVec
}

// ackBuckets in seconds: a receiver that stores a message takes a few milliseconds, one that waits
// for a database up to seconds, and 30 s is the usual end.
var ackBuckets = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}

func newHL7Metrics(reg prometheus.Registerer) hl7Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
		reg.MustRegister(c)
		return c
	}
	m := hl7Metrics{
		messages: counter("hl7_messages_total", "Messages by type and by what became of them; server is empty where none had it.",
			"service", "server", "message_type", "ack"),
		facilities: counter("hl7_facility_messages_total", "Messages by sending facility (MSH-4).", "service", "facility"),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: namespace, Name: "hl7_ack_seconds", Buckets: ackBuckets, Help: "Time from sending a message to its answer.",
		}, []string{"service", "server"}),
		unknown:    counter("hl7_unknown_outcome_total", "Messages that were sent and not answered.", "service", "server"),
		mismatch:   counter("hl7_ack_mismatch_total", "Answers that belong to no message that was asked about; they are dropped.", "service", "server"),
		duplicates: counter("hl7_duplicates_total", "Messages sent once more whose first copy's answer counts (mllp.duplicates).", "service"),
		refused:    counter("hl7_retries_total", "Refusals of a server after which another one was asked (mllp.retry_on).", "service", "server"),
		oddities:   counter("hl7_framing_oddities_total", "What was odd about the framing of senders and receivers.", "service", "kind"),
	}
	reg.MustRegister(m.seconds)
	return m
}

// forget drops the series of a service, or of its servers, that a reload took away.
func (m *hl7Metrics) forget(old, now *service) {
	for _, b := range old.backends {
		m.forgetServer(old.cfg.Name, b.server.Name(), now)
	}
}

func (m *hl7Metrics) forgetServer(service, server string, now *service) {
	if now == nil {
		l := prometheus.Labels{"service": service}
		for _, v := range []*prometheus.CounterVec{m.messages, m.facilities, m.duplicates, m.oddities} {
			v.DeletePartialMatch(l)
		}
	}
	if now == nil || now.find(server) == nil {
		l := prometheus.Labels{"service": service, "server": server}
		for _, v := range []*prometheus.CounterVec{m.messages, m.unknown, m.mismatch, m.refused} {
			v.DeletePartialMatch(l)
		}
		m.seconds.DeletePartialMatch(l)
	}
}

// Kinds of oddities in framing.
const (
	oddJunk = iota
	oddTruncated
	oddUnterminated
	oddEmpty
	oddRefused
	oddKinds
)

var oddWords = [oddKinds]string{"junk", "truncated", "unterminated", "empty", "refused"}

const (
	// maxTypes bounds the message types of one service that have series of their own, and
	// maxFacilities the sending facilities: both come from peers.
	maxTypes      = 100
	maxFacilities = 64
	otherLabel    = "other"
)

// messageLabels are the message types and facilities of one service that have series of their own.
type messageLabels struct {
	mu                sync.Mutex
	types, facilities map[string]bool
}

// typed gives the label of a message type.
func (l *messageLabels) typed(name string) string { return l.known(&l.types, name, maxTypes) }

// facility gives the label of a facility.
func (l *messageLabels) facility(name string) string {
	return l.known(&l.facilities, name, maxFacilities)
}

func (l *messageLabels) known(names *map[string]bool, name string, most int) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if (*names)[name] {
		return name
	}
	if len(*names) >= most {
		return otherLabel
	}
	if *names == nil {
		*names = map[string]bool{}
	}
	(*names)[name] = true
	return name
}

// messageCounts are one exchange's metrics, found without looking up labels each time. They belong
// to its loop.
type messageCounts struct {
	metrics    *metrics
	service    string
	labels     *messageLabels
	messages   map[string]prometheus.Counter // by server, type and ack
	facilities map[string]prometheus.Counter
	seconds    map[string]prometheus.Observer // by server
	kinds      [oddKinds]prometheus.Counter
	scratch    []byte
}

func newMessageCounts(m *metrics, service string, labels *messageLabels) *messageCounts {
	c := &messageCounts{metrics: m, service: service, labels: labels, messages: map[string]prometheus.Counter{},
		facilities: map[string]prometheus.Counter{}, seconds: map[string]prometheus.Observer{}}
	for i, word := range oddWords {
		c.kinds[i] = m.oddities.WithLabelValues(service, word)
	}
	return c
}

// reset forgets the series that it found, after a reload that may have dropped some. Which names
// have series of their own stays: else every reload would bring room for more.
func (c *messageCounts) reset() { *c = *newMessageCounts(c.metrics, c.service, c.labels) }

// message counts what became of one.
func (c *messageCounts) message(o *mllpgate.Outcome) {
	server := ""
	if o.Server != nil {
		server = o.Server.Name()
	}
	c.scratch = append(append(append(c.scratch[:0], server...), 0), o.Ack...)
	c.scratch = o.Envelope.AppendMessageType(append(c.scratch, 0))
	counter, ok := c.messages[string(c.scratch)]
	if !ok {
		counter = c.counter(server, o)
	}
	counter.Inc()
	if o.Answered > 0 {
		seconds, ok := c.seconds[server]
		if !ok {
			seconds = c.metrics.seconds.WithLabelValues(c.service, server)
			c.seconds[server] = seconds
		}
		seconds.Observe(o.Answered.Seconds())
	}
	switch o.Ack {
	case mllpgate.AckDuplicate:
		c.metrics.duplicates.WithLabelValues(c.service).Inc()
	}
	c.scratch = o.Envelope.AppendFacility(c.scratch[:0])
	facility, ok := c.facilities[string(c.scratch)]
	if !ok {
		facility = c.facility()
	}
	facility.Inc()
}

// counter finds a series; beyond maxTypes types they share one, which is not worth remembering by
// names that a peer makes up.
func (c *messageCounts) counter(server string, o *mllpgate.Outcome) prometheus.Counter {
	kind := o.Envelope.MessageType()
	label := c.labels.typed(kind)
	counter := c.metrics.messages.WithLabelValues(c.service, server, label, o.Ack)
	if label == kind {
		c.messages[string(c.scratch)] = counter
	}
	return counter
}

func (c *messageCounts) facility() prometheus.Counter {
	name := string(c.scratch)
	label := c.labels.facility(name)
	counter := c.metrics.facilities.WithLabelValues(c.service, label)
	if label == name {
		c.facilities[name] = counter
	}
	return counter
}

func (c *messageCounts) trouble(n mllpgate.Notice) {
	switch n.Trouble {
	case mllpgate.TroubleTimeout, mllpgate.TroubleLost, mllpgate.TroubleCut: // also where it is sent again
		c.metrics.unknown.WithLabelValues(c.service, n.Server.Name()).Inc()
	case mllpgate.TroubleMismatch, mllpgate.TroubleStray:
		c.metrics.mismatch.WithLabelValues(c.service, n.Server.Name()).Inc()
	case mllpgate.TroubleRetry:
		c.metrics.hl7Metrics.refused.WithLabelValues(c.service, n.Server.Name()).Inc()
	}
}

// odd counts an oddity.
func (c *messageCounts) odd(kind int, n int64) {
	if n > 0 {
		c.kinds[kind].Add(float64(n))
	}
}

// oddities takes over what a decoder counted.
func (c *messageCounts) oddities(s *mllp.Stats) {
	if *s == (mllp.Stats{}) {
		return
	}
	c.odd(oddJunk, s.Junk)
	c.odd(oddTruncated, s.Truncated)
	c.odd(oddUnterminated, s.Unterminated)
	*s = mllp.Stats{}
}
