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
	svc       *service // the generation in force
	router    *mllpgate.Router
	backends  map[*balancing.Server]*backend // of all generations that still have connections
	senders   map[*sender]struct{}
	receivers map[*receiver]struct{}
	halfway   map[halfFrame]struct{} // who has sent a part of a frame
	spares    spares                 // for large frames
	again     []*sender              // may be read again, once the present event is over
	counts    *messageCounts
	busy      bool // the desk ticks fast
	ticked    bool // the desk ticks at all
	leaving   bool // it takes no more clients

	// For those who look from outside.
	want    atomic.Pointer[service] // the generation that is in force, or about to be
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
	x.want.Store(svc)
	x.open()
	return x
}

// open takes a place on a loop of the relay.
func (x *exchange) open() {
	d := x.gateway.relay.NewDesk(x)
	x.desk.Store(d)
	d.Post(func() {
		svc := x.want.Load()
		x.svc = svc
		x.backends = map[*balancing.Server]*backend{}
		x.senders, x.receivers, x.halfway = map[*sender]struct{}{}, map[*receiver]struct{}{}, map[halfFrame]struct{}{}
		x.counts = newMessageCounts(x.gateway.metrics, x.name)
		x.adoptBackends(svc)
		x.router = mllpgate.New(x, messageSettings(svc))
	})
}

// configure puts a new generation in force.
func (x *exchange) configure(svc *service) {
	x.want.Store(svc)
	x.do(func(now time.Time) {
		x.svc = svc
		x.counts.reset()
		x.adoptBackends(svc)
		x.router.Configure(messageSettings(svc), now)
		x.forgetBackends()
	})
}

func (x *exchange) adoptBackends(svc *service) {
	for _, b := range svc.backends {
		x.backends[b.server] = b
	}
}

// forgetBackends lets go of those that a reload took away, once they have no connections.
func (x *exchange) forgetBackends() {
	linked := map[*backend]bool{}
	for s := range x.receivers {
		linked[s.backend] = true
	}
	for server, b := range x.backends {
		if x.svc.byServer[server] != b && !linked[b] {
			delete(x.backends, server)
		}
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
		x.leaving = true
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
		switch {
		case x.desk.Load() != d: // it has begun anew since, on another loop perhaps
			x.do(f)
		case x.router != nil:
			f(d.Now())
			x.after()
		}
	})
}

// take adopts a client, of which first was read already.
func (x *exchange) take(s *session, fd int, first []byte) {
	d := x.desk.Load()
	ok := d.Post(func() {
		switch {
		case x.desk.Load() != d:
			x.take(s, fd, first)
		case x.router == nil:
			_ = unix.Close(fd)
			s.leave()
		default:
			x.adopt(d, s, fd, first)
			x.after()
		}
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
	if x.leaving && len(x.senders) == 0 && !x.router.Busy() {
		x.close()
		return
	}
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

// close is the end of an exchange that is not wanted any more, when all is done: its connections to
// servers are closed with the desk.
func (x *exchange) close() {
	x.desk.Load().Close()
	x.giveBack()
}

// Ended is the end of the desk: the relay is closed, or something in here panicked. All
// connections are closed. After a panic the service begins anew, with nobody.
func (x *exchange) Ended(_ *relay.Desk, why relay.End) {
	if why == relay.InternalError && !x.leaving {
		defer x.open() // even if what panicked once does so again
	}
	x.busy, x.ticked = false, false
	for s := range x.senders {
		s.over = true
		s.account(why)
	}
	x.giveBack()
}

// giveBack gives back what is counted for the connections to servers.
func (x *exchange) giveBack() {
	router := x.router
	x.router, x.senders, x.again = nil, nil, nil
	x.waiting.Store(0)
	for s := range x.receivers {
		s.over = true
		s.half.release()
	}
	x.receivers = nil
	if router != nil {
		router.Abandon()
	}
}

// now is the time of the present event.
func (x *exchange) now() time.Time { return x.desk.Load().Now() }
