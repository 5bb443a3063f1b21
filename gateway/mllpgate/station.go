package mllpgate

import (
	"slices"
	"time"

	"gantry/balancing"
)

// stationKey names a station: a server without a port of its own has one for each port that
// clients come to.
type stationKey struct {
	server *balancing.Server
	port   uint16
}

// station is one server's connections, and the messages that wait for one of them.
type station struct {
	server  *balancing.Server
	port    uint16
	links   []*Link
	waiting []*message
	dialing int
	resting int
	once    bool      // it closes a connection after each answer
	closed  bool      // the server takes no new messages
	hungry  bool      // in Router.hungry
	calm    time.Time // no further connection is opened before
}

// Link is one connection to a server.
type Link struct {
	// State is for the World.
	State any
	// Server is who is at the other end.
	Server *balancing.Server
	// Port is the one that the client came to, for a server without a port of its own.
	Port uint16

	station  *station
	ready    bool       // connected
	stuffed  bool       // not all of what was written has left
	tainted  bool       // to be closed when nothing is outstanding
	resting  bool       // unused, to see whether the server closes it
	gone     bool       // not in the station any more
	out      []*message // outstanding, oldest first
	later    []later    // whose application answer may come
	served   int        // answers
	used     time.Time  // when it was opened, or answered last
	restedAt time.Time
}

// Outstanding is the number of messages that were sent on it and are not answered.
func (l *Link) Outstanding() int { return len(l.out) }

// idle tells whether nothing is outstanding on an open connection.
func (l *Link) idle() bool { return l.ready && len(l.out) == 0 }

// free tells whether it can take one message more.
func (l *Link) free(s *Settings) bool {
	return l.ready && !l.stuffed && !l.tainted && !l.resting && len(l.out) < max(s.Pipelining, 1)
}

// station finds the one of a server, or makes it.
func (r *Router) station(server *balancing.Server, port uint16) *station {
	key := stationKey{server, port}
	st := r.stations[key]
	if st == nil {
		st = &station{server: server, port: port}
		r.stations[key] = st
	}
	return st
}

// counted are its connections that count against the limit.
func (st *station) counted() int { return len(st.links) - st.resting }

// room is how many messages more can be sent without waiting for an answer.
func (st *station) room(s *Settings) int {
	each := max(s.Pipelining, 1)
	room := (s.linksOf(st.server)-st.counted())*each - len(st.waiting)
	for _, l := range st.links {
		if !l.ready && !l.resting || l.free(s) {
			room += each - len(l.out)
		}
	}
	return room
}

// settleOn places a message on a server that it was counted in on.
func (r *Router) settleOn(m *message, server *balancing.Server, now time.Time) {
	st := r.station(server, m.source.port)
	m.state, m.station = placed, st
	st.waiting = append(st.waiting, m)
	r.hunger(st)
}

// hunger has a station send what waits for it, as far as it can, before the event is over. A place
// may have become free there, too.
func (r *Router) hunger(st *station) {
	r.freed = true
	if !st.hungry {
		st.hungry = true
		r.hungry = append(r.hungry, st)
	}
}

// feed sends what waits as far as connections are free, and opens more.
func (r *Router) feed(st *station, now time.Time) {
	for len(st.waiting) > 0 {
		l := st.freeLink(r.set)
		if l == nil {
			break
		}
		m := st.waiting[0]
		st.waiting = drop(st.waiting, m)
		if !r.send(m, l, now) {
			st.waiting = append([]*message{m}, st.waiting...)
		}
	}
	if len(st.waiting) == 0 {
		st.waiting = nil
	}
	for st.dialing < len(st.waiting) && st.counted() < r.set.linksOf(st.server) && !now.Before(st.calm) {
		l := &Link{Server: st.server, Port: st.port, station: st, used: now}
		st.links = append(st.links, l)
		st.dialing++
		r.world.Dial(l)
	}
}

// freeLink prefers the connection used last, so that others can end their idle time, and among
// busy ones the least busy.
func (st *station) freeLink(s *Settings) *Link {
	var best *Link
	for _, l := range st.links {
		if l.free(s) && (best == nil || len(l.out) < len(best.out) || len(l.out) == len(best.out) && l.used.After(best.used)) {
			best = l
		}
	}
	return best
}

// send writes a message; false when the connection turned out to be dead before.
func (r *Router) send(m *message, l *Link, now time.Time) bool {
	flushed, ok := r.world.Send(l, m.frame)
	if !ok {
		r.closedIdle(l, now)
		return false
	}
	l.stuffed = !flushed
	l.out = append(l.out, m)
	m.state, m.link, m.station = sent, l, nil
	m.sentAt, m.deadline = now, now.Add(r.set.AckTimeout)
	m.heldFrom = time.Time{}
	m.sends++
	if m.env.Answer == answerMaybe {
		m.deadline = now.Add(min(maybeWait, r.set.AckTimeout))
	}
	if flushed {
		r.unanswerable(l, now)
	}
	return true
}

// unanswerable ends the messages of a connection that ask for no answer: they were sent whole.
func (r *Router) unanswerable(l *Link, now time.Time) {
	for i := 0; i < len(l.out); {
		m := l.out[i]
		if m.env.Answer != answerNone {
			i++
			continue
		}
		l.expect(nil, m, now.Add(r.set.AckTimeout)) // some answer all the same
		r.take(l, m, now)
		r.conclude(m, AckNone, now)
	}
}

// Dialed tells how opening a connection went. After an error the World has closed it.
func (r *Router) Dialed(l *Link, err error, now time.Time) {
	st := l.station
	if l.gone {
		return
	}
	st.dialing--
	if err == nil {
		l.ready, l.used = true, now
		r.hunger(st)
		r.settle(now)
		return
	}
	r.remove(l)
	if len(st.links) > 0 { // it serves, but not one more
		st.calm = now.Add(dialPause)
	} else {
		for _, m := range st.waiting {
			m.tried = append(m.tried, st.server)
		}
		r.scatter(st, now)
	}
	r.settle(now)
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
	switch {
	case l.served == 1 && now.Sub(l.used) < restTime:
		l.station.once = true
	case l.served > 1:
		l.station.once = false
	}
	r.remove(l)
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
	r.hunger(st)
}

// dropLink closes a connection that nothing is outstanding on.
func (r *Router) dropLink(l *Link) {
	if !l.ready {
		l.station.dialing--
	}
	r.remove(l)
	r.world.Drop(l)
}

// closeUnused closes the idle connections of servers that take no new messages.
func (r *Router) closeUnused() {
	for _, st := range r.stations {
		st.closed = !st.server.Usable() || !r.serves(st.server)
		if !st.closed {
			continue
		}
		for _, l := range slices.Clone(st.links) {
			if len(l.out) == 0 && len(st.waiting) == 0 {
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
		}
		r.lateOn(l, now)
	}
	if len(st.waiting) > 0 {
		r.hunger(st)
	}
}

func (r *Router) lateOn(l *Link, now time.Time) {
	for _, m := range slices.Clone(l.out) {
		switch {
		case now.Before(m.deadline) || l.gone:
		case m.env.Answer == answerMaybe:
			l.expect(m.client, m, now.Add(r.set.AckTimeout))
			r.take(l, m, now)
			r.conclude(m, AckNone, now)
		default:
			r.world.Drop(l)
			r.lost(l, TroubleTimeout, now)
			return
		}
	}
}
