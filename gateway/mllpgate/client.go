package mllpgate

import (
	"bytes"
	"hash/maphash"
	"net/netip"
	"time"
)

// Client is one connection of a sender. Make it with Router.Open.
type Client struct {
	// State is for the World.
	State any

	source   sourceOf
	queue    []*message // received and not answered to it yet, oldest first
	last     time.Time  // when it said something, or got an answer
	paused   bool       // the World reads it no more
	eof      bool       // it has ended its side
	ending   bool       // no more messages are taken
	why      Why        // with ending
	over     bool       // its connection is closed, or is being
	looked   bool       // it is in Router.look
	later    *Link      // that gave it an application answer last: its commit byte goes there
	due      int        // application answers that it waits for
	dueUntil time.Time  // at the latest
	recent   []recent   // answers that it has not shown to have got; with a guard only
}

// sourceOf is where a client comes from.
type sourceOf struct {
	addr netip.AddrPort
	port uint16 // that it came to
}

// Source is the client's address.
func (c *Client) Source() netip.AddrPort { return c.source.addr }

// Waiting is the number of its messages that are not answered to it yet.
func (c *Client) Waiting() int { return len(c.queue) }

// Open takes a client in. port is the one that it came to.
func (r *Router) Open(source netip.AddrPort, port uint16, now time.Time) *Client {
	c := &Client{source: sourceOf{source, port}, last: now}
	r.clients[c] = struct{}{}
	if r.draining { // ended with the next event: the World does not know it yet
		c.ending, c.why = true, WhyDrained
		r.lookAt(c)
	}
	return c
}

// Message takes a whole message from a client; msg is valid during the call. What does not begin
// with MSH, FHS or BHS closes the connection, after the answers to what came before: the error
// says what is wrong with it.
func (r *Router) Message(c *Client, msg []byte, now time.Time) error {
	if c.over || c.ending {
		return nil
	}
	c.last = now
	if isCommit(msg) {
		r.committed(c, msg, now)
		r.settle(now)
		return nil
	}
	m := &message{client: c, source: c.source, frame: r.buffers.frame(msg), received: now}
	if err := m.env.Read(m.frame[1:len(m.frame)-2], r.set.OrderBy); err != nil {
		r.buffers.give(m.frame)
		r.ending(c, WhyMalformed)
		r.settle(now)
		return err
	}
	m.sum = r.sumOf(m)
	r.receive(c, m, now)
	r.settle(now)
	return nil
}

// sumOf is what is remembered of a message once it is answered; nothing where it has no MSH-10.
func (r *Router) sumOf(m *message) past {
	if len(m.env.ControlID) == 0 {
		return past{}
	}
	return past{maphash.Bytes(r.seed, m.env.ControlID) | 1, maphash.Bytes(r.seed, m.frame)}
}

// Full tells that nothing more is to be taken from a client for now, since the messages of all take
// too much memory. It is paused, and resumed when there is room.
func (r *Router) Full(c *Client) bool {
	if r.bytes <= r.set.Memory || c.over || c.ending {
		return false
	}
	r.hush(c)
	return true
}

// Malformed tells that a client sent what is no MLLP: no more messages are taken, and it is closed
// after the answers to what came before.
func (r *Router) Malformed(c *Client, now time.Time) {
	if c.over || c.ending {
		return
	}
	r.ending(c, WhyMalformed)
	r.settle(now)
}

// receive gives a message its place in all orders.
func (r *Router) receive(c *Client, m *message, now time.Time) {
	if len(c.queue) == 0 {
		r.remembered(c) // it has read what came before: otherwise it would wait
	}
	r.bytes += len(m.frame)
	r.received++
	m.number, m.place = r.received, r.received
	c.queue = append(c.queue, m)
	if r.guard.meet(m, now) == guardNew {
		m.route = r.routeOf(m)
		r.order.join(m, m.env.Keys)
		r.active++
	} else {
		r.tell(m, nil, AckDuplicate, now)
	}
	r.lookAt(c)
	r.hush(c)
}

// Finished tells that a client has ended its side. It gets the answers that are due.
func (r *Router) Finished(c *Client, now time.Time) {
	if c.over {
		return
	}
	c.eof = true
	if !c.ending {
		r.ending(c, WhyFinished)
	}
	r.settle(now)
}

// Gone tells that a client's connection has ended without Router.End. What it sent and was not
// sent on is forgotten; what was sent on is waited for. Its last answers may not have reached it:
// a socket that is closed with bytes unread is reset.
func (r *Router) Gone(c *Client, now time.Time) {
	if c.over {
		return
	}
	c.over = true
	for _, a := range c.recent {
		r.guard.store(a.key, bytes.Clone(a.answer), now)
	}
	r.remembered(c)
	r.forsake(c, now)
	r.settle(now)
}

// forsake lets go of a client's messages.
func (r *Router) forsake(c *Client, now time.Time) {
	delete(r.clients, c)
	delete(r.starved, c)
	delete(r.parting, c)
	queue := c.queue
	c.queue = nil
	for _, m := range queue {
		if m.state == following {
			r.unfollow(m)
		}
		m.client = nil
	}
	for _, m := range queue {
		switch {
		case m.state == following, m.frame == nil: // let go of already
		case m.state == done:
			r.store(m, now)
			r.free(m)
		case len(m.twins) > 0:
			r.adopt(m)
		case m.state == sent:
		default:
			r.withdraw(m)
			switch {
			case m.doubt: // its sender will send it again: behind those that wait for it now
				r.fail(m, Close, AckUnknown, WhyUnknown, now)
			case m.kept != nil:
				r.conclude(m, m.keptAck, now)
			default:
				r.conclude(m, AckWithdrawn, now)
			}
		}
	}
}

// ending takes no more messages from a client; it is closed when it has its answers.
func (r *Router) ending(c *Client, why Why) {
	c.ending, c.why = true, why
	r.hush(c)
	r.lookAt(c)
}

// end closes a client's connection, whatever is under way.
func (r *Router) end(c *Client, why Why) {
	if c.over {
		return
	}
	c.over = true
	r.lookAt(c)
	r.remembered(c)
	r.world.End(c, why)
}

// hush has a client read no further while it has enough under way, or all have.
func (r *Router) hush(c *Client) {
	starved := r.bytes > r.set.Memory
	full := len(c.queue) >= max(r.set.ClientPipelines, 1) || c.ending && !c.eof && c.why != WhyFinished
	if starved && !full {
		r.starved[c] = struct{}{}
	}
	if (starved || full) && !c.paused && !c.over {
		c.paused = true
		r.world.Pause(c)
	}
}

// listen undoes hush when there is room again.
func (r *Router) listen(c *Client) {
	if !c.paused || c.over || c.ending || r.draining || len(c.queue) >= max(r.set.ClientPipelines, 1) {
		return
	}
	if r.bytes > r.set.Memory {
		r.starved[c] = struct{}{}
		return
	}
	c.paused = false
	r.world.Resume(c)
}

// feedStarved reads the clients again that memory had stopped.
func (r *Router) feedStarved() {
	if len(r.starved) == 0 || r.bytes > r.set.Memory-r.set.Memory/8 {
		return
	}
	for c := range r.starved {
		delete(r.starved, c)
		r.listen(c)
	}
}
