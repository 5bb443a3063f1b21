package peers

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
)

// maxLog bounds what is kept of one program's output; older output is dropped.
const maxLog = 4 << 20

// Log keeps a program's output and lets a reader wait for a line of it.
type Log struct {
	mu    sync.Mutex
	text  []byte
	gone  int64         // bytes dropped before text
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
		l.gone += int64(over)
	}
	l.wake()
	return len(b), nil
}

// String is what was written so far, at most the last maxLog bytes.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.text)
}

// Mark is the place in the output where the next byte will stand, for Since.
func (l *Log) Mark() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.gone + int64(len(l.text))
}

// Since is what was written from a mark on. It fails when some of that was dropped.
func (l *Log) Since(mark int64) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if mark < l.gone {
		return "", fmt.Errorf("%d bytes of the log are gone: more than %d were written since", l.gone-mark, maxLog)
	}
	return string(l.text[mark-l.gone:]), nil
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
