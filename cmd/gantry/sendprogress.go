package main

import (
	"fmt"
	"time"

	"gantry/fixtures/sender"
)

// refresh is how often the line of a running job is written over.
const refresh = 250 * time.Millisecond

// ticker ticks while a person looks at standard error; else never.
func (s *surroundings) ticker() (<-chan time.Time, func()) {
	if s.watched == nil || !s.watched() {
		return nil, func() {}
	}
	t := time.NewTicker(refresh)
	return t.C, t.Stop
}

// progress is one line that is written over again and again.
type progress struct {
	s     *surroundings
	noun  string
	shown bool
}

func (p *progress) show(r sender.Report) {
	p.shown = true
	seconds := max(r.Took.Seconds(), 0.001)
	line := fmt.Sprintf("%d of %s, %.0f/s", r.Done, count(r.Total, p.noun), float64(r.Done)/seconds)
	if r.Bytes > 0 {
		line += fmt.Sprintf(", %s, %s/s", size(r.Bytes), size(int64(float64(r.Bytes)/seconds)))
	}
	line += ", " + count(r.Active, "association")
	if r.Retried > 0 {
		line += fmt.Sprintf(", %d sent again", r.Retried)
	}
	if r.LostSoFar > 0 {
		line += fmt.Sprintf(", %d LOST", r.LostSoFar)
	}
	fmt.Fprintf(p.s.err, "\r\x1b[K%s", line)
}

// clear leaves the terminal as it was.
func (p *progress) clear() {
	if p.shown {
		fmt.Fprint(p.s.err, "\r\x1b[K")
	}
}
