package relay

import (
	"errors"
	"time"
)

// Errors that Unanswered is told, beside those of the system.
var (
	// ErrAnswerTimeout tells that a server was connected and did not answer
	// within Limits.Answer, or the time given to Await.
	ErrAnswerTimeout = errors.New("no answer in time")
	// ErrHungUp tells that a server ended the connection before its answer was
	// whole.
	ErrHungUp = errors.New("connection closed without an answer")
	// ErrWithdrawn tells that Abort took the server away before it had answered.
	ErrWithdrawn = errors.New("the server was taken out of use")
)

// Reader is a Handler that understands what its flow carries. A flow whose
// Handler is a Reader waits for the server's answer before it relays, shows its
// Reader what passes by, and lets it have the last word with either side.
//
// What the server sends is always shown, unless StopReading was called. What
// the client sends is shown as long as it comes in small pieces: bulk passes
// inside the kernel, and only its length is told.
type Reader interface {
	Handler
	// Answered gets all that the server, of those dialled the last one, has
	// sent so far in answer to First. It returns true to begin relaying: b,
	// which it may have changed in place, then goes to the client. It returns
	// false to be called with more, or when it has called Dial, Refuse or Reset.
	Answered(f *Flow, b []byte) bool
	// Unanswered tells that no answer came: the connection was lost, or its time
	// is over. It must call Dial, Await, Refuse or Finish.
	Unanswered(f *Flow, err error)
	// Early is a client that speaks before it was answered, or that ended its
	// side: b is empty then. The bytes go nowhere. It must call Finish or Refuse.
	Early(f *Flow, b []byte)
	// Resume is called when the time of Park is over, and after Wake. It must
	// call Dial, Park, Refuse or Finish.
	Resume(f *Flow)
	// Passed shows bytes that are on their way from one side to the other. It
	// must not keep b, and may call StopReading and Expire.
	Passed(f *Flow, from Side, b []byte)
	// Skipped tells that n bytes passed unseen.
	Skipped(f *Flow, from Side, n int)
	// Ended tells that a side has sent all it will. With true the other side
	// is told, as between peers of TCP; with false the flow ends, as ClientClosed
	// or ServerClosed.
	Ended(f *Flow, from Side) bool
	// LastWords are sent before a flow ends that way, behind what is still on
	// its way to that side, with time to read them. Nil is for a side that is
	// just closed or reset; an empty slice gives the time without words. It is
	// asked once.
	LastWords(f *Flow, why End) (toClient, toServer []byte)
}

// First replaces the bytes that go to the server before all others, for the
// next Dial. The relay keeps the slice.
func (f *Flow) First(b []byte) { f.first = b }

// Await gives the server more time for its answer.
func (f *Flow) Await(d time.Duration) {
	f.deadline = f.loop.now + int64(d)
	f.loop.timers.set(f, f.deadline)
}

// Park keeps the client waiting, without a server, for at most d. Then, or after
// Wake, Resume is called.
func (f *Flow) Park(d time.Duration) {
	f.closeServer()
	f.state = parked
	f.Await(d)
	if f.ends[Client].readable {
		f.requeue() // it spoke, or left, while nobody listened
	}
}

// Wake ends Park early. It may be called from any goroutine, and does nothing to
// a flow that is not parked.
func (f *Flow) Wake() { f.loop.post(message{flow: f, kind: wake}) }

// Expire ends a relayed flow in d from now, in order, unless its peers do so
// before. A later call can only bring the end nearer.
func (f *Flow) Expire(d time.Duration) {
	at := f.loop.now + int64(d)
	if f.expires == 0 || at < f.expires {
		f.expires = at
		f.loop.timers.set(f, at)
	}
}

// StopReading ends the calls of Passed and Skipped: from now on both ways may be
// bulk.
func (f *Flow) StopReading() {
	f.ways[Client].reader, f.ways[Server].reader = nil, nil
}

// Finish ends the flow with a reset of the sides that LastWords says nothing to.
func (f *Flow) Finish(why End) { f.end(why, true) }

// Tell writes b to the server at once, for one that is about to be given up. What
// does not fit into the socket's buffer is dropped, and so is all of b when the
// server has not even taken First.
func (f *Flow) Tell(b []byte) {
	if e := &f.ends[Server]; e.fd >= 0 && !f.ways[Client].holds() {
		_, _ = write(e.fd, b)
	}
}

// Stalled tells that a side does not take what has been read for it: the other
// side is not read meanwhile. It may be called from any goroutine.
func (f *Flow) Stalled(to Side) bool { return f.ways[1-to].stalls.Load() }
