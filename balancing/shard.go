package balancing

import (
	"math"
	"sync"
	"sync/atomic"
)

// chunkSize is how many entries are allocated together: 256 of 40 bytes are
// 10 KiB, which is one of the allocator's sizes.
const chunkSize = 256

// none is the index that means "no entry". Slot 0 is never an entry: it is the
// anchor of the list of use.
const none = 0

// entry is one client. Indices instead of pointers keep it small and out of the
// garbage collector's sight.
type entry struct {
	key    Key
	used   int64  // last use, as Persistence.clock counts
	server uint32 // 0 = the slot is free
	chain  uint32 // next in the same bucket; next free slot when free
	older  uint32 // neighbours in the list of use
	newer  uint32
}

// shard is one part of the table: entries in a slab of chunks that never move, a
// hash table over them, and a list from the oldest use to the newest.
//
// The hash table is a linear one (Litwin 1980): it grows by one bucket at a
// time, so no Put ever pays for all entries at once.
type shard struct {
	mu      sync.Mutex
	table   *Persistence
	chunks  []*[chunkSize]entry
	buckets []uint32 // heads of chains
	live    int      // entries
	slots   uint32   // slots ever used, the anchor included
	free    uint32   // head of the list of free slots
	oldest  atomic.Int64
	_       [cacheLine]byte
}

// init makes an empty shard.
func (s *shard) init(p *Persistence) {
	s.table = p
	s.oldest.Store(math.MaxInt64)
}

// unlock tells the others how old the oldest entry is, and unlocks.
func (s *shard) unlock() {
	age := int64(math.MaxInt64)
	if i := s.first(); i != none {
		age = s.at(i).used
	}
	if s.oldest.Load() != age {
		s.oldest.Store(age)
	}
	s.mu.Unlock()
}

// at gives the slot with that index. Slots never move.
func (s *shard) at(i uint32) *entry { return &s.chunks[i/chunkSize][i%chunkSize] }

// first is the entry whose last use is longest ago.
func (s *shard) first() uint32 {
	if s.live == 0 {
		return none
	}
	return s.at(none).newer
}

// expired says whether the entry's time is over.
func (s *shard) expired(i uint32, at int64) bool {
	return at-s.at(i).used >= s.table.timeout.Load()
}

// expire clears away up to most expired entries and returns how many there were.
func (s *shard) expire(at int64, most int) int {
	for n := range most {
		i := s.first()
		if i == none || !s.expired(i, at) {
			return n
		}
		s.remove(i)
	}
	return most
}

// find looks a key up.
func (s *shard) find(hash uint64, key Key) uint32 {
	if s.live == 0 {
		return none
	}
	i := s.buckets[s.bucket(hash)]
	for i != none && s.at(i).key != key {
		i = s.at(i).chain
	}
	return i
}

// use moves an entry to the new end of the list and stamps it.
func (s *shard) use(i uint32, at int64) {
	s.unlink(i)
	s.link(i, at)
}

// insert adds an entry for a key that is not there.
func (s *shard) insert(hash uint64, key Key, server uint32, at int64) {
	i := s.slot()
	b := s.bucket(hash)
	e := s.at(i)
	e.key, e.server, e.chain = key, server, s.buckets[b]
	s.buckets[b] = i
	s.link(i, at)
	s.live++
	s.table.count.Add(1)
	if s.live > len(s.buckets) {
		s.split()
	}
}

// remove frees an entry.
func (s *shard) remove(i uint32) {
	e := s.at(i)
	at := &s.buckets[s.bucket(s.table.hash(e.key))]
	for *at != i {
		at = &s.at(*at).chain
	}
	*at = e.chain
	s.unlink(i)
	*e = entry{chain: s.free}
	s.free = i
	s.live--
	s.table.count.Add(-1)
}

// link puts an entry at the new end. Callers read the clock before they lock, so
// a later one may bring a slightly earlier time: it counts as the newest
// use all the same, to keep the list in order.
func (s *shard) link(i uint32, at int64) {
	anchor, e := s.at(none), s.at(i)
	last := anchor.older
	if last != none {
		at = max(at, s.at(last).used)
	}
	e.used, e.older, e.newer = at, last, none
	s.at(last).newer = i
	anchor.older = i
}

// unlink takes an entry out of the list of use.
func (s *shard) unlink(i uint32) {
	e := s.at(i)
	s.at(e.older).newer = e.newer
	s.at(e.newer).older = e.older
}

// slot gives a free slot, from a new chunk when it must.
func (s *shard) slot() uint32 {
	if s.free != none {
		i := s.free
		s.free = s.at(i).chain
		return i
	}
	if s.slots == 0 { // first entry ever: the anchor and one bucket
		s.slots = 1
		s.chunks = append(s.chunks, new([chunkSize]entry))
		s.buckets = append(s.buckets, none)
	}
	if int(s.slots) == len(s.chunks)*chunkSize {
		s.chunks = append(s.chunks, new([chunkSize]entry))
	}
	s.slots++
	return s.slots - 1
}
