package main

import (
	"time"

	"golang.org/x/sys/unix"
)

// pace begins messages at a rate, whether those before them have their answers or not. How long one takes counts from when
// it was due: a middle that makes others wait must not look better for it.
type pace struct {
	timer int // descriptor
	gap   time.Duration
	next  time.Time // when the next message is due
	ring  []*client // those that wait for their turn, the longest idle at first
	first int
	idle  int
}

// free takes in a client that has nothing to wait for.
func (p *pace) free(one *client) {
	p.ring[(p.first+p.idle)%len(p.ring)] = one
	p.idle++
}

// take gives the one that has been idle for longest.
func (p *pace) take() *client {
	one := p.ring[p.first]
	p.first, p.idle = (p.first+1)%len(p.ring), p.idle-1
	return one
}

// beat is how fine the pace is.
const beat = 100 * time.Microsecond

// walk makes the clients send so many messages a second together.
func (c *clients) walk(perSecond float64) error {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return err
	}
	every := unix.NsecToTimespec(beat.Nanoseconds())
	if err := unix.TimerfdSettime(fd, 0, &unix.ItimerSpec{Interval: every, Value: every}, nil); err != nil {
		unix.Close(fd)
		return err
	}
	c.paced = &pace{timer: fd, gap: time.Duration(float64(time.Second) / perSecond),
		ring: make([]*client, len(c.all))}
	return c.poll.add(fd, unix.EPOLLIN)
}

// stand ends that.
func (c *clients) stand() {
	if c.paced != nil {
		unix.Close(c.paced.timer)
	}
}

// beat begins what is due.
func (c *clients) beat() error {
	_, _ = unix.Read(c.paced.timer, c.buf[:8]) // how many beats
	return c.late()
}

// late begins all messages that are due, as far as there are clients with nothing to wait for. What is due before the
// time is over is sent, be it late: otherwise the worst would be left out.
func (c *clients) late() error {
	p := c.paced
	for now := time.Now(); p.idle > 0 && !p.next.After(now) && p.next.Before(c.until); p.next = p.next.Add(p.gap) {
		if err := c.begin(p.take(), p.next); err != nil {
			return err
		}
	}
	return nil
}
