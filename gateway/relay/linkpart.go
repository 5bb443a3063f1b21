package relay

import (
	"golang.org/x/sys/unix"
)

// Part ends a connection in order: what was written is sent, then FIN; what the
// peer still sends is thrown away, for unread bytes would turn the close into a
// reset, which can overtake the last answer. The connection is closed when the
// peer closes it, after PartLinger at the latest. Nothing is told any more, and
// the desk has done with it: it goes on when the desk is closed, and ends only
// with the relay.
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
	l := k.desk.loop
	k.time = newAlarm(k.overdue)
	if !k.owed {
		k.sayFIN()
	}
	if k.state == leaving {
		l.alarms.set(k.time, l.now+int64(PartLinger))
		k.part()
	}
}

// part is one step of parting.
func (k *Link) part() {
	if k.owed {
		n, err := k.send(k.pending)
		k.pending = k.pending[n:]
		if err != nil {
			k.Close()
			return
		}
		if len(k.pending) > 0 {
			k.drain()
			return
		}
		k.pending, k.owed = nil, false
		k.sayFIN()
	}
	if k.state == leaving {
		k.drain()
	}
}

// sayFIN ends our side. When the peer has ended its own before, that is all.
func (k *Link) sayFIN() {
	if k.finished {
		k.shut()
		return
	}
	_ = unix.Shutdown(int(k.fd), unix.SHUT_WR)
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
