package relay

import (
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

const (
	// turnBytes is how much one way may move before other flows get their turn.
	turnBytes = 1 << 20
	// A flow counts as bulk after bulkReads reads in a row of bulkRead bytes
	// or more, and no longer after as many splices of less than smallSplice.
	bulkRead    = 16 << 10
	smallSplice = 4 << 10
	bulkReads   = 4
	// steadyTurns is how many turns of one read and one write make a peer one
	// whose next message will be a single segment too.
	steadyTurns = 16
)

// way is one direction of a flow. It is read only when nothing of it waits to
// be written: that is the whole of the back-pressure.
type way struct {
	src, dst *end
	pending  []byte // read, not yet written
	buffer   *buffer
	pipe     *pipe // lent while piped > 0
	piped    int
	sent     int64
	streak   uint8
	bulk     bool
	eof      bool // src sent FIN
	shut     bool // and dst was told

	flow   *Flow
	from   Side
	reader Reader // who is shown what passes; nil: nobody
	stalls atomic.Bool
}

// buffer backs what one read could not pass on.
type buffer [ReadSize]byte

var buffers = sync.Pool{New: func() any { return new(buffer) }}

// verdict is what came of a turn of a way.
type verdict uint8

const (
	waiting verdict = iota // for an edge of src or dst
	more                   // the turn's budget is spent
	srcLost                // reading failed
	dstLost                // writing failed
	parted                 // the Reader wants no more after src's FIN
)

// pump gives both ways a turn and draws the conclusion.
func (f *Flow) pump() {
	l := f.loop
	up, down := f.ways[Client].turn(l), f.ways[Server].turn(l)
	f.tell()
	switch {
	case up == srcLost:
		f.end(ClientReset, true)
	case down == srcLost:
		f.end(ServerReset, true)
	case up == dstLost:
		f.lost(Server)
	case down == dstLost:
		f.lost(Client)
	case up == parted:
		f.end(ClientClosed, false)
	case down == parted:
		f.end(ServerClosed, false)
	case f.ways[Client].shut && f.ways[Server].shut:
		f.end(Closed, false)
	case f.ends[Client].broken:
		f.end(ClientReset, true)
	case f.ends[Server].broken:
		f.end(ServerReset, true)
	case up == more || down == more:
		f.requeue()
	}
}

// lost ends a flow of which side s takes no more bytes. When s had sent all it
// had and closed, the other side shall still get that whole, so it is closed
// and not reset; a server that answers early and hangs up is such a one.
func (f *Flow) lost(s Side) {
	why := ServerReset
	if s == Client {
		why = ClientReset
	}
	if f.ways[s].shut {
		f.end(Closed, false)
		return
	}
	// What s still said before it went is passed on first.
	for f.ways[s].turn(f.loop) == more {
	}
	f.end(why, true)
}

// holds tells whether bytes were read that are not written yet.
func (w *way) holds() bool { return len(w.pending) > 0 || w.piped > 0 }

// turn moves what can be moved, within the budget.
func (w *way) turn(l *loop) verdict {
	for budget := turnBytes; budget > 0; {
		if !w.flush(l) {
			return dstLost
		}
		switch {
		case w.holds():
			return waiting
		case w.eof:
			return w.finish()
		case !w.src.readable:
			return waiting
		}
		n, ok := w.fill(l)
		if !ok {
			return srcLost
		}
		budget -= n
	}
	return more
}

// finish passes the FIN on, once.
func (w *way) finish() verdict {
	if w.shut {
		return waiting
	}
	if w.flow != nil && !w.flow.reader.Ended(w.flow, w.from) {
		return parted
	}
	w.shut = true
	_ = unix.Shutdown(w.dst.fd, unix.SHUT_WR)
	return waiting
}

// fill reads once, by copy or by splice. It returns false when src is lost.
func (w *way) fill(l *loop) (n int, ok bool) {
	var err error
	if w.bulk && w.borrow(l) {
		n, err = splice(w.src.fd, w.pipe.w, w.pipe.size)
		w.piped = max(n, 0)
		if n <= 0 {
			w.giveBack(l)
		}
		w.judge(n < smallSplice)
		if w.reader != nil && n > 0 {
			if !w.reveal(l, n) {
				return 0, false
			}
		}
	} else {
		n, err = read(w.src.fd, l.scratch)
		if n > 0 {
			w.judge(n >= bulkRead)
			// A short read has emptied the socket; the next bytes or the FIN
			// come with an edge of their own, unless it was there before.
			w.src.readable = n == len(l.scratch) || w.src.readOn
		}
	}
	switch {
	case n > 0:
		w.src.heard()
		w.src.last = l.now
		if w.piped == 0 {
			if w.reader != nil {
				w.reader.Passed(w.flow, w.from, l.scratch[:n])
			}
			w.pass(l, l.scratch[:n])
		}
		return n, true
	case err == nil && w.src.broken:
		return 0, false // a write met the reset first; what looks like FIN is its trace
	case err == nil:
		w.eof, w.src.readable = true, false
	case err == unix.EAGAIN:
		w.src.readable = false
	case err != unix.EINTR:
		return 0, false
	}
	return 0, true
}

// reveal shows a Reader what a splice brought: the bytes of a small one, which
// are taken out of the pipe again, and the length of another.
func (w *way) reveal(l *loop, n int) (ok bool) {
	if n >= smallSplice {
		w.reader.Skipped(w.flow, w.from, n)
		return true
	}
	for got := 0; got < n; {
		m, err := read(w.pipe.r, l.scratch[got:n])
		if m <= 0 && err != unix.EINTR {
			return false
		}
		got += max(m, 0)
	}
	w.piped = 0
	w.giveBack(l)
	return true
}

// judge counts evidence against the present mode and changes it when there is
// enough.
func (w *way) judge(against bool) {
	if !against || w.reader != nil && w.from == Server {
		w.streak = 0
		return
	}
	if w.streak++; w.streak >= bulkReads {
		w.bulk, w.streak = !w.bulk, 0
	}
}

// pass writes what was just read; what does not go is kept. Errors are left
// for the flush that follows: it meets them again.
func (w *way) pass(l *loop, b []byte) {
	if w.dst.writable {
		n, err := write(w.dst.fd, b)
		w.count(l, n)
		b = b[max(n, 0):]
		if err == unix.EAGAIN {
			w.dst.writable = false
		}
		w.dst.broken = w.dst.broken || err == unix.ECONNRESET
	}
	if len(b) > 0 {
		w.buffer = buffers.Get().(*buffer)
		w.pending = w.buffer[:copy(w.buffer[:], b)]
		if w.flow != nil {
			w.stalls.Store(true)
		}
	}
}

// flush writes what waits. It returns false when dst is lost.
func (w *way) flush(l *loop) bool {
	for w.dst.writable && w.holds() {
		var n int
		var err error
		if w.piped > 0 {
			n, err = splice(w.pipe.r, w.dst.fd, w.piped)
			w.piped -= max(n, 0)
		} else {
			n, err = write(w.dst.fd, w.pending)
			w.pending = w.pending[max(n, 0):]
		}
		w.count(l, n)
		switch {
		case err == unix.EAGAIN:
			w.dst.writable = false
		case err != nil && err != unix.EINTR:
			w.dst.broken = w.dst.broken || err == unix.ECONNRESET
			return false
		}
	}
	if len(w.pending) == 0 {
		w.pending = nil // First too
		if w.buffer != nil {
			buffers.Put(w.buffer)
			w.buffer = nil
			w.stalls.Store(false)
		}
	}
	if w.piped == 0 && w.pipe != nil {
		w.giveBack(l)
	}
	return true
}

func (w *way) count(l *loop, n int) {
	if n > 0 {
		w.sent += int64(n)
		w.dst.last = l.now
		w.dst.told()
	}
}

func (w *way) borrow(l *loop) bool {
	if w.pipe == nil {
		w.pipe = l.relay.pipes.take()
	}
	return w.pipe != nil
}

func (w *way) giveBack(l *loop) {
	l.relay.pipes.give(w.pipe)
	w.pipe = nil
}

// drop forgets what was read and not written.
func (w *way) drop() { w.pending = nil }

// release gives back what the way still holds when its flow ends.
func (w *way) release(pipes *pipePool) {
	if w.pipe != nil {
		pipes.drop(w.pipe)
		w.pipe, w.piped = nil, 0
	}
	if w.buffer != nil {
		buffers.Put(w.buffer)
		w.buffer = nil
	}
	w.pending = nil
}
