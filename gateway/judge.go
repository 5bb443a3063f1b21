package gateway

import (
	"time"

	"gantry/balancing"
	"gantry/gateway/config"
	"gantry/negotiate"
)

// keepStates makes the states fit the checks. A check that is new to a server
// already judged begins with that judgement, so that adding one takes no
// server out of service.
func (b *backend) keepStates(checks []config.Check) {
	states := make(map[string]negotiate.State, len(checks))
	for _, c := range checks {
		st, known := b.states[c.Name]
		if !known {
			st = stateOf(b.server.Health())
		}
		states[c.Name] = st
	}
	b.states = states
}

// stateOf is where a new check of a server begins. That others found the server
// degraded is their finding.
func stateOf(h balancing.Health) negotiate.State {
	switch h {
	case balancing.Up, balancing.Degraded:
		return negotiate.Up
	case balancing.Down:
		return negotiate.Down
	}
	return negotiate.Checking
}

// initial is where the judgement of a check begins.
func (b *backend) initial(check string) negotiate.State {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.states[check]
}

// freeFalls: one fall is no flapping.
const freeFalls = 1

// verdict is what a judgement changed.
type verdict struct {
	from, to balancing.Health
	held     time.Duration // the server came up and is held back for that long
	offences int           // falls that are not forgiven, with held; not more than count for it
}

// follow takes over what the monitor of one check knows. The monitor is asked
// under the lock, so that of two that follow the later one has the last word.
func (b *backend) follow(check string, ask func() (negotiate.Status, bool), now time.Time) verdict {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, known := b.states[check]; known {
		if st, watched := ask(); watched {
			b.states[check] = st.State
		}
	}
	return b.judge(now)
}

// judge draws the sum, and keeps the record of falls. A server that recovers
// with too many of them is set aside before anybody can pick it. Called with mu
// held.
func (b *backend) judge(now time.Time) verdict {
	v := verdict{from: b.server.Health(), to: b.sum()}
	wasServing := v.from == balancing.Up || v.from == balancing.Degraded
	serves := v.to == balancing.Up || v.to == balancing.Degraded
	switch {
	case wasServing && v.to == balancing.Down:
		b.record.falls = b.record.falls.Offend(now, b.flapping.Forgive).Capped(freeFalls, b.flapping.Hold, b.flapping.MaxHold)
	case v.from == balancing.Down && serves:
		v.held = b.record.falls.Forgiven(now, b.flapping.Forgive).Time(freeFalls, b.flapping.Hold, b.flapping.MaxHold)
		v.offences = b.record.falls.Offences()
		b.setAside(balancing.Held, v.held, now)
	}
	b.server.SetHealth(v.to, now)
	return v
}

// sum is the health that follows from the states of all checks: the worst of
// them, where a server that a check has not judged yet counts as unjudged unless
// another check finds it down.
func (b *backend) sum() balancing.Health {
	sum := balancing.Up
	for _, st := range b.states {
		switch {
		case st == negotiate.Down:
			return balancing.Down
		case st == negotiate.Checking:
			sum = balancing.Checking
		case st == negotiate.Degraded && sum == balancing.Up:
			sum = balancing.Degraded
		}
	}
	return sum
}

// forget drops the judgement, for a server that is unchecked (maint), and the
// record with it.
func (b *backend) forget(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for name := range b.states {
		b.states[name] = negotiate.Checking
	}
	b.pardon(now)
	b.judge(now)
}
