package peers

import (
	"bytes"
	"context"
	"io"
	"strings"
	"sync"
)

// maxLog bounds what is kept of one program's output; older output is dropped.
const maxLog = 1 << 20

// Log keeps a program's output and lets a reader wait for a line of it.
type Log struct {
	mu    sync.Mutex
	text  []byte
	grown chan struct{} // closed and replaced at each write
	ended bool
}

func newLog() *Log { return &Log{grown: make(chan struct{})} }

// Write implements io.Writer.
func (l *Log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, b...)
	if over := len(l.text) - maxLog; over > 0 {
		l.text = append(l.text[:0], l.text[over:]...)
	}
	l.wake()
	return len(b), nil
}

// String is what was written so far, its last MiB.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.text)
}

func (l *Log) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	l.wake()
}

func (l *Log) wake() {
	close(l.grown)
	l.grown = make(chan struct{})
}

func (l *Log) await(ctx context.Context, text string) (string, error) {
	for {
		line, grown, err := l.find(text)
		if grown == nil {
			return line, err
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
}

// find returns the line with the text, or a channel that says when to look again.
func (l *Log) find(text string) (string, <-chan struct{}, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := bytes.Index(l.text, []byte(text)); i >= 0 {
		start := bytes.LastIndexByte(l.text[:i], '\n') + 1
		line, _, _ := strings.Cut(string(l.text[start:]), "\n")
		return line, nil, nil
	}
	if l.ended {
		return "", nil, io.EOF
	}
	return "", l.grown, nil
}
