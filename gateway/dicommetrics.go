package gateway

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"gantry/gateway/dicomgate"
	"gantry/protocols/dicom"
)

// dicomMetrics count what associations are about.
type dicomMetrics struct {
	associations *prometheus.CounterVec
	rejects      *prometheus.CounterVec
	retries      *prometheus.CounterVec
	waited       *prometheus.CounterVec
	responses    *prometheus.CounterVec
	classes      *prometheus.CounterVec
	subs         *prometheus.CounterVec
}

func newDICOMMetrics(reg prometheus.Registerer) dicomMetrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
		reg.MustRegister(c)
		return c
	}
	return dicomMetrics{
		associations: counter("dicom_associations_total",
			"Associations that a server was asked for, by what became of them; counted at their end.", "service", "server", "outcome"),
		rejects: counter("dicom_association_rejects_total",
			"A-ASSOCIATE-RJ by server, those that another server was asked after included; the gateway's own have an empty server.",
			"service", "server", "result", "source", "reason"),
		retries: counter("dicom_association_retries_total",
			"Requests that this server did not accept for now, and another one was asked.", "service", "server"),
		waited: counter("dicom_associations_queued_total", "Associations that had to wait for a place (dicom.queue).", "service"),
		responses: counter("dimse_responses_total",
			"DIMSE responses of the server by command and class of status; pending ones count each.", "service", "server", "command", "status_class"),
		classes: counter("dimse_responses_by_sop_class_total",
			"The same, final ones only, by SOP class (keyword of PS3.6, or other) of the presentation context.",
			"service", "sop_class", "command", "status_class"),
		subs: counter("dicom_sub_operations_total",
			"Sub-operations of C-MOVE and C-GET, as the final responses count them.", "service", "server", "outcome"),
	}
}

// forget drops the series of a service, or of its servers, that a reload took
// away.
func (m *dicomMetrics) forget(old, now *service) {
	for _, b := range old.backends {
		m.forgetServer(old.cfg.Name, b.server.Name(), now)
	}
}

// forgetServer drops the series of a server that the service has no more, and those
// of a service that is gone (nil).
func (m *dicomMetrics) forgetServer(service, server string, now *service) {
	if now == nil {
		m.drop(prometheus.Labels{"service": service}, m.rejects, m.waited, m.classes)
	}
	if now == nil || now.find(server) == nil {
		m.drop(prometheus.Labels{"service": service, "server": server},
			m.associations, m.rejects, m.retries, m.responses, m.subs)
	}
}

func (*dicomMetrics) drop(l prometheus.Labels, vectors ...*prometheus.CounterVec) {
	for _, v := range vectors {
		v.DeletePartialMatch(l)
	}
}

func (m *dicomMetrics) rejected(service, server string, r dicom.Reject) {
	m.rejects.WithLabelValues(service, server, number(r.Result), number(r.Source), number(r.Reason)).Inc()
}

// number is a field of an A-ASSOCIATE-RJ as a label, "other" for one that the
// standard does not have: a peer must not make series at will.
func number(n byte) string {
	if n > 7 {
		return "other"
	}
	return strconv.Itoa(int(n))
}

func (m *dicomMetrics) retried(service, server string) {
	m.retries.WithLabelValues(service, server).Inc()
}

func (m *dicomMetrics) queued(service string) { m.waited.WithLabelValues(service).Inc() }

// responded counts a response of the server.
func (m *dicomMetrics) responded(service, server string, r dicomgate.Response) {
	if r.From != dicomgate.Server {
		return
	}
	command := dicom.CommandName(r.Command)
	class := r.Class.String()
	m.responses.WithLabelValues(service, server, command, class).Inc()
	if r.Class == dicom.ClassPending {
		return
	}
	m.classes.WithLabelValues(service, sopClassLabel(r.SOPClass), command, class).Inc()
	if r.Sub != nil {
		m.subs.WithLabelValues(service, server, "completed").Add(float64(r.Sub.Completed))
		m.subs.WithLabelValues(service, server, "failed").Add(float64(r.Sub.Failed))
		m.subs.WithLabelValues(service, server, "warning").Add(float64(r.Sub.Warning))
	}
}

// sopClassLabel is the keyword of a SOP class. UIDs come from clients, so that
// those without a keyword are all the same.
func sopClassLabel(uid string) string {
	if name := dicom.UIDName(uid); name != uid {
		return name
	}
	return "other"
}
