package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"gantry/balancing"
	"gantry/gateway/dicomgate"
	"gantry/gateway/engine"
	"gantry/gateway/relay"
	"gantry/protocols/dicom"
)

// Ends of a session that the gateway decides, beside those of package relay.
const (
	endServerDown relay.End = "server-down"    // on_down: close
	endDrained    relay.End = "drain-deadline" // timeouts.drain is over
	endMoved      relay.End = "service-moved"  // a reload gave the address to another protocol
	endFrame      relay.End = "frame-timeout"  // mllp.frame_timeout
	endMemory     relay.End = "memory-limit"   // too many bytes of messages that are not whole
)

// session is one client connection. Until it is handed to the relay it lives
// on its listener's loop, from then on its relay loop.
type session struct {
	gateway *Gateway
	port    *port
	conn    *engine.Conn // until its first unit is out of memory
	service *service     // the generation it began under
	vip     *vip         // where it is counted
	source  netip.AddrPort
	over    refusal
	isOver  bool // admitted only to be told so in its protocol
	counted bool // in the vip's count of its source
	first   error

	flow    *relay.Flow
	backend *backend // whose server is acquired
	joined  bool
	heard   bool // the server has answered
	tried   []*balancing.Server
	lastErr error // of the dials
	local   bool  // all of them failed because of this machine

	association *association // of a dicom client; nil for others
	calledAE    string
	callingAE   string
	began       time.Time
	moved       atomic.Int64 // bytes, both ways

	prev, next *session // in the backend's list
}

// Interface guard.
var _ relay.Handler = (*session)(nil)

// admit applies the limits of the service. A client of a dicom service that is
// over them is let in so far that it can be told by an A-ASSOCIATE-RJ.
func (s *session) admit() error {
	svc := s.service
	why, ok := s.vip.enter(svc.cfg.Limits, s.source.Addr())
	switch {
	case ok:
		s.counted = svc.cfg.Limits.ConnectionsPerSource > 0
	case svc.cfg.Protocol == "dicom" && s.vip.tell():
		s.over, s.isOver = why, true
		return nil
	default:
		return s.gateway.turnAway(svc, s.source, why, nil)
	}
	if svc.cfg.Protocol == "mllp" && !svc.perMessage() && !svc.pool.Usable() {
		s.vip.leave(s.source.Addr(), s.counted)
		return s.gateway.turnAway(svc, s.source, refusedNoServer, nil)
	}
	return nil
}

// start hands the client to the relay, which calls Begin.
func (s *session) start(fd int, first []byte, err error) {
	if s.service.perMessage() || s.port.service.Load().perMessage() {
		s.exchange(fd, first)
		return
	}
	t := s.service.cfg.Timeouts
	c := relay.Config{
		Client: fd, First: first, Handler: s,
		Limits: relay.Limits{Connect: t.Connect, ClientIdle: t.Client, ServerIdle: t.Server},
	}
	s.first, s.began = err, time.Now()
	if s.service.cfg.Protocol == "dicom" {
		a := &association{session: s, raw: first}
		s.association = a
		if err == nil {
			a.rq, s.first = s.read(first)
		}
		if a.rq != nil {
			s.calledAE, s.callingAE = a.rq.CalledAE, a.rq.CallingAE
		}
		c.Handler, c.Limits.Answer = a, s.service.cfg.DICOM.AssociateTimeout
	}
	s.gateway.relay.Adopt(c)
}

// exchange hands the client to the switchboard of the service in force, with what was read of it: a
// client that said nothing for an hour may have come before messages were routed. A reload may have
// taken the switchboard away, too.
func (s *session) exchange(fd int, first []byte) {
	s.began = time.Now()
	if b := s.port.service.Load().vip.switchboard.Load(); b != nil {
		b.take(s, fd, first)
		return
	}
	_ = unix.Close(fd)
	s.leave()
}

// read looks into the request. A decoder that panics costs this client alone:
// the connection is ours already, so nobody else would close it.
func (s *session) read(first []byte) (rq *dicom.AssociateRQ, err error) {
	defer func() {
		if v := recover(); v != nil {
			s.gateway.enginePanicked(v)
			err = dicomgate.ErrMalformed
		}
	}()
	return dicomgate.Read(first)
}

// enter takes the session in on its loop. The generation of the configuration
// that is in force now is the session's: a client may have been silent for an
// hour since it was accepted. It returns false when the session is over.
func (s *session) enter(f *relay.Flow) bool {
	s.flow = f
	now := s.port.service.Load()
	moved := now.unit() != s.service.unit()
	s.service = now
	if moved {
		s.flow.Reset(endMoved)
	}
	return !moved
}

// Begin dials, where nothing has to be judged first.
func (s *session) Begin(f *relay.Flow) {
	if s.enter(f) {
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
			s.refuse(refusedFull, s.lastErr)
			return
		case err != nil && s.local:
			s.refuse(refusedLocal, s.lastErr)
			return
		case err != nil:
			s.refuse(refusedNoServer, s.lastErr)
			return
		}
		s.backend = s.service.byServer[server]
		if addr, ok := s.backend.target(s.conn.Local.Port()); ok {
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
	s.conn.Release()
	s.joined = true
	if why := s.backend.join(s); why != "" {
		s.flow.Reset(why)
	}
}

// failed gives the server back and has it checked at once.
func (s *session) failed(why balancing.Failure, err error) {
	b := s.backend
	s.backend = nil
	b.server.AddFailure(why)
	b.server.Release()
	s.local = why == balancing.Local && (s.local || len(s.tried) == 0)
	s.tried, s.lastErr = append(s.tried, b.server), err
	if why != balancing.Local {
		s.gateway.met(b, failedDial, s.source.Addr())
	}
	s.gateway.log.Debug("dial failed", "service", b.service, "server", b.server.Name(),
		"client", s.source.String(), "reason", why.String(), "err", err.Error())
}

// refuse ends the session. The connection is closed at once: neither TCP nor
// MLLP has words for it.
func (s *session) refuse(why refusal, err error) {
	_ = s.gateway.turnAway(s.service, s.source, why, err)
	s.flow.Refuse(nil)
}

// Moved counts bytes while the session runs.
func (s *session) Moved(in, out int64) {
	s.backend.server.AddBytes(in, out)
	s.moved.Add(in + out)
	if out > 0 && !s.heard {
		s.heard = true
		s.backend.credit()
	}
}

// Done gives everything back and writes the session's one line.
func (s *session) Done(_ *relay.Flow, r relay.Result) {
	switch {
	case s.joined:
		s.log(r)
		s.backend.part(s)
	case r.End == relay.ClientReset:
		_ = s.gateway.turnAway(s.service, s.source, refusedLeft, s.lastErr)
	}
	if s.backend != nil {
		if r.End == relay.ServerReset {
			s.backend.server.AddFailure(balancing.Reset)
			if r.Out == 0 {
				s.gateway.met(s.backend, mute, s.source.Addr())
			}
		}
		s.backend.server.Release()
	}
	s.leave()
}

// leave undoes what Open counted.
func (s *session) leave() {
	s.conn.Release()
	if s.isOver {
		s.vip.stopTelling()
	} else {
		s.vip.leave(s.source.Addr(), s.counted)
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
		"bytes_in", r.In, "bytes_out", r.Out, "took", r.Took.Round(time.Millisecond), "reason", string(r.End),
	}
	s.gateway.log.Log(context.Background(), level, "session ended", attrs...)
}
