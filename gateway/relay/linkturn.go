package relay

import (
	"bytes"

	"golang.org/x/sys/unix"
)

// linkTurn is how many bytes one link may deliver before the others get their
// turn.
const linkTurn = 4 * ReadSize

// event is the loop's call for every edge.
func (k *Link) event(ev uint32) {
	defer k.desk.rescue()
	k.note(ev)
	switch k.state {
	case calling:
		k.callEvent(ev)
	case linked:
		k.turn()
	case leaving:
		k.part()
	}
}

// again is the loop's call for a link that asked for it.
func (k *Link) again() {
	defer k.desk.rescue()
	switch k.state {
	case calling:
		if k.err != nil {
			k.callFailed(k.err)
		}
	case linked:
		k.turn()
	case leaving:
		k.part()
	}
}

func (k *Link) note(ev uint32) {
	const bad = unix.EPOLLERR | unix.EPOLLHUP
	k.readable = k.readable || ev&(unix.EPOLLIN|unix.EPOLLRDHUP|bad) != 0
	k.writable = k.writable || ev&(unix.EPOLLOUT|bad) != 0
	k.readOn = k.readOn || ev&(unix.EPOLLRDHUP|unix.EPOLLPRI|bad) != 0
	k.broken = k.broken || ev&bad != 0
}

// turn writes what waits, reads what has come, and draws the conclusion.
func (k *Link) turn() {
	if k.owed {
		k.flush()
	}
	if k.state == linked && k.pull() && (k.broken || k.err != nil) {
		k.lost(k.reason())
	}
}

// flush writes what waits. An error is left for the end of the turn: what the
// peer has still sent comes first.
func (k *Link) flush() {
	if k.err != nil {
		return
	}
	n, err := k.send(k.pending)
	k.taken(n)
	switch {
	case err != nil:
		k.err, k.readable = err, true
	case len(k.pending) == 0:
		k.owed = false
		k.handler.Flushed(k)
	}
}

// taken drops n bytes of what waits; the kernel has them. A peer that leaves a
// few bytes of many does not hold the memory of all.
func (k *Link) taken(n int) {
	k.pending = k.pending[n:]
	switch {
	case len(k.pending) == 0:
		k.pending, k.array = nil, 0
	case k.array > minArray && len(k.pending) < k.array/4:
		k.pending = bytes.Clone(k.pending)
		k.array = cap(k.pending)
	}
}

// minArray is the size from which on an array of pending bytes is worth giving
// back before all of it is sent.
const minArray = ReadSize

// pull reads and delivers until the kernel has no more, or the link is paused.
// False means that it has not come to an end: the budget is spent, or the handler
// has done away with the link.
func (k *Link) pull() (all bool) {
	for budget := linkTurn; k.readable && !k.paused && !k.finished; {
		if budget <= 0 {
			k.later()
			return false
		}
		n, err := k.read()
		switch {
		case n > 0:
			budget -= n
			k.handler.Received(k, k.desk.loop.scratch[:n])
		case err == nil && !k.broken && k.err == nil:
			k.finished = true
			k.handler.Finished(k)
		case err == nil: // the trace of an error that something else has met
			return true
		case err != unix.EAGAIN && err != unix.EINTR:
			k.err = err
			return true
		}
		if k.state != linked {
			return false
		}
	}
	return true
}

// read reads once into the loop's scratch. A short read has emptied the socket;
// the next bytes or the FIN come with an edge of their own, unless it was there
// before.
func (k *Link) read() (int, error) {
	n, err := read(int(k.fd), k.desk.loop.scratch)
	switch {
	case n > 0:
		k.readable = n == len(k.desk.loop.scratch) || k.readOn
	case err != unix.EINTR:
		k.readable = false
	}
	return n, err
}

// reason is why the link is broken.
func (k *Link) reason() error {
	if k.err != nil {
		return k.err
	}
	if err := socketError(int(k.fd)); err != nil {
		return err
	}
	return unix.ECONNRESET
}

// lost closes a link that failed, and tells its handler.
func (k *Link) lost(err error) {
	k.unsent = int32(k.Unsent())
	k.shut()
	k.handler.Lost(k, err)
}
