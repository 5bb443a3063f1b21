package main

import (
	"fmt"
	"strings"
	"time"

	"gantry/fixtures/sender"
)

// sendSummary is what a job has come to.
type sendSummary struct {
	*sender.Report
	target, noun string
	skipped      int
	damaged      int // files that were not sent for it
}

const whyDamaged = "not sent: a DICOM file whose meta information is damaged"

// complete tells whether nothing was lost.
func (s *sendSummary) complete() bool { return s.Lost() == 0 && s.damaged == 0 }

// text is for people.
func (s *sendSummary) text(colours bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", s.headline())
	left := grid{columns: make([]column, 2)}
	left.add(cell{text: "associations"}, cell{text: s.associations()})
	for i, status := range s.statuses() {
		head := ""
		if i == 0 {
			head = "answers"
		}
		left.add(cell{text: head}, cell{text: status})
	}
	if s.Retried > 0 {
		left.add(cell{text: "sent again"}, cell{text: fmt.Sprint(s.Retried)})
	}
	for row := range left.rows {
		b.WriteString(left.line(row, 0, colours) + "\n")
	}
	if s.Opening.Max > 0 {
		b.WriteString("\n")
		s.times(&b, colours)
	}
	if s.skipped > 0 {
		fmt.Fprintf(&b, "\nNo DICOM objects, and left out: %s.\n", count(s.skipped, "file"))
	}
	b.WriteString("\n")
	s.verdict(&b, colours)
	return b.String()
}

func (s *sendSummary) perSecond(n float64) float64 { return n / max(s.Took.Seconds(), 1e-6) }

func (s *sendSummary) headline() string {
	line := fmt.Sprintf("%s to %s in %s: %.1f/s", count(s.Done, s.noun), s.target, tidy(s.Took), s.perSecond(float64(s.Done)))
	if s.Bytes > 0 {
		line += fmt.Sprintf(", %s at %s/s", size(s.Bytes), size(int64(s.perSecond(float64(s.Bytes)))))
	}
	return line
}

func (s *sendSummary) associations() string {
	line := fmt.Sprintf("%d, %d released", s.Associations, s.Released)
	for _, e := range s.Endings {
		line += fmt.Sprintf(", %d %s", e.Times, e.What)
	}
	return line
}

func (s *sendSummary) statuses() (lines []string) {
	for _, status := range s.Statuses {
		line := fmt.Sprintf("%d %s %04X", status.Times, status.Class(), status.Code)
		if word := sender.StatusWord(status.Code); word != "" {
			line += ", " + word
		}
		lines = append(lines, line)
	}
	return lines
}

// times is the table of percentiles.
func (s *sendSummary) times(b *strings.Builder, colours bool) {
	percentiles(b, colours, timing{"response", s.Response}, timing{"association", s.Opening})
}

// timing is a line of percentiles.
type timing struct {
	what string
	p    sender.Percentiles
}

func percentiles(b *strings.Builder, colours bool, rows ...timing) {
	g := grid{columns: []column{{head: ""}, {head: "p50", right: true}, {head: "p90", right: true}, {head: "p99", right: true}, {head: "max", right: true}}}
	for _, row := range rows {
		if row.p.Max > 0 {
			g.add(cell{text: row.what}, cell{text: tidy(row.p.P50)}, cell{text: tidy(row.p.P90)}, cell{text: tidy(row.p.P99)}, cell{text: tidy(row.p.Max)})
		}
	}
	for row := headRow; row < len(g.rows); row++ {
		b.WriteString(g.line(row, 0, colours) + "\n")
	}
}

// verdict is the last word.
func (s *sendSummary) verdict(b *strings.Builder, colours bool) {
	if s.complete() {
		words := fmt.Sprintf("Nothing was lost: all %s answered with success", count(s.Total, s.noun))
		if s.Total == 1 {
			words = fmt.Sprintf("Nothing was lost: the %s was answered with success", s.noun)
		}
		if s.Warnings > 0 {
			words += fmt.Sprintf(", %d of them with a warning", s.Warnings)
		}
		fmt.Fprintln(b, cell{text: words + ".", colour: green}.paint(colours))
		return
	}
	fmt.Fprintln(b, cell{text: fmt.Sprintf("LOST: %d of %s.", s.Lost()+s.damaged, count(s.Total+s.damaged, s.noun)), colour: red}.paint(colours))
	if s.damaged > 0 {
		fmt.Fprintf(b, "  %d × %s\n", s.damaged, whyDamaged)
	}
	for _, r := range s.Reasons {
		fmt.Fprintf(b, "  %d × %s\n", r.Times, printable(r.What))
	}
}

// tidy is a duration with three digits.
func tidy(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return d.Round(time.Microsecond).String()
	case d < 10*time.Millisecond:
		return d.Round(10 * time.Microsecond).String()
	case d < time.Second:
		return d.Round(100 * time.Microsecond).String()
	case d < time.Minute:
		return d.Round(10 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}
