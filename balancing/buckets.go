package balancing

import "math/bits"

// bucket says in which bucket of the linear hash table a hash lies. With n
// buckets, 2^k <= n < 2^(k+1), the low k+1 bits choose one; those that point
// past the end have not been split off yet and lie where the low k bits say.
func (s *shard) bucket(hash uint64) int {
	n := len(s.buckets)
	wide := uint64(1)<<bits.Len(uint(n)) - 1
	b := int(hash & wide)
	if b >= n {
		b = int(hash & (wide >> 1))
	}
	return b
}

// split adds one bucket and moves into it those entries of the bucket it splits
// off from that now belong there.
func (s *shard) split() {
	n := len(s.buckets)
	s.buckets = append(s.buckets, none)
	from := n - 1<<(bits.Len(uint(n))-1)
	at := &s.buckets[from]
	for *at != none {
		i := *at
		e := s.at(i)
		if s.bucket(s.table.hash(e.key)) == from {
			at = &e.chain
			continue
		}
		*at = e.chain
		e.chain = s.buckets[n]
		s.buckets[n] = i
	}
}
