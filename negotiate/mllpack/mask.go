package mllpack

import (
	"bytes"
	"strings"

	"gantry/negotiate"
	"gantry/protocols/hl7"
)

// maskSegments goes through the bytes of a message line by line, makes each segment end a line end,
// and masks everything that is not known to be harmless. What it does not understand it masks.
func maskSegments(p *negotiate.Passage, d hl7.Delimiters) {
	for _, c := range []*byte{&d.Component, &d.Repetition, &d.Subcomponent} {
		if !punctuation(*c) {
			*c = 0 // a letter in their place would come through everywhere
		}
	}
	for from := 0; from < len(p.Bytes); {
		to := len(p.Bytes)
		if i := bytes.IndexAny(p.Bytes[from:], "\r\n"); i >= 0 {
			to = from + i
		}
		m := masker{p: p, d: d, from: from, to: to}
		m.segment()
		if bytes.HasPrefix(p.Bytes[to:], []byte("\r\n")) {
			p.Bytes[to] = ' '
			to++
		}
		if to < len(p.Bytes) {
			p.Bytes[to] = '\n'
			to++
		}
		from = to
	}
}

// masker is at work on one segment, the bytes from to to of the passage.
type masker struct {
	p        *negotiate.Passage
	d        hl7.Delimiters
	from, to int
}

// harmless fields of MSH: no text of people. MSH-8 is security, MSH-13 and 14 number and continue
// queries, those from 22 on name organisations and persons in charge.
var harmless = map[int]bool{3: true, 4: true, 5: true, 6: true, 7: true, 9: true, 10: true, 11: true, 12: true,
	15: true, 16: true, 17: true, 18: true, 19: true, 20: true, 21: true}

// segment masks by the segment's name.
func (m masker) segment() {
	raw := m.p.Bytes[m.from:m.to]
	if len(raw) < 3 || !segmentRule.Match(raw) || len(raw) > 3 && raw[3] != m.d.Field {
		m.mask(m.from, m.to)
		return
	}
	switch string(raw[:3]) {
	case "MSH":
		m.header()
	case "MSA":
		m.fields(1, func(n, from, to int) {
			switch n {
			case 1:
				m.unless(errorLike, from, to)
			case 2:
				m.unless(codeLike, from, to)
			case 6:
				m.component(from, to, 1)
			default:
				m.values(from, to)
			}
		})
	case "ERR":
		m.fields(1, m.errorField)
	default:
		m.fields(1, func(_, from, to int) { m.values(from, to) })
	}
}

// header masks MSH, whose second field is the other delimiters.
func (m masker) header() {
	m.fields(2, func(n, from, to int) {
		switch {
		case n == hl7.EncodingCharacters:
			for at := from; at < to; at++ {
				if !punctuation(m.p.Bytes[at]) {
					m.mask(at, at+1)
				}
			}
		case harmless[n]:
			m.controls(from, to)
		default:
			m.values(from, to)
		}
	})
}

// errorField masks a field of ERR: places and codes stay, texts go.
func (m masker) errorField(n, from, to int) {
	switch n {
	case 1: // segment^sequence^field^code&text, one for each error
		m.parts(from, to, m.d.Repetition, func(_, from, to int) {
			m.parts(from, to, m.d.Component, func(c, from, to int) {
				m.parts(from, to, m.d.Subcomponent, func(s, from, to int) {
					m.place(c, s == 1 && c <= 4, from, to)
				})
			})
		})
	case 2: // segment^sequence^field^repetition^component^subcomponent
		m.parts(from, to, m.d.Repetition, func(_, from, to int) {
			m.parts(from, to, m.d.Component, func(c, from, to int) { m.place(min(c, 2), c <= 6, from, to) })
		})
	case 3, 5: // code^text^system
		m.component(from, to, 1)
	case 4:
		m.unless(errorLike, from, to)
	default:
		m.values(from, to)
	}
}

// place masks component c of a place in the message unless it is one: the first names a segment, the
// fourth may be an error code, all others are small numbers.
func (m masker) place(c int, place bool, from, to int) {
	switch {
	case place && c == 1 && segmentRule.Match(m.p.Bytes[from:to]) && to-from == 3:
	case place && c == 4:
		m.unless(errorLike, from, to)
	case place && c > 1:
		m.unless(numberLike, from, to)
	default:
		m.values(from, to)
	}
}

// fields calls do for each field behind the segment's name, the first of which has number n.
func (m masker) fields(n int, do func(n, from, to int)) {
	if m.to-m.from <= 4 {
		return
	}
	m.parts(m.from+4, m.to, m.d.Field, func(i, from, to int) { do(n+i-1, from, to) })
}

// parts calls do for each part between delimiters, counted from 1. Without a delimiter all is one.
func (m masker) parts(from, to int, by byte, do func(n, from, to int)) {
	for n := 1; ; n++ {
		i := -1
		if by != 0 {
			i = bytes.IndexByte(m.p.Bytes[from:to], by)
		}
		if i < 0 {
			do(n, from, to)
			return
		}
		do(n, from, from+i)
		from += i + 1
	}
}

// component leaves component c if it is a code, and masks the others.
func (m masker) component(from, to, c int) {
	m.parts(from, to, m.d.Component, func(n, from, to int) {
		if n == c {
			m.unless(errorLike, from, to)
			return
		}
		m.values(from, to)
	})
}

// values masks everything but the delimiters inside a field.
func (m masker) values(from, to int) {
	delimiters := []byte{m.d.Component, m.d.Repetition, m.d.Subcomponent}
	start := from
	for at := from; at <= to; at++ {
		if at < to && (m.p.Bytes[at] == 0 || bytes.IndexByte(delimiters, m.p.Bytes[at]) < 0) {
			continue
		}
		m.mask(start, at)
		start = at + 1
	}
}

// unless masks what is not of a form.
func (m masker) unless(form func([]byte) bool, from, to int) {
	if !form(m.p.Bytes[from:to]) {
		m.values(from, to)
	}
}

// controls masks bytes that a terminal would act upon.
func (m masker) controls(from, to int) {
	for at := from; at < to; at++ {
		if c := m.p.Bytes[at]; c < ' ' || c > '~' {
			m.mask(at, at+1)
		}
	}
}

func (m masker) mask(from, to int) { m.p.Mask(from, to) }

// maxCode is the longest code, MSH-10 included, that is shown.
const maxCode = 20

// codeLike tells codes and control ids from text: short, without blanks, and if it is longer than
// two letters then with a digit in it. "DOE" is none.
func codeLike(b []byte) bool {
	const digits = "0123456789"
	return len(b) <= maxCode && (len(b) <= 2 || bytes.ContainsAny(b, digits)) &&
		strings.Trim(string(b), digits+"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_.-") == ""
}

// errorLike tells codes of acknowledgements and errors from identifiers: they are short.
func errorLike(b []byte) bool { return len(b) <= maxShown && codeLike(b) }

// numberLike tells the numbers of segments, fields and components from identifiers.
func numberLike(b []byte) bool {
	return len(b) <= maxPlace && strings.Trim(string(b), "0123456789") == ""
}

// maxPlace is the most digits of a place in a message.
const maxPlace = 4

// punctuation tells what may stand between values: printable, and neither letter nor digit.
func punctuation(c byte) bool {
	return c > ' ' && c <= '~' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z')
}
