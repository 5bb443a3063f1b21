package balancing

import "fmt"

// Health is what the checks found out about a server.
type Health uint32

// The healths of a server. Checking is the zero value: a new server has not
// been judged yet and is used only when no judged server can be.
const (
	Checking Health = iota
	Up
	Down
	Degraded // serves, with a share of its weight
)

// String gives the word that status, metrics and logs show.
func (h Health) String() string {
	switch h {
	case Checking:
		return "checking"
	case Up:
		return "up"
	case Down:
		return "down"
	case Degraded:
		return "degraded"
	}
	return fmt.Sprintf("health(%d)", uint32(h))
}

// Admin is what a person wants of a server.
type Admin uint32

// The administrative states of a server. Ready is the zero value. Drain and
// Maint both take no new session and leave running ones alone; they differ only
// in that the checks of a server in Maint rest, which is the gateway's business.
const (
	Ready Admin = iota
	Drain
	Maint
)

// String gives the word that the command line and the API use.
func (a Admin) String() string {
	switch a {
	case Ready:
		return "ready"
	case Drain:
		return "drain"
	case Maint:
		return "maint"
	}
	return fmt.Sprintf("admin(%d)", uint32(a))
}

// ParseAdmin reads one of the words ready, drain, maint.
func ParseAdmin(word string) (Admin, error) {
	for _, a := range []Admin{Ready, Drain, Maint} {
		if a.String() == word {
			return a, nil
		}
	}
	return Ready, fmt.Errorf("unknown administrative state %q; use ready, drain or maint", word)
}

// Aside says why a server that its checks find well is left out for a time. It still serves
// when no other server can: better a doubtful server than none.
type Aside uint32

// The reasons to be set aside. InUse is the zero value.
const (
	InUse   Aside = iota
	Held          // it fell again soon after it had recovered
	Ejected       // live traffic met too many failures in a row
)

// String gives the word that status, metrics and logs show; "" for InUse.
func (a Aside) String() string {
	switch a {
	case InUse:
		return ""
	case Held:
		return "held"
	case Ejected:
		return "ejected"
	}
	return fmt.Sprintf("aside(%d)", uint32(a))
}

// grade is how far down the ladder a server stands.
type grade uint32

const (
	known    grade = iota // up or degraded: known to work
	unjudged              // checking: may work
	aside                 // known or unjudged, but set aside
	down                  // judged not to work
	closed                // drain or maint: a person's word, no rung leads there
)

// gradeOf sums up what is known about a server.
func gradeOf(h Health, a Admin, s Aside) grade {
	switch {
	case a != Ready:
		return closed
	case h == Down:
		return down
	case s != InUse:
		return aside
	case h == Checking:
		return unjudged
	default:
		return known
	}
}

// Failure is why a connection to a server did not come about or broke, as far
// as the server is concerned. It is a closed set: it becomes a metric label.
type Failure uint32

// The reasons that are counted for each server.
const (
	Refused     Failure = iota // the server's host answered RST to the dial
	Timeout                    // the dial, or the server's answer, took too long
	Unreachable                // no route, host or network unreachable
	Reset                      // an open connection was reset by the server
	Local                      // the gateway itself was short of descriptors or ports: not the server's fault
	Other                      // anything else
	failures                   // how many there are
)

// String gives the metric label.
func (f Failure) String() string {
	switch f {
	case Refused:
		return "refused"
	case Timeout:
		return "timeout"
	case Unreachable:
		return "unreachable"
	case Reset:
		return "reset"
	case Local:
		return "local"
	case Other:
		return "other"
	}
	return fmt.Sprintf("failure(%d)", uint32(f))
}

// Failures lists every reason, for those who export one counter each.
func Failures() []Failure {
	return []Failure{Refused, Timeout, Unreachable, Reset, Local, Other}
}
