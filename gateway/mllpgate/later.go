package mllpgate

import (
	"bytes"
	"time"

	"gantry/protocols/hl7"
)

// later is a message of which one answer more may come on the same connection.
type later struct {
	message *message // nil: nobody wants it
	client  *Client  // that sent it
	until   time.Time
	due     bool // the sender asked for an application answer
	stored  bool // there was an accept acknowledgement: no second one is to come
}

// expectations are those of one connection, by MSH-10. None is forgotten before its answer has come: a
// connection that has too many is used no more.
type expectations struct {
	byID  map[string]*later
	bytes int       // of the control ids
	due   int       // how many somebody waits for
	until time.Time // for these, at the latest
}

// full tells whether no more fit.
func (x *expectations) full() bool { return len(x.byID) >= maxLater || x.bytes >= maxLaterBytes }

func (x *expectations) put(id string, e *later) {
	x.drop(id)
	if x.byID == nil {
		x.byID = map[string]*later{}
	}
	x.byID[id] = e
	x.bytes += len(id)
	if e.due {
		x.due++
		e.client.due++
		x.until, e.client.dueUntil = latest(x.until, e.until), latest(e.client.dueUntil, e.until)
	}
}

func (x *expectations) drop(id string) {
	e := x.byID[id]
	if e == nil {
		return
	}
	delete(x.byID, id)
	x.bytes -= len(id)
	if e.due {
		x.due--
		e.client.due--
	}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// expect notes that an answer to m may still come; unless it is wanted, it is dropped.
func (l *Link) expect(m *message, wanted bool, until time.Time) *later {
	e := &later{until: until}
	if wanted && m.client != nil {
		e.message, e.client = m, m.client
		e.due = m.env.Header.Condition(hl7.ApplicationCondition) == "AL"
	}
	l.later.put(string(m.env.ControlID), e)
	return e
}

// accepted notes that the application answer to m may follow.
func (l *Link) accepted(m *message, until time.Time) { l.expect(m, true, until).stored = true }

// expected finds the message that an answer speaks of, if one more may come for it, and forgets
// it. due tells that this is that answer: not one that comes too late, or a second accept
// acknowledgement.
func (l *Link) expected(a *answer, now time.Time) (e later, due, ok bool) {
	id := string(spaceless(a.id))
	found := l.later.byID[id]
	if found == nil {
		return later{}, false, false
	}
	due = now.Before(found.until) && !(found.stored && a.fromTransport())
	if due {
		l.later.drop(id)
	}
	return *found, due, true
}

// owes tells whether an application answer is to come that somebody waits for, or waited until
// lately.
func (l *Link) owes(now time.Time) bool { return l.later.due > 0 && now.Before(l.later.until) }

// owed tells whether an application answer is to come that this client waits for.
func (c *Client) owed(now time.Time) bool { return c.due > 0 && now.Before(c.dueUntil) }

// past is a message that was answered on a connection: its MSH-10 and all of it, as hashes.
type past struct{ id, frame uint64 }

// answeredOn notes that m was answered: the same answer may come twice.
func (l *Link) answeredOn(m *message) {
	if m.sum.id != 0 {
		l.past[l.pasts%maxPast] = m.sum
		l.pasts++
	}
}

// worn tells whether a connection is not for m: an answer on it could be taken for that of m, or no
// more would fit of what is to be remembered.
func (l *Link) worn(s *Settings, m *message) bool {
	return l.later.full() || s.Loose && m.env.Answer != answerNone && len(l.later.byID) > 0 || l.confuses(m)
}

// confuses tells whether an answer on this connection could be taken for that of m, since another
// message has its control id: senders that count from 1 have the same ones. Which of them an
// answer belongs to, nobody could tell. Time does not help: an answer may be later than all limits.
// The very same message, sent again, is no other.
func (l *Link) confuses(m *message) bool {
	for _, o := range l.out {
		if o.env.Batch || m.env.Batch || bytes.Equal(o.env.ControlID, m.env.ControlID) {
			return true
		}
	}
	for i := range l.past {
		if p := &l.past[i]; p.id == m.sum.id && p.id != 0 && p.frame != m.sum.frame {
			return true
		}
	}
	if m.env.Batch {
		for id, e := range l.later.byID {
			if (e.message != nil || m.env.Answer != answerNone) && m.env.Fits([]byte(id)) {
				return true
			}
		}
		return false
	}
	e := l.later.byID[string(m.env.ControlID)]
	return e != nil && (e.message != nil || m.env.Answer != answerNone) // else nobody wants either
}
