package pattern

import "strings"

// The wildcards: * stands for any run of characters, also none, and ? for one; all else stands for itself. Characters
// are bytes.
const (
	anyRun   = '*'
	anyOne   = '?'
	wildcard = "*?"
)

// Unfit is a text that cannot be what a configuration wants there.
type Unfit struct {
	What string // what is wrong, such as "not an AE title"
	Want string // what is right, as "write …"
	// Known are the words of which one may have been meant; nil when the text was no attempt at one.
	Known []string
}

// Error gives both, "what; want".
func (u *Unfit) Error() string { return u.What + "; " + u.Want }

// Squeezed writes a run of * as one; it matches the same.
func Squeezed(text string) string {
	for strings.Contains(text, "**") {
		text = strings.ReplaceAll(text, "**", "*")
	}
	return text
}

// Least is the length in bytes of the shortest text that matches.
func Least(pattern string) int { return len(pattern) - strings.Count(pattern, string(anyRun)) }

// Literal tells whether only the pattern itself matches, without wildcards.
func Literal(pattern string) bool { return !strings.ContainsAny(pattern, wildcard) }

// Match tells whether the whole text matches; fold lets letters of ASCII match in either case. The work is at most the
// product of both lengths, which the caller bounds. It allocates nothing.
func Match[T ~string | ~[]byte](pattern string, text T, fold bool) bool {
	// After a mismatch the last * takes one character more. Earlier ones need not be looked at again: what they took
	// was the shortest that let the rest begin where it did.
	i, star, from := 0, -1, 0
	for j := 0; j < len(text); {
		switch {
		case i < len(pattern) && pattern[i] == anyRun:
			star, from = i, j
			i++
		case i < len(pattern) && (pattern[i] == anyOne || same(pattern[i], text[j], fold)):
			i, j = i+1, j+1
		case star >= 0:
			from++
			i, j = star+1, from
		default:
			return false
		}
	}
	return strings.Trim(pattern[i:], string(anyRun)) == ""
}

func same(a, b byte, fold bool) bool { return a == b || fold && Upper(a) == Upper(b) }

// Upper is the capital of a letter of ASCII, and any other byte itself.
func Upper(c byte) byte {
	if 'a' <= c && c <= 'z' {
		return c - ('a' - 'A')
	}
	return c
}
