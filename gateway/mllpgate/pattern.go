package mllpgate

import (
	"strings"

	"gantry/gateway/pattern"
	"gantry/protocols/hl7"
)

// MaxMatched is the longest text in bytes that a pattern matches: a hierarchic designator, such as an application's
// name, has 227 characters. What a message holds beyond that is no name, and is not searched through.
const MaxMatched = 256

// Pattern is a text in which * stands for any run of characters, also none, and ? for one; all else stands for itself,
// also the case of letters. ^ and & stand for the message's own delimiters.
type Pattern string

// ParsePattern reads a pattern for names in MSH: printable ASCII characters; spaces around it have no meaning. Its
// error is a *pattern.Unfit.
func ParsePattern(text string) (Pattern, error) {
	p := pattern.Squeezed(strings.Trim(text, " "))
	switch {
	case p == "" || len(p) > MaxMatched:
		return "", &pattern.Unfit{What: "not a name, nor a pattern for one",
			Want: "write 1 to 256 characters; * stands for any run of characters, ? for one"}
	case strings.ContainsFunc(p, func(r rune) bool { return r < ' ' || r > '~' }):
		return "", &pattern.Unfit{What: "a sign outside of ASCII, which messages write in several ways",
			Want: "put * in its place"}
	}
	return Pattern(p), nil
}

// Patterns are a list of which one has to match. An empty one asks for nothing: everything matches.
type Patterns []Pattern

// match tells whether a pattern matches the field as a whole, or its first component.
func (ps Patterns) match(e *Envelope, n int) bool {
	if len(ps) == 0 {
		return true
	}
	var own [MaxMatched]byte
	field, d := e.field(n)
	whole := plain(&own, field, d)
	first := hl7.Value(d.Part(field, 1, 0))
	for _, p := range ps {
		if len(field) <= MaxMatched && pattern.Match(string(p), whole, false) ||
			len(first) <= MaxMatched && pattern.Match(string(p), first, false) {
			return true
		}
	}
	return false
}

// plain writes a field with the usual delimiters, so that one pattern serves senders of other ones too.
func plain(own *[MaxMatched]byte, field []byte, d hl7.Delimiters) []byte {
	if d.Component == '^' && (d.Subcomponent == '&' || d.Subcomponent == 0) || len(field) > MaxMatched {
		return field
	}
	text := own[:copy(own[:], field)]
	for i, c := range text {
		switch {
		case c == d.Component && c != 0:
			text[i] = '^'
		case c == d.Subcomponent && c != 0:
			text[i] = '&'
		}
	}
	return text
}

// TypePattern is a pattern for message types: CODE, CODE^TRIGGER or CODE^TRIGGER^STRUCTURE, wildcards within each. What
// is left out may be anything.
type TypePattern string

// ParseTypePattern reads one, such as "ORU", "ADT^A0?" or "*^*^ADT_A01". Its error is a *pattern.Unfit.
func ParseTypePattern(text string) (TypePattern, error) {
	p := pattern.Squeezed(strings.Trim(text, " "))
	parts := strings.Split(p, "^")
	for _, part := range parts {
		if part == "" || len(parts) > 3 || len(p) > MaxMatched || strings.ContainsFunc(part, notInType) {
			return "", &pattern.Unfit{What: "not a message type, nor a pattern for one", Want: wantType}
		}
	}
	if code, _, joined := strings.Cut(parts[0], "_"); joined && code != "" && pattern.Literal(parts[0]) {
		return "", &pattern.Unfit{What: "the name of a structure, where the code of a message stands",
			Want: "write " + strings.Replace(parts[0], "_", "^", 1) + " for code and trigger, or *^*^" + parts[0] + " for the structure"}
	}
	return TypePattern(p), nil
}

const wantType = "write CODE, CODE^TRIGGER or CODE^TRIGGER^STRUCTURE, such as ORU, ADT^A0? or *^*^ADT_A01"

func notInType(r rune) bool {
	return r > '~' || !wordSign(byte(r)) && r != '*' && r != '?'
}

// match goes through the components of MSH-9.
func (p TypePattern) match(header hl7.Segment) bool {
	for n, rest, more := 1, string(p), true; more; n++ {
		var part string
		part, rest, more = strings.Cut(rest, "^")
		text := hl7.Value(header.Part(hl7.MessageType, n, 0))
		if len(text) > MaxMatched || !pattern.Match(part, text, false) {
			return false
		}
	}
	return true
}

// TypePatterns are a list of which one has to match. An empty one asks for nothing: everything matches.
type TypePatterns []TypePattern

func (ps TypePatterns) match(header hl7.Segment) bool {
	for _, p := range ps {
		if p.match(header) {
			return true
		}
	}
	return len(ps) == 0
}
