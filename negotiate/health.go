package negotiate

import "strconv"

// State is what the results so far say about a server.
type State uint8

// The states. Checking is the zero value: not yet judged.
const (
	Checking State = iota
	Up
	Down
)

// String returns "checking", "up" or "down".
func (s State) String() string {
	switch s {
	case Up:
		return "up"
	case Down:
		return "down"
	default:
		return "checking"
	}
}

// MarshalText writes the word of String, for JSON.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Health counts results toward a change of state. It is a value: Step returns the next one.
//
//	checking --first result--> up or down (decisive: nobody waits for a count at the start)
//	up   --fall failures in a row--> down     (one success starts the count again)
//	down --rise successes in a row--> up      (one failure starts the count again)
//
// The zero value is Checking with rise and fall 1.
type Health struct {
	state      State
	count      int // results in a row that contradict state; always below limit()
	rise, fall int
}

// NewHealth starts in the given state; rise and fall below 1 are taken as 1.
func NewHealth(initial State, rise, fall int) Health {
	return Health{state: initial, rise: max(rise, 1), fall: max(fall, 1)}
}

// State returns the present judgement.
func (h Health) State() State { return h.state }

// Moving reports whether the last result contradicted the state without changing it: the
// time to look more often.
func (h Health) Moving() bool { return h.count > 0 }

// Step counts one result and returns the health after it.
func (h Health) Step(ok bool) Health {
	agrees := Down
	if ok {
		agrees = Up
	}
	switch {
	case h.state == Checking:
		h.state, h.count = agrees, 0
	case h.state == agrees:
		h.count = 0
	case h.count+1 >= h.limit():
		h.state, h.count = agrees, 0
	default:
		h.count++
	}
	return h
}

// WithLimits returns the same judgement under a new rise and fall, for settings that change
// while a server is watched. A count that already reaches the new limit stops one short of
// it: changing a setting is no evidence, the next result decides.
func (h Health) WithLimits(rise, fall int) Health {
	h.rise, h.fall = max(rise, 1), max(fall, 1)
	h.count = min(h.count, h.limit()-1)
	return h
}

// String returns the contrary results in a row over those needed: "2/3" means that one more
// turns the state. At rest it is "0/3".
func (h Health) String() string {
	return strconv.Itoa(h.count) + "/" + strconv.Itoa(h.limit())
}

// limit is the number of contrary results in a row that change the present state.
func (h Health) limit() int {
	switch h.state {
	case Up:
		return max(h.fall, 1)
	case Down:
		return max(h.rise, 1)
	default:
		return 1
	}
}
