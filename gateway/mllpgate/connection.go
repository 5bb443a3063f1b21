package mllpgate

import (
	"slices"
	"time"

	"gantry/balancing"
)

// Dialed tells how opening a connection went. After an error the World has closed it.
func (r *Router) Dialed(l *Link, err error, now time.Time) {
	st := l.station
	if l.gone {
		return
	}
	st.dialing--
	if err == nil {
		l.ready, l.used = true, now
		r.served(st)
		r.hunger(st)
		r.settle(now)
		return
	}
	r.remove(l)
	r.refused(st, now)
	r.settle(now)
}

// refused has a station rest that does not want a connection, or not one more. Where it has no
// other, its messages find another server.
func (r *Router) refused(st *station, now time.Time) {
	if len(st.links) > 0 {
		st.calm = now.Add(dialPause)
		return
	}
	st.calm = now.Add(retryHeld)
	for _, m := range st.waiting {
		m.tried = append(m.tried, st.server)
	}
	r.scatter(st, now)
}

// scatter has messages that wait for a server find another one.
func (r *Router) scatter(st *station, now time.Time) {
	for _, m := range slices.Clone(st.waiting) {
		if m.state == placed && m.station == st {
			r.withdraw(m)
			r.place(m, now)
		}
	}
}

// Flushed tells that all of what was written to a server has left.
func (r *Router) Flushed(l *Link, now time.Time) {
	if l.gone {
		return
	}
	l.stuffed = false
	if n := len(l.out); n > 0 {
		l.out[n-1].deadline = r.deadline(l.out[n-1], now)
	}
	r.unanswerable(l, now)
	r.hunger(l.station)
	r.settle(now)
}

// Lost tells that a connection to a server has ended, or said what is not MLLP; the World has
// closed it.
func (r *Router) Lost(l *Link, now time.Time) {
	if l.gone {
		return
	}
	r.lost(l, TroubleLost, now)
	r.settle(now)
}

// lost forgets a connection; the outcome of what is outstanding on it is unknown.
func (r *Router) lost(l *Link, why Trouble, now time.Time) {
	if !l.ready {
		l.station.dialing--
	}
	if len(l.out) == 0 {
		r.closedIdle(l, now)
		return
	}
	if l.served > 0 && now.Sub(l.used) < restTime {
		l.station.once = true
	}
	r.remove(l)
	r.orphan(l, why, now)
}

// orphan decides about the messages that are outstanding on a connection that is gone.
func (r *Router) orphan(l *Link, why Trouble, now time.Time) {
	out := l.out
	l.out = nil
	for _, m := range out {
		r.unknown(m, why, now)
	}
}

// closedIdle forgets a connection that the server closed while nothing was outstanding.
func (r *Router) closedIdle(l *Link, now time.Time) {
	soon := now.Sub(l.used) < restTime
	r.remove(l)
	switch {
	case l.served == 1 && soon:
		l.station.once = true
	case l.served > 1:
		l.station.once = false
	case l.ready && !l.written && soon: // accepted, and closed at once: no better than refused
		r.refused(l.station, now)
	}
}

// remove takes a connection out of its station.
func (r *Router) remove(l *Link) {
	if l.gone {
		return
	}
	l.gone = true
	st := l.station
	if i := slices.Index(st.links, l); i >= 0 {
		st.links = slices.Delete(st.links, i, i+1)
	}
	if l.resting {
		st.resting--
	}
	if len(st.links) == 0 { // it has room for one
		st.calm = time.Time{}
	}
	for id, e := range l.later.byID { // they do not come any more
		if l.later.drop(id); e.due {
			r.lookAt(e.client)
		}
	}
	r.hunger(st)
}

// dropLink closes a connection that nothing is outstanding on.
func (r *Router) dropLink(l *Link) {
	if l.gone {
		return
	}
	if !l.ready {
		l.station.dialing--
	}
	r.remove(l)
	r.world.Drop(l)
}

// closeUnused closes the idle connections of servers that take no new messages, and those beyond
// the limit.
func (r *Router) closeUnused(now time.Time) {
	for _, st := range r.all {
		st.closed = !st.server.Usable() || !r.serves(st.server)
		for _, l := range slices.Clone(st.links) {
			switch {
			case len(l.out) > 0:
			case st.closed && len(st.waiting) == 0 && !l.owes(now), st.counted() > r.set.linksOf(st.server):
				r.dropLink(l)
			}
		}
	}
}

// serves tells whether a server is in any route.
func (r *Router) serves(s *balancing.Server) bool {
	for i := range r.set.Routes {
		if p := r.set.Routes[i].Pool; p != nil && p.Has(s) {
			return true
		}
	}
	return false
}

// rest leaves a connection alone for a moment after its first answer, where the server is known
// to close it then. One at a time is enough to see when that changes.
func (r *Router) rest(l *Link, now time.Time) {
	st := l.station
	if st.resting > 0 {
		r.dropLink(l)
		return
	}
	st.resting++
	l.resting, l.restedAt = true, now
}

// late looks at the deadlines of one server's connections.
func (r *Router) late(st *station, now time.Time) {
	for _, l := range slices.Clone(st.links) {
		if l.resting && now.Sub(l.restedAt) >= restTime { // it does not close them any more
			l.resting, st.once = false, false
			st.resting--
			if st.counted() > r.set.linksOf(st.server) {
				r.dropLink(l)
			}
			r.hunger(st)
		}
		r.lateOn(l, now)
	}
	if len(st.waiting) > 0 {
		r.hunger(st)
	}
}

func (r *Router) lateOn(l *Link, now time.Time) {
	if l.gone {
		return
	}
	if l.stuffed && len(l.out) == 0 && now.Sub(l.used) >= r.set.AckTimeout { // it reads no more
		r.dropLink(l)
		return
	}
	writing := l.stuffed && r.leaves(l, now)
	for i, m := range slices.Clone(l.out) {
		switch {
		case now.Before(m.deadline) || l.gone:
		case writing && i == len(l.out)-1: // its time has not begun
		case m.env.Answer == answerMaybe:
			l.expect(m, true, now.Add(r.set.AckTimeout))
			r.take(l, m, now)
			r.conclude(m, AckNone, now)
		default:
			r.world.Drop(l)
			r.lost(l, TroubleTimeout, now)
			return
		}
	}
}
