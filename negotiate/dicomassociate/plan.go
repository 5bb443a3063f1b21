package dicomassociate

import (
	"slices"

	"gantry/negotiate/internal/dicomtalk"
	"gantry/protocols/dicom"
)

// Bounds of a survey.
const (
	// MaxContexts is how many presentation contexts one association can propose: odd identifiers of one byte.
	// PS3.8 9.3.2.2.
	MaxContexts = 128
	// MaxPairs bounds one survey: 64 associations.
	MaxPairs = 64 * MaxContexts
)

// Question is what a server is asked.
type Question struct {
	// Pairs are proposed in this order, repeated ones once.
	Pairs []Pair
	// Roles are proposed in each association that has their SOP class. PS3.7 D.3.3.4.
	Roles []dicom.Role
	// Extended are proposed in the same way. PS3.7 D.3.3.5.
	Extended []dicom.ExtendedNegotiation
	// Async is the window proposed; nil = none, which means one operation at a time. PS3.7 D.3.3.3.
	Async *dicom.AsyncWindow
	// MaxPDU is announced as the largest P-DATA-TF to receive, in bytes; 0 = 16384.
	MaxPDU uint32
}

// request is what one association asks. The n-th pair has the context dicom.ContextID(n).
type request struct {
	pairs []Pair
	dicomtalk.Proposal
}

// plan divides a question into as few requests as can hold it, with at most so many contexts each (1 to MaxContexts;
// 0 = MaxContexts).
func plan(q Question, most int) []request {
	if most <= 0 || most > MaxContexts {
		most = MaxContexts
	}
	var requests []request
	for part := range slices.Chunk(distinct(q.Pairs), most) {
		requests = append(requests, newRequest(q, part))
	}
	return requests
}

// newRequest has the role and extended negotiation items of those SOP classes that it proposes, each once.
func newRequest(q Question, pairs []Pair) request {
	r := request{pairs: pairs, Proposal: dicomtalk.Proposal{MaxLength: q.MaxPDU, Async: q.Async}}
	here := map[string]bool{}
	for i, p := range pairs {
		here[p.SOPClass] = true
		r.Contexts = append(r.Contexts, dicom.PresentationContext{
			ID: dicom.ContextID(i), AbstractSyntax: p.SOPClass, TransferSyntaxes: []string{p.TransferSyntax},
		})
	}
	once := map[string]bool{}
	for _, role := range q.Roles {
		if here[role.SOPClassUID] && !once[role.SOPClassUID] {
			once[role.SOPClassUID] = true
			r.Roles = append(r.Roles, role)
		}
	}
	clear(once)
	for _, e := range q.Extended {
		if here[e.SOPClassUID] && !once[e.SOPClassUID] {
			once[e.SOPClassUID] = true
			r.Extended = append(r.Extended, e)
		}
	}
	return r
}

// distinct leaves repeated pairs out.
func distinct(pairs []Pair) []Pair {
	seen := map[Pair]bool{}
	var list []Pair
	for _, p := range pairs {
		if !seen[p] {
			seen[p] = true
			list = append(list, p)
		}
	}
	return list
}

// Product pairs each SOP class with each transfer syntax, class by class.
func Product(classes, syntaxes []string) []Pair {
	var pairs []Pair
	for _, c := range classes {
		for _, ts := range syntaxes {
			pairs = append(pairs, Pair{c, ts})
		}
	}
	return pairs
}
