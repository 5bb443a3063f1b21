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

// expected finds a message that one answer more may come for, and forgets it.
func (l *Link) expected(id []byte, now time.Time) (later, bool) {
	for i, e := range l.later {
		if bytes.Equal(e.id, id) && now.Before(e.until) {
			l.later = slices.Delete(l.later, i, i+1)
			return e, true
		}
	}
	return later{}, false
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
	if m.env.Answer == answerNone {
		return false
	}
	for i := range l.later {
		if m.env.Fits(l.later[i].id) {
			return true
		}
	}
	return false
}
