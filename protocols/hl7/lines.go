package hl7

import "bytes"

// lines goes through the segments of a message, whatever of CR, LF and CR LF ends them: behind the CR of the latter
// stands an empty one. Every byte is looked at at most twice, also where all segments end with the rarer one.
type lines struct {
	rest []byte
	cr   int // place of the first CR in rest; len(rest) for none, negative for not looked for yet
}

func newLines(msg []byte) lines { return lines{rest: msg, cr: -1} }

// next is the next segment without its end. It may be empty; ok is false behind the last one.
func (l *lines) next() (raw []byte, ok bool) {
	if len(l.rest) == 0 {
		return nil, false
	}
	if l.cr < 0 {
		l.cr = place(l.rest, '\r')
	}
	end := place(l.rest[:l.cr], '\n')
	raw = l.rest[:end]
	spent := min(end+1, len(l.rest))
	l.rest, l.cr = l.rest[spent:], l.cr-spent
	return raw, true
}

// place is bytes.IndexByte, with len(b) for "not there".
func place(b []byte, c byte) int {
	if i := bytes.IndexByte(b, c); i >= 0 {
		return i
	}
	return len(b)
}

// firstLine is the first segment without its end.
func firstLine(msg []byte) []byte {
	l := newLines(msg)
	raw, _ := l.next()
	return raw
}
