package mllpgate

import (
	"errors"
	"slices"
	"time"

	"gantry/balancing"
)

// crowd is messages that any server will do for, and that wait until one has a place: those of one
// route, in the order of their turns.
type crowd struct{ messages []*message }

func (c *crowd) waits() bool { return c != nil && len(c.messages) > 0 }

// crowdKey tells the messages apart that wait for different servers, so that none of them stands
// in another one's way.
type crowdKey struct {
	route int
	port  uint16
	tried int // servers that are asked no more
	last  *balancing.Server
}

// fits is what is found for a message.
type fits int

const (
	fitsServer  fits = iota
	fitsLater        // all usable servers are full
	fitsNowhere      // no server can be used
)

// place finds a server for a message whose turn it is.
func (r *Router) place(m *message, now time.Time) {
	route := &r.set.Routes[m.route]
	if route.Reject != nil {
		r.reject(m, route.Reject, now)
		return
	}
	if m.turn == 0 {
		r.turns++
		m.turn = r.turns
	}
	key := r.keyOf(m, route)
	if key == (balancing.Key{}) && m.kept == nil && r.crowds[r.crowdOf(m)].waits() {
		r.joinCrowd(m) // who came first is served first
		return
	}
	server, fit := r.find(m, key, now)
	switch {
	case fit == fitsServer:
		r.settleOn(m, server, now)
	case m.kept != nil:
		r.answered(m, m.kept, m.keptAck, now)
	case fit == fitsLater:
		r.joinCrowd(m)
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

// find looks for a server, and counts the message in there.
func (r *Router) find(m *message, key balancing.Key, now time.Time) (*balancing.Server, fits) {
	route := &r.set.Routes[m.route]
	tried, full := r.avoid(m, key == (balancing.Key{}), route.Pool, now)
	server, err := route.Pool.Pick(balancing.Request{Key: key, Now: now, Tried: tried})
	switch {
	case err == nil:
		return server, fitsServer
	case full || errors.Is(err, balancing.ErrFull):
		return nil, fitsLater
	}
	return nil, fitsNowhere
}

// avoid are the servers that were tried, those that have just refused a connection, and, unless
// the message belongs to one, those without a place. full tells that one of these could serve.
func (r *Router) avoid(m *message, keyless bool, pool *balancing.Pool, now time.Time) (tried []*balancing.Server, full bool) {
	tried = append(r.scratch[:0], m.tried...)
	for _, st := range r.all {
		refuses := st.refuses(now)
		if st.port != m.source.port || !refuses && (!keyless || st.roomy(r.set, now)) ||
			!pool.Has(st.server) || slices.Contains(tried, st.server) {
			continue
		}
		tried = append(tried, st.server)
		full = full || !refuses && (st.server.Usable() || pool.Standing() != balancing.Sound && pool.Standing() != balancing.Without)
	}
	r.scratch = tried
	return tried, full
}

func (r *Router) crowdOf(m *message) crowdKey {
	k := crowdKey{route: m.route, port: m.source.port, tried: len(m.tried)}
	if k.tried > 0 {
		k.last = m.tried[k.tried-1]
	}
	return k
}

func (r *Router) joinCrowd(m *message) {
	k := r.crowdOf(m)
	c := r.crowds[k]
	if c == nil {
		c = &crowd{}
		r.crowds[k] = c
	}
	c.messages = append(c.messages, m)
	m.state, m.crowd = crowded, c
	r.crowded++
}

func (r *Router) leaveCrowd(m *message) {
	m.crowd.messages = drop(m.crowd.messages, m)
	m.state, m.crowd = waiting, nil
	r.crowded--
}

// sweepCrowds forgets those that nobody is in.
func (r *Router) sweepCrowds() {
	for k, c := range r.crowds {
		if len(c.messages) == 0 {
			delete(r.crowds, k)
		}
	}
}

// seat gives messages that wait for a place another try: first come, first served, over all
// routes.
func (r *Router) seat(now time.Time) {
	if r.crowded == 0 {
		return
	}
	heads := make([]*crowd, 0, len(r.crowds))
	for _, c := range r.crowds {
		heads = append(heads, c)
	}
	for {
		heads = slices.DeleteFunc(heads, func(c *crowd) bool { return len(c.messages) == 0 })
		if len(heads) == 0 {
			return
		}
		next := 0
		for i, c := range heads {
			if c.messages[0].turn < heads[next].messages[0].turn {
				next = i
			}
		}
		if !r.seatFirst(heads[next].messages[0], now) {
			heads = slices.Delete(heads, next, next+1)
		}
	}
}

// seatFirst tries the first one of a crowd; false when it has to wait on.
func (r *Router) seatFirst(m *message, now time.Time) bool {
	server, fit := r.find(m, r.keyOf(m, &r.set.Routes[m.route]), now)
	switch fit {
	case fitsServer:
		r.leaveCrowd(m)
		r.settleOn(m, server, now)
	case fitsNowhere:
		r.leaveCrowd(m)
		r.hold(m, now)
	case fitsLater:
		return false
	}
	return true
}

// older finds a message in a crowd whose turn came before that of m, which waits for this server, and that the
// server can have as well. It is counted in.
func (r *Router) older(st *station, m *message) *message {
	if r.crowded == 0 {
		return nil
	}
	var oldest *message
	for k, c := range r.crowds {
		if len(c.messages) == 0 || k.port != st.port {
			continue
		}
		first := c.messages[0]
		if first.turn < m.turn && (oldest == nil || first.turn < oldest.turn) &&
			!slices.Contains(first.tried, st.server) && r.set.Routes[k.route].Pool.Has(st.server) {
			oldest = first
		}
	}
	if oldest == nil || !st.server.Usable() || !st.server.TryAcquire() {
		return nil
	}
	return oldest
}
