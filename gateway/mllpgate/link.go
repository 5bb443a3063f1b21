package mllpgate

import (
	"bytes"
	"slices"
	"time"

	"gantry/protocols/hl7"
)

const (
	answerNone  = hl7.AnswerNone
	answerMaybe = hl7.AnswerMaybe
)

// match finds the outstanding message that an answer belongs to. What asks for no answer has none.
func (l *Link) match(id []byte) *message {
	for _, m := range l.out {
		if m.env.Answer != answerNone && m.env.Fits(id) {
			return m
		}
	}
	return nil
}

// only is the outstanding message, if there is one alone and it asks for an answer.
func (l *Link) only() *message {
	if len(l.out) == 1 && l.out[0].env.Answer != answerNone {
		return l.out[0]
	}
	return nil
}

// Frame takes a whole frame from a server; msg is valid during the call.
func (r *Router) Frame(l *Link, msg []byte, now time.Time) {
	if l.gone {
		return
	}
	if isCommit(msg) {
		r.commit(l, msg, now)
	} else {
		r.acknowledged(l, msg, now)
	}
	r.settle(now)
}

// commit takes a commit answer of MLLP release 2: it says that a message is stored, or not, and
// not which.
func (r *Router) commit(l *Link, msg []byte, now time.Time) {
	i := slices.IndexFunc(l.out, func(m *message) bool { return m.env.Answer != answerNone })
	if i < 0 {
		r.stray(l)
		return
	}
	m, ack := l.out[i], AckRefused
	if msg[0] == commitAck {
		ack = AckCommit
		l.accepted(m, now.Add(r.set.AckTimeout))
	}
	l.served++
	r.take(l, m, now)
	r.answered(m, msg, ack, now)
}

// acknowledged takes an HL7 answer.
func (r *Router) acknowledged(l *Link, msg []byte, now time.Time) {
	a, err := readAnswer(msg)
	if err != nil {
		r.stray(l)
		return
	}
	if m := l.match(a.id); m != nil {
		r.answer(l, m, &a, now)
		return
	}
	if e, due, ok := l.expected(&a, now); due {
		r.afterwards(l, e, msg)
		return
	} else if ok {
		r.stray(l)
		return
	}
	if m := l.only(); m != nil && r.set.Loose {
		r.answer(l, m, &a, now)
		return
	}
	r.stray(l)
}

// answer gives a message its answer, or tries another server with it.
func (r *Router) answer(l *Link, m *message, a *answer, now time.Time) {
	l.served++
	if a.negative() {
		codes := a.header.ErrorCodes(a.msg)
		if slices.Contains(codes, hl7.ErrorInternal) {
			r.notice(TroubleInternal, l.Server, m)
		}
		if r.retries(m, a, codes) {
			r.retry(l, m, a, now)
			return
		}
	}
	if r.set.AnswerEach && m.env.Batch && !a.header.Batch() {
		if m.got++; m.got < m.env.Answers {
			m.give(r.buffers.frame(a.msg))
			m.deadline = now.Add(r.set.AckTimeout)
			r.lookAt(m.client)
			return
		}
	}
	if a.accept() {
		l.accepted(m, now.Add(r.set.AckTimeout))
	}
	r.take(l, m, now)
	r.answered(m, a.msg, a.label(), now)
}

// retries tells whether another server is asked after this refusal.
func (r *Router) retries(m *message, a *answer, codes []string) bool {
	return !m.env.Batch && slices.ContainsFunc(r.set.RetryOn, func(v Verdict) bool { return v.Is(string(a.code), codes) })
}

// retry asks another server; the refusal is kept for when there is none.
func (r *Router) retry(l *Link, m *message, a *answer, now time.Time) {
	m.kept, m.keptAck = bytes.Clone(a.msg), a.label()
	m.tried = append(m.tried, l.Server)
	r.take(l, m, now)
	if m.client == nil { // nobody waits for it, and no server has it
		r.conclude(m, m.keptAck, now)
		return
	}
	m.state = waiting
	if r.place(m, now); m.state != done {
		r.notice(TroubleRetry, l.Server, m)
	}
}

// afterwards passes an application answer on that follows an accept acknowledgement. It has no
// place of its own in the client's order, but does not come before that acknowledgement.
func (r *Router) afterwards(l *Link, e later, msg []byte) {
	l.served++
	r.hunger(l.station)
	if e.message == nil || e.client.over {
		return
	}
	r.lookAt(e.client)
	frame := r.buffers.frame(msg)
	if m := e.message; slices.Contains(e.client.queue, m) {
		m.give(frame)
		return
	}
	r.world.Answer(e.client, frame)
	r.buffers.give(frame)
	e.client.later = l
}

// committed passes a client's commit answer on to the connection that gave it an application
// answer last. Others have no meaning and are dropped.
func (r *Router) committed(c *Client, msg []byte, now time.Time) {
	l := c.later
	c.later = nil
	if l == nil || l.gone || l.stuffed {
		return
	}
	frame := r.buffers.frame(msg)
	flushed, ok := r.world.Send(l, frame)
	r.buffers.give(frame)
	l.stuffed = ok && !flushed
	if !ok {
		r.remove(l)
		r.orphan(l, TroubleLost, now)
	}
}

// stray counts an answer that nobody waits for. The connection is closed as soon as nothing is
// outstanding on it: what comes next may be as wrong.
func (r *Router) stray(l *Link) {
	if len(l.out) == 0 {
		r.notice(TroubleStray, l.Server, nil)
		r.dropLink(l)
		return
	}
	l.tainted = true
	r.notice(TroubleMismatch, l.Server, l.out[0])
}

// take takes a message off its connection.
func (r *Router) take(l *Link, m *message, now time.Time) {
	l.out = drop(l.out, m)
	l.used = now
	l.answeredOn(m)
	m.link, m.server = nil, l.Server
	l.Server.Release()
	st := l.station
	if len(l.out) == 0 {
		switch {
		case l.gone:
		case l.tainted || st.counted() > r.set.linksOf(st.server), st.closed && len(st.waiting) == 0 && !l.owes(now):
			r.dropLink(l)
		case st.once && l.served > 0:
			r.rest(l, now)
		}
	}
	r.hunger(st)
}

// answer is what is read of one.
type answer struct {
	header   hl7.Segment
	msg      []byte
	code, id []byte // MSA-1 and MSA-2
}

// readAnswer reads an answer of any type: it must have an MSA.
func readAnswer(msg []byte) (answer, error) {
	header, err := hl7.DecodeHeader(msg)
	if err != nil {
		return answer{}, err
	}
	msa, ok := header.Find(msg, "MSA")
	if !ok {
		return answer{}, errNoMSA
	}
	return answer{header, msg, bytes.TrimSpace(msa.Field(1)), msa.Field(2)}, nil
}

// label is the code as a word of a closed set.
func (a *answer) label() string {
	switch string(a.code) {
	case hl7.ApplicationAccept:
		return hl7.ApplicationAccept
	case hl7.ApplicationError:
		return hl7.ApplicationError
	case hl7.ApplicationReject:
		return hl7.ApplicationReject
	case hl7.CommitAccept:
		return hl7.CommitAccept
	case hl7.CommitError:
		return hl7.CommitError
	case hl7.CommitReject:
		return hl7.CommitReject
	}
	return AckOther
}

// negative tells errors and rejects.
func (a *answer) negative() bool { return len(a.code) == 2 && (a.code[1] == 'E' || a.code[1] == 'R') }

// accept tells an accept acknowledgement, which an application answer may follow.
func (a *answer) accept() bool { return string(a.code) == hl7.CommitAccept }

// fromTransport tells CA, CE and CR, which speak of the message's arrival alone.
func (a *answer) fromTransport() bool { return len(a.code) == 2 && a.code[0] == 'C' }
