package relay

import (
	"time"

	"golang.org/x/sys/unix"
)

// PartLongest bounds the parting from a peer that takes what was written bit by bit.
const PartLongest = time.Minute

// Part ends a connection in order: what was written is sent, then FIN; what the
// peer still sends is thrown away, for unread bytes would turn the close into a
// reset, which can overtake the last answer. The connection is closed when the
// peer closes it, or when it has taken nothing for PartLinger, and after
// PartLongest at the latest. Nothing is told any more, and the desk has done with
// it: it goes on when the desk is closed. When the relay is closed, what was
// written may still leave, within the same times.
func (k *Link) Part() {
	switch {
	case k.state >= leaving:
		return
	case k.state == calling, k.err != nil:
		k.Close()
		return
	}
	k.leave()
	k.state, k.handler = leaving, nil
	k.paused, k.owed = false, len(k.pending) > 0
	if !k.owed && !k.sayFIN() {
		return
	}
	l := k.desk.loop
	k.time, k.partBy = newAlarm(k.overdue), l.now+int64(PartLongest)
	l.alarms.set(k.time, l.now+int64(PartLinger))
	// Not now: Part is called from handlers, of other links too, and what they are
	// shown is in the buffer that is read into.
	k.later()
}

// part is one step of parting.
func (k *Link) part() {
	if k.owed && !k.sendRest() {
		return
	}
	k.drain()
	if k.state == leaving && !k.owed && !k.readable && k.desk.loop.stopping {
		k.Close() // the kernel sends what it has
	}
}

// sendRest sends what was written, and FIN behind it; false when the link is closed.
func (k *Link) sendRest() bool {
	n, err := k.send(k.pending)
	if err != nil {
		k.Close()
		return false
	}
	k.taken(n)
	if len(k.pending) == 0 {
		k.owed = false
		return k.sayFIN()
	}
	if l := k.desk.loop; n > 0 && !l.stopping {
		l.alarms.set(k.time, min(l.now+int64(PartLinger), k.partBy))
	}
	return true
}

// sayFIN ends our side. When the peer has ended its own before, that is all, and
// the link is closed: false.
func (k *Link) sayFIN() bool {
	if k.finished {
		k.shut()
		return false
	}
	_ = unix.Shutdown(int(k.fd), unix.SHUT_WR)
	return true
}

// drain throws away what the peer still sends.
func (k *Link) drain() {
	for budget := linkTurn; k.readable && !k.finished; {
		if budget <= 0 {
			k.later()
			return
		}
		n, err := k.read()
		budget -= max(n, 0)
		k.drained += int32(max(n, 0))
		switch {
		case n == 0 && err == nil:
			k.finished = true
			if !k.owed {
				k.shut()
				return
			}
		case k.drained > maxDrain, err != nil && err != unix.EAGAIN && err != unix.EINTR:
			k.Close()
			return
		}
	}
	if k.broken {
		k.Close()
	}
}
