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
	c.paced = &pace{timer: fd, gap: time.Duration(float64(time.Second) / perSecond), next: time.Now()}
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
	var ticks [8]byte
	_, _ = unix.Read(c.paced.timer, ticks[:])
	return c.late()
}

// late begins all messages that are due, as far as there are clients with nothing to wait for; the longest idle first.
func (c *clients) late() error {
	for now := time.Now(); len(c.free) > 0 && !c.paced.next.After(now); c.paced.next = c.paced.next.Add(c.paced.gap) {
		one := c.free[0]
		c.free = c.free[1:]
		if err := c.begin(one, c.paced.next); err != nil {
			return err
		}
	}
	return nil
}
