package balancing

// TryAcquire counts one more session in unless the server is full. Each true
// must be answered by exactly one Release. It looks at the limit alone, not at
// health or admin: those are Pool.Pick's.
func (s *Server) TryAcquire() bool {
	if !s.acquire() {
		return false
	}
	s.total.Add(1)
	return true
}

// acquire is TryAcquire before the total: Pick may still give a server back
// that it acquired, and a counter that users watch must not go backwards.
func (s *Server) acquire() bool {
	for {
		n := s.active.Load()
		if limit := s.limit.Load(); limit > 0 && n >= limit {
			return false
		}
		if s.active.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// Release counts a session out. It panics when none was in: a count that went
// wrong would quietly bend every later choice.
func (s *Server) Release() {
	if s.active.Add(-1) < 0 {
		panic("balancing: Release without a session on server " + s.name)
	}
}

// open says whether s is of that grade and has room.
func (s *Server) open(g grade) bool {
	if s.grade() != g {
		return false
	}
	limit := s.limit.Load()
	return limit == 0 || s.active.Load() < limit
}

// Active is the number of sessions running now.
func (s *Server) Active() int64 { return s.active.Load() }

// Total is the number of sessions ever given to this server, those whose dial
// then failed included.
func (s *Server) Total() int64 { return s.total.Load() }

// AddBytes counts bytes carried: in is from client to server, out the other way.
func (s *Server) AddBytes(in, out int64) {
	s.bytesIn.Add(in)
	s.bytesOut.Add(out)
}

// BytesIn is the number of bytes carried from clients to the server.
func (s *Server) BytesIn() int64 { return s.bytesIn.Load() }

// BytesOut is the number of bytes carried from the server to clients.
func (s *Server) BytesOut() int64 { return s.bytesOut.Load() }

// AddFailure counts a failed connection; a reason out of range counts as Other.
func (s *Server) AddFailure(f Failure) { s.failures[min(f, Other)].Add(1) }

// Failures is how often that reason was counted; a reason out of range is Other.
func (s *Server) Failures(f Failure) int64 { return s.failures[min(f, Other)].Load() }
