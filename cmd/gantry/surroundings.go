package main

import (
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"golang.org/x/term"
)

// surroundings are all that the commands take from the process: a seam for tests.
type surroundings struct {
	out, err io.Writer
	getenv   func(string) string
	// size tells the columns and rows of the terminal that out is; ok is false when out is a file or a pipe.
	size func() (columns, rows int, ok bool)
	// watched tells whether err is a terminal, where a line may be written over; nil is no.
	watched func() bool
	// now is the clock of sentences such as "up 3d4h".
	now func() time.Time
	// signals delivers the given signals until stop is called; then they have their usual effect again.
	signals func(...os.Signal) (arrived <-chan os.Signal, stop func())
	// open makes the gateway that `run` runs.
	open func(gatewayOptions) (process, error)
	// logTo makes err a writer for log lines that never blocks; close writes what waits. Nil writes to err as it is.
	logTo func(err io.Writer) (lines io.Writer, close func())
	// notify tells the service manager a state; without one it does nothing.
	notify func(state string)
	// watchdog is how long the service manager waits for a sign of life; 0 = it does not.
	watchdog func() time.Duration
}

// theProcess are the real surroundings.
func theProcess() *surroundings {
	return &surroundings{
		out: os.Stdout, err: os.Stderr,
		getenv:  os.Getenv,
		size:    terminalSize,
		watched: func() bool { return term.IsTerminal(int(os.Stderr.Fd())) },
		now:     time.Now,
		signals: realSignals,
		open:    openGateway,
		logTo:   realLog,
		// Nothing can be done about a service manager that does not listen, and nothing depends on it.
		notify:   func(state string) { _, _ = daemon.SdNotify(false, state) },
		watchdog: func() time.Duration { d, _ := daemon.SdWatchdogEnabled(false); return d },
	}
}

func terminalSize() (columns, rows int, ok bool) {
	columns, rows, err := term.GetSize(int(os.Stdout.Fd()))
	return columns, rows, err == nil
}

// realSignals buffers a few: a reload may be running while a person asks to stop.
func realSignals(which ...os.Signal) (<-chan os.Signal, func()) {
	arrived := make(chan os.Signal, 8)
	signal.Notify(arrived, which...)
	return arrived, func() { signal.Stop(arrived) }
}

// realLog also keeps a reader of standard error that goes away (a logger in a pipe that crashes) from taking the
// program along: SIGPIPE would end it at the next line.
func realLog(err io.Writer) (io.Writer, func()) {
	signal.Ignore(syscall.SIGPIPE)
	q := newLineQueue(err)
	return q, q.Close
}

// isStop tells whether a signal asks the program to end.
func isStop(s os.Signal) bool { return s == syscall.SIGTERM || s == syscall.SIGINT }

// coloured tells whether out takes colours: a terminal that can, and a person who did not say no (no-color.org).
func (s *surroundings) coloured() bool {
	_, _, terminal := s.size()
	return terminal && s.getenv("NO_COLOR") == "" && s.getenv("TERM") != "dumb"
}
