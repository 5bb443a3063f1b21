package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/panjf2000/gnet/v2"
	"golang.org/x/sys/unix"
)

const (
	// sweepInterval is how often deadlines are looked at: a client is cut at
	// most this much too late.
	sweepInterval = 250 * time.Millisecond
	// restartPause is the wait before an engine that stopped by itself is
	// opened again; it doubles up to restartMax.
	restartPause = 50 * time.Millisecond
	restartMax   = 5 * time.Second
	// keepAlive is the quiet time before TCP keep-alive probes start; gnet
	// sends one each fifth of it and gives up after five.
	keepAlive = 60 * time.Second
	// readBuffer is the loop's buffer: only first units are read here.
	readBuffer = 16 << 10
)

// Why a connection was lost before its first unit was whole. A closed set, fit
// for a label.
var (
	// ErrClientClosed is a client that left, by FIN or RST.
	ErrClientClosed = errors.New("client closed before its first message")
	// ErrHandshakeTimeout is a client that did not get its first unit across
	// within Expect.Within.
	ErrHandshakeTimeout = errors.New("client sent no complete first message in time")
	// ErrStopped is the Listener being closed.
	ErrStopped = errors.New("listener closed")
	// ErrTooManyBytes is the sum of large first units over MaxPending.
	ErrTooManyBytes = errors.New("too many bytes of large first messages in memory")
	// ErrDescriptors is a connection that could not be handed over for lack of
	// descriptors.
	ErrDescriptors = errors.New("too many open files")
)

const (
	// MaxPending bounds the bytes of first units in memory, over all listeners
	// of the process, until Conn.Release. Clients over it are cut, the newest
	// bytes first.
	MaxPending = 128 << 20
	// FreePending is how much of each unit is not counted: an ordinary
	// A-ASSOCIATE-RQ is smaller, so that the clients who fill MaxPending take
	// nothing away from the others.
	FreePending = 16 << 10
)

var pendingBytes atomic.Int64

// Expect says what a connection's first unit is.
type Expect struct {
	// Head is how many bytes Length wants to see, if there are as many; 0 hands
	// the connection over at once, nothing read.
	Head int
	// Length is shown the first 1 to Head bytes and returns how many must have
	// come before it can say more, or before the unit is whole. An error ends
	// the wait: Ready is called with it and with what was read.
	Length func(head []byte) (int, error)
	// Within is how long the client may take for all of it, from accept on.
	// 0 is for ever.
	Within time.Duration
}

// Handler is told of connections. Its methods are called on the listener's
// loop and must not block.
type Handler interface {
	// Open is asked for each accepted connection. With an error the connection
	// is closed by a reset at once and forgotten: no other method follows.
	Open(c *Conn) (Expect, error)
	// Ready gives the connection away. fd is a connected non-blocking socket
	// with TCP_NODELAY and keep-alive set, the callee's from now on. first
	// holds what was read of it and is the callee's too, who calls c.Release
	// when it is not in memory any more. err is what Expect.Length said, if it
	// was an error.
	Ready(c *Conn, fd int, first []byte, err error)
	// Lost tells that the connection ended before its first unit was whole.
	Lost(c *Conn, err error)
}

// Conn is an accepted connection that was not handed over yet.
type Conn struct {
	// Source is the client's address, Local the one it came to. Local has the
	// listener's address, which may be the unspecified one.
	Source, Local netip.AddrPort
	// State is for the Handler.
	State any

	gnet       gnet.Conn
	expect     Expect
	deadline   time.Time
	held       atomic.Int64 // counted in pendingBytes
	given      bool
	cause      error
	prev, next *Conn
}

// Release takes what the connection's first unit counts against MaxPending
// back. It may be called from any goroutine, and more than once.
func (c *Conn) Release() { pendingBytes.Add(-c.held.Swap(0)) }

// Options shape a Listener.
type Options struct {
	Handler Handler
	Logger  *slog.Logger
	// Beside lets the address overlap one that this process listens on, such
	// as 0.0.0.0:104 while 10.0.0.1:104 is open. Without it that is an error.
	Beside bool
	// OnPanic is told of a panic in the Handler; the connection it struck is
	// closed. Nil logs nothing.
	OnPanic func(value any)
}

// Listener is one open address.
type Listener struct {
	addr    netip.AddrPort
	bound   netip.AddrPort
	opts    Options
	engine  atomic.Pointer[gnet.Engine]
	closing chan struct{}
	stopped chan struct{}
}

// Listen opens addr. It returns once the kernel queues connections for it, or
// with an error in a person's words when it cannot be had.
func Listen(addr netip.AddrPort, opts Options) (*Listener, error) {
	if !opts.Beside {
		if err := checkFree(addr); err != nil {
			return nil, err
		}
	}
	l := &Listener{addr: addr, opts: opts, closing: make(chan struct{}), stopped: make(chan struct{})}
	booted := make(chan error, 1)
	go l.serve(booted)
	if err := <-booted; err != nil {
		<-l.stopped
		return nil, fmt.Errorf("cannot listen on %s: %w", addr, err)
	}
	return l, nil
}

// Addr returns the address as it is bound: with the kernel's choice where the
// port was 0.
func (l *Listener) Addr() netip.AddrPort { return l.bound }

// Close stops listening and ends the connections that were not handed over
// yet. It returns when all is done; the address is free then.
func (l *Listener) Close() {
	select {
	case <-l.closing:
	default:
		close(l.closing)
	}
	if e := l.engine.Load(); e != nil {
		// Stop polls each half second for an end that Run's return tells at
		// once; a context that is over already makes it only give the order.
		over, cancel := context.WithCancel(context.Background())
		cancel()
		_ = e.Stop(over)
	}
	<-l.stopped
}

func (l *Listener) isClosing() bool {
	select {
	case <-l.closing:
		return true
	default:
		return false
	}
}

// serve runs the engine until Close; one that stops by itself is opened again.
func (l *Listener) serve(booted chan<- error) {
	defer close(l.stopped)
	pause := restartPause
	for {
		s := &shift{listener: l, booted: booted}
		began := time.Now()
		err := s.run()
		if s.booted != nil { // never came up
			if booted != nil {
				booted <- orStopped(err)
				return
			}
		} else {
			booted = nil
		}
		if l.isClosing() {
			return
		}
		if time.Since(began) > restartMax {
			pause = restartPause
		}
		l.opts.Logger.Error("listener stopped by itself and is opened again",
			"listen", l.addr.String(), "err", fmt.Sprint(err), "pause", pause.String())
		select {
		case <-l.closing:
			return
		case <-time.After(pause):
			pause = min(2*pause, restartMax)
		}
	}
}

func orStopped(err error) error {
	if err == nil {
		return ErrStopped
	}
	return err
}

// checkFree binds addr for a moment without SO_REUSEPORT, which the engine's
// own socket has and which would let two gateways share an address unnoticed.
// It does not listen, so no client can meet it.
func checkFree(addr netip.AddrPort) error {
	if addr.Port() == 0 {
		return nil
	}
	ip, port := addr.Addr().Unmap(), int(addr.Port())
	family, sa := unix.AF_INET6, unix.Sockaddr(&unix.SockaddrInet6{Port: port, Addr: ip.As16()})
	if ip.Is4() {
		family, sa = unix.AF_INET, &unix.SockaddrInet4{Port: port, Addr: ip.As4()}
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("cannot listen on %s: %w", addr, err)
	}
	defer func() { _ = unix.Close(fd) }()
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	if family == unix.AF_INET6 {
		only := 1
		if ip.IsUnspecified() {
			only = 0
		}
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, only)
	}
	if err := unix.Bind(fd, sa); err != nil {
		return fmt.Errorf("cannot listen on %s: %w", addr, Explain(err))
	}
	return nil
}

// Explain adds, to the errors of binding an address that people meet, what is
// behind them.
func Explain(err error) error {
	switch {
	case errors.Is(err, unix.EADDRINUSE):
		return fmt.Errorf("%w: another program (or another gantry) has this port", err)
	case errors.Is(err, unix.EADDRNOTAVAIL):
		return fmt.Errorf("%w: this machine has no such address", err)
	case errors.Is(err, unix.EACCES):
		return fmt.Errorf("%w: ports below 1024 need CAP_NET_BIND_SERVICE or root", err)
	}
	return err
}

// location is addr as gnet wants to be told. [::] takes IPv4 clients too, which
// gnet does only for an address without a host.
func location(addr netip.AddrPort) string {
	switch ip := addr.Addr(); {
	case ip.Unmap().Is4():
		return "tcp4://" + addr.String()
	case ip.IsUnspecified():
		return fmt.Sprintf("tcp://:%d", addr.Port())
	}
	return "tcp6://" + addr.String()
}

func sourceOf(a net.Addr) netip.AddrPort {
	if t, ok := a.(*net.TCPAddr); ok {
		ap := t.AddrPort()
		return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
	}
	return netip.AddrPort{}
}
