package balancing

import (
	"hash/maphash"
	"sync/atomic"
	"time"
)

// Defaults of PersistenceOptions.
const (
	DefaultTimeout    = time.Hour
	DefaultMaxEntries = 1_000_000
)

const (
	shardBits = 4
	shards    = 1 << shardBits

	// sweep is how many expired entries one Get or Put clears away: more
	// than the one it may add, so the table shrinks under any traffic, and few
	// enough that nobody waits for it.
	sweep = 2

	// held is how many entries are looked at while one shard is locked by
	// Expire and Entries.
	held = chunkSize
)

// PersistenceOptions describes a table to NewPersistence.
type PersistenceOptions struct {
	Timeout    time.Duration // an entry lives this long after its last use; 0 or less = DefaultTimeout
	MaxEntries int           // 0 or less = DefaultMaxEntries
}

// Persistence remembers which server each client went to. An entry is a key, a
// server and an expiry; its clock restarts at each Get that finds it and at
// each Put. Because the timeout is the same for all, the order of expiry is the
// order of use, and neither expiry nor eviction ever searches: both take the
// oldest. It must be made by NewPersistence; all methods may be called from any
// goroutine.
//
// A full table costs about 45 bytes an entry. Memory grows with use in small
// steps and is kept for reuse.
type Persistence struct {
	seed    maphash.Seed // random, so that no client can aim at one bucket
	timeout atomic.Int64 // nanoseconds
	limit   atomic.Int64
	base    atomic.Pointer[time.Time] // the first time ever given; entries count from it
	count   atomic.Int64
	evicted atomic.Int64
	shards  [shards]shard
}

// NewPersistence makes an empty table.
func NewPersistence(o PersistenceOptions) *Persistence {
	p := &Persistence{seed: maphash.MakeSeed()}
	p.SetTimeout(o.Timeout)
	p.SetMaxEntries(o.MaxEntries)
	for i := range p.shards {
		p.shards[i].init(p)
	}
	return p
}

// Timeout is how long an entry lives after its last use.
func (p *Persistence) Timeout() time.Duration { return time.Duration(p.timeout.Load()) }

// SetTimeout changes the timeout, for entries already there too: their clocks
// run from their last use. Expired entries that a longer timeout reaches again
// may come back to life. 0 or less = DefaultTimeout.
func (p *Persistence) SetTimeout(d time.Duration) {
	if d <= 0 {
		d = DefaultTimeout
	}
	p.timeout.Store(int64(d))
}

// MaxEntries is how many entries are kept at most.
func (p *Persistence) MaxEntries() int { return int(p.limit.Load()) }

// SetMaxEntries changes the limit; 0 or less = DefaultMaxEntries. A table above a
// lowered limit loses its oldest entries little by little, as new ones come.
func (p *Persistence) SetMaxEntries(n int) {
	if n <= 0 {
		n = DefaultMaxEntries
	}
	p.limit.Store(int64(n))
}

// Len is the number of entries held. Expired ones count until they are cleared
// away, which each Get, Put and Expire does for some.
func (p *Persistence) Len() int { return int(p.count.Load()) }

// Evicted is how many living entries had to go because the table was full.
func (p *Persistence) Evicted() int64 { return p.evicted.Load() }

// Get finds the server of a client and restarts the entry's clock. The id of a
// server is never 0.
func (p *Persistence) Get(key Key, now time.Time) (id uint32, ok bool) {
	hash := p.hash(key)
	at := p.clock(now)
	s := p.shard(hash)
	s.mu.Lock()
	defer s.unlock()
	defer s.expire(at, sweep)
	i := s.find(hash, key)
	if i == none || s.expired(i, at) {
		return 0, false
	}
	s.use(i, at)
	return s.at(i).server, true
}

// Put remembers a client's server, in place of one remembered before. When the
// table is full the entry unused for the longest time goes.
func (p *Persistence) Put(key Key, id uint32, now time.Time) {
	p.store(key, id, now, func(uint32) bool { return true })
}

// Replace remembers id only if the client's entry is still old (0 = there is
// none) and returns the id that the entry has afterwards: id, or what another
// connection of that client stored in the meantime.
func (p *Persistence) Replace(key Key, old, id uint32, now time.Time) uint32 {
	return p.store(key, id, now, func(have uint32) bool { return have == old })
}

// store writes the entry if there is none or if may says so of the one there.
func (p *Persistence) store(key Key, id uint32, now time.Time, may func(have uint32) bool) uint32 {
	hash := p.hash(key)
	at := p.clock(now)
	s := p.shard(hash)
	s.mu.Lock()
	i := s.find(hash, key)
	switch {
	case i == none:
		s.insert(hash, key, id, at)
	case s.expired(i, at) || may(s.at(i).server):
		s.at(i).server = id
		s.use(i, at)
	default:
		id = s.at(i).server
		s.use(i, at)
	}
	s.expire(at, sweep)
	s.unlock()
	if i == none {
		p.shrink(at)
	}
	return id
}

// shrink evicts down to the limit, at most two entries: one for the one that
// just came in and one more, so that a lowered limit is reached in the end.
func (p *Persistence) shrink(at int64) {
	for range 2 {
		if p.count.Load() <= p.limit.Load() {
			return
		}
		p.evictOldest(at)
	}
}

// evictOldest drops the entry that was unused for the longest time in all shards.
func (p *Persistence) evictOldest(at int64) {
	oldest := &p.shards[0]
	for i := range p.shards {
		if s := &p.shards[i]; s.oldest.Load() < oldest.oldest.Load() {
			oldest = s
		}
	}
	oldest.mu.Lock()
	defer oldest.unlock()
	i := oldest.first()
	if i == none {
		return
	}
	if !oldest.expired(i, at) {
		p.evicted.Add(1)
	}
	oldest.remove(i)
}

// Expire clears away up to most expired entries and returns how many it found.
// Call it now and then, so that a table nobody uses any more empties.
func (p *Persistence) Expire(now time.Time, most int) int {
	at := p.clock(now)
	gone := 0
	for i := range p.shards {
		s := &p.shards[i]
		for gone < most {
			s.mu.Lock()
			n := s.expire(at, min(held, most-gone))
			s.unlock()
			gone += n
			if n < held {
				break
			}
		}
	}
	return gone
}

// clock turns a time into nanoseconds since the first one ever given. Both
// carry Go's monotonic reading, so setting the wall clock changes nothing.
func (p *Persistence) clock(now time.Time) int64 {
	base := p.base.Load()
	if base == nil {
		first := now
		p.base.CompareAndSwap(nil, &first)
		base = p.base.Load()
	}
	return int64(now.Sub(*base))
}

// hash places a key.
func (p *Persistence) hash(key Key) uint64 { return maphash.Bytes(p.seed, key[:]) }

// shard uses the top bits; the buckets within use the low ones.
func (p *Persistence) shard(hash uint64) *shard { return &p.shards[hash>>(64-shardBits)] }
