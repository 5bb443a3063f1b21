package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

const (
	// maxQueuedLines bounds the log lines that wait for a slow reader of standard error. More are dropped and counted.
	maxQueuedLines = 4096
	// flushTime is how long the end of the program waits for a reader that has stopped reading.
	flushTime = time.Second
)

// lineQueue is a writer that never blocks: lines are written by a goroutine of its own. Log lines come from the loops
// that carry traffic, and a reader of standard error that stops reading must not stop those.
type lineQueue struct {
	lines chan []byte
	done  chan struct{}

	mu      sync.Mutex
	dropped int
	closed  bool
}

func newLineQueue(w io.Writer) *lineQueue {
	q := &lineQueue{lines: make(chan []byte, maxQueuedLines), done: make(chan struct{})}
	go q.run(w)
	return q
}

// Write takes one line; the handlers of log/slog write each in one call.
func (q *lineQueue) Write(line []byte) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return 0, io.ErrClosedPipe
	}
	select {
	case q.lines <- append([]byte(nil), line...):
	default:
		q.dropped++
	}
	return len(line), nil
}

func (q *lineQueue) run(w io.Writer) {
	defer close(q.done)
	for line := range q.lines {
		_, _ = w.Write(line)
		if n := q.takeDropped(); n > 0 {
			_, _ = fmt.Fprintf(w, "level=WARN msg=\"log lines were dropped: their reader was too slow\" lines=%d\n", n)
		}
	}
}

// takeDropped returns how many lines were dropped since it was last asked.
func (q *lineQueue) takeDropped() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := q.dropped
	q.dropped = 0
	return n
}

// Close writes what waits, for at most flushTime.
func (q *lineQueue) Close() {
	q.mu.Lock()
	if !q.closed {
		q.closed = true
		close(q.lines)
	}
	q.mu.Unlock()
	select {
	case <-q.done:
	case <-time.After(flushTime):
	}
}
