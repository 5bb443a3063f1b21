package relay

import (
	"sync"

	"golang.org/x/sys/unix"
)

// cut closes both ends at once: the link is Lost, and the peer sees no end in order.
// It is for any goroutine, and may be called more than once.
func (c *carrier) cut() {
	c.failed.Store(true)
	_ = c.raw.Close() // not that of TLS, which would say close_notify
	c.tellLoss()
	_ = c.near.Close()
}

// abort is cut with RST.
func (c *carrier) abort() {
	if r, ok := c.raw.(interface{ SetLinger(sec int) error }); ok {
		_ = r.SetLinger(0)
	}
	c.cut()
}

// tellLoss has the close of near be an error for the desk. A close alone looks like
// FIN to a read that happens to come before the event of the hang-up; but Linux
// leaves ECONNRESET behind, in one with the end, when the socket that is closed had
// something unread. So there must be something, and only the desk's end can send it.
// Its number may be another's by now: hence a duplicate, and the name. Without one,
// for want of descriptors, it stays at the hang-up.
func (c *carrier) tellLoss() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lost {
		return
	}
	c.lost = true
	fd, err := unix.FcntlInt(uintptr(c.far), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return
	}
	if name, err := nameOf(fd); err == nil && name == c.name {
		_, _ = write(fd, one[:1]) // if there is no room, something is unread
	}
	_ = unix.Close(fd)
}

// nameOf is what a socket is called for as long as the machine runs.
func nameOf(fd int) (uint64, error) {
	return unix.GetsockoptUint64(fd, unix.SOL_SOCKET, unix.SO_COOKIE)
}

// carriers are all that there are, by the names of the desks' ends.
var carriers carrierSet

type carrierSet struct {
	sync.Mutex
	by map[uint64]*carrier
}

func (s *carrierSet) add(c *carrier) {
	s.Lock()
	defer s.Unlock()
	if s.by == nil {
		s.by = map[uint64]*carrier{}
	}
	s.by[c.name] = c
}

func (s *carrierSet) remove(c *carrier) {
	s.Lock()
	defer s.Unlock()
	delete(s.by, c.name)
}

// resetCarried has the coming close of a desk's end be a reset: a unix socket cannot
// say so by itself. It does nothing to other descriptors.
func resetCarried(fd int) {
	carriers.Lock()
	defer carriers.Unlock()
	if len(carriers.by) == 0 {
		return
	}
	if name, err := nameOf(fd); err == nil && carriers.by[name] != nil {
		carriers.by[name].reset.Store(true)
	}
}
