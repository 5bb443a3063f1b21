package negotiate

import "time"

// StageTime is how long one stage of a check took.
type StageTime struct {
	Stage Stage
	Took  time.Duration
}

// Result is the outcome of one check.
type Result struct {
	Start    time.Time
	Duration time.Duration
	Stages   []StageTime // those entered, in order; the last one is where a Fault happened

	// Fault is why the check failed; nil means healthy.
	Fault *Fault

	// Warning is something wrong that does not keep the server from serving, such as a
	// release that is never answered. It does not count against the server.
	Warning *Fault

	// Degraded is why the server, healthy otherwise, should get less to do; nil with a Fault.
	Degraded *Fault

	// Excused is why a Fault was not counted, or, without a Fault and without Stages, why the
	// server was not even asked: the words of Check.Witness.
	Excused string

	// Transcript is the conversation in words, if it was asked for (see WithTranscript).
	Transcript []Passage

	// State is the judgement after this result; Checking if nobody counts (see Run).
	State State
}

// OK reports whether the server was found fit to serve: healthy, or degraded.
func (r Result) OK() bool { return r.Fault == nil }

// Words is what a person should read about the result: the fault, else why the server is
// degraded, else the warning; nil when all is well.
func (r Result) Words() *Fault {
	switch {
	case r.Fault != nil:
		return r.Fault
	case r.Degraded != nil:
		return r.Degraded
	default:
		return r.Warning
	}
}

// Counts reports whether the result says anything about the server: it does unless this machine
// could not carry the check out, or live traffic spoke for the server.
func (r Result) Counts() bool { return r.Excused == "" && (r.Fault == nil || r.Fault.Counts()) }

// Outcome is what the result says about the server.
func (r Result) Outcome() Outcome {
	switch {
	case r.Fault != nil:
		return Failed
	case r.Degraded != nil:
		return Partly
	default:
		return Passed
	}
}

// What a monitor remembers of one check, in results.
const (
	HistoryLen  = 10 // the last ones
	FailuresLen = 20 // the last failed and degraded ones, for as long as the monitor lives
)

// history keeps the last results and, longer, the last failures: after a recovery the
// question is always what it was.
type history struct {
	recent, failures []Result
}

func (h *history) add(r Result) {
	h.recent = push(h.recent, r, HistoryLen)
	if r.Outcome() != Passed {
		h.failures = push(h.failures, r, FailuresLen)
	}
}

// push appends r and forgets the oldest beyond limit, in the same backing array.
func push(list []Result, r Result, limit int) []Result {
	if len(list) < limit {
		return append(list, r)
	}
	copy(list, list[1:])
	list[len(list)-1] = r
	return list
}
