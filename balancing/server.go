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
	state     atomic.Uint32             // Health in the low byte, Admin in the next
	weight    atomic.Int64              // MinWeight to MaxWeight
	limit     atomic.Int64              // max_connections, 0 = none
	slowStart atomic.Int64              // nanoseconds, 0 = none
	recovered atomic.Pointer[time.Time] // when it last came from Down to Up; nil = no ramp
	judging   sync.Mutex                // one SetHealth at a time
	judged    Health                    // last judgement, Up or Down; Checking = none yet; under judging

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
	s := &Server{id: lastID.Add(1), name: o.Name, address: o.Address, hash: nameHash(o.Name)}
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
func (s *Server) SetWeight(w int) { s.weight.Store(int64(min(max(w, MinWeight), MaxWeight))) }

// MaxConnections is the limit of running sessions; 0 = none.
func (s *Server) MaxConnections() int { return int(s.limit.Load()) }

// SetMaxConnections changes the limit; 0 or less = none. Running sessions above
// a lowered limit go on; no new one comes in until enough have ended.
func (s *Server) SetMaxConnections(n int) { s.limit.Store(int64(max(n, 0))) }

// SlowStart is the length of the ramp after a recovery; 0 = none.
func (s *Server) SlowStart() time.Duration { return time.Duration(s.slowStart.Load()) }

// SetSlowStart changes the length of the ramp, of a running one too; 0 or less = none.
func (s *Server) SetSlowStart(d time.Duration) { s.slowStart.Store(int64(max(d, 0))) }

// word packs what decides whether a server may be used, so that it is one load.
func word(h Health, a Admin) uint32 { return uint32(h) | uint32(a)<<8 }

// Health is the last judgement of the checks.
func (s *Server) Health() Health { return Health(s.state.Load() & 0xff) }

// Admin is what a person set last.
func (s *Server) Admin() Admin { return Admin(s.state.Load() >> 8) }

// SetHealth tells what the checks found at now and returns what was known before.
// Coming Up when the judgement before was Down is a recovery and starts the slow
// start. A first judgement is none: at the start of the gateway the server is
// as warm as it ever was. Neither is a repeated Up.
func (s *Server) SetHealth(h Health, now time.Time) Health {
	s.judging.Lock()
	defer s.judging.Unlock()
	switch {
	case h == Up && s.judged == Down:
		s.recovered.Store(&now) // before it can be picked
	case h == Down:
		s.recovered.Store(nil)
	}
	if h != Checking {
		s.judged = h
	}
	for {
		old := s.state.Load()
		if s.state.CompareAndSwap(old, word(h, Admin(old>>8))) {
			return Health(old & 0xff)
		}
	}
}

// SetAdmin sets the administrative state and returns the one before.
func (s *Server) SetAdmin(a Admin) Admin {
	for {
		old := s.state.Load()
		if s.state.CompareAndSwap(old, word(Health(old&0xff), a)) {
			return Admin(old >> 8)
		}
	}
}

// State is the effective state in one word: maint or drain when a person said
// so, else up, down or checking.
func (s *Server) State() string {
	old := s.state.Load()
	if a := Admin(old >> 8); a != Ready {
		return a.String()
	}
	return Health(old & 0xff).String()
}

// Usable says whether new sessions may go there: Ready, and Up or Checking. A
// server that is only full is still usable.
func (s *Server) Usable() bool {
	w := s.state.Load()
	return w == word(Up, Ready) || w == word(Checking, Ready)
}

// EffectiveWeight is the weight at now: during a slow start it grows in a
// straight line from a tenth to the whole.
func (s *Server) EffectiveWeight(now time.Time) float64 {
	return float64(s.share(now)) / weightScale
}

// share is the effective weight in thousandths, never 0. It is small enough to
// be inlined into the loops of Pick; the ramp is the rare case.
func (s *Server) share(now time.Time) int64 {
	full := s.weight.Load() * weightScale
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
