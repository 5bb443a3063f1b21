package relay

import (
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// LinkHandler is told what happens on a link. Its methods are called on the
// desk's loop, one at a time and never from within a method of Desk or Link; they
// must not block, and may call any method of the desk and of any of its links,
// Close of this very one included.
//
// A link that its owner does not Close, Reset or Part ends with exactly one call
// of Lost, or of Dialed with an error.
type LinkHandler interface {
	// Dialed tells how Desk.Dial went, and how long it took. After an error the
	// link is closed already.
	Dialed(l *Link, took time.Duration, err error)
	// Received shows what the peer sent, ReadSize bytes at most; b is valid during
	// the call alone. It is not called while the link is paused.
	Received(l *Link, b []byte)
	// Finished tells that the peer has sent FIN, behind all that was Received.
	// Writing still works. It is not called while the link is paused.
	Finished(l *Link)
	// Lost tells that the connection was reset, or that it failed otherwise: a
	// write, the keep-alive, the memory to watch it. The link is closed already.
	// What the peer had sent before was Received first, but for a paused link:
	// that is told at once.
	Lost(l *Link, err error)
	// Flushed tells that all that was written is with the kernel, where Write had
	// said that it was not.
	Flushed(l *Link)
}

// linkState is where a link stands.
type linkState uint8

const (
	calling linkState = iota // is dialled
	linked
	leaving // parts: the handler is out of it
	gone
)

// Link is one connection of a Desk. An idle one holds its socket and less than
// 200 bytes: it has no buffer unless the peer takes less than what was written.
type Link struct {
	// State is the owner's.
	State any

	desk    *Desk
	handler LinkHandler
	pending []byte // written, and not taken by the kernel yet
	array   int    // the size of what pending lies in, at most
	call    *call  // of the dial; nil once it has ended
	time    *alarm // of the dial, of the parting; nil otherwise
	err     error  // why the link is dead, to be told
	partBy  int64  // when parting ends at the latest, on the loop's clock
	fd      int32
	slot    int32
	unsent  int32 // what it was when the connection was lost
	drained int32 // what was thrown away while it parts

	state linkState
	// Readiness comes by edges, so it is remembered until a system call says
	// EAGAIN.
	readable, writable bool
	readOn             bool // there is more behind a short read: a FIN, an error or an urgent byte
	broken             bool // the kernel reported an error
	paused             bool
	finished           bool // the FIN was read
	owed               bool // Flushed is due
	queued             bool // in loop.busy
}

// Write sends b behind what was written before. What the kernel does not take at
// once is copied and sent as it does: flushed is false then, and Flushed follows.
// While the link is dialled everything is kept. After an error nothing of b was
// or will be sent, and nothing can be written any more; what the peer had still
// sent is Received, and Lost follows, unless the link is closed before.
func (k *Link) Write(b []byte) (flushed bool, err error) {
	switch {
	case k.state >= leaving:
		return false, net.ErrClosed
	case k.err != nil:
		return false, k.err
	}
	if len(k.pending) == 0 {
		n, err := k.send(b)
		if err != nil {
			k.fail(err)
			if n == 0 {
				return false, err
			}
		}
		b = b[n:]
		if len(b) == 0 {
			return true, nil
		}
	}
	k.pending = append(k.pending, b...)
	k.array = max(k.array, cap(k.pending))
	k.owed = true
	return false, nil
}

// send writes until the kernel takes no more.
func (k *Link) send(b []byte) (sent int, err error) {
	for k.writable && sent < len(b) {
		n, err := write(int(k.fd), b[sent:])
		sent += max(n, 0)
		switch {
		case err == unix.EAGAIN:
			k.writable = false
		case err != nil && err != unix.EINTR:
			return sent, err
		}
	}
	return sent, nil
}

// Pending is how many bytes were written that the kernel has not taken yet.
func (k *Link) Pending() int { return len(k.pending) }

// Unsent is how many bytes were written that the peer's kernel has not
// acknowledged, Pending among them. After Lost it is what it was then; after
// Close, Reset and Part it is not known any more, and 0.
func (k *Link) Unsent() int {
	if k.fd < 0 {
		return int(k.unsent)
	}
	return len(k.pending) + outQueue(int(k.fd))
}

// Pause ends reading. What comes stays in the kernel, which tells the peer to
// send no more once its buffer is full.
func (k *Link) Pause() { k.paused = true }

// Resume begins reading again. What has come meanwhile, bytes and FIN, is told on
// a later turn.
func (k *Link) Resume() {
	k.paused = false
	if k.state == linked && k.readable && !k.finished {
		k.later()
	}
}

// Quiet tells whether the peer has said nothing that was not Received: no byte,
// no FIN, no error. It asks the kernel, so it knows what the loop does not know
// yet.
func (k *Link) Quiet() bool {
	if k.state != linked || k.finished || k.broken || k.err != nil {
		return false
	}
	return empty(int(k.fd))
}

// QuickAck has what was received acknowledged now, and not by the kernel's
// delayed acknowledgement, up to 40 ms later. It is for a peer that holds the
// second part of a message back until then; the kernel forgets it soon.
func (k *Link) QuickAck() {
	if k.fd >= 0 {
		quickAck(int(k.fd))
	}
}

// Ended tells whether the peer has sent FIN, or the connection has failed, as far
// as the kernel knows by now: bytes that the loop has not read yet do not matter.
func (k *Link) Ended() bool {
	return k.state != linked || k.finished || k.broken || k.err != nil || hungUp(int(k.fd))
}

// Close closes the connection at once and silently: with FIN, or with RST when
// not all that was written, or all that had come, was taken.
func (k *Link) Close() {
	if k.state == gone {
		return
	}
	if len(k.pending) > 0 && k.state != calling && k.err == nil {
		resetOnClose(int(k.fd)) // a FIN in the midst of what was written would be a lie
	}
	k.shut()
}

// Reset closes the connection at once with RST, and silently.
func (k *Link) Reset() {
	if k.state == gone {
		return
	}
	if k.fd >= 0 {
		resetOnClose(int(k.fd))
	}
	k.shut()
}

// shut closes the socket and gives everything back.
func (k *Link) shut() {
	k.leave()
	k.state = gone
	if k.time != nil {
		k.desk.loop.alarms.remove(k.time)
		k.time = nil
	}
	if k.slot >= 0 {
		k.desk.loop.unseat(k)
	}
	k.hangUp()
	k.pending, k.array, k.call, k.owed = nil, 0, nil, false
}

// hangUp closes the socket.
func (k *Link) hangUp() {
	if k.fd >= 0 {
		_ = unix.Close(int(k.fd))
		k.fd = -1
	}
}

// leave takes the link out of its desk.
func (k *Link) leave() {
	if k.state < leaving && k.slot >= 0 {
		k.desk.links--
	}
}

// later gives the link another turn.
func (k *Link) later() {
	if !k.queued {
		k.queued = true
		l := k.desk.loop
		l.busy = append(l.busy, k)
	}
}

// fail has an error told on a later turn.
func (k *Link) fail(err error) {
	k.err = err
	k.readable = true // as far as there is anything, it is all there
	k.later()
}
