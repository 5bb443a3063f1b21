package main

import (
	"fmt"
	"strings"
	"time"

	"gantry/negotiate"
	"gantry/negotiate/transcript"
)

// text is a result for people: the conversation if it was asked for, the stages, and the verdict in a sentence.
func (p *probing) text(r negotiate.Result) string {
	colours := p.coloured()
	var b strings.Builder
	b.WriteString(cell{text: fmt.Sprintf("%s %s", p.kind, printable(p.target)), colour: bold}.paint(colours) + "\n\n")
	if p.verbose > 0 {
		b.WriteString(p.conversation(r, colours) + "\n")
	}
	b.WriteString(stageTable(r, colours) + "\n")
	b.WriteString(p.sentences(r, colours))
	return b.String()
}

// stageTable has a line for each stage that a check can have, so that two tables can be laid side by side.
func stageTable(r negotiate.Result, colours bool) string {
	g := &grid{columns: []column{{head: "STAGE"}, {head: "TIME", right: true}, {head: "VERDICT"}}}
	took := map[negotiate.Stage]time.Duration{}
	last := -1
	for i, stage := range negotiate.Stages() {
		for _, s := range r.Stages {
			if s.Stage == stage {
				took[stage], last = s.Took, i
			}
		}
	}
	for i, stage := range negotiate.Stages() {
		time := "–"
		d, entered := took[stage]
		if entered {
			time = millis(d)
		}
		g.add(plainCell(string(stage)), plainCell(time), stageVerdict(r, stage, entered, i > last))
	}
	g.add(plainCell("total"), plainCell(millis(r.Duration)), cell{})
	var b strings.Builder
	for row := headRow; row < len(g.rows); row++ {
		b.WriteString(g.line(row, 0, colours) + "\n")
	}
	return b.String()
}

// stageVerdict is what became of a stage.
func stageVerdict(r negotiate.Result, stage negotiate.Stage, entered, behind bool) cell {
	at := func(f *negotiate.Fault) bool { return f != nil && f.Stage == stage }
	switch {
	case at(r.Fault) && !judged(r):
		return cell{text: "not made: " + string(r.Fault.Reason), colour: yellow}
	case at(r.Fault):
		return cell{text: "failed: " + string(r.Fault.Reason), colour: red}
	case at(r.Degraded):
		return cell{text: "degraded: " + string(r.Degraded.Reason), colour: yellow}
	case at(r.Warning):
		return cell{text: "warning: " + string(r.Warning.Reason), colour: yellow}
	case entered:
		return cell{text: "ok", colour: green}
	case behind && r.Fault != nil:
		return plainCell("not reached")
	}
	return plainCell("not used")
}

// sentences are the verdict, and what else a person should know.
func (p *probing) sentences(r negotiate.Result, colours bool) string {
	code := exitCode(r)
	verdict := cell{text: verdicts[code], colour: verdictColours[code]}.paint(colours)
	var b strings.Builder
	if f := decisive(r); f != nil {
		p.writeFault(&b, verdict, f)
	} else {
		fmt.Fprintf(&b, "%s: passed every stage in %s\n", verdict, millis(r.Duration))
	}
	if r.Warning != nil {
		p.writeFault(&b, cell{text: "warning", colour: yellow}.paint(colours), r.Warning)
	}
	return b.String()
}

func (p *probing) writeFault(b *strings.Builder, word string, f *negotiate.Fault) {
	b.WriteString(p.fold(fmt.Sprintf("%s (%s, %s): %s", word, f.Stage, f.Reason, printable(f.Error()))) + "\n")
	if f.Peer != "" {
		fmt.Fprintf(b, "  the server said: %s\n", printable(f.Peer))
	}
}

// fold breaks a sentence between words where a terminal would break it within one. Files and pipes get it whole.
func (p *probing) fold(text string) string {
	if columns, _, ok := p.size(); ok && columns > 0 {
		return fold(text, min(columns, helpWidth))
	}
	return text
}

// latency is the time from the start of a check to its answer, as max_latency means it: the farewell is left out.
func latency(r negotiate.Result) time.Duration {
	d := r.Duration
	for _, s := range r.Stages {
		if s.Stage == negotiate.StageClose {
			d -= s.Took
		}
	}
	return max(d, 0)
}

// millis is a time of a stage: 0.04 ms, 12.3 ms, 5003 ms. One unit for all, so that a column can be compared by eye.
func millis(d time.Duration) string {
	ms := float64(d.Microseconds()) / 1000
	switch {
	case ms < 9.995:
		return fmt.Sprintf("%.2f ms", ms)
	case ms < 999.95:
		return fmt.Sprintf("%.1f ms", ms)
	}
	return fmt.Sprintf("%.0f ms", ms)
}

// maxShownLines bounds the lines of one message under a single -v.
const maxShownLines = 16

// conversation is the transcript: who, when, what, then notes and bytes.
func (p *probing) conversation(r negotiate.Result, colours bool) string {
	if len(r.Transcript) == 0 {
		return "(there is no conversation to show)\n"
	}
	most := maxShownLines
	if p.verbose > 1 {
		most = 0
	}
	var b strings.Builder
	for _, passage := range r.Transcript {
		b.WriteString(passageText(passage, most, colours))
	}
	return b.String()
}

// passageText is one unit of a conversation. Arrows are as seen from here: → to the server, ← from it.
func passageText(p negotiate.Passage, most int, colours bool) string {
	arrow := cell{text: "←", colour: yellow}
	if p.Sent {
		arrow = cell{text: "→", colour: cyan}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %10s  %s\n", arrow.paint(colours), millis(p.At), cell{text: transcript.Clean(p.Title), colour: bold}.paint(colours))
	const margin = "              "
	for _, n := range transcript.Notes(p) {
		b.WriteString(margin + n + "\n")
	}
	for _, l := range transcript.Lines(p, most) {
		b.WriteString(strings.TrimRight(margin+"  "+l, " ") + "\n")
	}
	return b.String()
}
