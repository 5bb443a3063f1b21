package relay

import (
	"errors"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// ErrConnectTimeout tells that a server did not complete the TCP handshake
// within Limits.Connect.
var ErrConnectTimeout = errors.New("connection timed out")

// Dial starts to connect to a server. The outcome comes by Handler.Dialed,
// which may happen before Dial returns.
func (f *Flow) Dial(addr netip.AddrPort) {
	f.closeServer()
	f.state, f.addr, f.dialedAt = dialing, addr, f.loop.now
	f.dials++
	f.within(f.limits.Connect)
	if err := f.connect(addr); err != nil {
		f.dialFailed(err)
	}
}

func (f *Flow) connect(addr netip.AddrPort) error {
	ip := addr.Addr().Unmap()
	fd, err := serverSocket(ip.Is6())
	if err != nil {
		return err
	}
	f.ends[Server] = end{fd: fd, last: f.loop.now}
	if err := unix.Connect(fd, sockaddr(ip, addr.Port())); err != nil && err != unix.EINPROGRESS {
		return err
	}
	return f.loop.watch(f, Server)
}

func sockaddr(ip netip.Addr, port uint16) unix.Sockaddr {
	if ip.Is4() {
		return &unix.SockaddrInet4{Port: int(port), Addr: ip.As4()}
	}
	sa := &unix.SockaddrInet6{Port: int(port), Addr: ip.As16()}
	if zone := ip.Zone(); zone != "" {
		sa.ZoneId = zoneIndex(zone)
	}
	return sa
}

// dialEvent looks at how the handshake went.
func (f *Flow) dialEvent(ev uint32) {
	if ev&(unix.EPOLLOUT|unix.EPOLLERR|unix.EPOLLHUP) == 0 {
		return
	}
	switch err := dialError(f.ends[Server].fd, ev); {
	case err != nil:
		f.dialFailed(err)
	case selfConnected(f.ends[Server].fd, f.addr):
		f.dialFailed(unix.ECONNREFUSED)
	default:
		f.connected()
	}
}

// dialError asks for the reason only when the event says that there is one.
func dialError(fd int, ev uint32) error {
	if ev&(unix.EPOLLERR|unix.EPOLLHUP) == 0 {
		return nil
	}
	return socketError(fd)
}

// selfConnected tells of a TCP simultaneous open with ourselves: a dial to a
// free port of this machine can be given that very port as its own.
func selfConnected(fd int, addr netip.AddrPort) bool {
	sa, err := unix.Getsockname(fd)
	if err != nil {
		return false
	}
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return sa.Port == int(addr.Port()) && netip.AddrFrom4(sa.Addr) == addr.Addr().Unmap()
	case *unix.SockaddrInet6:
		return sa.Port == int(addr.Port()) && netip.AddrFrom16(sa.Addr) == addr.Addr().WithZone("")
	}
	return false
}

func (f *Flow) dialFailed(err error) {
	f.closeServer()
	took := time.Since(f.loop.base) - time.Duration(f.dialedAt)
	addr := f.addr
	f.handler.Dialed(f, addr, took, err)
	if f.state == dialing && f.ends[Server].fd < 0 {
		f.end(InternalError, true) // the handler chose nothing
	}
}

func (f *Flow) closeServer() {
	if fd := f.ends[Server].fd; fd >= 0 {
		_ = unix.Close(fd)
	}
	f.ends[Server] = end{fd: -1}
	f.ways[Client].drop() // what is left of First; the next server gets all of it
}

// connected turns the flow into a relay.
func (f *Flow) connected() {
	dial := f.dials
	f.handler.Dialed(f, f.addr, time.Since(f.loop.base)-time.Duration(f.dialedAt), nil)
	if f.state != dialing || f.dials != dial {
		return // it was thought better of, perhaps for another server
	}
	if f.reader != nil {
		f.startAsking()
		return
	}
	f.ways[Client].pending, f.first = f.first, nil
	f.startRelaying()
}

func (f *Flow) startRelaying() {
	f.state = relaying
	f.ends[Client].last, f.ends[Server].last = f.loop.now, f.loop.now
	f.deadline = f.loop.now + int64(keepAfter)
	f.idleTimer()
	f.pump()
}
