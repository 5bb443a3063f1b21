package negotiate

import (
	"context"
	"sync"
	"time"
)

// monitor watches one Key. One goroutine, watch, does all the work, so checks of a Key can
// never overlap; the other methods only leave word for it.
type monitor struct {
	supervisor *Supervisor
	key        Key
	identity   string
	turn       *turn
	ctx        context.Context
	cancel     context.CancelFunc

	asked   chan struct{} // someone wants a check soon
	changed chan struct{} // check was replaced

	mu        sync.Mutex
	check     Check
	calledOff context.CancelFunc // ends the running check; nil when none runs
	health    Health
	since     time.Time
	history   history

	lastStart time.Time // of a check; used by watch alone
	spread    bool      // the herd of the start has been spread; used by watch alone
}

func newMonitor(s *Supervisor, key Key, a Assignment, t *turn) *monitor {
	m := &monitor{
		supervisor: s, key: key, identity: a.Identity, turn: t,
		asked: make(chan struct{}, 1), changed: make(chan struct{}, 1),
		check: a.Check, since: time.Now(),
		health: NewHealth(a.Initial, a.Check.Rise, a.Check.Fall),
	}
	m.ctx, m.cancel = context.WithCancel(s.ctx)
	return m
}

// ask leaves word; word that is already there is enough.
func (m *monitor) ask() {
	select {
	case m.asked <- struct{}{}:
	default:
	}
}

// change puts new settings in force unless they are the old ones. A running check is called
// off: its result would be that of the old settings.
func (m *monitor) change(c Check) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if c.Fingerprint == m.check.Fingerprint {
		return
	}
	m.check = c
	m.health = m.health.WithLimits(c.Rise, c.Fall)
	if m.calledOff != nil {
		m.calledOff()
	}
	select {
	case m.changed <- struct{}{}:
	default:
	}
}

// watch is the life of the monitor.
func (m *monitor) watch() {
	defer m.supervisor.leaveTurn(m.identity)
	due := onTick(time.Now().Add(startDelay(m.settings(), m.supervisor.options.Random())))
	timer := time.NewTimer(time.Until(due))
	defer timer.Stop()
	for {
		select {
		case <-m.ctx.Done():
			return
		case <-m.changed:
			due = onTick(time.Now().Add(startDelay(m.settings(), m.supervisor.options.Random())))
		case <-m.asked:
			due = earlier(due, m.lastStart.Add(AskedGap))
		case <-timer.C:
			m.once()
			due = onTick(time.Now().Add(m.wait()))
		}
		timer.Reset(time.Until(due))
	}
}

// once carries out one check when it is its turn, and counts the result.
func (m *monitor) once() {
	if !m.supervisor.admit(m.ctx, m.turn) {
		return
	}
	m.forgetAsked()
	m.lastStart = time.Now()
	check, ctx := m.begin()
	// A goroutine of its own: the stack that a conversation needs is not kept while this monitor
	// sleeps, and there are thousands of them.
	said := make(chan Result, 1)
	go func() { said <- witnessed(ctx, check) }()
	result := <-said
	m.supervisor.leave(m.turn)
	m.end(ctx, result)
}

// witnessed is Run with live traffic as a witness, where the check has one.
func witnessed(ctx context.Context, c Check) Result {
	if c.Witness == nil {
		return Run(ctx, c)
	}
	skip, excuse := c.Witness()
	if skip != "" {
		return Result{Start: time.Now(), Excused: skip}
	}
	r := Run(ctx, c)
	if f := r.Fault; f != nil && (f.Busy || f.Reason == ReasonTimeout) {
		r.Excused = excuse()
	}
	return r
}

// forgetAsked takes back word that came before the check that is about to start: that check
// is the answer to it.
func (m *monitor) forgetAsked() {
	select {
	case <-m.asked:
	default:
	}
}

// begin returns the settings for one check and a context that change may end.
func (m *monitor) begin() (Check, context.Context) {
	m.mu.Lock()
	defer m.mu.Unlock()
	ctx, cancel := context.WithCancel(m.ctx)
	m.calledOff = cancel
	return m.check, ctx
}

// end counts a result and tells it. A check that was called off is as if it had never been.
func (m *monitor) end(ctx context.Context, r Result) {
	m.mu.Lock()
	void := ctx.Err() != nil
	m.calledOff()
	m.calledOff = nil
	if void {
		m.mu.Unlock()
		return
	}
	before, last := m.health, m.lastResult()
	if r.Counts() {
		m.health = m.health.Step(r.Outcome())
	}
	r.State = m.health.State()
	if r.State != before.State() {
		m.since = time.Now()
	}
	m.history.add(r)
	check, after := m.check, m.health
	m.mu.Unlock()

	report{m.key, check, r, before, after, last}.log(m.supervisor.options.Logger)
	m.tell(before.State(), r)
}

// tell runs without any lock held, so that the functions may ask the Supervisor back.
func (m *monitor) tell(from State, r Result) {
	if f := m.supervisor.options.OnResult; f != nil {
		f(m.key, r)
	}
	if f := m.supervisor.options.OnChange; f != nil && from != r.State {
		f(m.key, from, r.State, r)
	}
}

// wait is the time until the next check.
func (m *monitor) wait() time.Duration {
	m.mu.Lock()
	check, health := m.check, m.health
	m.mu.Unlock()
	random := m.supervisor.options.Random()
	period := periodOf(check, health)
	if !m.spread && !health.Moving() {
		m.spread = true
		return spreadWait(period, random)
	}
	return nextWait(period, check.Jitter, random, time.Since(m.lastStart))
}

func (m *monitor) settings() Check {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.check
}

// lastResult needs mu.
func (m *monitor) lastResult() Result {
	if n := len(m.history.recent); n > 0 {
		return m.history.recent[n-1]
	}
	return Result{}
}

func (m *monitor) status() Status {
	m.mu.Lock()
	defer m.mu.Unlock()
	return Status{State: m.health.State(), Since: m.since, Health: m.health, Last: m.lastResult()}
}

func (m *monitor) remembered() (recent, failures []Result) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append(recent, m.history.recent...), append(failures, m.history.failures...)
}
