package mllpgate

import (
	"bytes"
	"crypto/sha256"
	"hash"
	"time"
)

// guardKey is the hash of a sender's address and a whole frame, MSH-3, 4 and 10 with it. The zero
// key is none.
type guardKey [sha256.Size]byte

// recent is an answer that a client has not shown to have got.
type recent struct {
	key      guardKey
	answer   []byte
	doubtful bool // the client had ended its side: perhaps it does not read any more
}

// guard remembers the messages whose answers could not be delivered, so that a resent one is not
// delivered twice.
type guard struct {
	set     GuardSettings
	entries map[guardKey]*guarded
	order   []aged // oldest first
	bytes   int
	hash    hash.Hash
}

// guarded is one message that was sent on while its client left.
type guarded struct {
	flying *message // not answered yet
	answer []byte
	until  time.Time
}

// aged is when an entry ends. One that was replaced has a later one.
type aged struct {
	key   guardKey
	until time.Time
}

func (g *guard) configure(s GuardSettings) {
	g.set = s
	if s.For <= 0 {
		*g = guard{}
		return
	}
	if g.entries == nil {
		g.entries, g.hash = map[guardKey]*guarded{}, sha256.New()
	}
	g.shrink()
}

func (g *guard) on() bool { return g.entries != nil }

// meeting is what the guard knows of a message.
type meeting int

const (
	guardNew    meeting = iota
	guardStored         // it was answered: m is done now
	guardFlying         // it is under way: its first copy stands in the client's queue now
)

// meet looks for the earlier copy of a message, the last in its client's queue.
func (g *guard) meet(r *Router, c *Client, m *message, now time.Time) meeting {
	if !g.on() {
		return guardNew
	}
	m.guard = g.key(m)
	e := g.entries[m.guard]
	switch {
	case e == nil:
		return guardNew
	case e.flying != nil:
		first := e.flying
		first.client = c
		c.queue[len(c.queue)-1] = first
		g.forget(m.guard)
		r.tell(m, nil, AckDuplicate, 0)
		return guardFlying
	case now.After(e.until):
		g.forget(m.guard)
		return guardNew
	}
	m.state, m.answer = done, e.answer
	g.forget(m.guard)
	return guardStored
}

func (g *guard) key(m *message) (k guardKey) {
	g.hash.Reset()
	addr := m.source.addr.Addr().As16()
	_, _ = g.hash.Write(addr[:])
	_, _ = g.hash.Write(m.frame)
	g.hash.Sum(k[:0])
	return k
}

// fly notes that the client of a message left before its answer came.
func (g *guard) fly(m *message) {
	if g.on() && m.guard != (guardKey{}) {
		g.forget(m.guard)
		g.entries[m.guard] = &guarded{flying: m}
	}
}

// landed stores the answer of a message whose client is gone.
func (g *guard) landed(m *message, now time.Time) {
	if e := g.entries[m.guard]; e == nil || e.flying != m {
		return
	}
	g.forget(m.guard)
	if !m.silent {
		g.store(m.guard, m.answer, now)
	}
}

// store keeps an answer that was not delivered.
func (g *guard) store(key guardKey, answer []byte, now time.Time) {
	if !g.on() || key == (guardKey{}) || len(answer) == 0 || len(answer) > g.set.Memory {
		return
	}
	g.forget(key)
	until := now.Add(g.set.For)
	g.entries[key] = &guarded{answer: answer, until: until}
	g.order = append(g.order, aged{key, until})
	g.bytes += len(answer)
	g.shrink()
}

func (g *guard) forget(key guardKey) {
	if e := g.entries[key]; e != nil {
		g.bytes -= len(e.answer)
		delete(g.entries, key)
	}
}

// shrink keeps to the bounds; the oldest go first.
func (g *guard) shrink() {
	for (len(g.entries) > g.set.Entries || g.bytes > g.set.Memory) && len(g.order) > 0 {
		g.pop()
	}
}

func (g *guard) pop() {
	first := g.order[0]
	g.order = g.order[1:]
	if e := g.entries[first.key]; e != nil && e.until.Equal(first.until) {
		g.forget(first.key)
	}
}

// expire forgets what is too old.
func (g *guard) expire(now time.Time) {
	for len(g.order) > 0 && now.After(g.order[0].until) {
		g.pop()
	}
}

// remember keeps an answer until its client shows that it has it: by the next message, sent while
// nothing else was due.
func (r *Router) remember(c *Client, m *message) {
	if !r.guard.on() || m.state != done || m.guard == (guardKey{}) {
		return
	}
	if len(c.recent) >= max(r.set.ClientPipelines, 1) {
		c.recent = c.recent[1:]
	}
	c.recent = append(c.recent, recent{m.guard, bytes.Clone(m.answer), c.eof})
}
