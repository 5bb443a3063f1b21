package transcript

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"gantry/negotiate"
)

const (
	// RowBytes is how many bytes a row of a hex dump shows.
	RowBytes = 16
	// MaxWidth is how many characters of one line of text are shown.
	MaxWidth = 240
)

// Lines returns the bytes of a passage as lines: text as its own lines, anything else as rows of a hex dump,
//
//	0000  01 00 00 00 00 b4 00 01  00 00 56 4e 41 20 20 20  |..........VNA   |
//
// with ** in the place of a masked byte. most bounds the lines, 0 = no bound; a last line says how much is not shown.
func Lines(p negotiate.Passage, most int) []string {
	var lines []string
	shown := 0
	if p.Text {
		lines, shown = textLines(p.Bytes, most)
	} else {
		lines, shown = rows(p, most)
	}
	if rest := len(p.Bytes) - shown + max(p.More, 0); rest > 0 && (len(lines) > 0 || p.More <= 0) {
		lines = append(lines, "… "+bytesText(rest)+" more")
	}
	return lines
}

// Notes returns the notes of a passage, fit for a terminal.
func Notes(p negotiate.Passage) []string {
	notes := make([]string, len(p.Notes))
	for i, n := range p.Notes {
		notes[i] = Clean(n)
	}
	return notes
}

func bytesText(n int) string {
	if n == 1 {
		return "1 byte"
	}
	return fmt.Sprintf("%d bytes", n)
}

// textLines divides at \r\n, \n and \r; HL7 segments end in \r alone.
func textLines(b []byte, most int) (lines []string, shown int) {
	for shown < len(b) && (most <= 0 || len(lines) < most) {
		rest := b[shown:]
		n, skip := lineLength(rest)
		lines = append(lines, cut(Clean(string(rest[:n]))))
		shown += n + skip
	}
	return lines, shown
}

// lineLength is the length of the first line, and of what ends it.
func lineLength(b []byte) (n, end int) {
	for i, c := range b {
		switch {
		case c == '\n', c == '\r' && (i+1 == len(b) || b[i+1] != '\n'):
			return i, 1
		case c == '\r':
			return i, 2
		}
	}
	return len(b), 0
}

func cut(line string) string {
	if n := utf8.RuneCountInString(line); n > MaxWidth {
		return string([]rune(line)[:MaxWidth]) + fmt.Sprintf(" … %d characters more", n-MaxWidth)
	}
	return line
}

// Clean leaves what a terminal shows and does nothing with. Anything else is written as its code: \x1b, \u202e.
func Clean(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case r == '\t':
			b.WriteByte(' ')
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
		case r < 0x80 && !unicode.IsPrint(r):
			fmt.Fprintf(&b, `\x%02x`, r)
		case !unicode.IsPrint(r) || unicode.IsMark(r): // marks pile up over what stands before them
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
		s = s[size:]
	}
	return b.String()
}

// rows is a hex dump.
func rows(p negotiate.Passage, most int) (lines []string, shown int) {
	hidden := masks(p)
	for shown < len(p.Bytes) && (most <= 0 || len(lines) < most) {
		end := min(shown+RowBytes, len(p.Bytes))
		lines = append(lines, row(p.Bytes, hidden, shown, end))
		shown = end
	}
	return lines, shown
}

// masks tells for each byte whether it is masked. A span beyond the bytes is cut.
func masks(p negotiate.Passage) []bool {
	hidden := make([]bool, len(p.Bytes))
	for _, s := range p.Masked {
		for i := max(s.From, 0); i < min(s.To, len(hidden)); i++ {
			hidden[i] = true
		}
	}
	return hidden
}

func row(b []byte, hidden []bool, from, to int) string {
	var hex, text strings.Builder
	for i := from; i < from+RowBytes; i++ {
		if i == from+RowBytes/2 {
			hex.WriteByte(' ')
		}
		switch {
		case i >= to:
			hex.WriteString("   ")
		case hidden[i]:
			hex.WriteString("** ")
			text.WriteByte(negotiate.MaskByte)
		default:
			fmt.Fprintf(&hex, "%02x ", b[i])
			text.WriteByte(visible(b[i]))
		}
	}
	return fmt.Sprintf("%04x  %s |%s|", from, hex.String(), text.String())
}

func visible(c byte) byte {
	if c < ' ' || c > '~' {
		return '.'
	}
	return c
}
