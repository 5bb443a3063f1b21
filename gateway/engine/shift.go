package engine

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/panjf2000/gnet/v2"
	"golang.org/x/sys/unix"
)

// shift is one run of a listener's gnet engine. Its callbacks come from one
// loop, except OnTick; a panic in any of them would end the process, so each
// recovers.
type shift struct {
	gnet.BuiltinEventEngine
	listener *Listener
	booted   chan<- error // until OnBoot

	waiting connList
	loop    atomic.Pointer[gnet.EventLoop] // known from the first connection on
	count   atomic.Int64                   // of waiting
	swept   atomic.Bool                    // a sweep is on its way to the loop
}

// Interface guard.
var _ gnet.EventHandler = (*shift)(nil)

func (s *shift) run() error {
	l := s.listener
	addr := l.addr
	if l.bound.IsValid() { // a restart keeps the port that was chosen before
		addr = l.bound
	}
	return gnet.Run(s, location(addr),
		gnet.WithReusePort(true), // lets the loop accept for itself: no hand-over between threads
		gnet.WithReuseAddr(true),
		gnet.WithNumEventLoop(1),
		gnet.WithTCPNoDelay(gnet.TCPNoDelay),
		gnet.WithTCPKeepAlive(keepAlive),
		gnet.WithTicker(true),
		gnet.WithReadBufferCap(readBuffer),
		gnet.WithLogger(gnetLogger{l.opts.Logger}),
	)
}

// OnBoot learns the bound address and lets Listen return.
func (s *shift) OnBoot(e gnet.Engine) gnet.Action {
	l := s.listener
	l.engine.Store(&e)
	if !l.bound.IsValid() {
		l.bound = boundAddr(e, l.addr)
	}
	if l.isClosing() {
		return gnet.Shutdown
	}
	if s.booted != nil {
		s.booted <- nil
		s.booted = nil
	}
	return gnet.None
}

func boundAddr(e gnet.Engine, asked netip.AddrPort) netip.AddrPort {
	fd, err := e.Dup()
	if err != nil {
		return asked
	}
	defer func() { _ = unix.Close(fd) }()
	sa, err := unix.Getsockname(fd)
	if err != nil {
		return asked
	}
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(asked.Addr(), uint16(sa.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(asked.Addr(), uint16(sa.Port))
	}
	return asked
}

// OnOpen asks the handler for what to expect.
func (s *shift) OnOpen(g gnet.Conn) (_ []byte, action gnet.Action) {
	defer s.recover(&action)
	c := &Conn{Source: sourceOf(g.RemoteAddr()), Local: s.listener.bound, gnet: g}
	expect, err := s.listener.opts.Handler.Open(c)
	if err != nil {
		_ = g.SetLinger(0)
		c.given = true
		g.SetContext(c)
		return nil, gnet.Close
	}
	c.expect = expect
	g.SetContext(c)
	if expect.Head == 0 {
		return nil, s.give(c, nil, nil)
	}
	if expect.Within > 0 {
		c.deadline = time.Now().Add(expect.Within)
	}
	if s.loop.Load() == nil {
		loop := g.EventLoop()
		s.loop.Store(&loop)
	}
	s.waiting.push(c)
	s.count.Add(1)
	return nil, gnet.None
}

// OnTraffic looks whether the first unit is whole, without consuming anything.
func (s *shift) OnTraffic(g gnet.Conn) (action gnet.Action) {
	defer s.recover(&action)
	c, ok := g.Context().(*Conn)
	if !ok || c.given {
		return gnet.Close
	}
	buffered := g.InboundBuffered()
	if buffered == 0 {
		return gnet.None
	}
	head, err := g.Peek(min(buffered, c.expect.Head))
	if err != nil {
		return s.lose(c, ErrClientClosed)
	}
	length, err := c.expect.Length(head)
	if err == nil && buffered < length {
		return s.hold(c, buffered)
	}
	all, peekErr := g.Peek(-1)
	if peekErr != nil {
		return s.lose(c, ErrClientClosed)
	}
	first := make([]byte, len(all))
	copy(first, all)
	return s.give(c, first, err)
}

// hold waits for more and keeps count of what is in memory meanwhile.
func (s *shift) hold(c *Conn, buffered int) gnet.Action {
	counted := int64(max(buffered-FreePending, 0))
	if growth := counted - c.held.Swap(counted); growth > 0 && pendingBytes.Add(growth) > MaxPending {
		return s.lose(c, ErrTooManyBytes)
	}
	return gnet.None
}

// give hands the connection over as a duplicate.
func (s *shift) give(c *Conn, first []byte, err error) gnet.Action {
	if len(first) > 0 {
		_ = s.hold(c, len(first)) // it is whole: let through, and counted until Release
	}
	fd, dupErr := c.gnet.Dup()
	if dupErr != nil {
		return s.lose(c, ErrDescriptors)
	}
	s.forget(c)
	c.given, c.cause = true, nil
	s.listener.opts.Handler.Ready(c, fd, first, err)
	return gnet.Close
}

// lose has the connection closed, with cause told by OnClose.
func (s *shift) lose(c *Conn, cause error) gnet.Action {
	c.cause = cause
	return gnet.Close
}

func (s *shift) forget(c *Conn) {
	if s.waiting.remove(c) {
		s.count.Add(-1)
	}
}

// OnClose tells the handler of connections that were not given away.
func (s *shift) OnClose(g gnet.Conn, err error) (action gnet.Action) {
	defer s.recover(&action)
	c, ok := g.Context().(*Conn)
	if !ok {
		return gnet.None
	}
	c.gnet = nil
	if c.given {
		return gnet.None
	}
	c.given = true
	s.forget(c)
	c.Release()
	s.listener.opts.Handler.Lost(c, s.causeOf(c, err))
	return gnet.None
}

func (s *shift) causeOf(c *Conn, err error) error {
	switch {
	case c.cause != nil:
		return c.cause
	case err == nil:
		return ErrStopped
	case err == io.EOF:
		return ErrClientClosed
	}
	return fmt.Errorf("%w: %w", ErrClientClosed, err)
}

// OnTick sends a sweep to the loop when there is something to sweep.
func (s *shift) OnTick() (time.Duration, gnet.Action) {
	loop := s.loop.Load()
	if loop != nil && s.count.Load() > 0 && s.swept.CompareAndSwap(false, true) {
		if err := (*loop).Execute(context.Background(), gnet.RunnableFunc(s.sweep)); err != nil {
			s.swept.Store(false)
		}
	}
	return sweepInterval, gnet.None
}

// sweep closes the connections whose time is over.
func (s *shift) sweep(context.Context) (err error) {
	var action gnet.Action
	defer s.recover(&action)
	s.swept.Store(false)
	now := time.Now()
	for c := s.waiting.first; c != nil; {
		next := c.next
		if !c.deadline.IsZero() && now.After(c.deadline) {
			c.cause = ErrHandshakeTimeout
			_ = c.gnet.EventLoop().Close(c.gnet)
		}
		c = next
	}
	return nil
}

func (s *shift) recover(action *gnet.Action) {
	if v := recover(); v != nil {
		*action = gnet.Close
		if s.listener.opts.OnPanic != nil {
			s.listener.opts.OnPanic(v)
		}
	}
}

// connList holds the connections that wait, oldest first.
type connList struct{ first, last *Conn }

func (l *connList) push(c *Conn) {
	c.prev = l.last
	if l.last == nil {
		l.first = c
	} else {
		l.last.next = c
	}
	l.last = c
}

// remove reports whether c was in the list.
func (l *connList) remove(c *Conn) bool {
	switch {
	case c.prev != nil:
		c.prev.next = c.next
	case l.first == c:
		l.first = c.next
	default:
		return false
	}
	if c.next != nil {
		c.next.prev = c.prev
	} else {
		l.last = c.prev
	}
	c.prev, c.next = nil, nil
	return true
}

// gnetLogger brings gnet's own words into our log; what it calls information
// is detail to us.
type gnetLogger struct{ log *slog.Logger }

func (g gnetLogger) Debugf(f string, a ...any) { g.log.Debug("gnet: " + fmt.Sprintf(f, a...)) }
func (g gnetLogger) Infof(f string, a ...any)  { g.log.Debug("gnet: " + fmt.Sprintf(f, a...)) }
func (g gnetLogger) Warnf(f string, a ...any)  { g.log.Debug("gnet: " + fmt.Sprintf(f, a...)) }
func (g gnetLogger) Errorf(f string, a ...any) { g.log.Error("gnet: " + fmt.Sprintf(f, a...)) }
func (g gnetLogger) Fatalf(f string, a ...any) { g.log.Error("gnet: " + fmt.Sprintf(f, a...)) }
