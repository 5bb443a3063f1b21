package gateway

import (
	"fmt"
	"sync"

	"golang.org/x/sys/unix"
)

// budget counts connections against what the descriptor limit allows. gnet
// stops a listener that runs out of descriptors, so the gateway refuses
// connections well before that.
type budget struct {
	mu    sync.Mutex
	max   int
	used  int
	zero  chan struct{} // closed when used gets to 0; nil while nobody waits
	spent bool
}

func newBudget(max int) *budget { return &budget{max: max} }

// acquire counts a connection in, unless all are used.
func (b *budget) acquire() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.used >= b.max {
		return false
	}
	b.used++
	return true
}

func (b *budget) release() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.used--
	if b.used == 0 && b.zero != nil && !b.spent {
		b.spent = true
		close(b.zero)
	}
}

// resize is for a reload that needs another number of listeners.
func (b *budget) resize(max int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.max = max
}

func (b *budget) limit() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.max
}

func (b *budget) inUse() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.used
}

// empty returns a channel that is closed once no connection is left. It is
// for the end of the gateway, when no new ones come.
func (b *budget) empty() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.zero == nil {
		b.zero = make(chan struct{})
		if b.used == 0 {
			b.spent = true
			close(b.zero)
		}
	}
	return b.zero
}

// shares is how the process's descriptors are divided.
type shares struct {
	connections int // client connections; each has two descriptors once it is relayed
	pipes       int // splice pipes; each has two
	checks      int // checks at one time; each has one
	admin       int // admin connections; each has one
}

const (
	// descriptorsBase is what the process needs for itself: standard streams,
	// the relay loops, the runtime, files being read.
	descriptorsBase = 32
	// descriptorsPort is what one listening address needs: socket, epoll,
	// eventfd, and the duplicate at a hand-over.
	descriptorsPort = 5
	// spareListens leaves room for listeners that a reload may add.
	spareListens = 4
	// minConnections is the least that a gateway is started for.
	minConnections = 16
)

// descriptorLimits raises the soft limit on open files to the hard one and
// divides it.
func descriptorLimits(listeners int) (shares, error) {
	return divide(raiseNoFile(), listeners)
}

// divide gives the small users a bounded share and the rest, by two, to
// connections.
func divide(limit, listeners int) (shares, error) {
	part := max(limit/32, 8)
	s := shares{pipes: min(part, 128), checks: min(part, 256), admin: min(part, 64)}
	left := limit - descriptorsBase - descriptorsPort*(listeners+spareListens) - 2*s.pipes - s.checks - s.admin
	s.connections = left / 2
	if s.connections < minConnections {
		return s, fmt.Errorf("the limit on open files is too small: %d are allowed, at least %d are needed; raise it (LimitNOFILE, ulimit -n)",
			limit, limit-left+2*minConnections)
	}
	return s, nil
}

// raiseNoFile returns the number of files that this process may open.
func raiseNoFile() int {
	const unknown, most = 1024, 1 << 24
	var r unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &r) != nil {
		return unknown
	}
	if r.Cur < r.Max {
		raised := unix.Rlimit{Cur: r.Max, Max: r.Max}
		if unix.Setrlimit(unix.RLIMIT_NOFILE, &raised) == nil {
			r.Cur = r.Max
		}
	}
	return int(min(r.Cur, most))
}
