package relay

import (
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// side names one end of a flow; it is also the index of the way that starts
// there.
type side int32

const (
	client side = 0
	server side = 1
)

// state is where a flow stands in the drawing of the package comment.
type state uint8

const (
	adopted state = iota // handed over, nothing decided
	dialing
	relaying
	refusing // answered, waiting for the client to close
	done
)

// String names the state for tests and goroutine dumps.
func (s state) String() string {
	return [...]string{"adopted", "dialing", "relaying", "refusing", "done"}[s]
}

// maxDrain is how many bytes of a refused client are read and thrown away
// while it is given time to read the answer.
const maxDrain = 1 << 20

// end is one socket as the loop knows it. Readiness comes by edges, so it is
// remembered here until a system call says EAGAIN.
type end struct {
	fd                 int
	readable, writable bool
	readOn             bool  // there is more behind a short read: a FIN, or an urgent byte
	broken             bool  // the kernel reported an error
	reads, steady      uint8 // see heard
	last               int64 // when bytes moved last, on the loop's clock
}

// heard has what was just read acknowledged at once, because a peer that writes
// its messages in two parts may hold the second back until then. The price is
// a packet, which is saved with peers that have shown, turn by turn, to say all
// in one segment and then wait for the answer that carries the acknowledgement.
// The first second part restores the rule.
func (e *end) heard() {
	e.reads = min(e.reads+1, 2)
	if e.reads > 1 {
		e.steady = 0
	}
	if e.steady < steadyTurns {
		quickAck(e.fd)
	}
}

// told notes that bytes went to the peer.
func (e *end) told() {
	if e.reads == 1 && e.steady < steadyTurns {
		e.steady++
	}
	e.reads = 0
}

// Flow is one client connection and, once dialled, its server connection.
// Except for Abort its methods may be called by its Handler alone.
type Flow struct {
	loop    *loop
	handler Handler
	limits  Limits

	slot       int32
	timerIndex int32
	timerAt    int64
	state      state
	queued     bool
	kept       bool // the server leg has its keep-alive

	ends     [2]end
	ways     [2]way
	first    []byte
	start    int64 // Adopt, on the loop's clock
	deadline int64 // of the dial or the linger; when relaying, of the keep-alive
	dialedAt int64
	addr     netip.AddrPort
	told     [2]int64 // what Moved has been told
	drained  int
}

func newFlow(l *loop, cfg Config) *Flow {
	f := &Flow{
		loop: l, handler: cfg.Handler, limits: cfg.Limits, first: cfg.First,
		slot: -1, timerIndex: -1, start: int64(time.Since(l.base)),
	}
	f.ends[client] = end{fd: cfg.Client, writable: true}
	f.ends[server] = end{fd: -1}
	f.ways[client] = way{src: &f.ends[client], dst: &f.ends[server]}
	f.ways[server] = way{src: &f.ends[server], dst: &f.ends[client]}
	return f
}

// begin takes the flow in on its loop.
func (f *Flow) begin() {
	if f.loop.stopping {
		f.closeUnstarted()
		return
	}
	f.loop.place(f)
	if err := f.loop.watch(f, client); err != nil {
		f.end(InternalError, true)
		return
	}
	f.handler.Begin(f)
	if f.state == adopted {
		f.end(InternalError, true)
	}
}

// closeUnstarted ends a flow that no loop took in.
func (f *Flow) closeUnstarted() {
	f.state = done
	_ = unix.Close(f.ends[client].fd)
	f.handler.Done(f, Result{End: Stopped})
}

// Abort ends the flow with a reset of both connections, and the given reason.
// It may be called from any goroutine, also after the flow has ended.
func (f *Flow) Abort(reason End) {
	f.loop.post(message{flow: f, kind: abort, end: reason})
}

// Reset ends the flow at once with a reset of both connections. It is Abort for
// the Handler's own methods.
func (f *Flow) Reset(reason End) { f.end(reason, true) }

// Refuse ends the flow with an answer of the gateway's own: the bytes are
// sent, then FIN, and the client has RefuseLinger to read them. Without an
// answer the connection is closed at once.
func (f *Flow) Refuse(answer []byte) {
	f.closeServer()
	if len(answer) == 0 {
		f.end(Refused, false)
		return
	}
	f.state = refusing
	// An answer is a few bytes into an empty socket buffer: it fits or the
	// client is gone.
	_, _ = write(f.ends[client].fd, answer)
	_ = unix.Shutdown(f.ends[client].fd, unix.SHUT_WR)
	f.deadline = f.loop.now + int64(RefuseLinger)
	f.loop.timers.set(f, f.deadline)
	f.drain()
}

// drain throws away what a refused client still sends; unread bytes would turn
// the close into a reset that can overtake the answer.
func (f *Flow) drain() {
	c := &f.ends[client]
	for c.readable {
		n, err := read(c.fd, f.loop.scratch)
		f.drained += max(n, 0)
		switch {
		case err == unix.EAGAIN:
			c.readable = false
		case n == 0, err != nil && err != unix.EINTR, f.drained > maxDrain:
			f.end(Refused, false)
			return
		}
	}
}

func (e *end) note(ev uint32) {
	const bad = unix.EPOLLERR | unix.EPOLLHUP
	e.readable = e.readable || ev&(unix.EPOLLIN|unix.EPOLLRDHUP|bad) != 0
	e.writable = e.writable || ev&(unix.EPOLLOUT|bad) != 0
	e.readOn = e.readOn || ev&(unix.EPOLLRDHUP|unix.EPOLLPRI|bad) != 0
	e.broken = e.broken || ev&unix.EPOLLERR != 0
}

// event is the loop's call for every edge.
func (f *Flow) event(s side, ev uint32) {
	e := &f.ends[s]
	e.note(ev)
	switch f.state {
	case dialing:
		switch {
		case s == server:
			f.dialEvent(ev)
		case e.broken:
			f.end(ClientReset, true)
		}
	case relaying:
		f.pump()
	case refusing:
		f.drain()
	}
}

// timer is the loop's call when the flow's time may have come.
func (f *Flow) timer() {
	switch f.state {
	case dialing:
		if f.loop.now < f.deadline {
			f.loop.timers.set(f, f.deadline)
			return
		}
		f.dialFailed(ErrConnectTimeout)
	case refusing:
		if f.loop.now < f.deadline {
			f.loop.timers.set(f, f.deadline)
			return
		}
		f.end(Refused, false)
	case relaying:
		f.idleTimer()
	}
}

func (f *Flow) idleTimer() {
	if !f.kept && f.loop.now >= f.deadline {
		f.kept = true
		keepAlive(f.ends[server].fd)
	}
	at, why := f.idleDeadline()
	if !f.kept && (at == 0 || f.deadline < at) {
		f.loop.timers.set(f, f.deadline)
		return
	}
	switch {
	case at == 0:
	case at > f.loop.now:
		f.loop.timers.set(f, at)
	default:
		// A FIN behind bytes that are not delivered would be a lie.
		f.end(why, f.ways[client].holds() || f.ways[server].holds())
	}
}

// idleDeadline returns when the flow will have been idle for too long, 0 for
// never, and on which side.
func (f *Flow) idleDeadline() (at int64, why End) {
	if d := int64(f.limits.ClientIdle); d > 0 {
		at, why = f.ends[client].last+d, ClientIdle
	}
	if d := int64(f.limits.ServerIdle); d > 0 {
		if t := f.ends[server].last + d; at == 0 || t < at {
			at, why = t, ServerIdle
		}
	}
	return at, why
}

// end closes both sockets, gives everything back and tells the handler.
func (f *Flow) end(why End, reset bool) {
	if f.state == done {
		return
	}
	f.state = done
	for i := range f.ends {
		if fd := f.ends[i].fd; fd >= 0 {
			if reset {
				resetOnClose(fd)
			}
			_ = unix.Close(fd)
		}
		f.ways[i].release(f.loop.relay.pipes)
	}
	if f.slot >= 0 {
		f.loop.remove(f)
	}
	f.tell()
	f.handler.Done(f, Result{
		End: why, In: f.ways[client].sent, Out: f.ways[server].sent,
		Took: time.Since(f.loop.base) - time.Duration(f.start),
	})
}

// tell passes the growth of the byte counts on.
func (f *Flow) tell() {
	in, out := f.ways[client].sent, f.ways[server].sent
	if in != f.told[client] || out != f.told[server] {
		f.handler.Moved(in-f.told[client], out-f.told[server])
		f.told = [2]int64{in, out}
	}
}
