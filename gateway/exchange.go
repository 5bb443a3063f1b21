package gateway

import (
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"gantry/balancing"
	"gantry/gateway/mllpgate"
	"gantry/gateway/relay"
)

// exchange is a service of protocol mllp whose messages are routed one by one. It lives on one
// loop of the relay, with the connections of its clients and those to its servers; it holds over
// generations of the configuration, for as long as the service says routing: per-message.
type exchange struct {
	gateway *Gateway
	name    string
	desk    atomic.Pointer[relay.Desk]

	// Of the loop alone.
	svc      *service // the generation in force
	router   *mllpgate.Router
	backends map[*balancing.Server]*backend // of all generations that still have connections
	senders  map[*sender]struct{}
	halfway  map[halfFrame]struct{} // who has sent a part of a frame
	again    []*sender              // may be read again, once the present event is over
	counts   *messageCounts
	busy     bool // the desk ticks fast
	ticked   bool // the desk ticks at all
	leaving  bool // it takes no more clients

	// For those who look from outside.
	waiting atomic.Int64
	clients atomic.Int64
}

// Interface guards.
var (
	_ relay.DeskOwner = (*exchange)(nil)
	_ mllpgate.World  = (*exchange)(nil)
)

// halfFrame is a connection, of either side, in the midst of a frame.
type halfFrame interface {
	// overdue looks at how long that has been so.
	overdue(now time.Time)
}

func newExchange(g *Gateway, svc *service) *exchange {
	x := &exchange{gateway: g, name: svc.cfg.Name}
	x.open(svc)
	return x
}

// open takes a place on a loop of the relay.
func (x *exchange) open(svc *service) {
	d := x.gateway.relay.NewDesk(x)
	x.desk.Store(d)
	d.Post(func() {
		x.svc = svc
		x.backends = map[*balancing.Server]*backend{}
		x.senders, x.halfway = map[*sender]struct{}{}, map[halfFrame]struct{}{}
		x.counts = newMessageCounts(x.gateway.metrics, x.name)
		x.adoptBackends(svc)
		x.router = mllpgate.New(x, messageSettings(svc))
	})
}

// configure puts a new generation in force.
func (x *exchange) configure(svc *service) {
	x.do(func(now time.Time) {
		x.svc = svc
		x.counts.reset()
		x.adoptBackends(svc)
		x.router.Configure(messageSettings(svc), now)
	})
}

func (x *exchange) adoptBackends(svc *service) {
	for _, b := range svc.backends {
		x.backends[b.server] = b
	}
}

// changed tells that a server can be used again, or no more.
func (x *exchange) changed() { x.do(func(now time.Time) { x.router.Changed(now) }) }

// cut ends what is outstanding on a server.
func (x *exchange) cut(s *balancing.Server) { x.do(func(now time.Time) { x.router.Cut(s, now) }) }

// drain takes no more messages; the clients are closed one by one as they have their answers.
func (x *exchange) drain() {
	x.do(func(now time.Time) {
		x.leaving = true
		x.router.Drain(now)
	})
}

// kill ends what is left.
func (x *exchange) kill() {
	x.do(func(now time.Time) {
		for s := range x.senders {
			s.link.Reset()
			s.leave(endDrained)
			x.router.Gone(s.client, now)
		}
	})
}

// do runs something on the loop, and what follows from it.
func (x *exchange) do(f func(now time.Time)) {
	d := x.desk.Load()
	d.Post(func() {
		if x.router == nil || x.desk.Load() != d {
			return
		}
		f(d.Now())
		x.after()
	})
}

// take adopts a client.
func (x *exchange) take(s *session, fd int) {
	d := x.desk.Load()
	ok := d.Post(func() {
		if x.router == nil || x.desk.Load() != d {
			_ = unix.Close(fd)
			s.leave()
			return
		}
		x.adopt(d, s, fd)
		x.after()
	})
	if !ok {
		_ = unix.Close(fd)
		s.leave()
	}
}

// Tick looks at what is late.
func (x *exchange) Tick(d *relay.Desk) {
	now := d.Now()
	for h := range x.halfway {
		h.overdue(now)
	}
	x.router.Tick(now)
	x.after()
}

// after ends every event: clients that may be read again are, and the clock goes as fast as it
// must.
func (x *exchange) after() {
	for len(x.again) > 0 {
		s := x.again[0]
		x.again = x.again[1:]
		s.goOn()
	}
	x.again = nil
	x.waiting.Store(int64(x.router.Waiting()))
	busy := x.router.Busy() || len(x.halfway) > 0
	if x.ticked && busy == x.busy {
		return
	}
	x.busy, x.ticked = busy, true
	every := mllpgate.IdleTick
	if busy {
		every = mllpgate.TickEvery
	}
	x.desk.Load().TickEvery(every)
}

// Ended is the end of the desk: the relay is closed, or something in here panicked. All
// connections are closed. After a panic the service begins anew, with nobody.
func (x *exchange) Ended(_ *relay.Desk, why relay.End) {
	senders, router, svc := x.senders, x.router, x.svc
	x.router, x.senders, x.again = nil, nil, nil
	x.waiting.Store(0)
	for s := range senders {
		s.over = true
		s.account(why)
	}
	if router != nil {
		router.Abandon()
	}
	if why == relay.InternalError && svc != nil {
		x.ticked = false
		x.open(svc)
	}
}

// now is the time of the present event.
func (x *exchange) now() time.Time { return x.desk.Load().Now() }
