package balancing

// remembered is pick for a client that is to be remembered. It keeps the rules
// of persistence.by: the client's server first; elsewhere only while that one
// cannot be used, and then for good.
func (p *Pool) remembered(r *Request) *Server {
	id, known := p.persistence.Get(r.Key, r.Now)
	if known {
		if home := p.home(id, r); home != nil {
			if home.acquire() {
				return home
			}
			// Only full: this one connection goes elsewhere, the entry stays.
			return p.choose(r)
		}
	}
	s := p.choose(r)
	if s == nil {
		return nil
	}
	return p.settle(r, id, s)
}

// home gives the server with that id if this client may go there now. An id
// of a server that is no longer in the pool is nobody's home.
func (p *Pool) home(id uint32, r *Request) *Server {
	s := p.byID[id]
	if s == nil || r.tried(s) || !s.Usable() && !p.noBetter(s.grade(), r) {
		return nil
	}
	return s
}

// noBetter says whether servers of that grade, none of them usable, serve now
// because no better one is left: then their clients have homes like others.
func (p *Pool) noBetter(g grade, r *Request) bool {
	if g > p.lowest {
		return false
	}
	for _, m := range p.members {
		if m.server.grade() < g && !r.tried(m.server) {
			return false
		}
	}
	return true
}

// settle remembers s, just acquired, in place of the server old (0 = none). When
// another connection of the same client settled elsewhere in the meantime, this
// one follows it if it can: a viewer that opens six connections at once would
// otherwise be torn between servers.
func (p *Pool) settle(r *Request, old uint32, s *Server) *Server {
	now := p.persistence.Replace(r.Key, old, s.id, r.Now)
	if now == s.id {
		return s
	}
	other := p.home(now, r)
	switch {
	case other == nil:
		p.persistence.Put(r.Key, s.id, r.Now)
		return s
	case other.acquire():
		s.Release()
		return other
	}
	return s // the other is only full: its entry stays
}
