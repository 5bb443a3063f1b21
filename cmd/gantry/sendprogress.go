package main

import (
	"fmt"
	"time"

	"gantry/fixtures/feed"
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
	shown bool
}

// maxProgress keeps the line on one line of a narrow terminal: of two, only the second would be written over.
const maxProgress = 79

func (p *progress) show(line string) {
	p.shown = true
	fmt.Fprintf(p.s.err, "\r\x1b[K%s", cell{text: line}.cut(maxProgress).text)
}

// clear leaves the terminal as it was.
func (p *progress) clear() {
	if p.shown {
		fmt.Fprint(p.s.err, "\r\x1b[K")
	}
}

// told is how often something has happened.
type told struct {
	n    int
	what string
}

// running is the line of a job: how much is done and how fast, then what went wrong, then the rest.
func running(done, total int, noun string, bytes int64, took time.Duration, open string, happened ...told) string {
	seconds := max(took.Seconds(), 0.001)
	line := fmt.Sprintf("%d of %s, %.0f/s", done, count(total, noun), float64(done)/seconds)
	for _, h := range happened {
		if h.n > 0 {
			line += fmt.Sprintf(", %d %s", h.n, h.what)
		}
	}
	line += ", " + open
	if bytes > 0 {
		line += fmt.Sprintf(", %s, %s/s", size(bytes), size(int64(float64(bytes)/seconds)))
	}
	return line
}

// dicomProgress tells how far a job is that stores objects.
func dicomProgress(r sender.Report, noun string) string {
	return running(r.Done, r.Total, noun, r.Bytes, r.Took, count(r.Active, "association"), told{r.LostSoFar, "LOST"}, told{r.Retried, "sent again"})
}

// mllpProgress tells how far a job is that sends messages.
func mllpProgress(r feed.Report) string {
	return running(r.Done(), r.Total, "message", r.Bytes, r.Took, count(r.Active, "connection"),
		told{r.Unanswered + r.Unsent, "LOST"}, told{r.Wrong, "WRONG"}, told{r.Refused, "REFUSED"}, told{r.Again, "sent again"})
}
