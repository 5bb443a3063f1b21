package balancing

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// ErrNoServer means that no server beyond those tried may be used.
var ErrNoServer = errors.New("no usable server")

// ErrFull means that there are usable servers, but all of them run as many
// sessions as max_connections allows.
var ErrFull = errors.New("all usable servers are at max_connections")

// Member is a server in its place in a pool.
type Member struct {
	Server *Server
	Backup bool // serves only when no other server can
}

// PoolOptions describes a pool to NewPool.
type PoolOptions struct {
	Members      []Member     // in file order; each server once
	Algorithm    Algorithm    // ignored by Failover
	Distribution Distribution // Balance unless set
	Persistence  *Persistence // nil = clients are not remembered; may be shared with the pool before a reload
	Panic        bool         // when nothing else is left, servers that are Down serve
}

// Pool is one service's servers and the way to choose among them. Its members
// never change; a new configuration is a new pool over the same servers. It must
// be made by NewPool. All methods may be called from any goroutine.
type Pool struct {
	members      []*member // file order
	rungs        []rung    // the ladder, best first
	byID         map[uint32]*Server
	algorithm    Algorithm
	distribution Distribution
	persistence  *Persistence
	lowest       grade         // that still serves
	turn         atomic.Uint64 // numbers the choices of least-connections
	wheel        sync.Mutex    // over every member.current
}

// member is a server with what this pool's algorithms remember about it.
type member struct {
	server  *Server
	backup  bool
	last    atomic.Uint64 // turn of its last choice, by least-connections
	current int64         // smooth round-robin's running weight; under Pool.wheel
}

// rung is one step of the ladder: some members, and the grade they must have.
type rung struct {
	members []*member
	grade   grade
}

// Request is one client connection that looks for a server.
type Request struct {
	Key   Key       // who asks; zero = nobody in particular
	Now   time.Time // the time of asking
	Tried []*Server // servers that failed this very connection; they are passed over
	Full  []*Server // servers without room for it, beside those that know so themselves: it waits for them rather than for worse ones
}

// NewPool makes a pool. It does not keep o.Members.
func NewPool(o PoolOptions) *Pool {
	p := &Pool{
		byID:         make(map[uint32]*Server, len(o.Members)),
		algorithm:    o.Algorithm,
		distribution: o.Distribution,
		persistence:  o.Persistence,
		lowest:       aside,
	}
	if o.Panic {
		p.lowest = down
	}
	var regular, backup []*member
	for _, m := range o.Members {
		n := &member{server: m.Server, backup: m.Backup}
		p.members = append(p.members, n)
		p.byID[m.Server.id] = m.Server
		if m.Backup {
			backup = append(backup, n)
		} else {
			regular = append(regular, n)
		}
	}
	p.rungs = ladder(regular, backup, o.Panic)
	return p
}

// Members lists the members in file order. The slice is the caller's.
func (p *Pool) Members() []Member {
	out := make([]Member, len(p.members))
	for i, m := range p.members {
		out[i] = Member{Server: m.server, Backup: m.backup}
	}
	return out
}

// Standing is what a pool can offer to a new session.
type Standing uint8

// The standings, best first.
const (
	Sound     Standing = iota // a server is usable
	Makeshift                 // only servers that are set aside
	Panicking                 // only servers that are down, and Panic lets them serve
	Without                   // nobody
)

// Standing says what a new session can get, servers that are full included.
func (p *Pool) Standing() Standing {
	best := closed
	for _, m := range p.members {
		best = min(best, m.server.grade())
	}
	switch {
	case best > p.lowest:
		return Without
	case best == down:
		return Panicking
	case best == aside:
		return Makeshift
	}
	return Sound
}

// Usable says whether any server, backups included, may take a session, full or not.
func (p *Pool) Usable() bool { return p.Standing() != Without }

// serves says whether some rung leads to s.
func (p *Pool) serves(s *Server) bool { return s.grade() <= p.lowest }

// Pick chooses a server and counts the session in: the caller must call
// Release on it exactly once, when the session ends or its dial fails. After a
// failed dial the caller asks again with that server among Tried. The error is
// ErrNoServer or ErrFull; with Full it is ErrFull also where only servers would
// have room that serve when no better one can. Pick does not allocate.
func (p *Pool) Pick(r Request) (*Server, error) {
	s := p.pick(&r)
	if s != nil {
		s.total.Add(1)
		return s, nil
	}
	if slices.ContainsFunc(p.members, func(m *member) bool { return p.serves(m.server) && !r.tried(m.server) }) {
		return nil, ErrFull
	}
	return nil, ErrNoServer
}

// pick is Pick with nil for "none".
func (p *Pool) pick(r *Request) *Server {
	if p.persistence == nil || r.Key == (Key{}) {
		return p.choose(r)
	}
	return p.remembered(r)
}

// tried says whether s already failed this connection.
func (r *Request) tried(s *Server) bool {
	return len(r.Tried) > 0 && slices.Contains(r.Tried, s)
}

// full says whether s has no room for this one, by the word of who asks.
func (r *Request) full(s *Server) bool {
	return len(r.Full) > 0 && slices.Contains(r.Full, s)
}

// Hashes tells whether the same key always means the same server, as long as that can be used.
func (p *Pool) Hashes() bool { return p.algorithm == SourceHash && p.distribution == Balance }

// Has tells whether the server is a member; a nil one never is.
func (p *Pool) Has(s *Server) bool { return s != nil && p.byID[s.id] == s }
