package main

import (
	"fmt"
	"slices"
	"strings"

	"gantry/negotiate/dicomassociate"
)

// comparison is what two surveys of the same question come to.
type comparison struct {
	a, b surveyed
	dicomassociate.Differences
}

func compare(a, b surveyed) comparison {
	return comparison{a, b, dicomassociate.Compare(a.Result, b.Result)}
}

// same tells whether both servers were asked, and answered alike.
func (c comparison) same() bool {
	return c.Differences.Same() && c.a.Fault() == nil && c.b.Fault() == nil && c.a.Facts != nil && c.b.Facts != nil
}

// pairGroup are SOP classes that differ in the same way.
type pairGroup struct {
	classes []string
	lines   [][3]string // transfer syntaxes, answer of A, answer of B
}

// groups folds the differences: first transfer syntaxes that differ for all that was proposed in them, then of the
// others the transfer syntaxes of one class with the same two answers, and classes.
func (c comparison) groups() (columns [][3]string, rows []pairGroup) {
	asked := map[string]int{}
	for _, p := range c.a.Result.Pairs {
		asked[p.TransferSyntax]++
	}
	bySyntax := map[string][]dicomassociate.PairDifference{}
	for _, d := range c.Pairs {
		bySyntax[d.A.TransferSyntax] = append(bySyntax[d.A.TransferSyntax], d)
	}
	for _, ts := range syntaxesOf(c.a.Result.Pairs) {
		if d := bySyntax[ts]; len(d) > 1 && len(d) == asked[ts] && alike(d) {
			columns = append(columns, [3]string{fmt.Sprintf("%s: %s that were proposed in it", printable(dicomassociate.Name(ts)), allOf(len(d))),
				d[0].A.Words(), d[0].B.Words()})
			delete(bySyntax, ts)
		}
	}
	var rest []dicomassociate.PairDifference
	for _, d := range c.Pairs {
		if bySyntax[d.A.TransferSyntax] != nil {
			rest = append(rest, d)
		}
	}
	return columns, rowsOf(rest)
}

func allOf(classes int) string {
	if classes == 2 {
		return "both SOP classes"
	}
	return "all " + classCount(classes)
}

// alike tells whether all differences are the same one.
func alike(list []dicomassociate.PairDifference) bool {
	return !slices.ContainsFunc(list, func(d dicomassociate.PairDifference) bool {
		return d.A.Words() != list[0].A.Words() || d.B.Words() != list[0].B.Words()
	})
}

func rowsOf(list []dicomassociate.PairDifference) []pairGroup {
	var order []string
	lines := map[string][][3]string{}
	for _, d := range list {
		class := printable(dicomassociate.Name(d.A.SOPClass))
		if lines[class] == nil {
			order = append(order, class)
		}
		syntax, a, b := printable(dicomassociate.Name(d.A.TransferSyntax)), d.A.Words(), d.B.Words()
		i := slices.IndexFunc(lines[class], func(l [3]string) bool { return l[1] == a && l[2] == b })
		if i >= 0 {
			lines[class][i][0] += ", " + syntax
		} else {
			lines[class] = append(lines[class], [3]string{syntax, a, b})
		}
	}
	var groups []pairGroup
	for _, class := range order {
		i := slices.IndexFunc(groups, func(g pairGroup) bool { return slices.Equal(g.lines, lines[class]) })
		if i >= 0 {
			groups[i].classes = append(groups[i].classes, class)
		} else {
			groups = append(groups, pairGroup{[]string{class}, lines[class]})
		}
	}
	return groups
}

// compareText is a comparison for people: what each is, where they differ, and the verdict.
func (a *associating) compareText(c comparison) string {
	colours := a.coloured()
	var b strings.Builder
	for i, s := range []surveyed{c.a, c.b} {
		name := string(rune('A' + i))
		fmt.Fprintf(&b, "%s  called AE title %s, calling AE title %s\n", cell{text: name + "  " + printable(s.target), colour: bold}.paint(colours), printable(s.Called), printable(s.Calling))
		if a.verbose > 0 {
			b.WriteString("\n" + a.conversations(s) + "\n")
		}
		fmt.Fprintf(&b, "   %s\n", a.fold(verdictCell(s.Verdict()).paint(colours)+": "+printable(brief(s))))
		for _, odd := range s.Odd {
			b.WriteString("   " + a.fold(cell{text: "odd", colour: yellow}.paint(colours)+": the server "+printable(odd)) + "\n")
		}
	}
	b.WriteString("\n" + c.differences(colours))
	verdict, words := c.sentence()
	colour := red
	if verdict == verdictSame {
		colour = green
	}
	b.WriteString(a.fold(cell{text: verdict, colour: colour}.paint(colours)+": "+words) + "\n")
	return b.String()
}

// brief is the verdict on one of two: what both refuse is not the question.
func brief(s surveyed) string {
	if s.Fault() != nil {
		return s.Sentence()
	}
	good := 0
	for _, c := range s.Classes() {
		good += min(c.Accepted(), 1)
	}
	pairs := 0
	for _, one := range s.Associations {
		pairs += one.Accepted
	}
	return fmt.Sprintf("accepts %d of %s, %d of %s", good, classCount(len(s.Classes())), pairs, count(len(s.Result.Pairs), "pair"))
}

// differences are the pairs, then the facts; empty without any.
func (c comparison) differences(colours bool) string {
	if c.Differences.Same() {
		return ""
	}
	var b strings.Builder
	columns, rows := c.groups()
	for _, l := range columns {
		fmt.Fprintf(&b, "%s\n    A  %s\n    B  %s\n", l[0], sideCell(l[1]).paint(colours), sideCell(l[2]).paint(colours))
	}
	if len(columns) > 0 {
		b.WriteString("\n")
	}
	for _, g := range rows {
		writeNames(&b, "", g.classes, "")
		for _, l := range g.lines {
			writeNames(&b, "  ", strings.Split(l[0], ", "), "")
			fmt.Fprintf(&b, "    A  %s\n    B  %s\n", sideCell(l[1]).paint(colours), sideCell(l[2]).paint(colours))
		}
		b.WriteString("\n")
	}
	for _, f := range c.Facts {
		fmt.Fprintf(&b, "%s\n    A  %s\n    B  %s\n", f.What, printable(f.A), printable(f.B))
	}
	if len(c.Facts) > 0 {
		b.WriteString("\n")
	}
	return b.String()
}

func sideCell(words string) cell {
	if words == string(dicomassociate.Accepted) {
		return cell{text: words, colour: green}
	}
	return cell{text: printable(words), colour: red}
}

// The verdicts of a comparison.
const (
	verdictSame      = "same"
	verdictDifferent = "different"
	notComparable    = "not-comparable"
)

// sentence is the verdict on both, in a word and in words.
func (c comparison) sentence() (verdict, words string) {
	broken := func(s surveyed) bool { return s.Fault() != nil || s.Facts == nil }
	asked := count(len(c.a.Result.Pairs), "pair")
	switch {
	case broken(c.a) && broken(c.b):
		return notComparable, "neither server answered all that was asked"
	case broken(c.a):
		return notComparable, "A did not answer all that was asked"
	case broken(c.b):
		return notComparable, "B did not answer all that was asked"
	case c.same():
		return verdictSame, fmt.Sprintf("both answer alike to %s of SOP class and transfer syntax, and say the same about themselves", asked)
	case len(c.Pairs) == 0:
		return verdictDifferent, "they accept the same, and differ in what they say about themselves: " + factNames(c.Facts)
	}
	words = fmt.Sprintf("the answers to %d of %s differ: behind one address clients would succeed or fail by chance", len(c.Pairs), asked)
	if len(c.Facts) > 0 {
		words += "; so does what they say about themselves: " + factNames(c.Facts)
	}
	return verdictDifferent, words
}

func factNames(facts []dicomassociate.FactDifference) string {
	var list []string
	for _, f := range facts[:min(len(facts), 5)] {
		list = append(list, f.What)
	}
	return strings.Join(list, ", ")
}
