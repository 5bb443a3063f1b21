package gateway

import (
	"errors"
	"net/netip"
	"time"

	"gantry/balancing"
	"gantry/gateway/dicomgate"
	"gantry/gateway/relay"
	"gantry/protocols/dicom"
)

// tryNext picks a server that was not tried yet and dials it.
func (a *association) tryNext() {
	server, err := a.pick()
	switch {
	case err == nil:
		a.vip.queue.quit(a)
		a.dial(server)
	case a.refusal != nil:
		a.passOn(outcomeRejected)
	case errors.Is(err, balancing.ErrFull):
		a.wait(needPlace, refusedFull)
	case a.local:
		a.deny(refusedLocal, dicomgate.NoServer(), a.lastErr)
	default:
		a.deny(refusedNoServer, dicomgate.NoServer(), a.lastErr)
	}
}

func (a *association) pick(also ...*balancing.Server) (*balancing.Server, error) {
	tried := append(a.tried[:len(a.tried):len(a.tried)], also...)
	return a.route.pool.Pick(balancing.Request{Key: a.key, Now: time.Now(), Tried: tried})
}

// dial connects to a server that has been picked.
func (a *association) dial(server *balancing.Server) {
	a.backend = a.service.byServer[server]
	a.sent = a.requestFor(a.backend)
	addr, ok := a.backend.target(a.conn.Local.Port())
	if !ok {
		a.failed(balancing.Unreachable, errUnresolved)
		a.tryNext()
		return
	}
	a.flow.First(a.sent)
	a.flow.Dial(addr)
}

// requestFor is the request as that server gets it: byte for byte what the client
// sent, unless titles are to be rewritten.
func (a *association) requestFor(b *backend) []byte {
	called, calling := a.service.aeTitle[b], a.route.callingAE
	if called == "" && calling == "" {
		return a.raw
	}
	return dicomgate.RewriteTitles(a.raw, called, calling)
}

// Dialed counts a failed dial and goes to the next server; nothing was sent yet.
func (a *association) Dialed(_ *relay.Flow, _ netip.AddrPort, took time.Duration, err error) {
	a.gateway.metrics.dialed(a.service.cfg.Name, took)
	if err != nil {
		a.failed(failureOf(err), err)
		a.tryNext()
		return
	}
	a.joined = true
	if why := a.backend.join(a.session); why != "" {
		a.letGo()
		a.tryNext()
		return
	}
	a.asked++
	a.askedAt = time.Now()
}

// Answered reads what the server says to the request.
func (a *association) Answered(f *relay.Flow, b []byte) bool {
	reply, err := dicomgate.ReadReply(b)
	switch {
	case err != nil:
		a.lastErr = err
		a.suspect(unanswered)
		a.giveUp(nil)
	case reply.Kind == dicomgate.Unfinished:
	case reply.Kind == dicomgate.Accepted:
		a.accepted(f, b, reply)
		return true
	case reply.Kind == dicomgate.Rejected:
		a.rejected(b[:reply.Len], reply.Reject)
	default:
		a.suspect(unanswered)
		a.giveUp(b[:reply.Len])
	}
	return false
}

// accepted begins the association. From here on nothing is asked elsewhere.
func (a *association) accepted(f *relay.Flow, b []byte, reply dicomgate.Reply) {
	if &a.sent[0] != &a.raw[0] {
		dicomgate.RestoreTitles(b, a.raw)
	}
	if a.service.cfg.DICOM.Inspect {
		a.ride = dicomgate.NewAssociation(a.rq, reply.AC, dicomgate.Options{Listener: a})
		a.ride.FromServer(b[reply.Len:])
	} else {
		f.StopReading()
		a.backend.credit()
	}
	a.outcome = outcomeOpen
	a.raw, a.rq, a.sent, a.refusal = nil, nil, nil, nil
	a.conn.Release()
	if a.ride != nil {
		a.follow(f) // what came in one piece with the answer may be the end
	}
}

// rejected passes a permanent reject on. A transient one says that another server
// may do better.
func (a *association) rejected(words []byte, r dicom.Reject) {
	a.gateway.metrics.rejected(a.service.cfg.Name, a.backend.server.Name(), r)
	if !r.Transient() {
		a.backend.credit()
		a.refusal = words
		a.passOn(outcomeRejected)
		return
	}
	if r == dicom.RejectCongestion || r == dicom.RejectLocalLimit {
		a.suspect(turnedAway)
	}
	// The server is only busy: what is remembered of this client stays.
	a.key = balancing.Key{}
	a.giveUp(words)
}

// Unanswered goes to the next server.
func (a *association) Unanswered(f *relay.Flow, err error) {
	a.lastErr = err
	switch {
	case errors.Is(err, relay.ErrAnswerTimeout):
		a.late(f)
	case errors.Is(err, relay.ErrWithdrawn):
		a.asked-- // like a failed dial: nothing that the server said
		f.Tell(lost)
		a.giveUp(nil)
	default:
		a.backend.server.AddFailure(balancing.Reset)
		a.suspect(mute)
		a.giveUp(nil)
	}
}

// late leaves a server that does not answer. When there is no other, it is waited
// for: it may only be slow.
func (a *association) late(f *relay.Flow) {
	a.suspect(unanswered)
	next := a.another()
	if left := a.service.cfg.Timeouts.Handshake - time.Since(a.askedAt); next == nil && left > 0 {
		f.Await(left)
		return
	}
	f.Tell(lost) // nobody waits any more, should it wake up
	a.backend.server.AddFailure(balancing.Timeout)
	if next == nil {
		a.passOn(outcomeUnanswered)
		return
	}
	a.leaveFor(next)
}

// giveUp leaves a server that does not accept now, with its own words, which the
// client gets when nobody else does better.
func (a *association) giveUp(words []byte) {
	what := outcomeUnanswered
	if words != nil {
		a.refusal, what = append([]byte(nil), words...), outcomeRejected
	}
	if next := a.another(); next != nil {
		a.leaveFor(next)
		return
	}
	a.passOn(what)
}

// another picks a server beside the present one. It is nil when there is none, or
// when enough were asked.
func (a *association) another() *balancing.Server {
	if a.asked > a.service.cfg.DICOM.RetryAssociate {
		return nil
	}
	next, _ := a.pick(a.backend.server)
	return next
}

// leaveFor asks another server, which has been picked.
func (a *association) leaveFor(next *balancing.Server) {
	a.gateway.metrics.retried(a.service.cfg.Name, a.backend.server.Name())
	a.letGo()
	a.dial(next)
}

// letGo gives a server back that was asked.
func (a *association) letGo() {
	b := a.backend
	b.part(a.session)
	b.server.Release()
	a.backend, a.joined, a.blamed = nil, false, false
	a.tried = append(a.tried, b.server)
	a.vip.queue.freed(b.server, "")
}

// passOn ends the association with the last words that a server had for the client,
// or with the gateway's own when none had any. what became of it at the present
// server is counted there.
func (a *association) passOn(what outcome) {
	a.outcome = what
	switch {
	case a.refusal == nil:
		a.deny(refusedNoServer, dicomgate.NoServer(), a.lastErr)
		return
	case !a.joined: // the dials that followed have failed
		a.turnAway(refusedNoServer, a.lastErr)
	}
	a.dismiss(a.refusal)
}
