package relay

import (
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// outward carries what the desk writes to the peer, and the desk's end.
func (c *carrier) outward() {
	defer c.leave()
	switch c.say() {
	case deskEnded:
		c.awaitHangUp()
		c.limit = time.AfterFunc(CarryLinger, c.giveUp) // inward throws away meanwhile
	case deskReset:
		c.abort()
	case peerLost:
		c.limit = time.AfterFunc(CarryLinger, c.giveUp) // what the peer had sent is heard meanwhile
		c.failed.Store(true)
		if c.heard.Load() {
			c.cut()
		}
	}
}

// sayEnd is why there is nothing more to say.
type sayEnd uint8

const (
	deskEnded sayEnd = iota // in order, and the peer was told
	deskReset
	peerLost
)

// say writes until one of the two ends it.
func (c *carrier) say() sayEnd {
	var p *piece
	var n int
	var err error
	fetch := func(fd uintptr) bool {
		p, n, err = c.fetch(int(fd))
		return err != unix.EAGAIN
	}
	for {
		if waited := c.pair.Read(fetch); waited != nil || err != nil {
			return deskReset
		}
		if c.reset.Load() {
			return deskReset
		}
		if n == 0 {
			break
		}
		lost := c.send(p[:n])
		pieces.Put(p)
		if lost != nil {
			return peerLost
		}
	}
	if c.send(nil) != nil {
		return peerLost
	}
	return deskEnded
}

// fetch reads what the desk has written. It has a buffer only while there is
// something.
func (c *carrier) fetch(fd int) (p *piece, n int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lost {
		return nil, 0, unix.EPIPE
	}
	p = pieces.Get().(*piece)
	if n, err = read(fd, p[:]); n <= 0 {
		pieces.Put(p)
		p, n = nil, 0
	}
	return p, n, err
}

// send writes b, or the end when there is none, and waits for the peer as long as
// look lets it.
func (c *carrier) send(b []byte) (err error) {
	c.looks.Store(0)
	c.sending.Store(true)
	c.watch.Reset(carryLook)
	if b != nil {
		_, err = c.conn.Write(b)
	} else {
		err = c.endConn()
	}
	c.sending.Store(false)
	c.watch.Stop()
	return err
}

// giveUp is the end of the time for what goes on without a desk, or without a peer.
func (c *carrier) giveUp() {
	if c.enter() {
		defer c.leave()
		c.cut()
	}
}

// look resets a peer that takes nothing when nobody is left who waits for it.
func (c *carrier) look() {
	if !c.enter() {
		return
	}
	defer c.leave()
	switch {
	case !c.sending.Load():
		return
	case c.reset.Load(), c.hungUp() && c.looks.Add(1) > int32(CarryLinger/carryLook):
		c.abort()
		return
	}
	c.watch.Reset(carryLook)
}

// endConn ends our side, if conn has sides: first that of TLS, then that of TCP.
func (c *carrier) endConn() error {
	type sided interface{ CloseWrite() error }
	s, ok := c.conn.(sided)
	if !ok {
		return nil
	}
	if err := s.CloseWrite(); err != nil {
		return err
	}
	if s, ok = c.raw.(sided); ok && c.raw != c.conn {
		return s.CloseWrite()
	}
	return nil
}

// awaitHangUp returns when the desk's end is closed, or both directions have ended.
func (c *carrier) awaitHangUp() {
	_ = c.pair.Read(func(fd uintptr) bool { return bothEnded(int(fd)) })
}

// hungUp tells whether awaitHangUp would return.
func (c *carrier) hungUp() (is bool) {
	err := c.pair.Control(func(fd uintptr) { is = bothEnded(int(fd)) })
	return err != nil || is
}

// bothEnded tells whether a unix socket can neither be read nor written any more.
func bothEnded(fd int) bool {
	p := unix.PollFd{Fd: int32(fd)}
	var now unix.Timespec
	_, _, errno := unix.RawSyscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(&p)), 1, uintptr(unsafe.Pointer(&now)), 0, 0, 0)
	return errno != 0 || p.Revents&(unix.POLLHUP|unix.POLLERR) != 0
}
