package dicomgate

import (
	"strings"

	"gantry/gateway/pattern"
	"gantry/protocols/dicom"
)

// MaxMatched is the longest text in bytes that a pattern matches: a UID has 64 characters, an AE title 16. What a peer
// sends beyond that is no name, and is not searched through.
const MaxMatched = 64

// Unfit is a text that cannot be what a configuration wants there.
type Unfit = pattern.Unfit

// Pattern is a text in which * stands for any run of characters, also none, and ? for one; all else stands for itself.
// Characters are bytes: AE titles and UIDs are ASCII.
type Pattern string

// ParseAEPattern reads a pattern for AE titles: spaces around it have no meaning, and what is not a wildcard is at most
// 16 ASCII characters without backslash (PS3.5 table 6.2-1). Its error is an *Unfit.
func ParseAEPattern(text string) (Pattern, error) {
	p := squeezed(strings.Trim(text, " "))
	if p == "" || p.least() > dicom.AETitleLen || strings.ContainsFunc(string(p), notInTitle) {
		return "", &Unfit{What: "not an AE title, nor a pattern for one",
			Want: "write 1 to 16 ASCII characters without backslash; * stands for any run of characters, ? for one"}
	}
	return p, nil
}

func notInTitle(r rune) bool { return r < ' ' || r > '~' || r == '\\' }

// ParseUIDPattern reads a pattern for UIDs: digits, dots and wildcards (PS3.5 9.1). Its error is an *Unfit.
func ParseUIDPattern(text string) (Pattern, error) {
	p := squeezed(text)
	if p == "" || p.least() > MaxMatched || !likeUID(string(p)) {
		return "", &Unfit{What: "not a UID, nor a pattern for one",
			Want: "write up to 64 digits and dots; * stands for any run of characters, ? for one"}
	}
	return p, nil
}

// likeUID tells whether nothing but a UID can match; a literal must be one.
func likeUID(text string) bool {
	if strings.Trim(text, "0123456789.*?") != "" {
		return false
	}
	return !strings.Contains(text, "..") && !strings.HasPrefix(text, ".") && !strings.HasSuffix(text, ".")
}

func squeezed(text string) Pattern { return Pattern(pattern.Squeezed(text)) }

// least is the length of the shortest text that matches.
func (p Pattern) least() int { return pattern.Least(string(p)) }

// Literal tells whether only the pattern itself matches, without wildcards.
func (p Pattern) Literal() bool { return pattern.Literal(string(p)) }

// Match tells whether the whole text matches; fold lets letters of ASCII match in either case. A text of more than
// MaxMatched bytes never does, so that the work is bounded: at most the product of both lengths.
func (p Pattern) Match(text string, fold bool) bool {
	return len(text) <= MaxMatched && pattern.Match(string(p), text, fold)
}

// Patterns are a list of which one has to match. An empty one asks for nothing: everything matches.
type Patterns []Pattern

// Match tells whether one of the patterns matches, or there is none. See Pattern.Match.
func (ps Patterns) Match(text string, fold bool) bool {
	for _, p := range ps {
		if p.Match(text, fold) {
			return true
		}
	}
	return len(ps) == 0
}

// Literal gives the only pattern without wildcards; ok is false when there is none, or more than one.
func (ps Patterns) Literal() (title string, ok bool) {
	for _, p := range ps {
		if !p.Literal() {
			continue
		}
		if ok {
			return "", false
		}
		title, ok = string(p), true
	}
	return title, ok
}

// FoldTitle gives AE titles that count as the same one form: without padding, and in capitals when the case of letters
// makes no difference. Only letters of ASCII have two cases.
func FoldTitle(title string, fold bool) string {
	title = bareTitle(title)
	if !fold {
		return title
	}
	b := []byte(title)
	for i, c := range b {
		b[i] = pattern.Upper(c)
	}
	return string(b)
}

// SameTitle tells whether two AE titles count as the same.
func SameTitle(a, b string, fold bool) bool { return FoldTitle(a, fold) == FoldTitle(b, fold) }

// bareTitle drops what is not significant around a title: spaces (PS3.8 9.3.2), and the NULs of some devices.
func bareTitle(title string) string { return strings.Trim(title, " \x00") }
