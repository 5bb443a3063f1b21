package main

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// crowd holds connections on one poller and runs small exchanges on them.
type crowd struct {
	to   *unix.SockaddrInet4
	poll *poller
	word [wordLen]byte
	have map[int32]int // bytes of the answer so far, -1 before the first question
	last bool          // the server closes after its answer, and only then the answer counts
}

func newCrowd(addr string, role byte) (*crowd, error) {
	to, err := sockaddr(addr)
	if err != nil {
		return nil, err
	}
	poll, err := newPoller()
	if err != nil {
		return nil, err
	}
	c := &crowd{to: to, poll: poll, have: map[int32]int{}, last: role == roleOnce}
	c.word[0] = role
	return c, nil
}

func (c *crowd) close() {
	for fd := range c.have {
		unix.Close(int(fd))
	}
	unix.Close(c.poll.fd)
}

// open starts one connection; edge-triggered, because a connection that is being made reports once that
// it can be written to, and then only answers matter.
func (c *crowd) open() error {
	fd, err := dialSocket(c.to, unix.SOCK_NONBLOCK)
	if err != nil {
		return fmt.Errorf("connecting: %w", err)
	}
	c.have[int32(fd)] = -1 // the first question is not asked yet
	return c.poll.add(fd, unix.EPOLLIN|unix.EPOLLOUT|unix.EPOLLET)
}

// errIdle: nothing moved for seconds, which is no result.
var errIdle = errors.New("the load stands still")

// run lets answered decide what follows each whole answer, until the deadline or until answered returns
// done.
func (c *crowd) run(until time.Time, answered func(fd int32) (done bool, err error)) error {
	buf := make([]byte, 2*wordLen)
	for idle := 0; time.Now().Before(until); {
		events, err := c.poll.wait()
		if err != nil {
			return err
		}
		if idle++; len(events) > 0 {
			idle = 0
		} else if idle > 40 {
			return errIdle
		}
		for _, e := range events {
			done, err := c.event(e, buf, answered)
			if done || err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *crowd) event(e unix.EpollEvent, buf []byte, answered func(int32) (bool, error)) (bool, error) {
	if _, ours := c.have[e.Fd]; !ours {
		return false, nil // closed earlier in this batch
	}
	if c.have[e.Fd] < 0 {
		if e.Events&unix.EPOLLOUT == 0 {
			return false, nil
		}
		if err := c.ask(e.Fd); err != nil {
			return false, err
		}
	}
	if e.Events&(unix.EPOLLIN|unix.EPOLLHUP|unix.EPOLLERR) == 0 {
		return false, nil
	}
	whole, err := c.read(e.Fd, buf)
	if !whole || err != nil {
		return false, err
	}
	return answered(e.Fd)
}

// read takes what has come of an answer and reports whether it is whole.
func (c *crowd) read(fd int32, buf []byte) (whole bool, err error) {
	for {
		n, err := unix.Read(int(fd), buf)
		switch {
		case err == unix.EAGAIN:
			return false, nil
		case n == 0 && c.last && c.have[fd] == wordLen:
			return true, nil
		case n <= 0:
			return false, fmt.Errorf("an answer ends after %d bytes: %v", c.have[fd], err)
		}
		if c.have[fd] += n; c.have[fd] == wordLen && !c.last {
			return true, nil
		}
	}
}

// ask sends the question and forgets the last answer.
func (c *crowd) ask(fd int32) error {
	c.have[fd] = 0
	if _, err := unix.Write(int(fd), c.word[:]); err != nil {
		return fmt.Errorf("asking: %w", err)
	}
	return nil
}

// leave closes one connection.
func (c *crowd) leave(fd int32) {
	delete(c.have, fd)
	unix.Close(int(fd))
}
