package main

import (
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// The load generator works on descriptors and one epoll loop a process: Go's own network poller would
// cost more than some of the middles that it is meant to measure.

func sockaddr(addr string) (*unix.SockaddrInet4, error) {
	a, err := netip.ParseAddrPort(addr)
	if err != nil {
		return nil, err
	}
	return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}, nil
}

// listenSocket is a non-blocking listener.
func listenSocket(addr string) (int, error) {
	to, err := sockaddr(addr)
	if err != nil {
		return -1, err
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	if err := unix.Bind(fd, to); err != nil {
		return -1, fmt.Errorf("binding %s: %w", addr, err)
	}
	return fd, unix.Listen(fd, 4096)
}

// dialSocket connects, and waits for it; flags may make the socket non-blocking, then it does not wait.
func dialSocket(to *unix.SockaddrInet4, flags int) (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|flags, 0)
	if err != nil {
		return -1, err
	}
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	own := *to // Connect writes into its argument
	if err := unix.Connect(fd, &own); err != nil && err != unix.EINPROGRESS {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// poller is an epoll instance.
type poller struct {
	fd     int
	events [256]unix.EpollEvent
}

func newPoller() (*poller, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	return &poller{fd: fd}, err
}

func (p *poller) add(fd int, events uint32) error {
	return unix.EpollCtl(p.fd, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: events, Fd: int32(fd)})
}

// mind asks for room to write in too, or no longer.
func (p *poller) mind(fd int, room bool) error {
	e := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)}
	if room {
		e.Events |= unix.EPOLLOUT
	}
	return unix.EpollCtl(p.fd, unix.EPOLL_CTL_MOD, fd, &e)
}

// wait returns the descriptors that something happened on; none after a quarter of a second without.
func (p *poller) wait() ([]unix.EpollEvent, error) {
	for {
		n, err := unix.EpollWait(p.fd, p.events[:], 250)
		if err != unix.EINTR {
			return p.events[:max(n, 0)], err
		}
	}
}
