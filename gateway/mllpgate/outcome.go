package mllpgate

import (
	"errors"
	"slices"
	"strconv"
	"time"

	"gantry/balancing"
	"gantry/protocols/hl7"
	"gantry/protocols/mllp"
)

var errNoMSA = errors.New("answer without an MSA segment")

const commitAck = mllp.CommitAck

// What the gateway's own answers say, for people.
const (
	textNoServer = "no receiver is usable; send again"
	textUnknown  = "the receiver did not answer; it may have the message"
	textBehind   = "not sent, because a message before it was not answered; send again"
	textRejected = "not accepted here"
)

// give adds frames to what the client is to get.
func (m *message) give(frames []byte) {
	m.out += len(frames) - framing
	for _, t := range m.twins {
		t.answer = append(t.answer, frames...)
	}
	if m.answer == nil {
		m.answer = frames
		return
	}
	m.answer = append(m.answer, frames...)
}

// answered ends a message with a server's answer.
func (r *Router) answered(m *message, msg []byte, ack string, now time.Time) {
	m.give(r.buffers.frame(msg))
	r.conclude(m, ack, now)
}

// conclude ends a message: those behind it have their turn, its client learns of it.
func (r *Router) conclude(m *message, ack string, now time.Time) {
	m.state = done
	r.active--
	r.tell(m, m.server, ack, now)
	r.order.leave(m, func(next *message) { r.lookAt(next.client) })
	r.landed(m)
	if m.client != nil {
		r.lookAt(m.client)
		return
	}
	r.store(m, now)
	r.free(m)
}

func (r *Router) tell(m *message, server *balancing.Server, ack string, now time.Time) {
	o := Outcome{
		Client: m.source.addr, Server: server, Envelope: &m.env, Ack: ack, In: m.bytes(), Out: m.out,
		Took: now.Sub(m.received), Waited: now.Sub(m.received),
	}
	if !m.sentAt.IsZero() {
		o.Waited = m.sentAt.Sub(m.received)
	}
	switch ack {
	case AckNone, AckNAK, AckClosed, AckUnknown, AckWithdrawn, AckDuplicate, AckRejected:
	default:
		o.Answered = now.Sub(m.sentAt)
	}
	r.world.Tell(&o)
}

func (r *Router) notice(t Trouble, server *balancing.Server, m *message) {
	n := Notice{Trouble: t, Server: server}
	if m != nil {
		n.Client, n.Envelope = m.source.addr.Addr(), &m.env
	}
	r.world.Notice(n)
}

// free gives the memory of a message back that nobody will ask for.
func (r *Router) free(m *message) {
	r.guard.grounded(m)
	r.bytes -= len(m.frame)
	r.buffers.give(m.frame)
	m.frame, m.env = nil, Envelope{}
}

// hold keeps a message until a server can be used.
func (r *Router) hold(m *message, now time.Time) {
	if m.heldFrom.IsZero() {
		m.heldFrom = now
	}
	if now.Sub(m.heldFrom) >= r.set.Hold {
		if m.doubt {
			r.fail(m, Close, AckUnknown, WhyUnknown, now)
		} else {
			r.fail(m, r.set.OnNoServer, AckClosed, WhyNoServer, now)
		}
		return
	}
	m.state, m.retryAt = held, now.Add(retryHeld)
	r.held, r.wereHeld = append(r.held, m), true
}

// served has the time to hold begin anew for those that wait for a place, where a server is there.
func (r *Router) served(st *station) {
	if !r.wereHeld {
		return
	}
	r.wereHeld = len(r.held) > 0
	for _, m := range st.waiting {
		m.heldFrom = time.Time{}
	}
	for k, c := range r.crowds {
		if k.port == st.port && r.set.Routes[k.route].Pool.Has(st.server) {
			for _, m := range c.messages {
				m.heldFrom = time.Time{}
			}
		} else {
			r.wereHeld = r.wereHeld || len(c.messages) > 0
		}
	}
}

// holding gives held messages another try, or up.
func (r *Router) holding(now time.Time) {
	for _, m := range slices.Clone(r.held) {
		if m.state != held || now.Before(m.retryAt) && now.Sub(m.heldFrom) < r.set.Hold {
			continue
		}
		r.tryAgain(m, now)
	}
}

// retryAllHeld does so for all of them: a server's state has changed.
func (r *Router) retryAllHeld(now time.Time) {
	for _, m := range slices.Clone(r.held) {
		if m.state == held {
			r.tryAgain(m, now)
		}
	}
}

func (r *Router) tryAgain(m *message, now time.Time) {
	r.withdraw(m)
	m.tried = nil
	r.place(m, now)
}

// unknown decides about a message that was sent, in part at least, and not answered.
func (r *Router) unknown(m *message, why Trouble, now time.Time) {
	server := m.link.Server
	m.link, m.server = nil, server
	server.Release()
	r.notice(why, server, m)
	policy := r.set.OnUnknownOutcome
	m.kept = nil // what another one said before does not tell what became of it
	if policy == Resend && m.client != nil && m.got == 0 && m.sends < maxSends {
		m.state, m.tried, m.doubt = waiting, []*balancing.Server{server}, true
		r.place(m, now)
		return
	}
	if policy == Resend {
		policy = Close
	}
	m.state = waiting // in nobody's hands
	r.fail(m, policy, AckUnknown, WhyUnknown, now)
}

// fail ends a message without a server's answer, and with it those behind it, of its connection
// or its keys, that were not sent: the sender sends them again in their order, which must not
// find a later one done.
func (r *Router) fail(first *message, policy Policy, ack string, why Why, now time.Time) {
	for _, m := range together(first) {
		r.withdraw(m)
		if m != first {
			ack = AckClosed
		}
		r.dispose(m, policy, ack, why, now)
	}
}

// together is a message and all unsent ones behind it, of its connection and its keys, and behind
// those. Each is looked at once: it may be thousands.
func together(first *message) []*message {
	list := []*message{first}
	first.ending = true
	add := func(behind []*message) {
		for _, n := range behind {
			if n.unsent() && !n.ending {
				n.ending = true
				list = append(list, n)
			}
		}
	}
	queues, clients := map[*queue]uint64{}, map[*Client]uint64{} // from which number on they are in the list
	for i := 0; i < len(list); i++ {
		m := list[i]
		for _, q := range m.queues {
			if from, ok := queues[q]; !ok || m.number < from {
				queues[q] = m.number
				add(behind(q.messages, m))
			}
		}
		if from, ok := clients[m.client]; m.client != nil && (!ok || m.place < from) {
			clients[m.client] = m.place
			add(behind(m.client.queue, m))
		}
	}
	return list
}

// behind are the messages of a queue that stand behind m.
func behind(queue []*message, m *message) []*message {
	return queue[slices.Index(queue, m)+1:]
}

// dispose ends one message as the policy says: by an answer of the gateway's own, or by closing the
// connection where that cannot be.
func (r *Router) dispose(m *message, policy Policy, ack string, why Why, now time.Time) {
	text := textNoServer
	switch {
	case ack == AckUnknown:
		text = textUnknown
	case why == WhyUnknown:
		text = textBehind
	}
	code := map[Policy]string{NakAE: hl7.ApplicationError, NakAR: hl7.ApplicationReject}[policy]
	if code != "" && r.nak(m, code, hl7.ErrorInternal, text, now) {
		if ack == AckClosed {
			ack = AckNAK
		}
		r.conclude(m, ack, now)
		return
	}
	r.shut(m, ack, why, now)
}

// shut ends a message by the end of its connection.
func (r *Router) shut(m *message, ack string, why Why, now time.Time) {
	m.silent, m.why = true, why
	if m.client != nil {
		r.ending(m.client, why)
	}
	r.conclude(m, ack, now)
}

// nak gives a message an answer of the gateway's own, if it can have one.
func (r *Router) nak(m *message, code, errorCode, text string, now time.Time) bool {
	r.lastID++
	id := "GANTRY" + strconv.FormatInt(now.UnixMilli(), 36) + "-" + strconv.FormatUint(r.lastID, 10)
	answer, ok := AppendNAK(nil, &m.env, code, errorCode, text, id, now)
	if ok {
		m.own = true
		m.give(r.buffers.frame(answer))
	}
	return ok
}

// reject answers as a route says.
func (r *Router) reject(m *message, v *Verdict, now time.Time) {
	switch rejected := r.nak(m, v.Code, v.Error, textRejected, now); {
	case rejected:
		r.conclude(m, AckNAK, now)
	case m.env.Batch || m.env.Header.AnswerError() != answerNone:
		r.shut(m, AckClosed, WhyRejected, now)
	default: // it wants no such answer
		r.conclude(m, AckRejected, now)
	}
}
