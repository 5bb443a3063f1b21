package mllpgate

import (
	"errors"
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
	order    order
	guard    guard
	buffers  buffers

	crowds   [][]*message // by route: waiting for a place
	held     []*message   // waiting for a usable server
	look     []*Client    // to be looked at before the event is over
	hungry   []*station   // so are these
	freed    bool         // a place may be free for those who crowd
	starved  map[*Client]struct{}
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
	}
	r.crowds = make([][]*message, len(s.Routes))
	r.guard.configure(s.Guard)
	return r
}

// Configure puts new settings in force. Messages that were not sent yet go by them, but for the
// keys that they have from when they came.
func (r *Router) Configure(s *Settings, now time.Time) {
	var again []*message
	for _, c := range r.crowds {
		again = append(again, c...)
	}
	again = append(again, r.held...)
	for _, st := range r.stations {
		again = append(again, st.waiting...)
	}
	for _, m := range again {
		r.withdraw(m)
	}
	r.set = s
	r.crowds = make([][]*message, len(s.Routes))
	r.guard.configure(s.Guard)
	for c := range r.clients {
		for _, m := range c.queue {
			if m.unsent() {
				m.route, m.tried = r.routeOf(m), nil
			}
		}
		r.lookAt(c)
		r.listen(c)
		r.hush(c)
	}
	r.closeUnused()
	for _, st := range r.stations {
		r.hunger(st)
	}
	r.settle(now)
}

// Changed tells that a server can be used again, or no more.
func (r *Router) Changed(now time.Time) {
	for _, st := range r.stations {
		if !st.server.Usable() {
			r.scatter(st, now)
		}
	}
	r.closeUnused()
	r.retryAllHeld(now)
	r.freed = true
	r.settle(now)
}

// Tick looks at what is late. It is called every TickEvery while Busy, and every IdleTick
// otherwise.
func (r *Router) Tick(now time.Time) {
	for _, st := range r.stations {
		r.late(st, now)
	}
	r.holding(now)
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
func (r *Router) Busy() bool { return r.active > 0 || r.linking() }

// linking tells whether connections to servers rest or are opened.
func (r *Router) linking() bool {
	for _, st := range r.stations {
		if st.resting > 0 || st.dialing > 0 {
			return true
		}
	}
	return false
}

// Waiting is the number of messages that were received and not sent yet.
func (r *Router) Waiting() int {
	n := r.active
	for _, st := range r.stations {
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
	for _, st := range r.stations {
		if st.server == server {
			for _, l := range slices.Clone(st.links) {
				r.world.Drop(l)
				r.lost(l, TroubleLost, now)
			}
		}
	}
	r.settle(now)
}

// Abandon gives back what is counted at servers. The router must not be used afterwards: all its
// connections are gone.
func (r *Router) Abandon() {
	for _, st := range r.stations {
		for range st.waiting {
			st.server.Release()
		}
		for _, l := range st.links {
			for range l.out {
				st.server.Release()
			}
		}
	}
	r.stations, r.clients = nil, nil
}

// sweep closes what was idle for too long.
func (r *Router) sweep(now time.Time) {
	if r.set.ClientIdle > 0 {
		for c := range r.clients {
			if len(c.queue) == 0 && now.Sub(c.last) >= r.set.ClientIdle {
				r.end(c, WhyIdle)
				r.lookAt(c)
			}
		}
	}
	for key, st := range r.stations {
		for _, l := range slices.Clone(st.links) {
			if l.idle() && r.set.LinkIdle > 0 && now.Sub(l.used) >= r.set.LinkIdle {
				r.dropLink(l)
			}
		}
		if len(st.links) == 0 && len(st.waiting) == 0 {
			delete(r.stations, key)
		}
	}
	r.guard.expire(now)
}

// routeOf finds the route of a message.
func (r *Router) routeOf(m *message) int {
	if i := r.set.Rules.Find(&m.env, m.source.addr.Addr()); i >= 0 {
		return i
	}
	return len(r.set.Routes) - 1
}

// place finds a server for a message whose turn it is.
func (r *Router) place(m *message, now time.Time) {
	route := &r.set.Routes[m.route]
	if route.Reject != nil {
		r.reject(m, route.Reject, now)
		return
	}
	key := r.keyOf(m, route)
	tried := m.tried
	if key == (balancing.Key{}) {
		tried = r.full(m, route) // any server will do, so that it need not wait for one
	}
	server, err := route.Pool.Pick(balancing.Request{Key: key, Now: now, Tried: tried})
	switch {
	case err == nil:
		r.settleOn(m, server, now)
	case m.kept != nil:
		r.answered(m, m.kept, m.keptAck, now)
	case len(tried) > len(m.tried) || errors.Is(err, balancing.ErrFull):
		m.state = crowded
		r.crowds[m.route] = append(r.crowds[m.route], m)
	default:
		r.hold(m, now)
	}
}

// keyOf is what decides to which server a message belongs; the zero Key is nothing.
func (r *Router) keyOf(m *message, route *Route) balancing.Key {
	switch {
	case len(m.env.Keys) > 0:
		return m.env.Keys[0].In(route.Part)
	case r.set.BySource:
		return balancing.AddrKey(m.source.addr.Addr()).In(route.Part)
	}
	return balancing.Key{}
}

// full are the servers that were tried, and those without a place.
func (r *Router) full(m *message, route *Route) []*balancing.Server {
	tried := m.tried
	for _, st := range r.stations {
		if st.room(r.set) <= 0 && st.port == m.source.port && route.Pool.Has(st.server) && !slices.Contains(tried, st.server) {
			tried = append(tried[:len(tried):len(tried)], st.server)
		}
	}
	return tried
}

// seat gives messages that wait for a place another try, first come first served.
func (r *Router) seat(now time.Time) {
	for i := range r.crowds {
		for len(r.crowds[i]) > 0 {
			m := r.crowds[i][0]
			r.crowds[i] = r.crowds[i][1:]
			m.state = waiting
			if r.place(m, now); m.state == crowded { // it stands at the end now: back to its place
				last := len(r.crowds[i]) - 1
				copy(r.crowds[i][1:], r.crowds[i][:last])
				r.crowds[i][0] = m
				break
			}
		}
		if len(r.crowds[i]) == 0 {
			r.crowds[i] = nil
		}
	}
}

// withdraw takes an unsent message from wherever it waits, and gives its place back.
func (r *Router) withdraw(m *message) {
	switch m.state {
	case crowded:
		r.crowds[m.route] = drop(r.crowds[m.route], m)
	case held:
		r.held = drop(r.held, m)
	case placed:
		m.station.waiting = drop(m.station.waiting, m)
		m.station.server.Release()
		m.station = nil
	}
	m.state = waiting
}

// isCommit knows the commit answers of MLLP release 2.
func isCommit(msg []byte) bool { return mllp.IsCommit(msg) }
