package balancing

import (
	"iter"
	"time"
)

// Entry is one remembered client, as another gateway would want to know it.
type Entry struct {
	Key     Key
	Server  uint32 // Server.ID
	Expires time.Time
}

// Entries goes through the living entries, in no order. It copies a few at a
// time, so it never holds anybody up, and the loop may use the table. An entry
// there from beginning to end comes exactly once; one that comes or goes
// meanwhile may or may not.
func (p *Persistence) Entries(now time.Time) iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		at := p.clock(now)
		var page []Entry
		for i := range p.shards {
			for c, more := 0, true; more; c++ {
				page, more = p.shards[i].page(page[:0], c, at)
				for _, e := range page {
					if !yield(e) {
						return
					}
				}
			}
		}
	}
}

// page copies the living entries of one chunk; more is false past the last.
func (s *shard) page(dst []Entry, chunk int, at int64) (_ []Entry, more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if chunk >= len(s.chunks) {
		return dst, false
	}
	base, timeout := *s.table.base.Load(), s.table.Timeout()
	for i := range s.chunks[chunk] {
		e := &s.chunks[chunk][i]
		if e.server != 0 && at-e.used < int64(timeout) {
			dst = append(dst, Entry{e.key, e.server, base.Add(time.Duration(e.used) + timeout)})
		}
	}
	return dst, true
}
