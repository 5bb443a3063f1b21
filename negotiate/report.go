package negotiate

import (
	"context"
	"log/slog"
	"strconv"
	"time"
)

// Keys of log lines, as everywhere in gantry.
const (
	keyService = "service"
	keyServer  = "server"
	keyCheck   = "check"
	keyStage   = "stage"
	keyReason  = "reason"
	keyTook    = "took"
	keyErr     = "err"
)

// report is one result with what it changed.
type report struct {
	key           Key
	check         Check
	result        Result
	before, after Health
	last          Result // the result before this one
}

// log writes one line. A change of state, and each step toward one, is for everybody; a
// check that changes nothing is for those who debug it. What keeps gantry itself from
// checking is a warning, once until it is over.
func (r report) log(l *slog.Logger) {
	level, message := r.line()
	if !l.Enabled(context.Background(), level) {
		return
	}
	l.LogAttrs(context.Background(), level, message, r.attrs()...)
}

// line chooses level and message.
func (r report) line() (slog.Level, string) {
	fault := r.result.Fault
	switch {
	case fault != nil && !fault.Counts() && fault.Reason == lastReason(r.last):
		return slog.LevelDebug, "check could not be made"
	case fault != nil && !fault.Counts():
		return slog.LevelWarn, "check could not be made"
	case r.after.State() != r.before.State():
		return slog.LevelInfo, "check is " + r.after.State().String() + r.decision()
	case r.result.Excused != "" && fault == nil:
		return slog.LevelDebug, "check left out: " + r.result.Excused
	case r.result.Excused != "":
		return slog.LevelDebug, "check failed, excused: " + r.result.Excused
	case r.after.Moving() && fault != nil:
		return slog.LevelInfo, "check fails" + r.course()
	case r.after.Moving() && r.result.Degraded != nil:
		return slog.LevelInfo, "check passes, degraded" + r.course()
	case r.after.Moving():
		return slog.LevelInfo, "check passes" + r.course()
	case fault != nil:
		return slog.LevelDebug, "check failed"
	case r.result.Degraded != nil:
		return slog.LevelDebug, "check passed, degraded"
	default:
		return slog.LevelDebug, "check passed"
	}
}

// course says where the count leads: " (1/3 to down)".
func (r report) course() string {
	return " (" + r.after.String() + " to " + r.after.aim().String() + ")"
}

// decision says how many results made the change: "(3/3)" after a count.
func (r report) decision() string {
	if r.before.State() == Checking {
		return " (first result)"
	}
	n := strconv.Itoa(r.before.needed(r.after.State()))
	return " (" + n + "/" + n + ")"
}

func lastReason(r Result) Reason {
	if r.Fault == nil {
		return ""
	}
	return r.Fault.Reason
}

func (r report) attrs() []slog.Attr {
	attrs := []slog.Attr{
		slog.String(keyService, r.key.Service), slog.String(keyServer, r.key.Server),
		slog.String(keyCheck, r.key.Check),
		slog.Duration(keyTook, r.result.Duration.Round(10*time.Microsecond)),
	}
	f := r.result.Words()
	if f == nil {
		return attrs
	}
	return append(attrs, slog.String(keyStage, string(f.Stage)), slog.String(keyReason, string(f.Reason)),
		slog.String(keyErr, errorText(f)))
}

// errorText is the sentence; for a bug it is the place, which only its author understands.
func errorText(f *Fault) string {
	if f.Reason == ReasonInternal && f.Err != nil {
		return f.Err.Error()
	}
	return f.Error()
}
