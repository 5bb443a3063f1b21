package gateway

import (
	"errors"
	"net/netip"
	"time"

	"gantry/balancing"
	"gantry/gateway/mllpgate"
	"gantry/gateway/relay"
	"gantry/protocols"
)

// receiver is one connection to a server of an exchange.
type receiver struct {
	exchange *exchange
	link     *relay.Link
	end      *mllpgate.Link
	backend  *backend
	half     half
	heard    bool // it has answered
	over     bool
}

// Interface guard.
var _ relay.LinkHandler = (*receiver)(nil)

// Dial opens a connection.
func (x *exchange) Dial(l *mllpgate.Link) {
	b := x.backends[l.Server]
	s := &receiver{exchange: x, end: l, backend: b}
	s.half.spares = &x.spares
	l.State = s
	x.receivers[s] = struct{}{}
	addr, ok := b.target(l.Port)
	if !ok {
		x.do(func(now time.Time) { s.failed(errUnresolved, now) })
		return
	}
	s.link = x.desk.Load().Dial(addr, x.svc.cfg.Timeouts.Connect, s)
}

// Dialed tells how that went.
func (s *receiver) Dialed(_ *relay.Link, took time.Duration, err error) {
	x := s.exchange
	if s.over {
		return
	}
	x.gateway.metrics.dialed(x.name, took)
	if err != nil {
		s.failed(err, x.now())
	} else {
		x.router.Dialed(s.end, nil, x.now())
	}
	x.after()
}

// failed tells of a dial that came to nothing.
func (s *receiver) failed(err error, now time.Time) {
	if s.over {
		return
	}
	x, b := s.exchange, s.backend
	s.over = true
	delete(x.receivers, s)
	why := balancing.Unreachable
	if !errors.Is(err, errUnresolved) {
		why = failureOf(err)
	}
	b.server.AddFailure(why)
	if why != balancing.Local {
		x.gateway.met(b, failedDial, netip.Addr{})
	}
	x.gateway.log.Debug("dial failed", "service", x.name, "server", b.server.Name(), "reason", why.String(), "err", err.Error())
	x.router.Dialed(s.end, err, now)
}

// Received takes bytes in.
func (s *receiver) Received(_ *relay.Link, b []byte) {
	x, h := s.exchange, &s.half
	now := x.now()
	h.decoder.Max = x.svc.cfg.MLLP.MaxMessage // of today
	b = h.add(b)
	for !s.over {
		msg, n, err := h.decoder.Next(b)
		b = b[n:]
		if errors.Is(err, protocols.ErrShort) {
			break
		}
		if err != nil {
			sentence := "server connection closed: what it answered is not MLLP"
			if tooLarge(err) {
				sentence = "server connection closed: its answer is larger than mllp.max_message"
			}
			x.gateway.log.Warn(sentence, "service", x.name, "server", s.backend.server.Name(), "err", err.Error())
			s.lost(now)
			break
		}
		s.frame(msg, now)
	}
	x.counts.oddities(&h.decoder.Stats)
	if !s.over {
		if !h.keep(b, now) {
			s.lost(now)
		} else {
			x.wait(s, h)
			if h.decoder.Partial() { // the rest may wait for it
				s.link.QuickAck()
			}
		}
	}
	x.after()
}

func (s *receiver) frame(msg []byte, now time.Time) {
	if !s.heard {
		s.heard = true
		s.backend.credit()
	}
	s.exchange.router.Frame(s.end, msg, now)
}

// overdue lets an answer that lacks its last byte alone be whole; for others the time of the
// message runs.
func (s *receiver) overdue(now time.Time) {
	if s.over || now.Sub(s.half.last) < lastByte {
		return
	}
	if msg, _, ok := s.half.decoder.Flush(s.half.buf); ok {
		_ = s.half.keep(nil, now)
		s.exchange.unwait(s)
		s.frame(msg, now)
	}
}

// Finished is the server's FIN: nothing more can be answered there.
func (s *receiver) Finished(*relay.Link) {
	now := s.exchange.now()
	if msg, _, ok := s.half.decoder.Flush(s.half.buf); ok {
		_ = s.half.keep(nil, now)
		s.frame(msg, now)
	}
	s.lost(now)
	s.exchange.after()
}

// Lost is the end of the connection.
func (s *receiver) Lost(*relay.Link, error) {
	s.backend.server.AddFailure(balancing.Reset)
	s.lost(s.exchange.now())
	s.exchange.after()
}

func (s *receiver) lost(now time.Time) {
	if s.over {
		return
	}
	s.close()
	s.exchange.router.Lost(s.end, now)
}

// close gives the connection back.
func (s *receiver) close() {
	s.over = true
	if s.link != nil {
		s.link.Close()
	}
	delete(s.exchange.receivers, s)
	s.exchange.unwait(s)
	s.half.release()
}

// Flushed is that the server has taken what was written.
func (s *receiver) Flushed(*relay.Link) {
	s.exchange.router.Flushed(s.end, s.exchange.now())
	s.exchange.after()
}

// Send writes one frame.
func (x *exchange) Send(l *mllpgate.Link, frame []byte) (flushed, ok bool) {
	s := l.State.(*receiver)
	if l.Outstanding() == 0 && !s.idle(l) {
		s.close()
		return false, false
	}
	flushed, err := s.link.Write(frame)
	if err != nil {
		s.close()
		return false, false
	}
	s.backend.server.AddBytes(int64(len(frame)), 0)
	return flushed, true
}

// idle tells whether an unused connection can take a message: the server has not ended it, nor said
// what nobody asked for. What has come and is not read yet may be an application answer that is due.
func (s *receiver) idle(l *mllpgate.Link) bool {
	return s.link.Quiet() || l.Owes(s.exchange.now()) && !s.link.Ended()
}

// Drop closes a connection.
func (x *exchange) Drop(l *mllpgate.Link) { l.State.(*receiver).close() }
