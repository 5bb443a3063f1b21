package gateway

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"gantry/balancing"
	"gantry/gateway/dicomgate"
	"gantry/gateway/relay"
	"gantry/protocols/dicom"
)

// association is the session of a dicom client: it has sent a whole
// A-ASSOCIATE-RQ. Its methods are called on its relay loop.
type association struct {
	*session
	raw   []byte             // the request as the client sent it
	rq    *dicom.AssociateRQ // until the association is accepted
	route *route
	key   balancing.Key
	title string // calling AE title as it is counted; counted says whether it is

	counted bool
	given   bool                   // the places are given back
	needs   need                   // while it is in the queue, whose lock guards it
	until   time.Time              // end of the wait for a place; zero while it does not wait
	asked   int                    // servers that got the request
	askedAt time.Time              // when the present one got it
	sent    []byte                 // what the present one got
	refusal []byte                 // the last server's own words, when it did not accept
	ride    *dicomgate.Association // from the acceptance on; nil when not inspected
	blamed  bool                   // this server has been blamed for this association
	owes    atomic.Int64           // unix nanoseconds since when the server owes a response; 0 = it does not
	outcome outcome
}

// Interface guards.
var (
	_ relay.Reader       = (*association)(nil)
	_ dicomgate.Listener = (*association)(nil)
)

const (
	// releaseLinger is how long peers may take to close the connection after an
	// association has ended; some never do, and their sockets would pile up.
	releaseLinger = 5 * time.Second
)

// queueLook is how often one that waits for a place looks for itself: places also
// come about by servers that come up and limits that change. Tests change it.
var queueLook = 250 * time.Millisecond

// Begin judges the request before any server hears of it.
func (a *association) Begin(f *relay.Flow) {
	if !a.enter(f) {
		return
	}
	svc := a.service
	switch {
	case a.first != nil:
		a.deny(refusedMalformed, dicomgate.Answer(a.first), a.first)
		return
	case a.isOver:
		a.deny(a.over, dicomgate.Full(), nil)
		return
	}
	if n, _ := dicomgate.Length(a.raw); n < len(a.raw) {
		a.Early(f, a.raw[n:]) // it came in one piece with the request
		return
	}
	if no := svc.cfg.DICOM.Accept.Judge(a.rq); no != nil {
		a.deny(refusalOf(no), no.Append(nil), nil)
		return
	}
	a.title = svc.foldAE(a.rq.CallingAE)
	a.route = svc.routeOf(a.rq, a.source.Addr())
	if a.route.reject != nil {
		a.deny(refusedRoute, a.route.reject.Append(nil), fmt.Errorf("routes[%d]: %s", a.route.index, a.route.reject))
		return
	}
	a.key = svc.keyOf(a.rq.CallingAE, a.source.Addr()).In(a.route.part)
	a.seek()
}

// seek looks for a place: one of its calling AE title's, then one on a server.
func (a *association) seek() {
	q := &a.vip.queue
	if !a.counted {
		if q.before(a, needTitle) || !q.enter(a.title, a.service.cfg.DICOM.AssociationsPerCallingAE) {
			a.wait(needTitle, refusedAE)
			return
		}
		a.counted = true
	}
	if q.before(a, needPlace) {
		a.wait(needPlace, refusedFull)
		return
	}
	a.tryNext()
}

// wait parks the client until there is what it needs, as long as that may take.
func (a *association) wait(what need, why refusal) {
	c, now := a.service.cfg.DICOM, time.Now()
	first := a.until.IsZero()
	if first {
		a.until = now.Add(c.QueueTimeout)
	}
	left := a.until.Sub(now)
	in, fresh := false, false
	if left > 0 {
		in, fresh = a.vip.queue.join(a, what, c.Queue)
	}
	if !in {
		a.deny(why, dicomgate.Full(), a.lastErr)
		return
	}
	if first {
		a.gateway.metrics.queued(a.service.cfg.Name)
	}
	a.flow.Park(min(left, queueLook))
	if fresh {
		a.flow.Wake() // the last place may have become free before this one stood in the queue
	}
}

// Resume looks for a place again.
func (a *association) Resume(*relay.Flow) { a.seek() }

// deny answers in the gateway's own name.
func (a *association) deny(why refusal, answer []byte, err error) {
	a.turnAway(why, err)
	if r, err := dicom.DecodeReject(answer); err == nil {
		a.gateway.metrics.rejected(a.service.cfg.Name, "", r)
	}
	a.dismiss(answer)
}

func (a *association) turnAway(why refusal, err error) {
	_ = a.gateway.turnAway(a.service, a.source, why, err, "called_ae", a.calledAE, "calling_ae", a.callingAE)
}

// dismiss is the last that happens to a client that was not accepted. What it
// held is given back at once: it may take its time to close.
func (a *association) dismiss(answer []byte) {
	a.vip.queue.quit(a)
	a.giveBack()
	a.flow.Refuse(answer)
}

// giveBack returns the places of an association, once.
func (a *association) giveBack() {
	q, title := &a.vip.queue, ""
	if a.counted {
		a.counted, title = false, a.title
		q.leave(title)
	}
	var server *balancing.Server
	if a.backend != nil && !a.given {
		a.given, server = true, a.backend.server
		if a.joined {
			a.backend.part(a.session)
		}
		server.Release()
	}
	q.freed(server, title)
}

// Early ends an association whose client did not wait for the answer: it left,
// aborted, or sent what must not come yet (PS3.8 9.2, state 5).
func (a *association) Early(f *relay.Flow, b []byte) {
	switch {
	case len(b) == 0:
		f.Finish(relay.ClientClosed)
	case dicom.PDUType(b[0]) == dicom.TypeAbort:
		a.outcome = outcomeAbortedByClient
		f.Finish(relay.ClientClosed)
	default:
		f.Tell(lost)
		a.deny(refusedMalformed, dicomgate.Unexpected(), errSpokeEarly)
	}
}

var errSpokeEarly = errors.New("data before the association was accepted")

// lost is the A-ABORT of a gateway whose other side is gone.
var lost = dicom.AbortProvider.Append(nil)

// Passed reads along.
func (a *association) Passed(f *relay.Flow, from relay.Side, b []byte) {
	if a.ride == nil {
		return
	}
	if from == relay.Server {
		a.ride.FromServer(b)
	} else {
		a.ride.FromClient(b)
	}
	a.follow(f)
}

// Skipped keeps count of what passes unseen.
func (a *association) Skipped(f *relay.Flow, from relay.Side, n int) {
	switch {
	case a.ride == nil:
	case from == relay.Server:
		a.ride.SkippedFromServer(n)
	default:
		a.ride.SkippedFromClient(n)
		if a.service.cfg.DICOM.ResponseTimeout > 0 {
			a.clock()
		}
	}
}

// follow draws conclusions from what was read.
func (a *association) follow(f *relay.Flow) {
	if a.isEnded() {
		f.Expire(releaseLinger)
	}
	if a.service.cfg.DICOM.ResponseTimeout > 0 {
		a.clock()
	}
}

// clock notes since when the server owes a response.
func (a *association) clock() {
	if n, known := a.ride.Outstanding(); known && n > 0 {
		a.owes.Store(time.Now().UnixNano())
	} else if a.owes.Load() != 0 {
		a.owes.Store(0)
	}
}

// Ended passes an end on that ends the association as it should. A peer that just
// closes is not one, nor is one that closes instead of agreeing to the release: who
// waits for that hears an A-ABORT.
func (a *association) Ended(f *relay.Flow, from relay.Side) bool {
	if a.ride != nil && (a.ride.Stage() == dicomgate.Open || a.ride.OwesRelease(rideSide(from))) {
		return false
	}
	f.Expire(releaseLinger) // who answers no release, or does not close, is not waited for
	return true
}

// rideSide is a side of the flow in the words of its association.
func rideSide(s relay.Side) dicomgate.Side {
	if s == relay.Server {
		return dicomgate.Server
	}
	return dicomgate.Client
}

// LastWords are A-ABORTs, as far as they fit between two PDUs, or a reject for a
// client that was not accepted yet.
func (a *association) LastWords(_ *relay.Flow, why relay.End) (toClient, toServer []byte) {
	client := why != relay.ClientReset && why != relay.ClientClosed
	server := why != relay.ServerReset && why != relay.ServerClosed
	if !server {
		a.giveBack() // its place is free, however long the client takes
	}
	switch {
	case why == endMoved || a.first != nil || a.isOver:
		return nil, nil
	case a.outcome != outcomeOpen:
		if client {
			toClient = dicomgate.NoServer()
		}
		if a.joined && server {
			toServer = lost
		}
		return toClient, toServer
	case a.ride == nil:
		return nil, nil
	}
	if client {
		toClient = a.farewell(dicomgate.Client)
	}
	if server {
		toServer = a.farewell(dicomgate.Server)
	}
	return toClient, toServer
}

// isEnded tells that the association has been released or aborted.
func (a *association) isEnded() bool {
	stage := a.ride.Stage()
	return stage == dicomgate.Released || stage == dicomgate.Aborted
}

// farewell is what may still be said to a side.
func (a *association) farewell(to dicomgate.Side) []byte {
	switch {
	case a.ride.AtBoundary(to):
		return lost
	case a.isEnded():
		return []byte{} // all is said; there is time to read it
	}
	return nil
}

// Moved counts bytes while the association runs.
func (a *association) Moved(in, out int64) {
	if a.backend != nil {
		a.backend.server.AddBytes(in, out)
	}
	a.moved.Add(in + out)
}

// refusalOf is how a refusal is counted.
func refusalOf(no *dicomgate.Refusal) refusal {
	switch no.Why {
	case dicomgate.WhyCalledAE:
		return refusedCalled
	case dicomgate.WhyCallingAE:
		return refusedCalling
	}
	return refusedMalformed
}
