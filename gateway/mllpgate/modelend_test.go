package mllpgate

import (
	"slices"

	"pgregory.net/rapid"

	"gantry/balancing"
)

// invariants hold after every event.
func (m *model) invariants(t *rapid.T) {
	m.with(t)
	r := m.router
	for _, s := range m.servers {
		n := 0
		for _, st := range r.all {
			if st.server == s {
				n += len(st.waiting)
			}
		}
		for _, k := range m.links {
			if k.Server == s {
				n += len(k.Link.out)
				m.check(k.closed == k.gone, "a connection of one side alone")
			}
		}
		m.check(int(s.Active()) == n, "%d counted at %s, %d are there", s.Active(), s.Name(), n)
	}
	active, size := 0, 0
	for _, k := range m.links {
		m.check(len(k.out) == len(k.Link.out), "%d outstanding, the router knows %d", len(k.out), len(k.Link.out))
		for _, o := range k.Link.out {
			if active++; o.client == nil {
				size += len(o.frame)
			}
		}
	}
	for _, s := range m.senders {
		if s.alive() {
			m.check(s.client.Waiting() <= max(r.set.ClientPipelines, 6), "%d messages of one client", s.client.Waiting())
			m.check(s.paused || len(s.client.queue) < r.set.ClientPipelines, "it is not stopped")
			for _, o := range s.client.queue {
				size += len(o.frame)
				if o.state < sent {
					active++
				}
			}
		}
	}
	m.check(r.active == active, "%d active, %d known", r.active, active)
	m.check(r.bytes == size, "%d bytes, %d known", r.bytes, size)
	m.check(r.guard.bytes+r.guard.recent <= 3000, "guard: %d and %d bytes", r.guard.bytes, r.guard.recent)
	m.check(len(r.guard.entries) <= 4, "guard: %d entries", len(r.guard.entries))
	for _, c := range r.crowds {
		for _, o := range c.messages[:min(len(c.messages), 1)] {
			for _, st := range r.all {
				fits := st.server.Usable() && r.set.Routes[o.route].Pool.Has(st.server) && !slices.Contains(o.tried, st.server) && st.port == o.source.port
				m.check(m.stale || !fits || st.refuses(m.now) || !st.roomy(r.set, m.now) || r.keyOf(o, &r.set.Routes[o.route]) != balancing.Key{},
					"a message crowds beside a free place")
			}
		}
	}
}

// finish ends all faults: everybody gets an answer, and nothing is left.
func (m *model) finish() {
	m.calm = true
	for _, s := range m.servers {
		s.SetHealth(balancing.Up, m.now)
		s.SetAdmin(balancing.Ready)
		s.SetAside(balancing.InUse, m.now)
	}
	clear(m.homes)
	m.router.Changed(m.now)
	for range 2000 { // some wait for the application answers of others
		for i := 0; i < len(m.links); i++ {
			k := m.links[i]
			if !k.closed && !k.open {
				k.open = true
				m.router.Dialed(k.Link, nil, m.now)
			}
			if !k.closed && k.partial {
				k.partial = false
				m.router.Flushed(k.Link, m.now)
			}
			for !k.closed && slices.ContainsFunc(k.out, expects) {
				m.reply(k, k.out[slices.IndexFunc(k.out, expects)])
			}
		}
		if m.router.active == 0 {
			break
		}
		m.now = m.now.Add(TickEvery)
		m.router.Tick(m.now)
	}
	m.invariants(m.T)
	for _, e := range m.entries {
		m.check(e.told != "", "serial %d of %s was never told", e.serial, e.from.addr)
	}
	for _, s := range m.senders {
		if s.alive() {
			m.check(len(s.client.queue) == 0, "unanswered at the end")
			m.check(!s.paused || s.bad || s.eof, "paused for ever")
			m.check(s.next() == nil, "serial %d has no answer", s.nextSerial())
		}
	}
	m.router.Drain(m.now)
	m.now = m.now.Add(m.set.AckTimeout) // application answers that do not come
	m.router.Tick(m.now)
	m.check(m.router.Clients() == 0, "clients are left")
	r := m.router
	m.check(r.bytes == 0 && r.crowded == 0 && len(r.held) == 0 && len(r.order.queues) == 0 && len(r.starved) == 0 && len(r.parting) == 0 && len(r.guard.flying) == 0 && r.guard.recent == 0,
		"residue: %d bytes, %d crowded, %d held, %d keys, %d starved, %d flying, %d recent",
		r.bytes, r.crowded, len(r.held), len(r.order.queues), len(r.starved), len(r.guard.flying), r.guard.recent)
}

func (s *sender) nextSerial() int {
	if e := s.next(); e != nil {
		return e.serial
	}
	return -1
}
