package mllpgate

import (
	"math/bits"
	"slices"
	"time"

	"gantry/balancing"
	"gantry/protocols/mllp"
)

// state is where a message stands in the drawing of the package comment.
type state uint8

const (
	waiting state = iota
	crowded
	held
	placed
	sent
	following // the same frame is under way already: it has that one's answer
	done
)

// message is one message on its way.
type message struct {
	client  *Client // nil once it has left
	source  sourceOf
	turn    uint64 // in the order in which messages had their turn; 0 = not yet
	number  uint64 // in the order in which all messages came
	place   uint64 // in the order of its connection: the same, but where it took another one's place
	frame   []byte // with its framing
	env     Envelope
	state   state
	queues  []*queue // of its keys; none = it is a barrier in its connection
	route   int
	tried   []*balancing.Server
	crowd   *crowd            // while crowded
	station *station          // while placed
	link    *Link             // while sent
	server  *balancing.Server // that it was sent to last

	sum      past
	received time.Time
	heldFrom time.Time // since when no server can be used; the zero time while one can
	retryAt  time.Time
	sentAt   time.Time
	deadline time.Time // of the answer
	sends    int
	doubt    bool // it was sent before, and nobody knows what became of it
	got      int  // answers so far, where a batch has several

	kept    []byte // the answer of a server that refused, while others are asked
	keptAck string
	answer  []byte // frames that the client cannot have yet
	out     int    // bytes of all answers
	silent  bool   // done without any answer although one is due: the connection is closed
	why     Why
	ending  bool // it is in the list of those that end together

	guard  guardKey
	own    bool       // the answer is the gateway's
	twins  []*message // with the same frame, that came later: they get its answer
	leader *message   // while following
}

// unsent tells whether no byte of it has gone to a server.
func (m *message) unsent() bool { return m.state < sent }

// barrier tells whether it has to wait for all before it in its connection, and all behind it
// for it.
func (m *message) barrier() bool { return len(m.queues) == 0 }

// first tells whether it is at the head of the queues of all its keys.
func (m *message) first() bool {
	for _, q := range m.queues {
		if q.messages[0] != m {
			return false
		}
	}
	return true
}

// bytes is the size of the message without framing.
func (m *message) bytes() int { return len(m.frame) - framing }

// framing is how many bytes a frame has around its message.
const framing = 3

// buffers are frames that are used again, by size: a power of two each.
type buffers struct {
	free  [maxKeptClass + 1][][]byte
	bytes int // of all of them
}

const (
	minKeptClass = 10 // 1 KiB: smaller ones are as large
	maxKeptClass = 18 // 256 KiB: larger ones are rare
	// maxKeptBytes bounds the memory of what is kept.
	maxKeptBytes = 8 << 20
)

// frame puts a message into its framing.
func (b *buffers) frame(msg []byte) []byte {
	n := len(msg) + framing
	class := max(bits.Len(uint(n-1)), minKeptClass)
	if class > maxKeptClass {
		return mllp.Append(make([]byte, 0, n), msg)
	}
	list := &b.free[class]
	if last := len(*list) - 1; last >= 0 {
		buf := (*list)[last]
		(*list)[last], *list = nil, (*list)[:last]
		b.bytes -= cap(buf)
		return mllp.Append(buf, msg)
	}
	return mllp.Append(make([]byte, 0, 1<<class), msg)
}

// give takes a frame back that nobody reads any more.
func (b *buffers) give(frame []byte) {
	class := bits.Len(uint(cap(frame))) - 1
	if class < minKeptClass || class > maxKeptClass || b.bytes+cap(frame) > maxKeptBytes {
		return
	}
	b.free[class] = append(b.free[class], frame[:0])
	b.bytes += cap(frame)
}

// drop takes m out of a list. Short lists keep their memory for the next message, long ones are
// not copied.
func drop(list []*message, m *message) []*message {
	switch i := slices.Index(list, m); {
	case i < 0:
		return list
	case i == 0 && len(list) > maxShifted: // nearly always the first
		list[0] = nil
		return list[1:]
	default:
		list = slices.Delete(list, i, i+1)
	}
	if len(list) == 0 && cap(list) > maxShifted {
		return nil
	}
	return list
}

// maxShifted bounds the lists of messages whose rest moves up when the first one leaves.
const maxShifted = 16
