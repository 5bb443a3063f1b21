package relay

import (
	"golang.org/x/sys/unix"
)

// maxDrain is how many bytes of a side that has heard its last words are read
// and thrown away: unread bytes would turn the close into a reset, which can
// overtake the words.
const maxDrain = 64 << 20

// part says the last words, and gives both sides PartLinger to read them and
// close. It returns false when there is nobody to say anything to.
func (f *Flow) part(why End, reset bool, words [2][]byte) bool {
	if words[Client] == nil && words[Server] == nil {
		return false
	}
	if f.state == asking && f.ways[Client].holds() {
		f.closeServer() // it has not got the whole question: there is nothing to be told of
	}
	f.state, f.why = parting, why
	f.drained = 0
	for s := range f.ends {
		e, into := &f.ends[s], &f.ways[1-s]
		if e.words = words[s]; e.words == nil || e.broken || into.shut {
			f.closeEnd(Side(s), reset)
		}
	}
	f.deadline = f.loop.now + int64(PartLinger)
	f.loop.timers.set(f, f.deadline)
	f.talk()
	return true
}

// talk is one step of parting.
func (f *Flow) talk() {
	open := false
	for s := range f.ends {
		if f.ends[s].fd >= 0 {
			f.say(Side(s))
			open = f.ends[s].fd >= 0 || open
		}
	}
	if !open {
		f.finish(f.why, false)
	}
}

// say writes what is left to be said to one side, then FIN, and drains it.
func (f *Flow) say(s Side) {
	switch said, ok := f.speak(s); {
	case !ok:
		f.closeEnd(s, true)
	case said:
		f.drain(s)
	}
}

// speak tells whether all was said, and whether the side still takes it.
func (f *Flow) speak(s Side) (said, ok bool) {
	e, into := &f.ends[s], &f.ways[1-s]
	if e.words == nil {
		return true, true
	}
	if !into.flush(f.loop) {
		return false, false
	}
	for !into.holds() && e.writable && len(e.words) > 0 {
		n, err := write(e.fd, e.words)
		e.words = e.words[max(n, 0):]
		switch {
		case err == unix.EAGAIN:
			e.writable = false
		case err != nil && err != unix.EINTR:
			return false, false
		}
	}
	if into.holds() || len(e.words) > 0 {
		return false, true
	}
	e.words = nil
	_ = unix.Shutdown(e.fd, unix.SHUT_WR)
	return true, true
}

// drain throws away what a side still sends, and closes it when that is done.
func (f *Flow) drain(s Side) {
	e := &f.ends[s]
	for turn := 0; e.readable; {
		n, err := read(e.fd, f.loop.scratch)
		turn += max(n, 0)
		f.drained += max(n, 0)
		switch {
		case err == unix.EAGAIN:
			e.readable = false
		case n == 0, err != nil && err != unix.EINTR, f.drained > maxDrain:
			f.closeEnd(s, false)
			return
		case turn >= turnBytes:
			f.requeue()
			return
		}
	}
}

// requeue gives the flow another turn after the others had theirs.
func (f *Flow) requeue() {
	if !f.queued {
		f.queued = true
		f.loop.ready = append(f.loop.ready, f)
	}
}

// closeEnd closes one side for good. What was on its way there is given up.
func (f *Flow) closeEnd(s Side, reset bool) {
	e := &f.ends[s]
	if e.fd >= 0 {
		if reset {
			resetOnClose(e.fd)
		}
		_ = unix.Close(e.fd)
	}
	e.fd, e.words = -1, nil
	f.ways[1-s].release(f.loop.relay.pipes)
}

// leave is part for a relay that is being closed: what fits into the sockets at
// once is said, and nobody is waited for.
func (f *Flow) leave(words [2][]byte) {
	for s := range f.ends {
		e, into := &f.ends[s], &f.ways[1-s]
		if e.fd < 0 || words[s] == nil || e.broken || into.shut || into.holds() {
			continue
		}
		if len(words[s]) > 0 {
			if n, _ := write(e.fd, words[s]); n < len(words[s]) {
				continue
			}
		}
		_ = unix.Close(e.fd)
		e.fd = -1
	}
}
