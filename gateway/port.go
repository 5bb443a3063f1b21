package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync/atomic"
	"time"

	"gantry/gateway/dicomgate"
	"gantry/gateway/engine"
)

// port is one open listening address. Which service it belongs to can change
// with a reload; clients already accepted keep the one they came to.
type port struct {
	gateway  *Gateway
	service  atomic.Pointer[service]
	listener *engine.Listener
}

// Interface guard.
var _ engine.Handler = (*port)(nil)

// bind opens the addresses of p that are not open yet and returns all of p's.
// On an error what was opened here is closed again.
func (g *Gateway) bind(p *plan, open map[netip.AddrPort]*port) (map[netip.AddrPort]*port, error) {
	ports, opened := map[netip.AddrPort]*port{}, map[netip.AddrPort]*port{}
	for addr, s := range p.byListen {
		if have := open[addr]; have != nil {
			ports[addr] = have
			continue
		}
		fresh := &port{gateway: g}
		var err error
		fresh.listener, err = engine.Listen(addr, engine.Options{
			Handler: fresh, Logger: g.log, OnPanic: g.enginePanicked, Beside: overlaps(addr, open),
		})
		if err != nil {
			g.closePorts(opened)
			return nil, fmt.Errorf("service %s: %w", s.cfg.Name, err)
		}
		ports[addr], opened[addr] = fresh, fresh
	}
	return ports, nil
}

// overlaps tells whether we listen on an address that takes addr in, or the
// other way round. Such a one closes when the new configuration is in force.
func overlaps(addr netip.AddrPort, open map[netip.AddrPort]*port) bool {
	for have := range open {
		if have.Port() == addr.Port() && (have.Addr().IsUnspecified() || addr.Addr().IsUnspecified()) {
			return true
		}
	}
	return false
}

// putInForce makes the ports serve the plan. Until then a new one resets its
// clients, as if it were not open yet: a plan that is refused in the end must
// not have served anybody.
func putInForce(p *plan, ports map[netip.AddrPort]*port) {
	for addr, pt := range ports {
		pt.service.Store(p.byListen[addr])
	}
}

var errNotInForce = errors.New("the configuration of this listener is not in force yet")

func (g *Gateway) closePorts(ports map[netip.AddrPort]*port) {
	for addr, p := range ports {
		p.listener.Close()
		delete(ports, addr)
	}
}

// Open admits a client, or not.
func (p *port) Open(c *engine.Conn) (engine.Expect, error) {
	svc := p.service.Load()
	if svc == nil {
		return engine.Expect{}, errNotInForce
	}
	if !allowed(svc.cfg.Allow, c.Source.Addr().WithZone("")) {
		return engine.Expect{}, p.gateway.turnAway(svc, c.Source, refusedNetwork, nil)
	}
	if !p.gateway.budget.acquire() {
		return engine.Expect{}, p.gateway.turnAway(svc, c.Source, refusedDescriptors, nil)
	}
	s := &session{gateway: p.gateway, port: p, conn: c, service: svc, vip: svc.vip, source: c.Source}
	if err := s.admit(); err != nil {
		p.gateway.budget.release()
		return engine.Expect{}, err
	}
	c.State = s
	e := expectOf(svc)
	if s.isOver {
		e.Within = min(e.Within, tellWithin)
	}
	return e, nil
}

// tellWithin is how long a client over a limit has for its request.
const tellWithin = 2 * time.Second

// expectOf says what must have come before a server is dialled.
func expectOf(svc *service) engine.Expect {
	if svc.perMessage() {
		return engine.Expect{}
	}
	switch svc.cfg.Protocol {
	case "dicom":
		return engine.Expect{Head: dicomgate.HeadLen, Length: dicomgate.Length, Within: svc.cfg.Timeouts.Handshake}
	case "mllp": // the first byte; senders may be silent for hours
		return engine.Expect{Head: 1, Length: func([]byte) (int, error) { return 1, nil }, Within: svc.cfg.Timeouts.Client}
	}
	return engine.Expect{}
}

// Ready hands the client to the relay.
func (p *port) Ready(c *engine.Conn, fd int, first []byte, err error) {
	c.State.(*session).start(fd, first, err)
}

// Lost is a client that left or was cut before it was served.
func (p *port) Lost(c *engine.Conn, err error) {
	s := c.State.(*session)
	switch {
	case errors.Is(err, engine.ErrHandshakeTimeout):
		_ = p.gateway.turnAway(s.service, s.source, refusedTimeout, err)
	case errors.Is(err, engine.ErrTooManyBytes):
		_ = p.gateway.turnAway(s.service, s.source, refusedMemory, err)
	case errors.Is(err, engine.ErrDescriptors):
		_ = p.gateway.turnAway(s.service, s.source, refusedDescriptors, err)
	case errors.Is(err, engine.ErrStopped):
	default:
		_ = p.gateway.turnAway(s.service, s.source, refusedLeft, err)
	}
	s.leave()
}

// turnAway counts a refusal, logs it now and then with more of what is known, and
// returns it.
func (g *Gateway) turnAway(svc *service, source netip.AddrPort, why refusal, err error, more ...any) error {
	svc.vip.refused[why].Add(1)
	level := slog.LevelWarn
	if why == refusedLeft {
		level = slog.LevelDebug
	}
	svc.vip.quiet[why].Do(func() {
		attrs := []any{"service", svc.cfg.Name, "client", source.String(), "reason", why.Error(), "total", svc.vip.refused[why].Load()}
		if err != nil {
			attrs = append(attrs, "err", err.Error())
		}
		attrs = append(attrs, more...)
		g.log.Log(context.Background(), level, g.refusalSentence(why), attrs...)
	})
	return why
}

// refusalSentence says what to do about it.
func (g *Gateway) refusalSentence(why refusal) string {
	switch why {
	case refusedNetwork:
		return "client refused: its network is not in allow"
	case refusedDescriptors:
		return fmt.Sprintf("client refused: all %d connections that the limit on open files allows are in use; raise it (LimitNOFILE, ulimit -n)", g.budget.limit())
	case refusedConnections:
		return "client refused: the service is at limits.connections"
	case refusedSource:
		return "client refused: its address is at limits.connections_per_source"
	case refusedNoServer:
		return "client refused: no server of the service is usable"
	case refusedFull:
		return "client refused: every usable server is at max_connections"
	case refusedMalformed:
		return "client refused: it does not speak the service's protocol"
	case refusedTimeout:
		return "client cut: its first message was not complete in time"
	case refusedMemory:
		return "client cut: too many bytes of messages that are not whole are in memory"
	case refusedCalled:
		return "association rejected: its called AE title is empty or not in dicom.accept_called_ae"
	case refusedCalling:
		return "association rejected: its calling AE title is empty or not in dicom.accept_calling_ae"
	case refusedRoute:
		return "association rejected: a route says so"
	case refusedAE:
		return "association rejected: its calling AE title is at dicom.associations_per_calling_ae"
	case refusedFrame:
		return "client cut: a message was not complete in time"
	case refusedLarge:
		return "client cut: a message is larger than mllp.max_message"
	case refusedLocal:
		return "client refused: this machine could not open a connection to any server (descriptors, memory or local ports)"
	}
	return "client left before it was served"
}

func allowed(networks []netip.Prefix, source netip.Addr) bool {
	if len(networks) == 0 {
		return true
	}
	for _, n := range networks {
		if n.Contains(source) {
			return true
		}
	}
	return false
}
