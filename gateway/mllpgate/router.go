package mllpgate

import (
	"cmp"
	"hash/maphash"
	"slices"
	"time"

	"gantry/balancing"
	"gantry/protocols/mllp"
)

// Router is the messages of one service, and who has them. Its methods are called by one
// goroutine at a time, with times that do not go back.
type Router struct {
	world World
	set   *Settings

	clients  map[*Client]struct{}
	stations map[stationKey]*station
	all      []*station // the same, oldest first
	order    order
	guard    guard
	buffers  buffers

	crowds   map[crowdKey]*crowd
	crowded  int                 // messages in them
	held     []*message          // waiting for a usable server
	wereHeld bool                // so were some that wait for a place now
	look     fifo[*Client]       // to be looked at before the event is over
	hungry   fifo[*station]      // so are these
	freed    bool                // a place may be free for those who crowd
	received uint64              // messages so far
	turns    uint64              // messages so far that had their turn
	tried    []*balancing.Server // scratch, as is full
	full     []*balancing.Server
	starved  map[*Client]struct{}
	parting  map[*Client]struct{} // have ended their side, and wait for application answers
	seed     maphash.Seed
	bytes    int // of all frames
	active   int // messages that are not done
	draining bool
	swept    time.Time // when what is idle was looked for last
	lastID   uint64    // MSH-10 of the answers of its own
}

// New makes a router; settings may be replaced by Configure.
func New(world World, s *Settings) *Router {
	r := &Router{
		world: world, set: s,
		clients:  map[*Client]struct{}{},
		stations: map[stationKey]*station{},
		starved:  map[*Client]struct{}{},
		parting:  map[*Client]struct{}{},
		seed:     maphash.MakeSeed(),
		crowds:   map[crowdKey]*crowd{},
	}
	r.guard.configure(s.Guard)
	return r
}

// Configure puts new settings in force. Messages that were not sent yet go by them, but for the
// keys that they have from when they came.
func (r *Router) Configure(s *Settings, now time.Time) {
	again := slices.Clone(r.held)
	for _, c := range r.crowds {
		again = append(again, c.messages...)
	}
	for _, st := range r.all {
		again = append(again, st.waiting...)
	}
	for _, m := range again {
		r.withdraw(m)
	}
	r.set = s
	clear(r.crowds)
	r.guard.configure(s.Guard)
	for c := range r.clients {
		for _, m := range c.queue {
			m.route = r.routeOf(m) // of those that were sent, too: they may be sent again
			m.tried = nil
		}
		r.listen(c)
		r.hush(c)
	}
	slices.SortFunc(again, func(a, b *message) int { return cmp.Compare(a.turn, b.turn) })
	for _, m := range again {
		if m.state == waiting { // else it ended with one before it
			r.place(m, now)
		}
	}
	r.closeUnused(now)
	for _, st := range r.all {
		r.hunger(st)
	}
	r.settle(now)
}

// Changed tells that a server can be used again, or no more.
func (r *Router) Changed(now time.Time) {
	for _, st := range r.all {
		if !st.server.Usable() {
			r.scatter(st, now)
		} else if len(st.links) == 0 {
			st.calm = time.Time{}
		}
	}
	r.closeUnused(now)
	r.retryAllHeld(now)
	r.freed = true
	r.settle(now)
}

// Tick looks at what is late. It is called every TickEvery while Busy, and every IdleTick
// otherwise.
func (r *Router) Tick(now time.Time) {
	for _, st := range r.all {
		r.late(st, now)
	}
	r.holding(now)
	for c := range r.parting {
		r.lookAt(c)
	}
	r.freed = true
	if now.Sub(r.swept) >= IdleTick {
		r.swept = now
		r.sweep(now)
	}
	r.settle(now)
}

const (
	// TickEvery is how exact times are kept.
	TickEvery = 50 * time.Millisecond
	// IdleTick is how exact those of idle connections are.
	IdleTick = time.Second
)

// Busy tells whether any message is under way.
func (r *Router) Busy() bool { return r.active > 0 || len(r.parting) > 0 || r.linking() }

// linking tells whether connections to servers rest or are opened.
func (r *Router) linking() bool {
	for _, st := range r.all {
		if st.resting > 0 || st.dialing > 0 {
			return true
		}
	}
	return false
}

// Waiting is the number of messages that were received and not sent yet.
func (r *Router) Waiting() int {
	n := r.active
	for _, st := range r.all {
		for _, l := range st.links {
			n -= len(l.out)
		}
	}
	return n
}

// Clients is the number of client connections.
func (r *Router) Clients() int { return len(r.clients) }

// Drain takes no more messages: what was received is finished, then each client is closed.
func (r *Router) Drain(now time.Time) {
	r.draining = true
	for c := range r.clients {
		if !c.ending {
			r.ending(c, WhyDrained)
		}
	}
	r.settle(now)
}

// Cut ends the connections to a server, with everything outstanding on them.
func (r *Router) Cut(server *balancing.Server, now time.Time) {
	for _, st := range r.all {
		if st.server == server {
			for _, l := range slices.Clone(st.links) {
				if len(l.out) == 0 {
					r.dropLink(l)
					continue
				}
				r.world.Drop(l)
				r.lost(l, TroubleCut, now)
			}
		}
	}
	r.settle(now)
}

// Abandon gives back what is counted at servers. The router must not be used afterwards: all its
// connections are gone.
func (r *Router) Abandon() {
	for _, st := range r.all {
		for range st.waiting {
			st.server.Release()
		}
		for _, l := range st.links {
			for range l.out {
				st.server.Release()
			}
		}
	}
	r.stations, r.all, r.clients = nil, nil, nil
}

// sweep closes what was idle for too long.
func (r *Router) sweep(now time.Time) {
	if r.set.ClientIdle > 0 {
		for c := range r.clients {
			if len(c.queue) == 0 && now.Sub(c.last) >= r.set.ClientIdle && !c.owed(now) {
				r.end(c, WhyIdle)
				r.lookAt(c)
			}
		}
	}
	for _, st := range r.all {
		for _, l := range slices.Clone(st.links) {
			if l.idle() && !l.owes(now) && (st.closed || r.set.LinkIdle > 0 && now.Sub(l.used) >= r.set.LinkIdle) {
				r.dropLink(l)
			}
		}
	}
	r.all = slices.DeleteFunc(r.all, func(st *station) bool {
		over := len(st.links) == 0 && len(st.waiting) == 0 && !st.hungry && !now.Before(st.calm) &&
			(!st.once || !r.serves(st.server)) // that it closes connections is worth remembering
		if over {
			delete(r.stations, stationKey{st.server, st.port})
		}
		return over
	})
	r.sweepCrowds()
	r.guard.expire(now)
}

// routeOf finds the route of a message.
func (r *Router) routeOf(m *message) int {
	if i := r.set.Rules.Find(&m.env, m.source.addr.Addr()); i >= 0 {
		return i
	}
	return len(r.set.Routes) - 1
}

// withdraw takes an unsent message from wherever it waits, and gives its place back.
func (r *Router) withdraw(m *message) {
	switch m.state {
	case crowded:
		r.leaveCrowd(m)
	case held:
		r.held = drop(r.held, m)
	case placed:
		m.station.waiting = drop(m.station.waiting, m)
		m.station.server.Release()
		m.station = nil
		r.freed = true
	}
	m.state = waiting
}

// isCommit knows the commit answers of MLLP release 2.
func isCommit(msg []byte) bool { return mllp.IsCommit(msg) }
