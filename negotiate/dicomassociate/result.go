package dicomassociate

import (
	"gantry/negotiate"
	"gantry/protocols/dicom"
)

// Answer is what became of one pair.
type Answer string

// The answers.
const (
	Accepted   Answer = "accepted"
	Refused    Answer = "refused"    // with a result of PS3.8 table 9-18
	Misfit     Answer = "misfit"     // accepted, but with a transfer syntax that was not proposed: of no use
	Unanswered Answer = "unanswered" // the association was accepted without a word about this context
	Lost       Answer = "lost"       // the association that asked was rejected or aborted, or broke off
	NotAsked   Answer = "not-asked"  // the survey ended before
)

// told tells whether it is an answer of the server's.
func (a Answer) told() bool { return a != Lost && a != NotAsked }

// PairResult is a pair and its answer.
type PairResult struct {
	Pair
	Answer Answer
	Code   dicom.Result // of Refused
	Chosen string       // of Misfit: the transfer syntax in the answer
}

// Words are the answer in words, those of the standard where it has some.
func (p PairResult) Words() string {
	switch p.Answer {
	case Refused:
		return p.Code.String()
	case Misfit:
		return "accepted as " + Name(p.Chosen) + ", which was not proposed"
	case Unanswered:
		return "no answer to this context"
	case Lost:
		return "no answer: the association failed"
	case NotAsked:
		return "not asked any more"
	}
	return string(p.Answer)
}

// Association is one of a survey: its stages with their times, and why it failed if it did.
type Association struct {
	negotiate.Result
	Proposed, Accepted int  // pairs
	Opened             bool // there was an A-ASSOCIATE-AC
}

// RoleAnswer is what was proposed and accepted for one SOP class.
type RoleAnswer struct {
	Asked    dicom.Role
	Answered bool // false: the server says nothing, which makes the requestor SCU
	Got      dicom.Role
}

// ExtendedAnswer is the same for extended negotiation.
type ExtendedAnswer struct {
	SOPClass string
	Answered bool
	Granted  []string // in words
}

// Facts are what a server says about itself when it accepts.
type Facts struct {
	ImplementationClassUID string
	ImplementationVersion  string // printable, at most 16 characters
	MaxPDU                 uint32 // bytes; 0 = no limit
	AsyncAsked             *dicom.AsyncWindow
	Async                  *dicom.AsyncWindow // nil: one operation at a time
	Roles                  []RoleAnswer
	Extended               []ExtendedAnswer
}

// Result is what a survey found.
type Result struct {
	Called, Calling string // AE titles
	Pairs           []PairResult
	Associations    []Association
	Facts           *Facts   // of the first association that was accepted; roles and extended negotiation of all. Nil when there was none.
	Odd             []string // what the answers have that the standard does not allow, a sentence each
}

// Fault is why an association failed; nil when all came about.
func (r Result) Fault() *negotiate.Fault {
	for _, a := range r.Associations {
		if a.Fault != nil {
			return a.Fault
		}
	}
	return nil
}

// Class is one SOP class with its pairs.
type Class struct {
	SOPClass string
	Pairs    []PairResult
}

// Accepted counts the transfer syntaxes in which the class is accepted.
func (c Class) Accepted() int { return count(c.Pairs, Accepted) }

// Classes groups the pairs by SOP class, in the order in which they were first proposed.
func (r Result) Classes() []Class {
	var list []Class
	at := map[string]int{}
	for _, p := range r.Pairs {
		i, known := at[p.SOPClass]
		if !known {
			i = len(list)
			at[p.SOPClass] = i
			list = append(list, Class{SOPClass: p.SOPClass})
		}
		list[i].Pairs = append(list[i].Pairs, p)
	}
	return list
}

func count(pairs []PairResult, a Answer) (n int) {
	for _, p := range pairs {
		if p.Answer == a {
			n++
		}
	}
	return n
}
