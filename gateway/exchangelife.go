package gateway

import "gantry/gateway/mllpgate"

// perMessage is the word of mllp.routing.
const perMessage = "per-message"

// perMessage tells services whose messages are routed one by one.
func (s *service) perMessage() bool {
	return s.cfg.Protocol == "mllp" && s.cfg.MLLP.Routing == perMessage
}

// unit is what is counted and balanced: the protocol, or messages.
func (s *service) unit() string {
	if s.perMessage() {
		return perMessage
	}
	return s.cfg.Protocol
}

// messageSettings are those of one of a service's exchanges.
func messageSettings(s *service, of share) *mllpgate.Settings {
	m := &s.cfg.MLLP
	set := &mllpgate.Settings{
		OrderBy: m.OrderBy, BySource: s.cfg.Persistence.By == "source-ip", Loose: m.AckMatch == "loose",
		AckTimeout: m.AckTimeout, Hold: m.Hold, LinkIdle: m.Idle, ClientIdle: s.cfg.Timeouts.Client,
		OnNoServer: policyOf(m.OnNoServer), OnUnknownOutcome: policyOf(m.OnUnknownOutcome), RetryOn: m.RetryOn,
		LinksPerServer: of.part(m.ConnectionsPerServer), Pipelining: m.Pipelining, ClientPipelines: m.ClientPipelining,
		Memory: int(m.Memory) / of.of, AnswerEach: m.BatchAnswers == "each",
	}
	if d := m.Duplicates; d != nil {
		set.Guard = mllpgate.GuardSettings{For: d.For, Entries: d.Entries, Memory: int(d.Memory)}
	}
	for i, route := range s.routes {
		r := mllpgate.Route{Pool: route.pool, Part: route.part}
		if i < len(s.cfg.Routes) {
			set.Rules = append(set.Rules, s.cfg.Routes[i].Messages)
			r.Reject = s.cfg.Routes[i].Answer
		}
		set.Routes = append(set.Routes, r)
	}
	for i, b := range s.backends {
		if most := s.cfg.Servers[i].MaxConnections; most > 0 {
			set.AtMost(b.server, of.part(most))
		}
	}
	return set
}

// policyOf reads a policy; the configuration has checked the word.
func policyOf(word string) mllpgate.Policy {
	return map[string]mllpgate.Policy{"nak-ae": mllpgate.NakAE, "nak-ar": mllpgate.NakAR, "resend": mllpgate.Resend}[word]
}
