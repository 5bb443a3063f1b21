package balancing

import (
	"sync"
	"sync/atomic"
	"time"
)

// Weight limits. A weight is relative: 50 beside 100 gets half as much.
const (
	MinWeight     = 1
	MaxWeight     = 256
	DefaultWeight = 100
)

// weightScale is the finest step of an effective weight: a thousandth of one
// weight unit, so that weight 1 still ramps smoothly and stays an integer.
const weightScale = 1000

// slowStartFloor is the share of its weight with which a recovered server begins.
const slowStartFloor = 0.10

// cacheLine keeps counters that different cores write apart from each other.
const cacheLine = 64

// ServerOptions describes a server to NewServer.
type ServerOptions struct {
	Name           string        // unique within its service; source-hash is built on it
	Address        string        // as configured; never dialled here
	Weight         int           // 1 to 256; 0 = DefaultWeight; others are brought into range
	MaxConnections int           // running sessions at most; 0 or less = no limit
	SlowStart      time.Duration // ramp after a recovery; 0 or less = none
}

// Server is one real server: what is known about it and what it carries now.
// It outlives configuration generations: old and new pools share it, so the
// limit and the counters hold across a reload. All methods may be called from
// any goroutine. It must be made by NewServer and not copied.
type Server struct {
	// Read by every Pick, written by people and checks only.
	id        uint32
	name      string
	address   string
	hash      uint64                    // of the name, for source-hash
	state     atomic.Uint32             // a word
	weight    atomic.Int64              // MinWeight to MaxWeight
	full      atomic.Int64              // the weight that counts, in thousandths, without the slow start
	limit     atomic.Int64              // max_connections, 0 = none
	slowStart atomic.Int64              // nanoseconds, 0 = none
	recovered atomic.Pointer[time.Time] // when it last came from Down to Up; nil = no ramp
	judging   sync.Mutex                // one change of health or weight at a time
	judged    Health                    // last judgement; Checking = none yet; under judging
	keeps     int64                     // thousandths of its weight that it keeps while degraded; under judging

	_      [cacheLine]byte
	active atomic.Int64 // written at both ends of every session
	total  atomic.Int64

	_        [cacheLine]byte
	bytesIn  atomic.Int64 // written while sessions run
	bytesOut atomic.Int64
	failures [failures]atomic.Int64
	_        [cacheLine]byte
}

// lastID numbers servers in the order they are made; 0 is never given out, so
// that it can stand for "no server" in persistence entries.
var lastID atomic.Uint32

// NewServer makes a server that is Checking and Ready.
func NewServer(o ServerOptions) *Server {
	s := &Server{id: lastID.Add(1), name: o.Name, address: o.Address, hash: nameHash(o.Name), keeps: weightScale}
	s.state.Store(word(Checking, Ready, InUse))
	if o.Weight == 0 {
		o.Weight = DefaultWeight
	}
	s.SetWeight(o.Weight)
	s.SetMaxConnections(o.MaxConnections)
	s.SetSlowStart(o.SlowStart)
	return s
}

// ID is unique in this process and never 0.
func (s *Server) ID() uint32 { return s.id }

// Name is the configured name.
func (s *Server) Name() string { return s.name }

// Address is the configured address.
func (s *Server) Address() string { return s.address }

// Weight is the configured weight, MinWeight to MaxWeight.
func (s *Server) Weight() int { return int(s.weight.Load()) }

// SetWeight changes the weight; values out of range become the nearest limit.
func (s *Server) SetWeight(w int) {
	s.judging.Lock()
	defer s.judging.Unlock()
	s.weight.Store(int64(min(max(w, MinWeight), MaxWeight)))
	s.weigh()
}

// SetDegradedWeight changes the share of its weight that the server keeps while it is
// degraded; values out of 0…1 become the nearest limit. It never keeps less than a thousandth
// of one weight unit.
func (s *Server) SetDegradedWeight(share float64) {
	s.judging.Lock()
	defer s.judging.Unlock()
	s.keeps = int64(min(max(share, 0), 1) * weightScale)
	s.weigh()
}

// weigh finds the weight that counts. Called with judging held.
func (s *Server) weigh() {
	full := s.weight.Load() * weightScale
	if s.Health() == Degraded {
		full = max(full*s.keeps/weightScale, 1)
	}
	s.full.Store(full)
}

// MaxConnections is the limit of running sessions; 0 = none.
func (s *Server) MaxConnections() int { return int(s.limit.Load()) }

// SetMaxConnections changes the limit; 0 or less = none. Running sessions above
// a lowered limit go on; no new one comes in until enough have ended.
func (s *Server) SetMaxConnections(n int) { s.limit.Store(int64(max(n, 0))) }

// SlowStart is the length of the ramp after a recovery; 0 = none.
func (s *Server) SlowStart() time.Duration { return time.Duration(s.slowStart.Load()) }

// SetSlowStart changes the length of the ramp, of a running one too; 0 or less = none.
func (s *Server) SetSlowStart(d time.Duration) { s.slowStart.Store(int64(max(d, 0))) }

// word packs what decides whether a server may be used, and the grade that follows from it, so
// that a Pick needs one load.
func word(h Health, a Admin, s Aside) uint32 {
	return uint32(h) | uint32(a)<<8 | uint32(s)<<16 | uint32(gradeOf(h, a, s))<<24
}

// parts takes a word apart.
func parts(w uint32) (Health, Admin, Aside) {
	return Health(w & 0xff), Admin(w >> 8 & 0xff), Aside(w >> 16 & 0xff)
}

// grade is how far down the ladder the server stands.
func (s *Server) grade() grade { return grade(s.state.Load() >> 24) }

// Health is the last judgement of the checks.
func (s *Server) Health() Health { return Health(s.state.Load() & 0xff) }

// Admin is what a person set last.
func (s *Server) Admin() Admin { return Admin(s.state.Load() >> 8 & 0xff) }

// Aside is why the server is set aside, InUse when it is not.
func (s *Server) Aside() Aside { return Aside(s.state.Load() >> 16 & 0xff) }

// change replaces one part of the word and returns the word before.
func (s *Server) change(to func(Health, Admin, Aside) uint32) uint32 {
	for {
		old := s.state.Load()
		if s.state.CompareAndSwap(old, to(parts(old))) {
			return old
		}
	}
}

// SetHealth tells what the checks found at now and returns what was known before.
// Coming Up or Degraded when the judgement before was Down is a recovery and starts the slow
// start. A first judgement is none: at the start of the gateway the server is
// as warm as it ever was. Neither is a repeated Up.
func (s *Server) SetHealth(h Health, now time.Time) Health {
	s.judging.Lock()
	defer s.judging.Unlock()
	switch {
	case (h == Up || h == Degraded) && s.judged == Down:
		s.recovered.Store(&now) // before it can be picked
	case h == Down:
		s.recovered.Store(nil)
	}
	if h != Checking {
		s.judged = h
	}
	old := s.change(func(_ Health, a Admin, as Aside) uint32 { return word(h, a, as) })
	s.weigh()
	return Health(old & 0xff)
}

// SetAdmin sets the administrative state and returns the one before.
func (s *Server) SetAdmin(a Admin) Admin {
	_, was, _ := parts(s.change(func(h Health, _ Admin, as Aside) uint32 { return word(h, a, as) }))
	return was
}

// SetAside sets the server aside, or with InUse takes it back, and returns what was before. How
// long that lasts is the caller's business. A server that comes back into use begins with the
// slow start.
func (s *Server) SetAside(as Aside, now time.Time) Aside {
	s.judging.Lock()
	defer s.judging.Unlock()
	_, _, was := parts(s.change(func(h Health, a Admin, _ Aside) uint32 { return word(h, a, as) }))
	if h := s.Health(); as == InUse && was != InUse && (h == Up || h == Degraded) {
		s.recovered.Store(&now)
	}
	return was
}

// States are all words of State.
func States() []string {
	return []string{"up", "degraded", "down", "checking", "held", "ejected", "drain", "maint"}
}

// State is the effective state in one word: maint or drain when a person said so, down when the
// checks say so, held or ejected when it is set aside, else up, degraded or checking.
func (s *Server) State() string {
	h, a, as := parts(s.state.Load())
	switch {
	case a != Ready:
		return a.String()
	case h != Down && as != InUse:
		return as.String()
	}
	return h.String()
}

// Usable says whether new sessions go there in the ordinary way: Ready, not Down, not set
// aside. A server that is only full is still usable.
func (s *Server) Usable() bool { return s.grade() <= unjudged }

// EffectiveWeight is the weight at now: during a slow start it grows in a
// straight line from a tenth to the whole.
func (s *Server) EffectiveWeight(now time.Time) float64 {
	return float64(s.share(now)) / weightScale
}

// share is the effective weight in thousandths, never 0. It is small enough to
// be inlined into the loops of Pick; the ramp is the rare case.
func (s *Server) share(now time.Time) int64 {
	full := s.full.Load()
	if start := s.recovered.Load(); start != nil {
		return s.ramped(full, now.Sub(*start))
	}
	return full
}

// ramped is share that long after a recovery.
func (s *Server) ramped(full int64, gone time.Duration) int64 {
	ramp := s.SlowStart()
	if gone >= ramp {
		return full
	}
	part := float64(max(gone, 0)) / float64(ramp)
	return int64(float64(full) * (slowStartFloor + (1-slowStartFloor)*part))
}
