package relay

import (
	"golang.org/x/sys/unix"
)

// startAsking: the server is connected and has First to answer.
func (f *Flow) startAsking() {
	f.state = asking
	f.reply = f.reply[:0]
	f.ways[Client].pending = f.first // First itself stays, for another server
	f.ends[Server].last = f.loop.now
	f.within(f.limits.Answer)
	f.ask()
}

// ask sends what is left of First and reads what the server has said.
func (f *Flow) ask() {
	f.early()
	if f.state != asking {
		return
	}
	e := &f.ends[Server]
	takes := f.ways[Client].flush(f.loop)
	// One that takes no more may have answered before it went.
	e.readable = e.readable || !takes
	for f.state == asking && e.readable {
		f.hear()
	}
	if f.state == asking && !takes {
		f.unanswered(ErrHungUp)
	}
}

// hear reads once from a server that is asked.
func (f *Flow) hear() {
	e := &f.ends[Server]
	n, err := read(e.fd, f.loop.scratch)
	switch {
	case n > 0:
		e.readable = n == len(f.loop.scratch) || e.readOn
		e.heard()
		e.last = f.loop.now
		f.reply = append(f.reply, f.loop.scratch[:n]...)
		f.tell()
		if f.reader.Answered(f, f.reply) {
			f.answered()
		}
	case err == unix.EINTR:
	case err == unix.EAGAIN:
		e.readable = false
	case err == nil, err == unix.ECONNRESET:
		f.unanswered(ErrHungUp)
	default:
		f.unanswered(err)
	}
}

// answered turns the flow into a relay.
func (f *Flow) answered() {
	f.ways[Server].pending, f.reply, f.first = f.reply, nil, nil
	f.startRelaying()
}

func (f *Flow) unanswered(err error) {
	f.tell()
	f.reader.Unanswered(f, err)
	f.insist(asking)
}

// early looks whether the client speaks or leaves before it was answered.
func (f *Flow) early() {
	c := &f.ends[Client]
	for c.readable && (f.state == asking || f.state == parked) {
		n, err := read(c.fd, f.loop.scratch)
		switch {
		case n > 0:
			c.readable = n == len(f.loop.scratch) || c.readOn
			f.reader.Early(f, f.loop.scratch[:n])
		case err == unix.EINTR:
		case err == unix.EAGAIN:
			c.readable = false
		case err == nil:
			c.readable = false
			f.reader.Early(f, nil)
		default:
			f.end(ClientReset, true)
		}
	}
}
