package admin

import (
	"context"
	"fmt"
	"strings"
)

// Control is what the handler asks of the gateway. All methods are called from several goroutines at once.
type Control interface {
	// Status describes the running gateway. The handler does not change what it gets and keeps nothing of it.
	Status() Status
	// Events returns the last events, newest first, from a bounded memory.
	Events() []Event
	// SetServer changes a server's administrative state, its weight, or both: all of the change or none of it.
	// It returns a *NotFoundError for an unknown service or server and an *InvalidError for a value out of range.
	SetServer(service, server string, c ServerChange) error
	// History tells what is remembered of the checks of a server, in the order of the configuration file.
	// It returns a *NotFoundError for an unknown service or server.
	History(service, server string) ([]CheckHistory, error)
	// CheckOnce makes one configured check of a server when it is its turn there; it counts toward nothing. The error
	// is a *NotFoundError, or that of ctx when the check did not get its turn.
	CheckOnce(ctx context.Context, service, server, check string, transcript bool) (CheckResult, error)
	// Probe makes the checks of a service once against target, HOST:PORT or HOST, which need not be one of its servers.
	// The error is a *NotFoundError, an *InvalidError, or that of ctx.
	Probe(ctx context.Context, service, target string) ([]CheckResult, error)
	// Reload reads the configuration file and puts it in force, or changes nothing and returns a *ReloadError.
	// Who asked is in [Actor].
	Reload(ctx context.Context) (Reloaded, error)
	// Ready is nil when a configuration is in force and its listeners are open; its error says what is missing.
	Ready() error
}

// NotFoundError says that a service or server does not exist. The API answers 404.
type NotFoundError struct {
	Kind string // "service", "server", or "check of SERVICE/SERVER"
	Name string
	// Known are the names that exist, for the sentence; may be empty.
	Known []string
}

func (e *NotFoundError) Error() string {
	if len(e.Known) == 0 {
		return fmt.Sprintf("no %s is called %q", e.Kind, e.Name)
	}
	return fmt.Sprintf("no %s is called %q; there is %s", e.Kind, e.Name, strings.Join(e.Known, ", "))
}

// InvalidError says that a value is not acceptable. The API answers 400.
type InvalidError struct {
	Message string
}

func (e *InvalidError) Error() string { return e.Message }

// ReloadError says why a configuration was refused; the old one stays in force. The API answers 422.
type ReloadError struct {
	// Problems of the file, all of them; empty when the file is sound but cannot be put in force (a listen address
	// in use, say): then Err tells why.
	Problems []Problem
	Err      error
}

func (e *ReloadError) Error() string {
	if len(e.Problems) == 0 && e.Err != nil {
		return e.Err.Error()
	}
	return fmt.Sprintf("the configuration has %s; the old one stays in force", count(len(e.Problems), "problem"))
}

// Unwrap returns the cause, if the refusal did not come from the file.
func (e *ReloadError) Unwrap() error { return e.Err }

// String is the problem as one line: FILE:LINE:COL: path: what is wrong (got …); what is right.
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", p.Line, p.Col)
	}
	for _, part := range []string{p.Path, p.Message} {
		if part != "" {
			b.WriteString(": " + part)
		}
	}
	if p.Got != "" {
		fmt.Fprintf(&b, " (got %s)", p.Got)
	}
	if p.Want != "" {
		b.WriteString("; " + p.Want)
	}
	return b.String()
}

type actorKey struct{}

// WithActor notes in ctx who asks for a reload: an API client's address, or "signal".
func WithActor(ctx context.Context, by string) context.Context {
	return context.WithValue(ctx, actorKey{}, by)
}

// Actor returns what [WithActor] noted, or the empty string.
func Actor(ctx context.Context) string {
	by, _ := ctx.Value(actorKey{}).(string)
	return by
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
