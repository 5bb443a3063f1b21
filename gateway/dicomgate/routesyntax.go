package dicomgate

import (
	"slices"
	"strings"

	"gantry/protocols/dicom"
)

// Syntax stands for SOP classes or transfer syntaxes: a UID, or a pattern that is matched against UIDs and against the
// keywords of PS3.6 that they have.
type Syntax Pattern

// Match tells whether the UID, or its keyword, matches. See Pattern.Match.
func (s Syntax) Match(uid string) bool {
	p := Pattern(s)
	if p.Literal() {
		return string(p) == uid
	}
	return p.Match(uid, false) || p.Match(dicom.UIDName(uid), false)
}

// Syntaxes are a list of which one has to match. An empty one asks for nothing: everything matches.
type Syntaxes []Syntax

// Match tells whether one of the list matches, or there is none.
func (ss Syntaxes) Match(uid string) bool {
	for _, s := range ss {
		if s.Match(uid) {
			return true
		}
	}
	return len(ss) == 0
}

// ParseSOPClass reads a keyword of PS3.6 such as CTImageStorage, a UID, or a pattern for either such as "*Storage". Its
// error is an *Unfit; Known is filled in for a keyword that nobody has.
func ParseSOPClass(text string) (Syntax, error) {
	return parseSyntax(text, sopClasses, transferSyntaxes)
}

// ParseTransferSyntax does the same for transfer syntaxes, such as JPEGBaseline8Bit or "JPEG*".
func ParseTransferSyntax(text string) (Syntax, error) {
	return parseSyntax(text, transferSyntaxes, sopClasses)
}

// registry is one of the two tables of UIDs.
type registry struct {
	what, example string
	list          func() []dicom.UID
}

var (
	sopClasses       = registry{"SOP class", "CTImageStorage", dicom.SOPClasses}
	transferSyntaxes = registry{"transfer syntax", "JPEGBaseline8Bit", dicom.TransferSyntaxes}
)

func parseSyntax(text string, in, other registry) (Syntax, error) {
	p := squeezed(strings.Trim(text, " "))
	switch {
	case p.Literal():
		return in.literal(string(p), other)
	case likeUID(string(p)) && p.least() <= MaxMatched:
		return Syntax(p), nil
	case in.some(p):
		return Syntax(p), nil
	}
	return "", &Unfit{What: "matches no " + in.what + " that gantry knows by name, nor any UID",
		Want: "write a keyword of PS3.6 such as " + in.example + ", a UID, or a pattern for either"}
}

// literal reads a keyword or a UID, and knows what belongs to the other table.
func (r registry) literal(text string, other registry) (Syntax, error) {
	known := func(u dicom.UID) bool { return u.Name == text || u.Value == text }
	list := r.list()
	if i := slices.IndexFunc(list, known); i >= 0 {
		return Syntax(list[i].Value), nil
	}
	if slices.ContainsFunc(other.list(), known) {
		return "", &Unfit{What: "a " + other.what + ", not a " + r.what, Want: "write a " + r.what + " such as " + r.example}
	}
	if text != "" && len(text) <= MaxMatched && likeUID(text) {
		return Syntax(text), nil
	}
	u := &Unfit{What: "not a " + r.what + " that gantry knows by name", Want: "write its UID, or a keyword of PS3.6 such as " + r.example}
	for _, k := range list {
		u.Known = append(u.Known, k.Name)
	}
	return "", u
}

// some tells whether a pattern matches one of the table at least.
func (r registry) some(p Pattern) bool {
	return slices.ContainsFunc(r.list(), func(u dicom.UID) bool { return p.Match(u.Name, false) })
}
