package main

import (
	"fmt"
	"strings"
	"time"

	"gantry/negotiate"
	"gantry/negotiate/dicomassociate"
)

// text is a survey for people: the conversation if it was asked for, the associations with their times, what the server
// says about itself, the matrix, and the verdict in a sentence.
func (a *associating) text(s surveyed) string {
	colours := a.coloured()
	var b strings.Builder
	fmt.Fprintf(&b, "%s\ncalled AE title %s, calling AE title %s\n\n", cell{text: "associate " + printable(s.target), colour: bold}.paint(colours),
		printable(s.Called), printable(s.Calling))
	if a.verbose > 0 {
		b.WriteString(a.conversations(s) + "\n")
	}
	b.WriteString(associationTable(s.Associations, colours) + "\n")
	if s.Facts != nil {
		b.WriteString(factLines(s.Facts) + "\n" + newMatrix(s.Result).text(colours) + "\n")
	}
	for _, odd := range s.Odd {
		b.WriteString(a.fold(cell{text: "odd", colour: yellow}.paint(colours)+": the server "+printable(odd)) + "\n")
	}
	for _, w := range warnings(s.Associations) {
		b.WriteString(a.fold(cell{text: "warning", colour: yellow}.paint(colours)+": "+printable(w)) + "\n")
	}
	b.WriteString(a.fold(verdictCell(s.Verdict()).paint(colours)+": "+printable(s.Sentence())) + "\n")
	if f := s.Fault(); f != nil && f.Peer != "" {
		fmt.Fprintf(&b, "  the server said: %s\n", printable(f.Peer))
	}
	return b.String()
}

// verdictColours of a survey.
func verdictCell(v dicomassociate.Verdict) cell {
	switch v {
	case dicomassociate.AllAccepted:
		return cell{text: string(v), colour: green}
	case dicomassociate.PartAccepted:
		return cell{text: string(v), colour: yellow}
	}
	return cell{text: string(v), colour: red}
}

// warnings of all associations, each once.
func warnings(list []dicomassociate.Association) (texts []string) {
	seen := map[string]bool{}
	for _, s := range list {
		if s.Warning != nil && !seen[s.Warning.Error()] {
			seen[s.Warning.Error()] = true
			texts = append(texts, s.Warning.Error())
		}
	}
	return texts
}

// associationTable has a line for each association with the times of its stages.
func associationTable(list []dicomassociate.Association, colours bool) string {
	g := &grid{columns: []column{{head: "ASSOCIATION", right: true}, {head: "PROPOSED", right: true}, {head: "ACCEPTED", right: true},
		{head: "CONNECT", right: true}, {head: "TLS", right: true}, {head: "ANSWER", right: true}, {head: "RELEASE", right: true}, {}}}
	for i, s := range list {
		outcome := cell{}
		switch {
		case s.Fault != nil:
			outcome = cell{text: fmt.Sprintf("failed: %s, %s", s.Fault.Stage, s.Fault.Reason), colour: red}
		case s.Warning != nil:
			outcome = cell{text: fmt.Sprintf("warning: %s, %s", s.Warning.Stage, s.Warning.Reason), colour: yellow}
		}
		row := []cell{plainCell(fmt.Sprint(i + 1)), plainCell(fmt.Sprint(s.Proposed)), plainCell(fmt.Sprint(s.Accepted))}
		for _, stage := range []negotiate.Stage{negotiate.StageConnect, negotiate.StageTLS, negotiate.StageOpen, negotiate.StageClose} {
			row = append(row, plainCell(stageTime(s.Stages, stage)))
		}
		g.add(append(row, outcome)...)
	}
	return g.text(colours)
}

func stageTime(stages []negotiate.StageTime, which negotiate.Stage) string {
	var took time.Duration = -1
	for _, s := range stages {
		if s.Stage == which {
			took = s.Took
		}
	}
	if took < 0 {
		return "–"
	}
	return millis(took)
}

// factLines are what the server says about itself; facts about several SOP classes that read the same share a line.
func factLines(f *dicomassociate.Facts) string {
	g := &grid{columns: []column{{}, {}}}
	for _, fact := range foldFacts(f.Told()) {
		g.add(plainCell(fact.What), plainCell(fact.Words))
	}
	var b strings.Builder
	for row := range g.rows {
		b.WriteString(g.line(row, 0, false) + "\n")
	}
	return b.String()
}

// foldFacts joins facts about SOP classes.
func foldFacts(facts []dicomassociate.Fact) []dicomassociate.Fact {
	var list []dicomassociate.Fact
	classes := map[string][]string{}
	keyOf := func(f dicomassociate.Fact) (key, class string) {
		for _, prefix := range []string{"role for ", "extended negotiation of "} {
			if class, ok := strings.CutPrefix(f.What, prefix); ok {
				return prefix + "\x00" + f.Words, class
			}
		}
		return "", ""
	}
	for _, f := range facts {
		if key, class := keyOf(f); key != "" {
			classes[key] = append(classes[key], class)
		}
	}
	done := map[string]bool{}
	for _, f := range facts {
		key, _ := keyOf(f)
		switch same := classes[key]; {
		case key == "" || len(same) == 1:
			list = append(list, f)
		case !done[key]:
			done[key] = true
			prefix, _, _ := strings.Cut(key, "\x00")
			list = append(list, dicomassociate.Fact{What: prefix + classCount(len(same)), Words: f.Words})
		}
	}
	return list
}

// conversations are the transcripts of all associations.
func (a *associating) conversations(s surveyed) string {
	most := maxShownLines
	if a.verbose > 1 {
		most = 0
	}
	colours := a.coloured()
	var b strings.Builder
	for i, one := range s.Associations {
		if len(s.Associations) > 1 {
			fmt.Fprintf(&b, "%sassociation %d\n", strings.Repeat("\n", min(i, 1)), i+1)
		}
		for _, passage := range one.Transcript {
			b.WriteString(passageText(passage, most, colours))
		}
	}
	return b.String()
}

func (a *associating) fold(text string) string {
	if columns, _, ok := a.size(); ok && columns > 0 {
		return fold(text, min(columns, helpWidth))
	}
	return text
}
