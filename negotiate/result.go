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

	// State is the judgement after this result; Checking if nobody counts (see Run).
	State State
}

// OK reports whether the server was found healthy.
func (r Result) OK() bool { return r.Fault == nil }

// HistoryLen is the number of results, and of failures, that a monitor remembers.
const HistoryLen = 10

// history keeps the last results and, longer, the last failures: after a recovery the
// question is always what it was.
type history struct {
	recent, failures []Result
}

func (h *history) add(r Result) {
	h.recent = push(h.recent, r)
	if r.Fault != nil {
		h.failures = push(h.failures, r)
	}
}

// push appends r and forgets the oldest beyond HistoryLen, in the same backing array.
func push(list []Result, r Result) []Result {
	if len(list) < HistoryLen {
		return append(list, r)
	}
	copy(list, list[1:])
	list[len(list)-1] = r
	return list
}
