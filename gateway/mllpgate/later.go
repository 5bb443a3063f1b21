package mllpgate

import (
	"bytes"
	"slices"
	"time"

	"gantry/protocols/hl7"
)

// later is a message of which one answer more may come on the same connection.
type later struct {
	message *message // nil: nobody wants it
	client  *Client  // that sent it
	id      []byte   // MSH-10
	until   time.Time
	due     bool // the sender asked for an application answer
	stored  bool // there was an accept acknowledgement: no second one is to come
}

// expect notes that an answer to m may still come; unless it is wanted, it is dropped.
func (l *Link) expect(m *message, wanted bool, until time.Time) {
	if len(l.later) == maxLater {
		l.later = slices.Delete(l.later, 0, 1)
	}
	e := later{id: bytes.Clone(m.env.ControlID), until: until}
	if wanted && m.client != nil {
		e.message, e.client = m, m.client
		e.due = m.env.Header.Condition(hl7.ApplicationCondition) == "AL"
	}
	l.later = append(l.later, e)
}

// accepted notes that the application answer to m may follow.
func (l *Link) accepted(m *message, until time.Time) {
	l.expect(m, true, until)
	l.later[len(l.later)-1].stored = true
}

// expected finds the message that an answer speaks of, if one more may come for it, and forgets
// it. due tells that this is that answer: not one that comes too late, or a second accept
// acknowledgement.
func (l *Link) expected(a *answer, now time.Time) (e later, due, ok bool) {
	id := spaceless(a.id)
	for i, e := range l.later {
		if !bytes.Equal(e.id, id) {
			continue
		}
		due = now.Before(e.until) && !(e.stored && a.fromTransport())
		if due {
			l.later = slices.Delete(l.later, i, i+1)
		}
		return e, due, true
	}
	return later{}, false, false
}

// owes tells whether an application answer is to come that somebody waits for.
func (l *Link) owes(now time.Time) bool {
	for i := range l.later {
		if e := &l.later[i]; e.due && now.Before(e.until) && !e.client.over {
			return true
		}
	}
	return false
}

// confuses tells whether an answer on this connection could be taken for that of m, since another
// message has its control id: senders that count from 1 have the same ones. Which of them an
// answer belongs to, nobody could tell. Time does not help: an answer may be later than all limits.
func (l *Link) confuses(m *message) bool {
	for _, o := range l.out {
		if o.env.Batch || m.env.Batch || bytes.Equal(o.env.ControlID, m.env.ControlID) {
			return true
		}
	}
	for i := range l.later {
		e := &l.later[i]
		if (e.message != nil || m.env.Answer != answerNone) && m.env.Fits(e.id) { // else nobody wants either
			return true
		}
	}
	return false
}
