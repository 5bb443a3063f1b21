package soaptalk

import (
	"bytes"

	"gantry/negotiate"
)

// indent is what one level of nesting is moved in by; deeper than maxIndent nothing is moved further.
const (
	indent    = "  "
	maxIndent = 20
)

// layout breaks masked XML into lines, one for each tag that follows another, because most
// stacks write an envelope as a single line. Masked ranges move with their bytes. Between two
// tags of masked XML stands nothing else, so that it is enough to look for "><".
func layout(p *negotiate.Passage) {
	var out bytes.Buffer
	moved := make([]int, len(p.Bytes)+1) // where each byte goes
	depth := 0
	for i, c := range p.Bytes {
		if c == '<' {
			closing := bytes.HasPrefix(p.Bytes[i:], []byte("</"))
			if closing {
				depth--
			}
			if i > 0 && p.Bytes[i-1] == '>' && !(closing && startsTag(p.Bytes[:i])) {
				out.WriteByte('\n')
				out.WriteString(indentation(depth))
			}
			if !closing && opens(p.Bytes[i:]) {
				depth++
			}
		}
		moved[i] = out.Len()
		out.WriteByte(c)
	}
	moved[len(p.Bytes)] = out.Len()
	for i, s := range p.Masked {
		p.Masked[i] = negotiate.Span{From: moved[s.From], To: moved[s.To-1] + 1}
	}
	p.Bytes = out.Bytes()
}

func indentation(depth int) string {
	return string(bytes.Repeat([]byte(indent), min(max(depth, 0), maxIndent)))
}

// opens reports whether a tag is the beginning of an element with content.
func opens(tag []byte) bool {
	end := bytes.IndexByte(tag, '>')
	return end > 1 && tag[end-1] != '/' && tag[1] != '?' && tag[1] != '!'
}

// startsTag reports whether the last tag of some XML opens an element: an empty one stays on its line.
func startsTag(xml []byte) bool {
	last := bytes.LastIndexByte(xml, '<')
	return last >= 0 && opens(xml[last:]) && xml[last+1] != '/'
}
