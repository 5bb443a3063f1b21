package gateway

import (
	"context"
	"log/slog"
	"time"

	"gantry/balancing"
	"gantry/gateway/dicomgate"
	"gantry/gateway/relay"
	"gantry/protocols/dicom"
)

// outcome is what became of an association that a server was asked for. It is a
// closed set: a metric label.
type outcome int

const (
	outcomeAsking outcome = iota // no server has accepted yet
	outcomeOpen
	outcomeReleased
	outcomeRejected        // by the server, which the client was told
	outcomeUnanswered      // no server answered
	outcomeAbortedByClient // A-ABORT
	outcomeAbortedByServer
	outcomeClientLost // the connection ended without release or abort
	outcomeServerLost
	outcomeIdle     // timeouts.client or timeouts.server
	outcomeCut      // by the gateway: drain deadline, on_down: close, stop
	outcomeEnded    // both sides closed; what they said was not inspected
	outcomeInternal // a fault of the gateway
	outcomes        // their number
)

var outcomeWords = [outcomes]string{
	"asking", "open", "released", "rejected", "unanswered", "aborted-by-client", "aborted-by-server",
	"client-lost", "server-lost", "idle", "cut", "ended", "internal-error",
}

// String gives the metric label.
func (o outcome) String() string { return outcomeWords[o] }

// outcomeOf is what became of an association by the end of its flow.
func (a *association) outcomeOf(end relay.End) outcome {
	switch {
	case a.outcome != outcomeOpen && a.outcome != outcomeAsking:
		return a.outcome
	case a.ride != nil && a.ride.Stage() == dicomgate.Released:
		return outcomeReleased
	case a.ride != nil && a.ride.Stage() == dicomgate.Aborted:
		if by, _ := a.ride.AbortedBy(); by == dicomgate.Server {
			return outcomeAbortedByServer
		}
		return outcomeAbortedByClient
	}
	switch end {
	case relay.ClientReset, relay.ClientClosed:
		return outcomeClientLost
	case relay.ServerReset, relay.ServerClosed:
		return outcomeServerLost
	case relay.ClientIdle, relay.ServerIdle:
		return outcomeIdle
	case relay.Closed:
		return outcomeEnded
	case relay.InternalError:
		return outcomeInternal
	}
	return outcomeCut
}

// Done gives everything back, counts and writes the association's one line.
func (a *association) Done(_ *relay.Flow, r relay.Result) {
	defer a.leave()
	defer a.giveBack()
	a.vip.queue.quit(a)
	switch {
	case a.joined:
		a.conclude(r)
	case r.End == relay.ClientReset, r.End == relay.ClientClosed:
		a.turnAway(refusedLeft, a.lastErr)
	}
}

// conclude is the sum of an association that a server was asked for.
func (a *association) conclude(r relay.Result) {
	accepted := a.outcome == outcomeOpen
	a.outcome = a.outcomeOf(r.End)
	a.gateway.metrics.associations.WithLabelValues(a.service.cfg.Name, a.backend.server.Name(), a.outcome.String()).Inc()
	if accepted {
		a.judge(r.End)
	}
	a.log(r)
}

// judge holds an association's end against its server, or for it.
func (a *association) judge(end relay.End) {
	lost := a.outcome == outcomeServerLost
	if lost && end == relay.ServerReset {
		a.backend.server.AddFailure(balancing.Reset)
	}
	switch {
	case lost && !a.garbled() && !a.idle() && !a.unseen(end):
		a.suspect(hungUp)
	case a.ride == nil:
	case a.blames():
		a.suspect(failing)
	case a.ride.Healthy() && !a.blamed:
		a.backend.credit()
	}
}

// blames tells that the server did something wrong by itself.
func (a *association) blames() bool {
	_, bad := a.ride.Blame()
	return bad
}

// idle tells that the client waits for nothing: a server may close an association
// in which nothing happens.
func (a *association) idle() bool {
	if a.ride == nil {
		return false
	}
	n, known := a.ride.Outstanding()
	return known && n == 0
}

// unseen tells that a server closed in order while what its client sent was out of
// sight: an A-ABORT in bulk, as of a person who cancels, is answered so. A server
// that dies there resets the connection, because it leaves bytes unread.
func (a *association) unseen(end relay.End) bool {
	if a.ride == nil || end != relay.ServerClosed {
		return false
	}
	_, known := a.ride.Outstanding()
	return !known
}

// garbled tells that the client sent what makes no sense: a server may well hang
// up on that.
func (a *association) garbled() bool { return a.ride != nil && a.ride.Trouble(dicomgate.Client) != nil }

// suspect holds a failure against the server, once an association.
func (a *association) suspect(s symptom) {
	if !a.blamed {
		a.blamed = true
		a.gateway.met(a.backend, s, a.source.Addr())
	}
}

// Response counts what a peer answered to a request.
func (a *association) Response(r dicomgate.Response) {
	m := a.gateway.metrics
	m.responded(a.service.cfg.Name, a.backend.server.Name(), r)
	if r.From != dicomgate.Server {
		return
	}
	if _, bad := r.Blame(); bad {
		a.suspect(failing)
	} else if r.Class == dicom.ClassSuccess && !a.blamed {
		a.backend.credit()
	}
}

// silent tells that the server has owed a response for longer than it may.
// It is called from any goroutine.
func (a *association) silent(now time.Time, most time.Duration) bool {
	if a.flow.Stalled(relay.Client) {
		// It is the client that does not read.
		a.owes.Store(0)
	}
	since := a.owes.Load()
	// Once is enough for one request.
	return since != 0 && now.UnixNano()-since > int64(most) && a.owes.CompareAndSwap(since, 0)
}

func (a *association) log(r relay.Result) {
	level := slog.LevelDebug
	switch {
	case a.outcome == outcomeServerLost, a.outcome == outcomeAbortedByServer, a.blamed:
		// What a server did wrong is worth a line of its own now and then.
		a.backend.quiet.Do(func() { level = slog.LevelWarn })
	}
	if a.service.sessions && level < slog.LevelInfo {
		level = slog.LevelInfo
	}
	log := a.gateway.log
	if !log.Enabled(context.Background(), level) {
		return
	}
	attrs := []any{
		"service", a.service.cfg.Name, "server", a.backend.server.Name(), "client", a.source.String(),
		"called_ae", a.calledAE, "calling_ae", a.callingAE, "outcome", a.outcome.String(),
		"bytes_in", r.In, "bytes_out", r.Out, "took", r.Took.Round(time.Millisecond), "reason", string(r.End),
	}
	if a.ride != nil {
		sum := a.ride.Summary()
		attrs = append(append(attrs, "objects", sum.Stored+sum.Sent), a.ride.Attributes()...)
	}
	if len(a.tried) > 0 {
		attrs = append(attrs, "servers_tried", len(a.tried)+1)
	}
	log.Log(context.Background(), level, "association ended", attrs...)
}
