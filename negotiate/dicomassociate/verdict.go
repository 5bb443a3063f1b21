package dicomassociate

import (
	"fmt"
	"strings"

	"gantry/protocols/dicom"
)

// Verdict is what a survey comes to.
type Verdict string

// The verdicts.
const (
	AllAccepted  Verdict = "accepted" // each SOP class, with at least one transfer syntax
	PartAccepted Verdict = "partly"   // some SOP classes are accepted with none
	NoneAccepted Verdict = "refused"  // the association is accepted, and no SOP class in it
	Failed       Verdict = "failed"   // an association did not come about
)

// Verdict judges by SOP classes: that a server takes no JPEG 2000 is a fact, that it takes no CT images is a failure.
func (r Result) Verdict() Verdict {
	classes := r.Classes()
	refused := r.refused()
	switch {
	case r.Fault() != nil || len(classes) == 0:
		return Failed
	case len(refused) == len(classes):
		return NoneAccepted
	case len(refused) > 0:
		return PartAccepted
	}
	return AllAccepted
}

// refused are the classes that are accepted in no transfer syntax.
func (r Result) refused() []Class {
	var list []Class
	for _, c := range r.Classes() {
		if c.Accepted() == 0 {
			list = append(list, c)
		}
	}
	return list
}

// maxNamed is how many names a sentence has at most.
const maxNamed = 4

// Sentence is the verdict in words.
func (r Result) Sentence() string {
	classes, refused := r.Classes(), r.refused()
	if f := r.Fault(); f != nil {
		return r.failed(f.Error(), len(classes))
	}
	pairs := fmt.Sprintf("(%d of %d pairs)", count(r.Pairs, Accepted), len(r.Pairs))
	switch len(refused) {
	case 0:
		return fmt.Sprintf("accepts %s in at least one transfer syntax %s", allClasses(len(classes)), pairs)
	case len(classes):
		return fmt.Sprintf("accepts the association and refuses all that was proposed in it: %s (%s)%s", names(refused), reasons(refused), r.hint(refused))
	}
	return fmt.Sprintf("accepts %d of %d SOP classes %s, and refuses in every transfer syntax that was proposed: %s (%s)%s",
		len(classes)-len(refused), len(classes), pairs, names(refused), reasons(refused), r.hint(refused))
}

// failed says what the first associations brought before one failed.
func (r Result) failed(why string, classes int) string {
	if n := count(r.Pairs, Accepted); n > 0 {
		return fmt.Sprintf("%s; of %d pairs %d had been accepted before", why, len(r.Pairs), n)
	}
	return why
}

// hint says where to look, when the reasons allow to.
func (r Result) hint(refused []Class) string {
	for _, c := range refused {
		for _, p := range c.Pairs {
			if p.Answer != Refused || p.Code != dicom.AbstractSyntaxRejected {
				return ""
			}
		}
	}
	return ": switched off there, or not allowed for '" + r.Calling + "'"
}

func allClasses(n int) string {
	switch n {
	case 1:
		return "the SOP class"
	case 2:
		return "both SOP classes, each"
	}
	return fmt.Sprintf("all %d SOP classes, each", n)
}

// names lists classes: the first few, and how many more.
func names(classes []Class) string {
	var list []string
	for _, c := range classes {
		list = append(list, Name(c.SOPClass))
	}
	return some(list)
}

// some joins a few of a list: "a", "a and b", "a, b, c, d and 7 more".
func some(list []string) string {
	switch n := len(list); {
	case n == 1:
		return list[0]
	case n <= maxNamed:
		return strings.Join(list[:n-1], ", ") + " and " + list[n-1]
	}
	return fmt.Sprintf("%s and %d more", strings.Join(list[:maxNamed], ", "), len(list)-maxNamed)
}

// reasons are the different words about refused classes, in the order of their appearance.
func reasons(classes []Class) string {
	var list []string
	seen := map[string]bool{}
	for _, c := range classes {
		for _, p := range c.Pairs {
			if w := p.Words(); !seen[w] {
				seen[w] = true
				list = append(list, w)
			}
		}
	}
	return strings.Join(list[:min(len(list), maxNamed)], "; ")
}
