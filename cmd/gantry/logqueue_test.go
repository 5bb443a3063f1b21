package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLineQueueKeepsOrder(t *testing.T) {
	var out bytes.Buffer
	q := newLineQueue(&out)
	want := ""
	for i := range 100 {
		line := fmt.Sprintf("line %d\n", i)
		want += line
		_, err := io.WriteString(q, line)
		require.NoError(t, err)
	}
	q.Close()
	require.Equal(t, want, out.String())
	_, err := io.WriteString(q, "late\n")
	require.Error(t, err)
	q.Close()
}

// stuck is a reader of standard error that has stopped reading.
type stuck struct {
	gate chan struct{}
	out  bytes.Buffer
}

func (s *stuck) Write(b []byte) (int, error) {
	<-s.gate
	return s.out.Write(b)
}

func TestLineQueueNeverBlocks(t *testing.T) {
	w := &stuck{gate: make(chan struct{})}
	q := newLineQueue(w)
	const sent = maxQueuedLines + 500
	for range sent {
		_, err := io.WriteString(q, "line\n")
		require.NoError(t, err)
	}
	close(w.gate) // it reads again
	q.Close()
	lines := strings.Count(w.out.String(), "line\n")
	var dropped int
	_, words, found := strings.Cut(w.out.String(), "lines=")
	require.True(t, found, "the loss is said")
	_, err := fmt.Sscan(words, &dropped)
	require.NoError(t, err)
	require.Equal(t, sent, lines+dropped, "every line is there or counted")
}
