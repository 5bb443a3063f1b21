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
	if key == (balancing.Key{}) && r.crowds[r.crowdOf(m)].waits() {
		r.joinCrowd(m) // who came first is served first
		return
	}
	server, fit := r.find(m, key, now)
	switch {
	case fit == fitsServer:
		r.settleOn(m, server, now)
	case fit == fitsLater:
		r.joinCrowd(m)
	default:
		r.nowhere(m, now)
	}
}

// nowhere is for a message that no server can take: it has the refusal that was kept, or is held.
func (r *Router) nowhere(m *message, now time.Time) {
	if m.kept != nil {
		r.answered(m, m.kept, m.keptAck, now)
		return
	}
	r.hold(m, now)
}

// keyOf is what decides to which server a message belongs; the zero Key is nothing.
func (r *Router) keyOf(m *message, route *Route) balancing.Key {
	switch {
	case len(m.env.Keys) > 0:
		return m.env.Keys[0].In(route.Part)
	case r.set.BySource, route.Pool.Hashes():
		return balancing.AddrKey(m.source.addr.Addr()).In(route.Part)
	}
	return balancing.Key{}
}

// find looks for a server, and counts the message in there.
func (r *Router) find(m *message, key balancing.Key, now time.Time) (*balancing.Server, fits) {
	route := &r.set.Routes[m.route]
	tried, full := r.avoid(m, key == (balancing.Key{}), now)
	server, err := route.Pool.Pick(balancing.Request{Key: key, Now: now, Tried: tried, Full: full})
	switch {
	case err == nil:
		return server, fitsServer
	case errors.Is(err, balancing.ErrFull):
		return nil, fitsLater
	}
	return nil, fitsNowhere
}

// avoid are the servers that were tried or have just refused a connection, and, unless the message belongs to
// one, those without a place: for these it waits.
func (r *Router) avoid(m *message, keyless bool, now time.Time) (tried, full []*balancing.Server) {
	tried, full = append(r.tried[:0], m.tried...), r.full[:0]
	for _, st := range r.all {
		switch {
		case st.port != m.source.port || slices.Contains(m.tried, st.server):
		case st.refuses(now):
			tried = append(tried, st.server)
		case keyless && !st.roomy(r.set, now):
			full = append(full, st.server)
		}
	}
	r.tried, r.full = tried, full
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
	if !m.heldFrom.IsZero() && r.serving(m) {
		m.heldFrom = time.Time{}
	}
	r.crowded++
}

// serving tells whether some server of a message's route is connected: not only thought to be usable.
func (r *Router) serving(m *message) bool {
	return slices.ContainsFunc(r.all, func(st *station) bool {
		return st.port == m.source.port && st.connected() && r.set.Routes[m.route].Pool.Has(st.server)
	})
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
		r.nowhere(m, now)
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
