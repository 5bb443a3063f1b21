package gateway

import (
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"gantry/balancing"
	"gantry/gateway/mllpgate"
	"gantry/gateway/relay"
)

// exchange is one loop's share of a service of protocol mllp whose messages are routed one by one: some
// of its clients, and some of the connections to each of its servers.
type exchange struct {
	gateway *Gateway
	board   *switchboard
	name    string
	share   share
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

// open takes a place on a loop of the relay, where no other exchange of the service is if possible.
func (x *exchange) open() {
	d := x.gateway.relay.NewDesk(x, x.board.desks()...)
	x.desk.Store(d)
	d.Post(func() {
		svc := x.want.Load()
		x.svc = svc
		x.backends = map[*balancing.Server]*backend{}
		x.senders, x.receivers, x.halfway = map[*sender]struct{}{}, map[*receiver]struct{}{}, map[halfFrame]struct{}{}
		x.counts = newMessageCounts(x.gateway.metrics, x.name, &x.board.labels)
		x.adoptBackends(svc)
		x.router = mllpgate.New(x, messageSettings(svc, x.share))
	})
}

// configure puts a new generation in force.
func (x *exchange) configure(svc *service) {
	x.want.Store(svc)
	x.do(func(now time.Time) {
		x.svc = svc
		x.counts.reset()
		x.adoptBackends(svc)
		x.router.Configure(messageSettings(svc, x.share), now)
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

// take adopts a client, which is counted here already and of which first was read.
func (x *exchange) take(s *session, fd int, first []byte) {
	d := x.desk.Load()
	ok := d.Post(func() {
		switch {
		case x.desk.Load() != d:
			x.take(s, fd, first)
		case x.router == nil:
			x.turnAway(s, fd)
		default:
			x.adopt(d, s, fd, first)
			x.after()
		}
	})
	if !ok {
		x.turnAway(s, fd)
	}
}

// turnAway closes a client that comes too late.
func (x *exchange) turnAway(s *session, fd int) {
	_ = unix.Close(fd)
	x.clients.Add(-1)
	s.leave()
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
