package gateway

import (
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"gantry/gateway/engine"
	"gantry/gateway/relay"
)

// LookSeldom has the waiting ones of a test's gateway, which is started later, rely on being
// woken.
func LookSeldom(t testing.TB) {
	was := queueLook
	queueLook = time.Hour
	t.Cleanup(func() { queueLook = was })
}

// OnLoop runs f where the exchange of a service lives, and waits for it.
func (g *Gateway) OnLoop(service string, f func()) {
	done := make(chan struct{})
	g.plan.Load().service(service).vip.switchboard.Load().exchanges[0].do(func(time.Time) {
		defer close(done)
		f()
	})
	<-done
}

// TakeCarried has a service take a client whose connection is no socket, on its first address. ended is
// told when its carrier has done with it.
func (g *Gateway) TakeCarried(service string, c net.Conn, ended func()) error {
	g.changing.Lock()
	svc := g.plan.Load().service(service)
	local := svc.cfg.Listen[0]
	p := g.ports[local]
	g.changing.Unlock()
	source := netip.MustParseAddrPort(c.RemoteAddr().String())
	s := &session{gateway: g, port: p, conn: &engine.Conn{Source: source, Local: local}, service: svc, vip: svc.vip, source: source}
	if !g.budget.acquire() {
		return errors.New("no descriptors")
	}
	if err := s.admit(); err != nil {
		g.budget.release()
		return err
	}
	fd, err := relay.Carry(c, ended)
	if err != nil {
		s.leave()
		return err
	}
	s.start(fd, nil, nil)
	return nil
}

// Sabotage has the exchange of a service panic as soon as a message is counted.
func (g *Gateway) Sabotage(service string) {
	x := g.plan.Load().service(service).vip.switchboard.Load().exchanges[0]
	g.OnLoop(service, func() { x.counts = nil })
}

// Serves tells whether the exchange of a service has a desk; after a panic it has none for a moment,
// and who comes then is turned away.
func (g *Gateway) Serves(service string) bool {
	x := g.plan.Load().service(service).vip.switchboard.Load().exchanges[0]
	return x.desk.Load().Post(func() {})
}

// Partial is the memory that is counted for frames that are not whole.
func Partial() int64 { return partial.Load() }

// InUse is the number of client connections that are counted.
func (g *Gateway) InUse() int { return g.budget.inUse() }

// Exchanges is how many clients each exchange of a service has.
func (g *Gateway) Exchanges(service string) (clients []int) {
	for _, x := range g.plan.Load().service(service).vip.switchboard.Load().exchanges {
		clients = append(clients, int(x.clients.Load()))
	}
	return clients
}

// ShareOf is what one of several exchanges has of n.
func ShareOf(index, of, n int) int { return share{index, of}.part(n) }
