package gateway

import (
	"errors"
	"strings"
	"sync/atomic"
	"time"

	"gantry/gateway/engine"
	"gantry/gateway/mllpgate"
	"gantry/gateway/relay"
	"gantry/protocols"
	"gantry/protocols/mllp"
)

const (
	// maxAnswers is from how many bytes of answers on that a client has not read it is read no
	// further until it has taken them. Those of the messages that it has sent already may stand
	// behind that.
	maxAnswers = 64 << 10
	// lastByte is how long a frame that lacks nothing but its last byte waits for it.
	lastByte = time.Second
)

// partial counts the bytes of frames that are not whole yet, over all services, as far as they
// are more than engine.FreePending each.
var partial atomic.Int64

// half is a connection's bytes that make no whole frame yet.
type half struct {
	decoder mllp.Decoder
	buf     []byte
	base    []byte    // what buf lies in, from its beginning
	spares  *spares   // where large ones come from and go to; nil for none
	held    int64     // counted in partial
	since   time.Time // when its first byte came; the zero time while there is none
	last    time.Time
}

// add puts b behind what there is, and returns all of it.
func (h *half) add(b []byte) []byte {
	if len(h.buf) == 0 {
		return b
	}
	was := cap(h.buf)
	h.buf = append(h.buf, b...)
	if cap(h.buf) != was {
		h.spares.give(h.base)
		h.base = h.buf
	}
	return h.buf
}

// keep keeps what is left of the bytes that add returned, and counts it; false when too much is in
// memory. What is left lies where it lay, as long as that is not mostly waste: a client that sends
// many messages at once has them taken out one by one.
func (h *half) keep(rest []byte, now time.Time) bool {
	switch {
	case len(rest) == 0:
		h.spares.give(h.base)
		h.buf, h.base = nil, nil
	case !h.has(rest):
		h.buf = append(h.spares.take(len(rest)), rest...)
		h.base = h.buf
	case cap(h.base) > minArray && len(rest) < cap(h.base)/4:
		h.buf = append(make([]byte, 0, max(len(rest), 1<<10)), rest...)
		h.spares.give(h.base)
		h.base = h.buf
	default:
		h.buf = rest
	}
	return h.count(now)
}

// minArray is the size from which on memory is worth giving back before all in it is done with.
const minArray = 4 << 10

// has tells whether rest is the end of buf; else it lies in the loop's buffer.
func (h *half) has(rest []byte) bool {
	return len(rest) <= len(h.buf) && &rest[0] == &h.buf[len(h.buf)-len(rest)]
}

func (h *half) count(now time.Time) bool {
	h.last = now
	if !h.decoder.Partial() {
		h.since = time.Time{}
	} else if h.since.IsZero() {
		h.since = now
	}
	counted := int64(max(cap(h.base)-engine.FreePending, 0))
	growth := counted - h.held
	h.held = counted
	return partial.Add(growth) <= engine.MaxPending || growth <= 0
}

// release gives everything back.
func (h *half) release() {
	partial.Add(-h.held)
	h.spares.give(h.base)
	h.held, h.buf, h.base = 0, nil, nil
}

// spares are the buffers for large frames that their exchange uses again: one that is read in two
// pieces would cost two of them otherwise.
type spares struct{ free [][]byte }

const (
	// minSpare and maxSpare bound a buffer that is kept, in bytes, and maxSpares their number.
	minSpare, maxSpare = 16 << 10, 256 << 10
	maxSpares          = 16
	// spareRoom is for the next piece.
	spareRoom = 8 << 10
)

// take gives a buffer with room for n bytes, and more for what may follow a large piece.
func (s *spares) take(n int) []byte {
	if n < minSpare || s == nil {
		return make([]byte, 0, max(n, 1<<10))
	}
	if last := len(s.free) - 1; last >= 0 && cap(s.free[last]) >= n+spareRoom && cap(s.free[last]) <= 4*n {
		buf := s.free[last]
		s.free = s.free[:last]
		return buf
	}
	return make([]byte, 0, n+spareRoom)
}

// give takes a buffer back that nobody reads any more.
func (s *spares) give(buf []byte) {
	if s != nil && cap(buf) >= minSpare && cap(buf) <= maxSpare && len(s.free) < maxSpares {
		s.free = append(s.free, buf[:0])
	}
}

// sender is one client connection of an exchange.
type sender struct {
	exchange *exchange
	session  *session
	link     *relay.Link
	client   *mllpgate.Client
	half     half
	paused   bool // by the router
	stuffed  bool // it does not read its answers
	finished bool // it has ended its side, and that is not told yet
	queued   bool // in exchange.again
	over     bool
	in, out  int64
	messages int64
}

// Interface guard.
var _ relay.LinkHandler = (*sender)(nil)

// adopt takes a client in.
func (x *exchange) adopt(d *relay.Desk, s *session, fd int, first []byte) {
	c := &sender{exchange: x, session: s}
	c.half.spares = &x.spares
	c.client = x.router.Open(s.source, s.conn.Local.Port(), d.Now())
	c.client.State = c
	x.senders[c] = struct{}{}
	c.link = d.Adopt(fd, c)
	if x.leaving {
		x.router.Drain(d.Now())
	}
	if len(first) > 0 && !c.over {
		c.take(first)
	}
}

// Dialed is of connections to servers.
func (c *sender) Dialed(*relay.Link, time.Duration, error) {}

// Received takes bytes in.
func (c *sender) Received(_ *relay.Link, b []byte) {
	c.take(b)
	c.exchange.after()
}

func (c *sender) take(b []byte) {
	if err := foreign(b); c.in == 0 && err != nil {
		c.refuse(err)
		b = nil
	}
	c.in += int64(len(b))
	c.decode(c.half.add(b))
}

// foreign tells from the first bytes of a client that it speaks what is no MLLP, and would wait for an
// answer that never comes: other bytes in front of a frame are skipped.
func foreign(b []byte) error {
	if len(b) > 1 && b[0] == 0x16 && b[1] == 3 {
		return errTLS
	}
	for _, method := range []string{"GET ", "HEAD ", "POST ", "PUT ", "OPTIONS ", "CONNECT "} {
		if strings.HasPrefix(string(b[:min(len(b), len(method))]), method) {
			return errHTTP
		}
	}
	return nil
}

var (
	errTLS  = errors.New("it begins with a TLS handshake, and this port is plain MLLP")
	errHTTP = errors.New("it begins with an HTTP request, and this port is MLLP")
)

// decode gives the router the whole frames in b, as long as it wants them.
func (c *sender) decode(b []byte) {
	x, now := c.exchange, c.exchange.now()
	c.half.decoder.Max = x.svc.cfg.MLLP.MaxMessage // of today
	for !c.paused && !c.stuffed && !c.over {
		if len(b) > 0 && x.router.Full(c.client) {
			break
		}
		msg, n, err := c.half.decoder.Next(b)
		b = b[n:]
		if errors.Is(err, protocols.ErrShort) {
			break
		}
		if err != nil {
			c.refuse(err)
			b = nil
			break
		}
		c.half.since = time.Time{} // the next one has a time of its own
		c.message(msg, now)
	}
	x.counts.oddities(&c.half.decoder.Stats)
	if c.over {
		return
	}
	if !c.half.keep(b, now) {
		_ = x.gateway.turnAway(x.svc, c.session.source, refusedMemory, engine.ErrTooManyBytes)
		c.link.Reset()
		c.gone(endMemory)
		return
	}
	x.wait(c, &c.half)
	if len(c.half.buf) > 0 && c.half.decoder.Partial() {
		c.link.QuickAck()
	}
}

// message gives the router one message.
func (c *sender) message(msg []byte, now time.Time) {
	x := c.exchange
	if len(msg) == 0 {
		x.counts.odd(oddEmpty, 1)
		return
	}
	c.messages++
	if err := x.router.Message(c.client, msg, now); err != nil {
		c.refuse(err)
	}
}

// refuse ends a client that does not speak HL7 over MLLP: nobody knows where its next message
// would begin.
func (c *sender) refuse(err error) {
	x := c.exchange
	x.counts.odd(oddRefused, 1)
	why := refusedMalformed
	if tooLarge(err) {
		why = refusedLarge
	}
	_ = x.gateway.turnAway(x.svc, c.session.source, why, err)
	x.router.Malformed(c.client, x.now())
}

func tooLarge(err error) bool {
	var wrong *protocols.SyntaxError
	return errors.As(err, &wrong) && wrong.Limit
}

// goOn reads on where the client was stopped.
func (c *sender) goOn() {
	c.queued = false
	if c.over || c.paused || c.stuffed {
		return
	}
	if len(c.half.buf) > 0 {
		c.half.since = time.Time{} // the time that it was not read does not count
		c.decode(c.half.buf)
	}
	if c.over || c.paused || c.stuffed {
		return
	}
	if c.finished {
		c.end()
		return
	}
	c.link.Resume()
}

// Finished is the client's FIN, behind all that it sent.
func (c *sender) Finished(*relay.Link) {
	c.finished = true
	if !c.paused && !c.stuffed {
		c.end()
	}
	c.exchange.after()
}

// end tells that no more will come. A frame that lacks its last byte alone is whole.
func (c *sender) end() {
	x, h := c.exchange, &c.half
	c.finished = false
	if msg, _, ok := h.decoder.Flush(h.buf); ok {
		c.message(msg, x.now())
	} else if h.decoder.Partial() {
		x.counts.odd(oddTruncated, 1)
	}
	x.counts.oddities(&h.decoder.Stats)
	x.unwait(c)
	h.release()
	if !c.over {
		x.router.Finished(c.client, x.now())
	}
}

// overdue looks at how long a frame has been under way. While the gateway does not read, that is
// not the client's doing.
func (c *sender) overdue(now time.Time) {
	x, h := c.exchange, &c.half
	if c.over || c.paused || c.stuffed {
		return
	}
	if now.Sub(h.last) >= lastByte {
		if msg, _, ok := h.decoder.Flush(h.buf); ok {
			_ = h.keep(nil, now)
			x.unwait(c)
			c.message(msg, now)
			return
		}
	}
	if !h.since.IsZero() && now.Sub(h.since) >= x.svc.cfg.MLLP.FrameTimeout {
		_ = x.gateway.turnAway(x.svc, c.session.source, refusedFrame, errFrameTimeout)
		c.link.Reset()
		c.gone(endFrame)
	}
}

var errFrameTimeout = errors.New("a message was not complete within mllp.frame_timeout")

// Lost is the end of the connection by the client, or by its network.
func (c *sender) Lost(_ *relay.Link, _ error) {
	c.gone(relay.ClientReset)
	c.exchange.after()
}

// gone tells the router that the client's connection is closed.
func (c *sender) gone(why relay.End) {
	if c.over {
		return
	}
	x := c.exchange
	c.leave(why)
	x.router.Gone(c.client, x.now())
}

// Flushed is that the client has taken its answers.
func (c *sender) Flushed(*relay.Link) {
	if c.stuffed && !c.over {
		c.stuffed = false
		c.readAgain()
	}
	c.exchange.after()
}

func (c *sender) readAgain() {
	if !c.paused && !c.stuffed && !c.queued {
		c.queued = true
		c.exchange.again = append(c.exchange.again, c)
	}
}

// leave takes the client out of the exchange; its socket is closed, or will be.
func (c *sender) leave(why relay.End) {
	c.over = true
	x := c.exchange
	delete(x.senders, c)
	x.unwait(c)
	c.account(why)
}

// account gives back what the client was counted in, and writes its line.
func (c *sender) account(why relay.End) {
	x := c.exchange
	c.half.release()
	x.clients.Add(-1)
	x.gateway.clientEnded(x.svc, c, why)
	c.session.leave()
}

// wait has the clock look at a connection that is in the midst of a frame.
func (x *exchange) wait(h halfFrame, state *half) {
	if len(state.buf) > 0 {
		x.halfway[h] = struct{}{}
		return
	}
	x.unwait(h)
}

func (x *exchange) unwait(h halfFrame) {
	if len(x.halfway) > 0 {
		delete(x.halfway, h)
	}
}
