package dicomassociate

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gantry/negotiate/internal/dicomtalk"
)

// Differences are what two servers that were asked the same answered differently.
type Differences struct {
	Pairs []PairDifference // of those that both answered
	Facts []FactDifference
}

// PairDifference is one pair, with both answers.
type PairDifference struct{ A, B PairResult }

// FactDifference is something that the servers say about themselves, in words.
type FactDifference struct{ What, A, B string }

// Same tells whether there is none.
func (d Differences) Same() bool { return len(d.Pairs) == 0 && len(d.Facts) == 0 }

// Compare finds the differences between the results of one question.
func Compare(a, b Result) Differences {
	var d Differences
	other := map[Pair]PairResult{}
	for _, p := range b.Pairs {
		other[p.Pair] = p
	}
	for _, p := range a.Pairs {
		o, asked := other[p.Pair]
		if asked && p.Answer.told() && o.Answer.told() && (p.Answer != o.Answer || p.Code != o.Code || p.Chosen != o.Chosen) {
			d.Pairs = append(d.Pairs, PairDifference{p, o})
		}
	}
	fa, fb := a.Facts.Told(), b.Facts.Told()
	if a.Facts == nil || b.Facts == nil {
		return d
	}
	fa, fb = append(fa, Fact{"oddities", oddWord(a.Odd)}), append(fb, Fact{"oddities", oddWord(b.Odd)})
	for _, f := range fa {
		i := slices.IndexFunc(fb, func(o Fact) bool { return o.What == f.What })
		if i >= 0 && fb[i].Words != f.Words {
			d.Facts = append(d.Facts, FactDifference{f.What, f.Words, fb[i].Words})
		}
	}
	return d
}

func oddWord(odd []string) string {
	if len(odd) == 0 {
		return "none"
	}
	return strings.Join(odd, "; ")
}

// Fact is something that a server says about itself, in words.
type Fact struct{ What, Words string }

// Told puts the facts into words, always in the same order. Nil has none.
func (f *Facts) Told() []Fact {
	if f == nil {
		return nil
	}
	facts := []Fact{
		{"implementation", orDash(strings.TrimSpace(f.ImplementationVersion + " " + bracketed(f.ImplementationClassUID)))},
		{"max. PDU", lengthWord(f.MaxPDU)},
		{"async. operations", f.asyncWord()},
	}
	for _, r := range f.Roles {
		facts = append(facts, Fact{"role for " + Name(r.Asked.SOPClassUID), roleWord(r)})
	}
	for _, e := range f.Extended {
		facts = append(facts, Fact{"extended negotiation of " + Name(e.SOPClass), extendedWord(e)})
	}
	return facts
}

func orDash(s string) string {
	if s == "" {
		return "not named"
	}
	return s
}

func bracketed(s string) string {
	if s == "" {
		return ""
	}
	return "(" + s + ")"
}

func lengthWord(n uint32) string {
	if n == 0 {
		return "no limit"
	}
	return fmt.Sprintf("%d bytes", n)
}

// asyncWord: no answer means one operation at a time. PS3.7 D.3.3.3.
func (f *Facts) asyncWord() string {
	switch {
	case f.Async != nil:
		return windowWord(f.Async.Invoked) + " invoked, " + windowWord(f.Async.Performed) + " performed"
	case f.AsyncAsked != nil:
		return "no answer: one at a time"
	}
	return "not proposed: one at a time"
}

func windowWord(n uint16) string {
	if n == 0 {
		return "unlimited"
	}
	return strconv.Itoa(int(n))
}

// roleWord: without an answer the requestor is SCU. PS3.7 D.3.3.4.
func roleWord(r RoleAnswer) string {
	asked := "asked to be " + dicomtalk.RoleWord(r.Asked)
	if !r.Answered {
		return asked + ": no answer, which means SCU"
	}
	return asked + ": " + dicomtalk.RoleWord(r.Got)
}

func extendedWord(e ExtendedAnswer) string {
	switch {
	case !e.Answered:
		return "no answer"
	case len(e.Granted) == 0:
		return "nothing of it"
	}
	return strings.Join(e.Granted, ", ")
}
