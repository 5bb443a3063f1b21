package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"time"

	"gantry/balancing"
	"gantry/gateway/dicomgate"
	"gantry/gateway/relay"
)

// Ends of a session that the gateway decides, beside those of package relay.
const (
	endServerDown relay.End = "server-down"    // on_down: close
	endDrained    relay.End = "drain-deadline" // timeouts.drain is over
)

// session is one client connection. Until it is handed to the relay it lives
// on its listener's loop, from then on its relay loop.
type session struct {
	gateway *Gateway
	service *service // the generation it began under
	source  netip.AddrPort
	came    uint16 // the port the client came to
	over    refusal
	isOver  bool // admitted only to be told so in its protocol
	counted bool // in the vip's count of its source
	first   error

	flow    *relay.Flow
	backend *backend // whose server is acquired
	joined  bool
	tried   []*balancing.Server
	titles  dicomgate.Titles

	prev, next *session // in the backend's list
}

// Interface guard.
var _ relay.Handler = (*session)(nil)

// admit applies the limits of the service. A client of a dicom service that is
// over them is let in so far that it can be told by an A-ASSOCIATE-RJ.
func (s *session) admit() error {
	svc := s.service
	why, ok := svc.vip.enter(svc.cfg.Limits, s.source.Addr())
	switch {
	case ok:
		s.counted = svc.cfg.Limits.ConnectionsPerSource > 0
	case svc.cfg.Protocol == "dicom":
		s.over, s.isOver = why, true
		return nil
	default:
		return s.gateway.turnAway(svc, s.source, why, nil)
	}
	if svc.cfg.Protocol == "mllp" && !svc.pool.Usable() {
		svc.vip.leave(s.source.Addr(), s.counted)
		return s.gateway.turnAway(svc, s.source, refusedNoServer, nil)
	}
	return nil
}

// start hands the client to the relay, which calls Begin.
func (s *session) start(fd int, first []byte, err error) {
	if s.service.cfg.Protocol == "dicom" && err == nil {
		s.titles, err = dicomgate.Read(first)
	}
	s.first = err
	t := s.service.cfg.Timeouts
	s.gateway.relay.Adopt(relay.Config{
		Client: fd, First: first, Handler: s,
		Limits: relay.Limits{Connect: t.Connect, ClientIdle: t.Client, ServerIdle: t.Server},
	})
}

// Begin refuses what cannot be served and dials otherwise.
func (s *session) Begin(f *relay.Flow) {
	s.flow = f
	switch {
	case s.first != nil:
		s.refuse(refusedMalformed, s.first)
	case s.isOver:
		s.refuse(s.over, nil)
	default:
		s.tryNext()
	}
}

// tryNext picks a server that was not tried yet and dials it.
func (s *session) tryNext() {
	for {
		server, err := s.service.pool.Pick(balancing.Request{
			Key: balancing.AddrKey(s.source.Addr()), Now: time.Now(), Tried: s.tried,
		})
		switch {
		case errors.Is(err, balancing.ErrFull):
			s.refuse(refusedFull, nil)
			return
		case err != nil:
			s.refuse(refusedNoServer, nil)
			return
		}
		s.backend = s.service.byServer[server]
		if addr, ok := s.backend.target(s.came); ok {
			s.flow.Dial(addr)
			return
		}
		s.failed(balancing.Unreachable, errUnresolved)
	}
}

var errUnresolved = errors.New("the server's name does not resolve")

// Dialed counts a failed dial and goes to the next server within the same
// connection; nothing was sent yet, so that is safe.
func (s *session) Dialed(_ *relay.Flow, _ netip.AddrPort, took time.Duration, err error) {
	s.gateway.metrics.dialed(s.service.cfg.Name, took)
	if err != nil {
		s.failed(failureOf(err), err)
		s.tryNext()
		return
	}
	s.joined = true
	if !s.backend.join(s) {
		s.flow.Abort(endServerDown)
	}
}

// failed gives the server back and has it checked at once.
func (s *session) failed(why balancing.Failure, err error) {
	b := s.backend
	s.backend = nil
	b.server.AddFailure(why)
	b.server.Release()
	s.tried = append(s.tried, b.server)
	if why != balancing.Local {
		s.gateway.super.CheckNow(b.service, b.server.Name())
	}
	s.gateway.log.Debug("dial failed", "service", b.service, "server", b.server.Name(),
		"client", s.source.String(), "reason", why.String(), "err", err.Error())
}

// refuse ends the session with the protocol's own words, where it has some.
func (s *session) refuse(why refusal, err error) {
	_ = s.gateway.turnAway(s.service, s.source, why, err)
	var answer []byte
	if s.service.cfg.Protocol == "dicom" {
		switch why {
		case refusedNoServer:
			answer = dicomgate.NoServer()
		case refusedMalformed:
			answer = dicomgate.Answer(err)
		default:
			answer = dicomgate.Full()
		}
	}
	s.flow.Refuse(answer)
}

// Moved counts bytes while the session runs.
func (s *session) Moved(in, out int64) { s.backend.server.AddBytes(in, out) }

// Done gives everything back and writes the session's one line.
func (s *session) Done(_ *relay.Flow, r relay.Result) {
	if s.joined {
		s.log(r)
		s.backend.part(s)
	}
	if s.backend != nil {
		if r.End == relay.ServerReset {
			s.backend.server.AddFailure(balancing.Reset)
		}
		s.backend.server.Release()
	}
	s.leave()
}

// leave undoes what Open counted.
func (s *session) leave() {
	if !s.isOver {
		s.service.vip.leave(s.source.Addr(), s.counted)
	}
	s.gateway.budget.release()
}

func (s *session) log(r relay.Result) {
	level := slog.LevelDebug
	if s.service.sessions {
		level = slog.LevelInfo
	}
	if !s.gateway.log.Enabled(context.Background(), level) {
		return
	}
	attrs := []any{
		"service", s.service.cfg.Name, "server", s.backend.server.Name(), "client", s.source.String(),
		"bytes_in", r.In, "bytes_out", r.Out, "took", r.Took.Round(time.Millisecond).String(), "reason", string(r.End),
	}
	if s.titles.Called != "" {
		attrs = append(attrs, "called_ae", s.titles.Called, "calling_ae", s.titles.Calling)
	}
	s.gateway.log.Log(context.Background(), level, "session ended", attrs...)
}
