package main

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// clients are connections that each send one message at a time, on one poller. Each answer is compared with what the
// receiver answers to just that message. Nothing is allocated for a small one.
type clients struct {
	poll        *poller
	all         []*client
	byFD        []*client // the same, by descriptor
	rest        []byte    // of all messages: what stands behind their fronts
	pair        [2][]byte // of push
	buf         [512]byte
	from, until time.Time       // what begins in between counts
	took        []time.Duration // from a message's first byte, or from when it was due, to its whole answer
	answered    int             // messages, of the whole run
	within      int             // of them, those whose answer came between from and until
	waiting     int             // messages that have no answer yet
	paced       *pace
}

// client is one connection.
type client struct {
	fd, number, sent int
	own              []byte // what is different in the messages of each client
	want             []byte
	out, got         int // bytes of the present message and of its answer
	begun            time.Time
}

// mostTaken is for how many messages there is room from the beginning: more than one run has.
const mostTaken = 1 << 15

// pieceOf is how much of a message is of each client's own: all of it when it is small.
const pieceOf = 4 << 10

// openClients connects n clients for messages of that size.
func openClients(addr string, n, size int) (*clients, error) {
	to, err := sockaddr(addr)
	if err != nil {
		return nil, err
	}
	poll, err := newPoller()
	if err != nil {
		return nil, err
	}
	c := &clients{poll: poll, took: make([]time.Duration, 0, mostTaken)}
	for number := range n {
		fd, err := dialSocket(to, 0)
		if err == nil {
			err = unix.SetNonblock(fd, true)
		}
		if err == nil {
			err = poll.add(fd, unix.EPOLLIN|unix.EPOLLOUT|unix.EPOLLET)
		}
		if err != nil {
			c.close()
			return nil, fmt.Errorf("connecting: %w", err)
		}
		m := message(size, number)
		own := min(len(m), pieceOf)
		c.add(&client{fd: fd, number: number, own: m[:own:own], want: acknowledgement()})
		c.rest = m[own:]
	}
	return c, nil
}

func (c *clients) add(one *client) {
	c.all = append(c.all, one)
	for len(c.byFD) <= one.fd {
		c.byFD = append(c.byFD, nil)
	}
	c.byFD[one.fd] = one
}

func (c *clients) close() {
	for _, one := range c.all {
		unix.Close(one.fd)
	}
	unix.Close(c.poll.fd)
}

// run sends as fast as answers come, or as the pace says: first to warm up, then for what counts. It returns when all
// that was sent is answered, so that no middle has anything left to do while the next one is measured.
func (c *clients) run(warm, each time.Duration) error {
	start := time.Now()
	c.from, c.until = start.Add(warm), start.Add(warm+each)
	if c.paced != nil {
		c.paced.next = start
	}
	for _, one := range c.all {
		if c.paced != nil {
			c.paced.free(one)
		} else if err := c.begin(one, start); err != nil {
			return err
		}
	}
	idle := start
	for now := start; now.Before(c.until) || c.waiting > 0; {
		events, err := c.poll.wait()
		if err != nil {
			return err
		}
		before := c.answered
		for _, e := range events {
			if err := c.event(e); err != nil {
				return err
			}
		}
		if now = time.Now(); c.answered > before || c.waiting == 0 {
			idle = now
		} else if now.Sub(idle) > standStill {
			return errIdle
		}
	}
	return nil
}

// standStill is how long no answer may come.
const standStill = 10 * time.Second

func (c *clients) event(e unix.EpollEvent) error {
	if c.paced != nil && int(e.Fd) == c.paced.timer {
		return c.beat()
	}
	one := c.byFD[e.Fd]
	if e.Events&unix.EPOLLOUT != 0 && one.out > 0 && one.out < len(one.own)+len(c.rest) {
		if err := c.push(one); err != nil {
			return err
		}
	}
	if e.Events&(unix.EPOLLIN|unix.EPOLLHUP|unix.EPOLLERR) == 0 || one.out == 0 {
		return nil
	}
	return c.read(one)
}

// begin sends the next message of a client. It was due at a time.
func (c *clients) begin(one *client, due time.Time) error {
	one.sent++
	c.waiting++
	id := one.own[controlIDAt : controlIDAt+controlIDLen]
	digits(id[:4], one.number)
	digits(id[4:], one.sent)
	fillAnswer(one.want, id)
	one.out, one.got, one.begun = 0, 0, due
	return c.push(one)
}

// push writes what the socket takes.
func (c *clients) push(one *client) error {
	var n int
	var err error
	switch own := len(one.own); {
	case len(c.rest) == 0:
		n, err = unix.Write(one.fd, one.own[one.out:])
	case one.out < own:
		c.pair = [2][]byte{one.own[one.out:], c.rest}
		n, err = unix.Writev(one.fd, c.pair[:])
	default:
		n, err = unix.Write(one.fd, c.rest[one.out-own:])
	}
	if err != nil && err != unix.EAGAIN {
		return fmt.Errorf("sending: %w", err)
	}
	one.out += max(n, 0)
	return nil
}

var errOtherAnswer = errors.New("an answer that is not the one of the message")

// read takes an answer, and goes on with the next message.
func (c *clients) read(one *client) error {
	n, err := unix.Read(one.fd, c.buf[:])
	switch {
	case err == unix.EAGAIN:
		return nil
	case n <= 0:
		return fmt.Errorf("the connection ended: %v", err)
	case !bytes.HasPrefix(one.want[one.got:], c.buf[:n]):
		return errOtherAnswer
	}
	if one.got += n; one.got < len(one.want) {
		return nil
	}
	return c.done(one, time.Now())
}

// done counts an answer and goes on with the next message, until the time is over.
func (c *clients) done(one *client, now time.Time) error {
	c.waiting--
	c.answered++
	if !now.Before(c.from) && now.Before(c.until) {
		c.within++
	}
	if !one.begun.Before(c.from) && one.begun.Before(c.until) {
		c.took = append(c.took, now.Sub(one.begun))
	}
	one.out = 0
	switch {
	case c.paced != nil:
		c.paced.free(one)
		return c.late()
	case now.Before(c.until):
		return c.begin(one, now)
	}
	return nil
}
