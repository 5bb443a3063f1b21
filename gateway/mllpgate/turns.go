package mllpgate

import "time"

// deliver gives a client the answers that are due, in its order, and closes its connection where
// one is missing.
func (r *Router) deliver(c *Client, now time.Time) {
	for len(c.queue) > 0 && !c.over {
		m := c.queue[0]
		if len(m.answer) > 0 && !m.silent {
			r.world.Answer(c, m.answer)
			r.remember(c, m, now)
			r.buffers.give(m.answer)
			m.answer, c.last = nil, now
		}
		if m.state != done {
			break
		}
		if m.silent {
			r.end(c, m.why)
			break
		}
		c.queue = drop(c.queue, m)
		r.free(m)
	}
	if len(c.queue) == 0 && c.ending {
		if c.owed(now) && (c.eof || c.why == WhyDrained) {
			r.parting[c] = struct{}{}
		} else {
			r.end(c, c.why)
		}
	}
	if c.over {
		r.forsake(c, now)
		return
	}
	r.listen(c)
}

// advance starts the messages of a client whose turn it is.
func (r *Router) advance(c *Client, now time.Time) {
	clear := true // all before are done
	for _, m := range c.queue {
		switch {
		case m.state == done:
			continue
		case m.barrier():
			if clear && m.state == waiting {
				r.place(m, now)
			}
			return
		case m.state == waiting && m.first():
			r.place(m, now)
		}
		clear = false
	}
}

// lookAt has a client looked at before the event is over.
func (r *Router) lookAt(c *Client) {
	if c != nil && !c.looked {
		c.looked = true
		r.look.push(c)
	}
}

// settle ends every event: clients get their answers, messages their turn, and servers what waits
// for them, until nothing follows from anything any more.
func (r *Router) settle(now time.Time) {
	for {
		if c, ok := r.look.pop(); ok {
			c.looked = false
			r.deliver(c, now)
			if !c.over {
				r.advance(c, now)
			}
			continue
		}
		if st, ok := r.hungry.pop(); ok {
			st.hungry = false
			r.feed(st, now)
			continue
		}
		if !r.freed {
			r.feedStarved()
			return
		}
		r.freed = false
		r.seat(now)
	}
}
