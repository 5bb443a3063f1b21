package gateway

import (
	"time"

	"gantry/gateway/mllpgate"
)

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

// messageSettings are those of a service's exchange.
func messageSettings(s *service) *mllpgate.Settings {
	m := &s.cfg.MLLP
	set := &mllpgate.Settings{
		OrderBy: m.OrderBy, BySource: s.cfg.Persistence.By == "source-ip", Loose: m.AckMatch == "loose",
		AckTimeout: m.AckTimeout, Hold: m.Hold, LinkIdle: m.Idle, ClientIdle: s.cfg.Timeouts.Client,
		OnNoServer: policyOf(m.OnNoServer), OnUnknownOutcome: policyOf(m.OnUnknownOutcome), RetryOn: m.RetryOn,
		LinksPerServer: m.ConnectionsPerServer, Pipelining: m.Pipelining, ClientPipelines: m.ClientPipelining,
		Memory: int(m.Memory), AnswerEach: m.BatchAnswers == "each",
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
			set.AtMost(b.server, most)
		}
	}
	return set
}

// policyOf reads a policy; the configuration has checked the word.
func policyOf(word string) mllpgate.Policy {
	return map[string]mllpgate.Policy{"nak-ae": mllpgate.NakAE, "nak-ar": mllpgate.NakAR, "resend": mllpgate.Resend}[word]
}

// exchanges gives every service whose messages are routed one by one its exchange, and takes
// those away that are not wanted any more.
func (g *Gateway) exchanges(old, p *plan) {
	for _, s := range p.services {
		x := s.vip.exchange.Load()
		switch {
		case s.perMessage() && x != nil:
			x.configure(s)
		case s.perMessage():
			s.vip.exchange.Store(newExchange(g, s))
		case x != nil:
			s.vip.exchange.Store(nil)
			g.retireExchange(x, s.cfg.Timeouts.Drain)
		}
	}
	if old == nil {
		return
	}
	for _, s := range old.services {
		if x := s.vip.exchange.Load(); x != nil && p.service(s.cfg.Name) == nil {
			s.vip.exchange.Store(nil)
			g.retireExchange(x, s.cfg.Timeouts.Drain)
		}
	}
}

// retireExchange lets the messages that were received finish, for as long as their service says.
func (g *Gateway) retireExchange(x *exchange, within time.Duration) {
	if within <= 0 {
		x.kill()
		return
	}
	x.drain()
	g.drains.after(within, func() {
		if n := x.clients.Load(); n > 0 {
			g.log.Warn("drain deadline: senders are cut", "service", x.name, "sessions", n)
		}
		x.kill()
	})
}
