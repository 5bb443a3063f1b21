package relay

import (
	"math"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// Side names one end of a flow; it is also the index of the way that starts
// there.
type Side int32

// The sides.
const (
	Client Side = 0
	Server Side = 1
)

// state is where a flow stands in the drawing of the package comment.
type state uint8

const (
	adopted state = iota // handed over, nothing decided
	parked               // the Reader waits for something
	dialing
	asking // connected, the server has not answered First yet
	relaying
	parting // the last words are said, waiting for both sides to close
	done
)

// String names the state for tests and goroutine dumps.
func (s state) String() string {
	return [...]string{"adopted", "parked", "dialing", "asking", "relaying", "parting", "done"}[s]
}

// end is one socket as the loop knows it. Readiness comes by edges, so it is
// remembered here until a system call says EAGAIN.
type end struct {
	fd                 int
	readable, writable bool
	readOn             bool   // there is more behind a short read: a FIN, or an urgent byte
	broken             bool   // the kernel reported an error
	reads, steady      uint8  // see heard
	last               int64  // when bytes moved last, on the loop's clock
	words              []byte // the last ones, as far as they are unsaid
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
	reader  Reader // the handler, if it is one
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
	reply    []byte // of a server that is asked, so far
	start    int64  // Adopt, on the loop's clock
	deadline int64  // of the dial, the answer or the linger; when relaying, of the keep-alive
	expires  int64  // see Expire; 0 = never
	dialedAt int64
	dials    uint32
	addr     netip.AddrPort
	told     [2]int64 // what Moved has been told
	drained  int
	why      End // of parting
}

func newFlow(l *loop, cfg Config) *Flow {
	f := &Flow{
		loop: l, handler: cfg.Handler, limits: cfg.Limits, first: cfg.First,
		slot: -1, timerIndex: -1, start: int64(time.Since(l.base)),
	}
	f.ends[Client] = end{fd: cfg.Client, writable: true}
	f.ends[Server] = end{fd: -1}
	f.ways[Client].src, f.ways[Client].dst = &f.ends[Client], &f.ends[Server]
	f.ways[Server].src, f.ways[Server].dst = &f.ends[Server], &f.ends[Client]
	if r, ok := cfg.Handler.(Reader); ok {
		f.reader = r
		for s := range f.ways {
			f.ways[s].flow, f.ways[s].from, f.ways[s].reader = f, Side(s), r
		}
	}
	return f
}

// begin takes the flow in on its loop.
func (f *Flow) begin() {
	if f.loop.stopping {
		f.closeUnstarted()
		return
	}
	f.loop.place(f)
	if err := f.loop.watch(f, Client); err != nil {
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
	_ = unix.Close(f.ends[Client].fd)
	f.handler.Done(f, Result{End: Stopped})
}

// Abort ends the flow with a reset of both connections, and the given reason.
// It may be called from any goroutine, also after the flow has ended. A Reader
// whose server has not answered yet is told Unanswered instead, with
// ErrWithdrawn: another server may still do.
func (f *Flow) Abort(reason End) {
	f.loop.post(message{flow: f, kind: abort, end: reason})
}

// aborted is what Abort comes to on the loop.
func (f *Flow) aborted(reason End) {
	if f.state == asking {
		f.unanswered(ErrWithdrawn)
		return
	}
	f.end(reason, true)
}

// Reset ends the flow at once with a reset of both connections. It is Abort for
// the Handler's own methods.
func (f *Flow) Reset(reason End) { f.end(reason, true) }

// Refuse ends the flow with an answer of the gateway's own: the bytes are
// sent, then FIN, and the client has PartLinger to read them. Without an
// answer the connection is closed at once.
func (f *Flow) Refuse(answer []byte) {
	f.closeServer()
	if len(answer) == 0 || !f.part(Refused, false, [2][]byte{Client: answer}) {
		f.finish(Refused, false)
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
func (f *Flow) event(s Side, ev uint32) {
	e := &f.ends[s]
	e.note(ev)
	switch f.state {
	case dialing:
		switch {
		case s == Server:
			f.dialEvent(ev)
		case e.broken:
			f.end(ClientReset, true)
		}
	case parked:
		f.early()
	case asking:
		f.ask()
	case relaying:
		f.pump()
	case parting:
		f.talk()
	}
}

// timer is the loop's call when the flow's time may have come.
func (f *Flow) timer() {
	switch f.state {
	case relaying:
		f.idleTimer()
		return
	case adopted, done:
		return
	}
	if f.loop.now < f.deadline {
		f.loop.timers.set(f, f.deadline)
		return
	}
	switch f.state {
	case parked:
		f.reader.Resume(f)
		f.insist(parked)
	case dialing:
		f.dialFailed(ErrConnectTimeout)
	case asking:
		f.unanswered(ErrAnswerTimeout)
	case parting:
		f.finish(f.why, true)
	}
}

// never is a deadline that does not come.
const never = math.MaxInt64

// within gives the state that begins its time; 0 is no limit.
func (f *Flow) within(d time.Duration) {
	f.deadline = never
	if d > 0 {
		f.Await(d)
	}
}

// insist ends a flow whose Reader left it in s although its time is over: nothing
// would ever wake it.
func (f *Flow) insist(s state) {
	if f.state == s && f.deadline <= f.loop.now {
		f.finish(InternalError, true)
	}
}

func (f *Flow) idleTimer() {
	if !f.kept && f.loop.now >= f.deadline {
		f.kept = true
		keepAlive(f.ends[Server].fd)
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
		f.end(why, f.ways[Client].holds() || f.ways[Server].holds())
	}
}

// idleDeadline returns when the flow will have been idle for too long, 0 for
// never, and on which side.
func (f *Flow) idleDeadline() (at int64, why End) {
	if d := int64(f.limits.ClientIdle); d > 0 {
		at, why = f.ends[Client].last+d, ClientIdle
	}
	if d := int64(f.limits.ServerIdle); d > 0 {
		if t := f.ends[Server].last + d; at == 0 || t < at {
			at, why = t, ServerIdle
		}
	}
	if f.expires > 0 && (at == 0 || f.expires < at) {
		at, why = f.expires, Closed
	}
	return at, why
}

// end ends the flow, with last words where its Reader has some.
func (f *Flow) end(why End, reset bool) {
	switch {
	case f.state == parting && why == Stopped:
	case f.state == parting, f.state == done:
		return
	case f.reader != nil && why != InternalError:
		var words [2][]byte
		words[Client], words[Server] = f.reader.LastWords(f, why)
		if why == Stopped {
			f.leave(words)
		} else if f.part(why, reset, words) {
			return
		}
	}
	f.finish(why, reset)
}

// finish closes both sockets, gives everything back and tells the handler.
func (f *Flow) finish(why End, reset bool) {
	if f.state == done {
		return
	}
	f.state = done
	f.closeEnd(Client, reset)
	f.closeEnd(Server, reset)
	if f.slot >= 0 {
		f.loop.remove(f)
	}
	f.reply, f.first = nil, nil
	f.tell()
	f.handler.Done(f, Result{
		End: why, In: f.ways[Client].sent, Out: f.ways[Server].sent,
		Took: time.Since(f.loop.base) - time.Duration(f.start),
	})
}

// tell passes the growth of the byte counts on.
func (f *Flow) tell() {
	in, out := f.ways[Client].sent, f.ways[Server].sent
	if in != f.told[Client] || out != f.told[Server] {
		f.handler.Moved(in-f.told[Client], out-f.told[Server])
		f.told = [2]int64{in, out}
	}
}
