package mllpgate

import (
	"bytes"
	"crypto/sha256"
	"hash"
	"slices"
	"time"
)

// guardKey is the hash of a sender's address and a whole frame, MSH-3, 4 and 10 with it. The zero
// key is none.
type guardKey [sha256.Size]byte

// recent is an answer that a client has not shown to have got.
type recent struct {
	key    guardKey
	answer []byte
}

// guard remembers the messages whose answers could not be delivered, so that a resent one is not
// delivered twice.
type guard struct {
	set     GuardSettings
	flying  map[guardKey]*message // received, and not answered to a client yet
	entries map[guardKey]*guarded
	order   []aged // oldest first
	bytes   int    // of the answers in entries
	recent  int    // and of those in Client.recent
	hash    hash.Hash
}

// guarded is the answer to one message.
type guarded struct {
	answer []byte
	until  time.Time
}

// aged is an entry in the order of its end. It may be forgotten already, or replaced.
type aged struct {
	key   guardKey
	entry *guarded
}

func (g *guard) configure(s GuardSettings) {
	g.set = s
	if s.For <= 0 {
		*g = guard{}
		return
	}
	if g.entries == nil {
		g.flying, g.entries, g.hash = map[guardKey]*message{}, map[guardKey]*guarded{}, sha256.New()
	}
	g.shrink()
}

func (g *guard) on() bool { return g.entries != nil }

// meeting is what the guard knows of a message.
type meeting int

const (
	guardNew    meeting = iota
	guardStored         // it was answered: m is done now
	guardFlying         // it is under way: m gets its answer
)

// meet looks for an earlier copy of a message.
func (g *guard) meet(m *message, now time.Time) meeting {
	if !g.on() {
		return guardNew
	}
	m.guard = g.key(m)
	if first := g.flying[m.guard]; first != nil && first.got == 0 && !(first.state == done && (first.own || first.silent)) {
		m.follow(first)
		return guardFlying
	}
	g.flying[m.guard] = m
	e := g.entries[m.guard]
	if e == nil {
		return guardNew
	}
	g.forget(m.guard)
	if now.After(e.until) {
		return guardNew
	}
	m.state, m.answer = done, e.answer
	return guardStored
}

// follow has a message wait for the answer to the same one that came before.
func (m *message) follow(first *message) {
	if first.state == done {
		m.state, m.answer = done, bytes.Clone(first.answer)
		return
	}
	m.state, m.leader = following, first
	first.twins = append(first.twins, m)
}

// landed gives what became of a message to those that followed it.
func (r *Router) landed(m *message) {
	for _, t := range m.twins {
		t.state, t.leader, t.own = done, nil, m.own
		if t.silent, t.why = m.silent, m.why; t.silent {
			r.ending(t.client, t.why)
		}
		r.lookAt(t.client)
	}
	m.twins = nil
}

// adopt gives a message whose client has left to the first client that sent it again.
func (r *Router) adopt(m *message) {
	t := m.twins[0]
	m.twins = m.twins[1:]
	c := t.client
	c.queue[slices.Index(c.queue, t)] = m
	m.client, m.source, m.place, m.answer = c, t.source, t.place, t.answer
	if m.unsent() { // its turn is that of the later one: what came between may wait for this connection
		r.withdraw(m)
		m.number = t.number
		r.order.later(m, func(next *message) { r.lookAt(next.client) })
	}
	t.leader, t.answer = nil, nil
	r.free(t)
	r.lookAt(c)
}

// unfollow lets go of a message that waits for another one's answer.
func (r *Router) unfollow(m *message) {
	m.leader.twins = drop(m.leader.twins, m)
	m.leader = nil
	r.free(m)
}

// grounded forgets that a message is under way.
func (g *guard) grounded(m *message) {
	if g.on() && g.flying[m.guard] == m {
		delete(g.flying, m.guard)
	}
}

func (g *guard) key(m *message) (k guardKey) {
	g.hash.Reset()
	addr := m.source.addr.Addr().As16()
	_, _ = g.hash.Write(addr[:])
	_, _ = g.hash.Write(m.frame)
	g.hash.Sum(k[:0])
	return k
}

// store keeps a server's answer that was not delivered. What the gateway said itself is not worth
// it: nobody has the message.
func (r *Router) store(m *message, now time.Time) {
	if !m.own && !m.silent {
		r.guard.store(m.guard, m.answer, now)
	}
}

// store keeps an answer that was not delivered.
func (g *guard) store(key guardKey, answer []byte, now time.Time) {
	if !g.on() || key == (guardKey{}) || len(answer) == 0 || len(answer) > g.set.Memory {
		return
	}
	g.forget(key)
	e := &guarded{answer, now.Add(g.set.For)}
	g.entries[key] = e
	g.order = append(g.order, aged{key, e})
	g.bytes += len(answer)
	g.shrink()
	if len(g.order) > 2*len(g.entries)+minAged { // most of them are replaced, or were asked for
		g.order = slices.DeleteFunc(g.order, func(a aged) bool { return g.entries[a.key] != a.entry })
	}
}

// minAged is the length from which on it is worth looking for what can go.
const minAged = 64

func (g *guard) forget(key guardKey) {
	if e := g.entries[key]; e != nil {
		g.bytes -= len(e.answer)
		delete(g.entries, key)
	}
}

// shrink keeps to the bounds; the oldest go first.
func (g *guard) shrink() {
	for (len(g.entries) > g.set.Entries || g.bytes+g.recent > g.set.Memory) && len(g.order) > 0 {
		g.pop()
	}
}

func (g *guard) pop() {
	first := g.order[0]
	g.order = g.order[1:]
	if g.entries[first.key] == first.entry {
		g.forget(first.key)
	}
}

// expire forgets what is too old.
func (g *guard) expire(now time.Time) {
	for len(g.order) > 0 && now.After(g.order[0].entry.until) {
		g.pop()
	}
}

// remember keeps an answer until its client shows that it has it: by the next message, sent while
// nothing else was due. A client that has ended its side perhaps does not read any more.
func (r *Router) remember(c *Client, m *message, now time.Time) {
	g := &r.guard
	switch {
	case !g.on() || m.state != done || m.own || m.guard == (guardKey{}):
	case c.eof:
		g.store(m.guard, bytes.Clone(m.answer), now)
	case g.recent+len(m.answer) > g.set.Memory/2:
	default:
		if len(c.recent) >= max(r.set.ClientPipelines, 1) {
			g.recent -= len(c.recent[0].answer)
			c.recent = slices.Delete(c.recent, 0, 1)
		}
		g.recent += len(m.answer)
		c.recent = append(c.recent, recent{m.guard, bytes.Clone(m.answer)})
	}
}

// remembered lets go of a client's answers; it has them.
func (r *Router) remembered(c *Client) {
	for _, a := range c.recent {
		r.guard.recent = max(r.guard.recent-len(a.answer), 0) // 0: the guard was off meanwhile
	}
	clear(c.recent)
	c.recent = c.recent[:0]
}
