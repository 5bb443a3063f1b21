package gateway

import (
	"time"

	"gantry/balancing"
	"gantry/gateway/relay"
)

// switchboard is a service of protocol mllp whose messages are routed one by one: its exchanges, one
// or several. It holds over generations of the configuration, for as long as the service says
// routing: per-message and needs as many exchanges.
type switchboard struct {
	name      string
	exchanges []*exchange
	labels    messageLabels
}

// linksPerLoop is how many connections to each server a service must have for each loop that it
// is spread over: with fewer, messages would wait on one loop while connections are free on another.
const linksPerLoop = 8

// share says which of the equal parts of a service this is.
type share struct{ index, of int }

// part is this share of n; the parts of all shares are n together.
func (s share) part(n int) int {
	if s.index < n%s.of {
		return n/s.of + 1
	}
	return n / s.of
}

// exchangesFor is how many exchanges a service needs where there are so many loops. Keys and
// duplicates are told over all clients together, and by one alone.
func exchangesFor(s *service, loops int) int {
	m := &s.cfg.MLLP
	if m.OrderBy != nil || m.Duplicates != nil {
		return 1
	}
	links := m.ConnectionsPerServer
	for _, server := range s.cfg.Servers {
		if most := server.MaxConnections; most > 0 {
			links = min(links, most)
		}
	}
	return max(1, min(loops, links/linksPerLoop))
}

func newSwitchboard(g *Gateway, svc *service) *switchboard {
	b := &switchboard{name: svc.cfg.Name}
	n := exchangesFor(svc, g.relay.Loops())
	for i := range n {
		x := &exchange{gateway: g, board: b, name: b.name, share: share{i, n}}
		x.want.Store(svc)
		b.exchanges = append(b.exchanges, x)
	}
	for _, x := range b.exchanges {
		x.open()
	}
	return b
}

// desks are those of the exchanges that are open.
func (b *switchboard) desks() (list []*relay.Desk) {
	for _, x := range b.exchanges {
		if d := x.desk.Load(); d != nil {
			list = append(list, d)
		}
	}
	return list
}

// suits tells whether the service as it is now can stay on this switchboard.
func (b *switchboard) suits(g *Gateway, svc *service) bool {
	return len(b.exchanges) == exchangesFor(svc, g.relay.Loops())
}

// take gives a client to the exchange that has the fewest. first was read of it already.
func (b *switchboard) take(s *session, fd int, first []byte) {
	x := b.exchanges[0]
	for _, other := range b.exchanges[1:] {
		if other.clients.Load() < x.clients.Load() {
			x = other
		}
	}
	x.clients.Add(1)
	x.take(s, fd, first)
}

func (b *switchboard) configure(svc *service) {
	for _, x := range b.exchanges {
		x.configure(svc)
	}
}

// changed tells that a server can be used again, or no more.
func (b *switchboard) changed() {
	for _, x := range b.exchanges {
		x.changed()
	}
}

// cut ends what is outstanding on a server.
func (b *switchboard) cut(s *balancing.Server) {
	for _, x := range b.exchanges {
		x.cut(s)
	}
}

// waiting is the number of messages that were received and not sent yet.
func (b *switchboard) waiting() (n int64) {
	for _, x := range b.exchanges {
		n += x.waiting.Load()
	}
	return n
}

// clients is the number of client connections.
func (b *switchboard) clients() (n int64) {
	for _, x := range b.exchanges {
		n += x.clients.Load()
	}
	return n
}

// retire lets the messages that were received finish, for as long as within says.
func (b *switchboard) retire(g *Gateway, within time.Duration) {
	if within <= 0 {
		b.kill()
		return
	}
	for _, x := range b.exchanges {
		x.drain()
	}
	g.drains.after(within, func() {
		if n := b.clients(); n > 0 {
			g.log.Warn("drain deadline: senders are cut", "service", b.name, "sessions", n)
		}
		b.kill()
	})
}

// kill ends what is left.
func (b *switchboard) kill() {
	for _, x := range b.exchanges {
		x.kill()
	}
}

// switchboards gives every service whose messages are routed one by one its switchboard, and takes
// those away that are not wanted any more, or do not suit.
func (g *Gateway) switchboards(old, p *plan) {
	for _, s := range p.services {
		b := s.vip.switchboard.Load()
		switch {
		case s.perMessage() && b != nil && b.suits(g, s):
			b.configure(s)
		case s.perMessage():
			s.vip.switchboard.Store(newSwitchboard(g, s))
		default:
			s.vip.switchboard.Store(nil)
		}
		if b != nil && s.vip.switchboard.Load() != b {
			b.retire(g, s.cfg.Timeouts.Drain)
		}
	}
	if old == nil {
		return
	}
	for _, s := range old.services {
		if b := s.vip.switchboard.Load(); b != nil && p.service(s.cfg.Name) == nil {
			s.vip.switchboard.Store(nil)
			b.retire(g, s.cfg.Timeouts.Drain)
		}
	}
}
