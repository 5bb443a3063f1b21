package main

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// crowd holds connections on one poller and goes through small exchanges on each of them.
type crowd struct {
	to    *unix.SockaddrInet4
	poll  *poller
	steps []step
	have  map[int32]progress
	last  bool // the server closes after its last answer, and only then that counts
}

// step is something to say, and the answer to it, byte for byte.
type step struct{ say, want []byte }

// progress of one connection: the step, and the bytes of its answer so far, -1 before the first question.
type progress struct{ step, got int }

// word is the exchange with the receiver.
func word(role byte) []step {
	w := make([]byte, wordLen)
	w[0] = role
	return []step{{w, w}}
}

func newCrowd(addr string, last bool, steps ...step) (*crowd, error) {
	to, err := sockaddr(addr)
	if err != nil {
		return nil, err
	}
	poll, err := newPoller()
	if err != nil {
		return nil, err
	}
	return &crowd{to: to, poll: poll, steps: steps, have: map[int32]progress{}, last: last}, nil
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
	c.have[int32(fd)] = progress{got: -1}
	return c.poll.add(fd, unix.EPOLLIN|unix.EPOLLOUT|unix.EPOLLET)
}

// errIdle: nothing moved for seconds, which is no result.
var errIdle = errors.New("the load stands still")

// run lets answered decide what follows each last answer, until the deadline or until answered returns
// done.
func (c *crowd) run(until time.Time, answered func(fd int32) (done bool, err error)) error {
	buf := make([]byte, 1024)
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
	p, ours := c.have[e.Fd]
	if !ours {
		return false, nil // closed earlier in this batch
	}
	if p.got < 0 {
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

// read takes what has come, says what comes next, and reports whether the last answer is whole.
func (c *crowd) read(fd int32, buf []byte) (whole bool, err error) {
	for {
		p := c.have[fd]
		want, final := c.steps[p.step].want, p.step == len(c.steps)-1
		n, err := unix.Read(int(fd), buf)
		switch {
		case err == unix.EAGAIN:
			return false, nil
		case n == 0 && c.last && final && p.got == len(want):
			return true, nil
		case n <= 0:
			return false, fmt.Errorf("answer %d ends after %d bytes: %v", p.step+1, p.got, err)
		case !bytes.HasPrefix(want[p.got:], buf[:n]):
			return false, fmt.Errorf("answer %d is another", p.step+1)
		}
		p.got += n
		c.have[fd] = p
		switch {
		case p.got < len(want):
		case !final:
			if err := c.say(fd, p.step+1); err != nil {
				return false, err
			}
		case !c.last:
			return true, nil
		}
	}
}

// ask begins anew, with the first step.
func (c *crowd) ask(fd int32) error { return c.say(fd, 0) }

func (c *crowd) say(fd int32, step int) error {
	c.have[fd] = progress{step: step}
	if _, err := unix.Write(int(fd), c.steps[step].say); err != nil {
		return fmt.Errorf("asking: %w", err)
	}
	return nil
}

// leave closes one connection.
func (c *crowd) leave(fd int32) {
	delete(c.have, fd)
	unix.Close(int(fd))
}
