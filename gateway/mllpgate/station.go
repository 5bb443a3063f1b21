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
	calm    time.Time // no further connection is opened before: it refused one
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
	written  bool       // a message was sent on it
	stuffed  bool       // not all of what was written has left
	tainted  bool       // to be closed when nothing is outstanding
	resting  bool       // unused, to see whether the server closes it
	gone     bool       // not in the station any more
	out      []*message // outstanding, oldest first
	later    expectations
	past     [maxPast]past // answered last
	pasts    int           // answered at all
	pending  int           // bytes that had not left when that was looked at last
	moved    time.Time     // when some of them left; both while stuffed
	served   int           // answers
	used     time.Time     // when it was opened, or answered last
	restedAt time.Time
}

// Outstanding is the number of messages that were sent on it and are not answered.
func (l *Link) Outstanding() int { return len(l.out) }

// Owes tells whether an application answer is to come on it that somebody waits for.
func (l *Link) Owes(now time.Time) bool { return l.owes(now) }

// idle tells whether nothing is outstanding on an open connection.
func (l *Link) idle() bool { return l.ready && len(l.out) == 0 }

// free tells whether it can take one message more.
func (l *Link) free(s *Settings) bool {
	return l.ready && !l.stuffed && !l.tainted && !l.resting && len(l.out) < l.station.each(s)
}

// station finds the one of a server, or makes it.
func (r *Router) station(server *balancing.Server, port uint16) *station {
	key := stationKey{server, port}
	st := r.stations[key]
	if st == nil {
		st = &station{server: server, port: port}
		r.stations[key] = st
		r.all = append(r.all, st)
	}
	return st
}

// counted are its connections that count against the limit.
func (st *station) counted() int { return len(st.links) - st.resting }

// each is how many messages may be outstanding on one connection.
func (st *station) each(s *Settings) int {
	if st.once { // the others would be lost with the connection
		return 1
	}
	return max(s.Pipelining, 1)
}

// roomy tells whether one message more could be sent without waiting for an answer.
func (st *station) roomy(s *Settings, now time.Time) bool {
	each, room := st.each(s), -len(st.waiting)
	if !now.Before(st.calm) {
		room += max(s.linksOf(st.server)-st.counted(), 0) * each
	}
	for i := 0; i < len(st.links) && room <= 0; i++ {
		if l := st.links[i]; !l.ready || l.free(s) {
			room += each - len(l.out)
		}
	}
	return room > 0
}

// refuses tells whether it has just refused a connection, and has no other.
func (st *station) refuses(now time.Time) bool { return len(st.links) == 0 && now.Before(st.calm) }

// settleOn places a message on a server that it was counted in on.
func (r *Router) settleOn(m *message, server *balancing.Server, now time.Time) {
	st := r.station(server, m.source.port)
	m.state, m.station = placed, st
	if st.connected() {
		m.heldFrom = time.Time{}
	}
	st.waiting = append(st.waiting, m)
	r.hunger(st)
}

// connected tells whether any of its connections stands.
func (st *station) connected() bool {
	return slices.ContainsFunc(st.links, func(l *Link) bool { return l.ready })
}

// hunger has a station send what waits for it, as far as it can, before the event is over. A place
// may have become free there, too.
func (r *Router) hunger(st *station) {
	r.freed = true
	if !st.hungry {
		st.hungry = true
		r.hungry.push(st)
	}
}

// feed sends what waits as far as connections are free, and opens more.
func (r *Router) feed(st *station, now time.Time) {
	for len(st.waiting) > 0 {
		m := st.waiting[0]
		l, worn := st.freeLink(r.set, m, now)
		if l == nil && worn == nil {
			break
		}
		switch older := r.older(st, m); {
		case older != nil: // it has no key, and had to wait for those who have one
			r.leaveCrowd(older)
			older.state, older.station = placed, st
			st.waiting = slices.Insert(st.waiting, 0, older)
		case l == nil:
			r.dropLink(worn)
		default:
			r.send(m, l, now)
		}
	}
	for st.dialing < len(st.waiting) && st.counted() < r.set.linksOf(st.server) && !now.Before(st.calm) {
		l := &Link{Server: st.server, Port: st.port, station: st, used: now}
		st.links = append(st.links, l)
		st.dialing++
		r.world.Dial(l)
	}
}

// freeLink prefers the connection used last, so that others can end their idle time, and among
// busy ones the least busy. Where there is none, worn is one that nothing is outstanding on and that
// has to be closed: it would confuse m with another message.
func (st *station) freeLink(s *Settings, m *message, now time.Time) (best, worn *Link) {
	for _, l := range st.links {
		switch {
		case !l.free(s) || best != nil && !l.before(best):
		case !l.worn(s, m):
			best = l
		case len(l.out) == 0 && !l.owes(now):
			worn = l
		}
	}
	return best, worn
}

// before tells which of two free connections is taken first.
func (l *Link) before(o *Link) bool {
	return len(l.out) < len(o.out) || len(l.out) == len(o.out) && l.used.After(o.used)
}

// send writes the message that waits first. When the connection turns out to be dead before, the
// message stays where it is.
func (r *Router) send(m *message, l *Link, now time.Time) {
	flushed, ok := r.world.Send(l, m.frame)
	if !ok {
		r.lost(l, TroubleLost, now)
		return
	}
	st := l.station
	st.waiting = drop(st.waiting, m)
	l.stuffed, l.written = !flushed, true
	l.out = append(l.out, m)
	m.state, m.link, m.station = sent, l, nil
	m.sentAt, m.deadline = now, r.deadline(m, now)
	m.heldFrom = time.Time{}
	m.sends++
	if flushed {
		r.unanswerable(l, now)
	} else {
		l.pending, l.moved = r.world.Pending(l), now
	}
}

// deadline is that of the answer to a message whose last byte has left now.
func (r *Router) deadline(m *message, now time.Time) time.Time {
	if m.env.Answer == answerMaybe {
		return now.Add(min(maybeWait, r.set.AckTimeout))
	}
	return now.Add(r.set.AckTimeout)
}

// leaves tells whether what was written still leaves, however slowly: the server reads.
func (r *Router) leaves(l *Link, now time.Time) bool {
	if n := r.world.Pending(l); n != l.pending {
		l.pending, l.moved = n, now
	}
	return now.Sub(l.moved) < r.set.AckTimeout
}

// unanswerable ends the messages of a connection that ask for no answer: they were sent whole.
func (r *Router) unanswerable(l *Link, now time.Time) {
	for i := 0; i < len(l.out); {
		m := l.out[i]
		if m.env.Answer != answerNone {
			i++
			continue
		}
		l.expect(m, false, now.Add(r.set.AckTimeout)) // some answer all the same
		r.take(l, m, now)
		r.conclude(m, AckNone, now)
	}
}
