package main

import (
	"io"
	"log/slog"
	"sync/atomic"
)

// liveLevel is a log level that asks for the configuration in force at each line, so that a reload changes it, whoever
// asked for the reload. Before the gateway is there it is INFO.
type liveLevel struct {
	current atomic.Pointer[func() string]
}

// follow makes the level what current says: debug, info, warn or error.
func (l *liveLevel) follow(current func() string) { l.current.Store(&current) }

// Level implements slog.Leveler.
func (l *liveLevel) Level() slog.Level {
	current := l.current.Load()
	if current == nil {
		return slog.LevelInfo
	}
	switch (*current)() {
	case "debug":
		return slog.LevelDebug
	case "warn":
		return slog.LevelWarn
	case "error":
		return slog.LevelError
	}
	return slog.LevelInfo
}

// newLogger writes text or JSON lines. The format holds for the life of the process: a reader in the middle of a stream
// could not follow a change.
func newLogger(w io.Writer, format string, level slog.Leveler) *slog.Logger {
	o := &slog.HandlerOptions{Level: level}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}
