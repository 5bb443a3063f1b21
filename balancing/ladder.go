package balancing

// lostRaces is how often Pick chooses anew when the server it chose filled up
// between the look and the acquisition. After that it takes any that lets it in.
const lostRaces = 3

// ladder lists the rungs, best first. A server that is up is known to work, one that is checking
// may; any regular server comes before any backup. Those set aside serve before nobody does, and
// in a panic those that are down.
func ladder(regular, backup []*member, panics bool) []rung {
	var out []rung
	climb := func(grades ...grade) {
		for _, side := range [][]*member{regular, backup} {
			for _, g := range grades {
				if len(side) > 0 {
					out = append(out, rung{side, g})
				}
			}
		}
	}
	climb(known, unjudged)
	climb(aside)
	if panics {
		climb(down)
	}
	return out
}

// choose climbs down the ladder to the first rung with room and acquires a
// server there; nil when there is none. A rung whose servers are all full is
// passed over like an empty one: nothing waits here, and a client served by a
// backup is better off than one refused. Who says which servers are full waits
// elsewhere, and goes no further down than where one of these stands.
func (p *Pool) choose(r *Request) *Server {
	for i := range p.rungs {
		if s := p.take(&p.rungs[i], r); s != nil {
			return s
		}
		if p.rungs[i].waits(r) {
			return nil
		}
	}
	return nil
}

// waits says whether somebody on this rung is worth waiting for.
func (g *rung) waits(r *Request) bool {
	for i := 0; i < len(g.members) && len(r.Full) > 0; i++ {
		if s := g.members[i].server; s.grade() == g.grade && r.full(s) && !r.tried(s) {
			return true
		}
	}
	return false
}

// take acquires a server of one rung.
func (p *Pool) take(g *rung, r *Request) *Server {
	if p.distribution == Failover {
		return g.inOrder(r)
	}
	for range lostRaces {
		m := p.best(g, r)
		if m == nil {
			return nil
		}
		if m.server.acquire() {
			return m.server
		}
	}
	return g.first(r)
}

// best chooses by the algorithm; nil when the rung has no candidate.
func (p *Pool) best(g *rung, r *Request) *member {
	switch p.algorithm {
	case RoundRobin:
		return p.roundRobin(g, r)
	case RandomTwo:
		return g.randomTwo(r)
	case SourceHash:
		return g.sourceHash(r)
	}
	return p.leastConnections(g, r)
}

// inOrder acquires the first candidate, in file order, that lets it, unless one before it is worth
// waiting for.
func (g *rung) inOrder(r *Request) *Server {
	for _, m := range g.members {
		switch {
		case !m.server.open(g.grade) || r.tried(m.server):
		case r.full(m.server):
			return nil
		case m.server.acquire():
			return m.server
		}
	}
	return nil
}

// first acquires the first candidate, in file order, that lets it.
func (g *rung) first(r *Request) *Server {
	for _, m := range g.members {
		if g.candidate(m, r) && m.server.acquire() {
			return m.server
		}
	}
	return nil
}

// candidate says whether m stands on this rung, has room, and was not tried.
func (g *rung) candidate(m *member, r *Request) bool {
	return m.server.open(g.grade) && !r.tried(m.server) && !r.full(m.server)
}
