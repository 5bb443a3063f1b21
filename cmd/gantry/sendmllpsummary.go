package main

import (
	"fmt"
	"strings"

	"gantry/fixtures/feed"
	"gantry/fixtures/hl7/ledger"
)

// mllpSummary is what a job has come to.
type mllpSummary struct {
	*feed.Report
	target, run string
	skipped     int
	damaged     int // files that are not whole
	judged      *ledger.Report
}

const whyDamagedHL7 = "not sent: what stands in a file behind its damage"

// complete tells whether everything is as it should be.
func (s *mllpSummary) complete() bool {
	return s.OK() && s.damaged == 0 && (s.judged == nil || s.judged.OK())
}

func (s *mllpSummary) perSecond(n float64) float64 { return n / max(s.Took.Seconds(), 1e-6) }

// text is for people.
func (s *mllpSummary) text(colours bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s to %s in %s: %.1f/s, %s at %s/s\n\n", count(s.Done(), "message"), s.target, tidy(s.Took), s.perSecond(float64(s.Done())),
		size(s.Bytes), size(int64(s.perSecond(float64(s.Bytes)))))
	facts := grid{columns: make([]column, 2)}
	if s.run != "" {
		facts.add(cell{text: "control ids"}, cell{text: s.run + "-…"})
	}
	facts.add(cell{text: "connections"}, cell{text: s.connections()})
	listed(&facts, "answers", s.Answers)
	if s.Unasked > 0 {
		facts.add(cell{text: "unasked"}, cell{text: fmt.Sprintf("%d asked for no answer", s.Unasked)})
	}
	if s.Again > 0 {
		facts.add(cell{text: "sent again"}, cell{text: fmt.Sprintf("%d: receivers may have them twice", s.Again)})
	}
	for row := range facts.rows {
		b.WriteString(facts.line(row, 0, colours) + "\n")
	}
	if s.Opening.Max > 0 {
		b.WriteString("\n")
		percentiles(&b, colours, timing{"response", s.Response}, timing{"connection", s.Opening})
	}
	if s.skipped > 0 {
		fmt.Fprintf(&b, "\nNo HL7, and left out: %s.\n", count(s.skipped, "file"))
	}
	if s.judged != nil {
		b.WriteString("\n")
		judgementText(&b, s.judged, colours)
	}
	b.WriteString("\n")
	s.verdict(&b, colours)
	return b.String()
}

// listed adds counts, one below the other.
func listed(g *grid, head string, counts []feed.Count) {
	for _, c := range counts {
		g.add(cell{text: head}, cell{text: fmt.Sprintf("%d %s", c.Times, printable(c.What))})
		head = ""
	}
}

func (s *mllpSummary) connections() string {
	line := fmt.Sprint(s.Connections)
	if s.Broken > 0 {
		line += fmt.Sprintf(", %d of them broken", s.Broken)
	}
	if s.Failed > 0 {
		line += fmt.Sprintf(", %d could not be made", s.Failed)
	}
	return line
}

// verdict is the last word.
func (s *mllpSummary) verdict(b *strings.Builder, colours bool) {
	if s.OK() && s.damaged == 0 {
		words := fmt.Sprintf("Nothing was lost: all %s accepted, and every answer was the right one.", count(s.Total, "message"))
		if s.Total == 1 {
			words = "Nothing was lost: the message was accepted, and its answer was the right one."
		}
		fmt.Fprintln(b, cell{text: words, colour: green}.paint(colours))
		return
	}
	of := count(s.Total+s.damaged, "message")
	if n := s.Lost() + s.damaged; n > 0 {
		fmt.Fprintln(b, cell{text: fmt.Sprintf("LOST: %d of %s.", n, of), colour: red}.paint(colours))
		if s.damaged > 0 {
			fmt.Fprintf(b, "  %d × %s\n", s.damaged, whyDamagedHL7)
		}
		reasons(b, s.Reasons)
	}
	if s.Refused > 0 {
		fmt.Fprintln(b, cell{text: fmt.Sprintf("REFUSED: %d of %s.", s.Refused, of), colour: red}.paint(colours))
		reasons(b, s.Refusals)
	}
	if s.Wrong > 0 {
		fmt.Fprintln(b, cell{text: fmt.Sprintf("WRONG: %s.", count(s.Wrong, "answer")), colour: red}.paint(colours))
		reasons(b, s.WrongAnswers)
	}
}

func reasons(b *strings.Builder, counts []feed.Count) {
	for _, r := range counts {
		fmt.Fprintf(b, "  %d × %s\n", r.Times, printable(r.What))
	}
}
