package negotiate

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"
)

// Key names one check of one server of one service, as the configuration does.
type Key struct{ Service, Server, Check string }

// server is the part of a Key that CheckNow is asked for.
type server struct{ service, name string }

// Assignment is the order to watch one Key.
type Assignment struct {
	Check Check

	// Initial is where the judgement starts when the Key is new or its Identity changed.
	// Checking makes the first result decisive.
	Initial State

	// Identity stands for the machine that is judged, such as its configured address.
	// Assignments with the same Identity, of whatever service, take turns: some servers
	// hold only one association at a time, and must not be made to look dead by a second
	// check. When the Identity of a Key changes, its judgement starts anew. Empty means
	// service and server name.
	Identity string
}

// Options configures a Supervisor.
type Options struct {
	// Logger gets changes at INFO and single checks at DEBUG; nil means silence.
	Logger *slog.Logger

	// MaxRunning bounds the checks that run at the same moment, and so the descriptors
	// they use; 0 = DefaultMaxRunning.
	MaxRunning int

	// OnResult is called after each check, OnChange after it when the state changed. Both
	// are called from the goroutine of the monitor, one at a time per Key, and hold up only
	// that Key. They may call CheckNow and Snapshot. A call that was already under way may
	// end shortly after the Reconcile that removed its Key.
	OnResult func(Key, Result)
	OnChange func(key Key, from, to State, r Result)

	// Random returns numbers in [0, 1) for start times and jitter; nil means math/rand.
	Random func() float64
}

// DefaultMaxRunning is the number of checks at the same moment when Options does not say. It
// is far above what healthy servers need (2,000 checks every 10 s that take 5 ms each are one
// at a time) and leaves room for hundreds of servers that hang until the timeout.
const DefaultMaxRunning = 512

// Supervisor watches servers: one monitor for each Key. Use NewSupervisor; all methods may be
// called at any time from any goroutine.
type Supervisor struct {
	options Options
	slots   chan struct{} // one token for each running check
	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup

	mu       sync.RWMutex
	monitors map[Key]*monitor
	byServer map[server][]*monitor
	turns    map[string]*turn // by Identity, with the monitors that refer to it
}

// turn lets one check at a time at one machine; it is taken by sending into it.
type turn struct {
	taken chan struct{}
	users int
}

// NewSupervisor returns a Supervisor that watches nothing yet. Close ends it.
func NewSupervisor(o Options) *Supervisor {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.MaxRunning <= 0 {
		o.MaxRunning = DefaultMaxRunning
	}
	if o.Random == nil {
		o.Random = rand.Float64
	}
	ctx, cancel := context.WithCancel(context.Background())
	return &Supervisor{
		options: o, slots: make(chan struct{}, o.MaxRunning), ctx: ctx, cancel: cancel,
		monitors: map[Key]*monitor{}, byServer: map[server][]*monitor{}, turns: map[string]*turn{},
	}
}

// Reconcile makes the monitors equal to wanted. A Key with the same Fingerprint and Identity
// goes on undisturbed; with another Fingerprint it keeps its judgement under the new
// settings, and is checked soon; with another Identity it starts anew. Keys not in wanted are
// dropped and their running checks called off. Nothing is waited for.
func (s *Supervisor) Reconcile(wanted map[Key]Assignment) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		return
	}
	for key, m := range s.monitors {
		if _, keep := wanted[key]; !keep {
			s.drop(key, m)
		}
	}
	for key, a := range wanted {
		s.assign(key, a)
	}
	s.index()
}

// assign starts, changes or leaves alone the monitor of one Key.
func (s *Supervisor) assign(key Key, a Assignment) {
	if a.Identity == "" {
		a.Identity = key.Service + "/" + key.Server
	}
	m, known := s.monitors[key]
	if known && m.identity == a.Identity {
		m.change(a.Check)
		return
	}
	if known {
		s.drop(key, m)
	}
	m = newMonitor(s, key, a, s.joinTurn(a.Identity))
	s.monitors[key] = m
	s.running.Go(m.watch)
}

// drop ends a monitor; it is gone for all callers at once, its goroutine soon after.
func (s *Supervisor) drop(key Key, m *monitor) {
	m.cancel()
	delete(s.monitors, key)
}

func (s *Supervisor) joinTurn(identity string) *turn {
	t := s.turns[identity]
	if t == nil {
		t = &turn{taken: make(chan struct{}, 1)}
		s.turns[identity] = t
	}
	t.users++
	return t
}

// leaveTurn is the last act of a monitor's goroutine, not part of drop: a check that was
// called off still has its farewell to say, and its successor must wait for that.
func (s *Supervisor) leaveTurn(identity string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.turns[identity]; t.users > 1 {
		t.users--
	} else {
		delete(s.turns, identity)
	}
}

// index rebuilds the way from a server to its monitors.
func (s *Supervisor) index() {
	clear(s.byServer)
	for key, m := range s.monitors {
		at := server{key.Service, key.Server}
		s.byServer[at] = append(s.byServer[at], m)
	}
}

// CheckNow asks for a check of everything about one server, because live traffic met
// trouble. It never waits. Requests that come together are one check, and a check that was
// asked for starts at the earliest AskedGap after the last one began.
func (s *Supervisor) CheckNow(service, name string) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, m := range s.byServer[server{service, name}] {
		m.ask()
	}
}

// Status is what a monitor knows.
type Status struct {
	State  State
	Since  time.Time // when State was reached, or when watching began
	Health Health    // with the count toward a change
	Last   Result    // zero Start: not checked yet
}

// Snapshot returns the status of one Key; false if it is not watched.
func (s *Supervisor) Snapshot(key Key) (Status, bool) {
	m := s.monitor(key)
	if m == nil {
		return Status{}, false
	}
	return m.status(), true
}

// History returns the last results of one Key, and its last failed or degraded ones, oldest
// first: at most HistoryLen and FailuresLen.
func (s *Supervisor) History(key Key) (recent, failures []Result) {
	m := s.monitor(key)
	if m == nil {
		return nil, nil
	}
	return m.remembered()
}

func (s *Supervisor) monitor(key Key) *monitor {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.monitors[key]
}

// Probe carries out one check at once, when it is its turn at the machine that identity stands
// for (see Assignment) and a slot is free. It counts toward nothing and is not remembered. The
// error is that of ctx, or ErrClosed.
func (s *Supervisor) Probe(ctx context.Context, identity string, c Check) (Result, error) {
	s.mu.Lock()
	if s.ctx.Err() != nil {
		s.mu.Unlock()
		return Result{}, ErrClosed
	}
	t := s.joinTurn(identity)
	s.running.Add(1)
	s.mu.Unlock()
	defer s.running.Done()
	defer s.leaveTurn(identity)

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)()
	if !s.admit(ctx, t) {
		return Result{}, ctx.Err()
	}
	defer s.leave(t)
	return Run(ctx, c), nil
}

// ErrClosed is the answer of a Supervisor that was closed.
var ErrClosed = errors.New("the supervisor was closed")

// Close calls off all checks and waits until the last monitor is gone. It must not be called
// from OnResult or OnChange. Afterwards Reconcile and CheckNow do nothing; Snapshot still answers.
func (s *Supervisor) Close() {
	s.mu.Lock()
	s.cancel()
	s.mu.Unlock()
	s.running.Wait()
}

// admit waits for the turn at the machine, then for a slot, in this order so that nobody
// holds a slot while waiting for a slow machine. It returns false when ctx ends first.
func (s *Supervisor) admit(ctx context.Context, t *turn) bool {
	select {
	case t.taken <- struct{}{}:
	case <-ctx.Done():
		return false
	}
	select {
	case s.slots <- struct{}{}:
		if s.ctx.Err() != nil { // closing reaches the monitors one after the other
			s.leave(t)
			return false
		}
		return true
	case <-ctx.Done():
		<-t.taken
		return false
	}
}

func (s *Supervisor) leave(t *turn) {
	<-s.slots
	<-t.taken
}
