package negotiate

import "strconv"

// State is what the results so far say about a server.
type State uint8

// The states. Checking is the zero value: not yet judged. A Degraded server serves, with less
// to do than others.
const (
	Checking State = iota
	Up
	Degraded
	Down
)

// String returns "checking", "up", "degraded" or "down".
func (s State) String() string {
	switch s {
	case Up:
		return "up"
	case Degraded:
		return "degraded"
	case Down:
		return "down"
	default:
		return "checking"
	}
}

// MarshalText writes the word of String, for JSON.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Serves reports whether the state lets a server take clients: Up or Degraded.
func (s State) Serves() bool { return s == Up || s == Degraded }

// Outcome is what one result says.
type Outcome uint8

// The outcomes. Partly is an answer that is good enough to serve, and not as it should be.
const (
	Failed Outcome = iota
	Partly
	Passed
)

// state is the judgement that one outcome alone would make.
func (o Outcome) state() State { return [...]State{Failed: Down, Partly: Degraded, Passed: Up}[o] }

// Health counts results toward a change of state. It is a value: Step returns the next one.
//
//	checking     --first result-->             up, degraded or down (decisive: nobody waits for a count at the start)
//	up           --fall failed in a row-->     down
//	up           --fall not passed in a row--> degraded, unless all of them failed
//	degraded     --fall failed in a row-->     down
//	degraded     --rise passed in a row-->     up
//	down         --rise not failed in a row--> up when all of them passed, else degraded
//
// The zero value is Checking with rise and fall 1.
type Health struct {
	state State
	// Lengths of the present runs of results, each of at least or at most one outcome. They are
	// bounded by max(rise, fall), so that limits which change find no old debts.
	failed, notPassed, passed, notFailed int
	rise, fall                           int
}

// NewHealth starts in the given state; rise and fall below 1 are taken as 1.
func NewHealth(initial State, rise, fall int) Health {
	return Health{state: initial, rise: max(rise, 1), fall: max(fall, 1)}
}

// State returns the present judgement.
func (h Health) State() State { return h.state }

// Moving reports whether the last result contradicted the state without changing it: the
// time to look more often.
func (h Health) Moving() bool { n, _ := h.toward(); return n > 0 }

// Step counts one result and returns the health after it.
func (h Health) Step(o Outcome) Health {
	if h.state == Checking {
		return Health{state: o.state(), rise: h.rise, fall: h.fall}
	}
	h.failed = run(h.failed, o == Failed)
	h.notPassed = run(h.notPassed, o != Passed)
	h.passed = run(h.passed, o == Passed)
	h.notFailed = run(h.notFailed, o != Failed)
	h.state = h.next()
	return h.rested()
}

// run counts on, or begins again.
func run(n int, on bool) int {
	if !on {
		return 0
	}
	return n + 1
}

// next is the state that the counts ask for.
func (h Health) next() State {
	rise, fall := max(h.rise, 1), max(h.fall, 1)
	switch {
	case h.state == Down && h.passed >= rise:
		return Up
	case h.state == Down && h.notFailed >= rise:
		return Degraded
	case h.state != Down && h.failed >= fall:
		return Down
	case h.state == Up && h.notPassed >= fall:
		return Degraded
	case h.state == Degraded && h.passed >= rise:
		return Up
	}
	return h.state
}

// rested forgets the runs that agree with the state: they lead nowhere, and would grow for ever.
func (h Health) rested() Health {
	switch h.state {
	case Up:
		h.passed, h.notFailed = 0, 0
	case Degraded:
		h.notPassed, h.notFailed = 0, 0
	case Down:
		h.failed, h.notPassed = 0, 0
	}
	return h
}

// WithLimits returns the same judgement under a new rise and fall, for settings that change
// while a server is watched. A count that already reaches the new limit stops one short of
// it: changing a setting is no evidence, the next result decides.
func (h Health) WithLimits(rise, fall int) Health {
	h.rise, h.fall = max(rise, 1), max(fall, 1)
	h.failed, h.notPassed = min(h.failed, h.fall-1), min(h.notPassed, h.fall-1)
	h.passed, h.notFailed = min(h.passed, h.rise-1), min(h.notFailed, h.rise-1)
	return h
}

// String returns the contrary results in a row over those needed: "2/3" means that one more
// turns the state. At rest it is "0/3".
func (h Health) String() string {
	n, limit := h.toward()
	return strconv.Itoa(n) + "/" + strconv.Itoa(limit)
}

// needed is the number of results in a row that turn the present state into another.
func (h Health) needed(to State) int {
	if to == Down || h.state == Up {
		return max(h.fall, 1)
	}
	return max(h.rise, 1)
}

// aim is the state that the present count leads to.
func (h Health) aim() State {
	switch {
	case h.state == Up && h.failed == h.notPassed, h.state == Degraded && h.passed == 0:
		return Down
	case h.state == Down && h.passed == h.notFailed, h.state == Degraded:
		return Up
	default:
		return Degraded
	}
}

// toward is the longest run that leads away from the present state, and the length that turns it.
func (h Health) toward() (n, limit int) {
	rise, fall := max(h.rise, 1), max(h.fall, 1)
	switch h.state {
	case Up:
		return h.notPassed, fall
	case Down:
		return h.notFailed, rise
	case Degraded:
		if h.passed > 0 {
			return h.passed, rise
		}
		return h.failed, fall
	default:
		return 0, 1
	}
}
