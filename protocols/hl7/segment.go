package hl7

import (
	"bytes"
	"fmt"
	"iter"

	"gantry/protocols"
)

// Fields of MSH, and of FHS and BHS up to ReceivingFacility. HL7 2.5.1, 2.15.9.
const (
	FieldSeparator       = 1
	EncodingCharacters   = 2
	SendingApplication   = 3
	SendingFacility      = 4
	ReceivingApplication = 5
	ReceivingFacility    = 6
	MessageTime          = 7
	MessageType          = 9  // code^trigger^structure
	ControlID            = 10 // up to 20 characters, 199 in newer versions
	ProcessingID         = 11 // P, T, D
	VersionID            = 12
	AcceptCondition      = 15 // AL, NE, ER, SU
	ApplicationCondition = 16 // the same
	CharacterSet         = 18
)

// Fields of FHS and BHS that MSH does not have there. HL7 2.5.1, 2.15.2 and 2.15.3.
const (
	BatchControlID          = 11
	BatchReferenceControlID = 12 // of an answer: the batch that it answers
)

// Delimiters of one message. A delimiter that the message does not name is 0,
// and nothing is split by it.
type Delimiters struct{ Field, Component, Repetition, Escape, Subcomponent byte }

// Segment is one line of a message. It shares memory with the message.
type Segment struct {
	Delimiters
	raw []byte // without its end
}

// DecodeHeader reads the first segment, which must be MSH, or FHS or BHS of a
// batch, and tells the delimiters of everything behind it. It never asks for
// more bytes: framing has happened before.
func DecodeHeader(msg []byte) (Segment, error) {
	raw := firstLine(msg)
	if len(raw) < 4 {
		return Segment{}, syntaxErrorf(0, "message of %d bytes in its first segment, too few for a header", len(raw))
	}
	if !isHeader(raw) {
		return Segment{}, syntaxErrorf(0, "message does not begin with MSH, FHS or BHS")
	}
	h, ok := headerOf(raw)
	if !ok {
		return Segment{}, syntaxErrorf(3, "field separator %02X", raw[3])
	}
	return h, nil
}

// headerOf takes the delimiters from a line that begins with the name of a header.
func headerOf(raw []byte) (Segment, bool) {
	if len(raw) < 4 || !separator(raw[3]) {
		return Segment{}, false
	}
	encoding := raw[4:]
	encoding = encoding[:place(encoding, raw[3])]
	at := func(i int) byte {
		if i < len(encoding) {
			return encoding[i]
		}
		return 0
	}
	return Segment{Delimiters: Delimiters{raw[3], at(0), at(1), at(2), at(3)}, raw: raw}, true
}

// Find returns the first segment of a name, for example PID; ok is false when there is none.
func (s Segment) Find(msg []byte, name string) (found Segment, ok bool) {
	for l := newLines(msg); ; {
		raw, more := l.next()
		if !more {
			return Segment{}, false
		}
		if s.named(raw, name) {
			return Segment{Delimiters: s.Delimiters, raw: raw}, true
		}
	}
}

// Segments returns all segments in order, the header itself among them.
func (s Segment) Segments(msg []byte) iter.Seq[Segment] {
	return func(yield func(Segment) bool) { s.eachSegment(msg, yield) }
}

func (s Segment) eachSegment(msg []byte, yield func(Segment) bool) {
	for l := newLines(msg); ; {
		raw, more := l.next()
		if !more || len(raw) > 0 && !yield(Segment{Delimiters: s.Delimiters, raw: raw}) {
			return
		}
	}
}

// Is tells whether a segment has that name.
func (s Segment) Is(name string) bool { return s.named(s.raw, name) }

// All returns the segments of a name, in order. The header itself is one of them.
func (s Segment) All(msg []byte, name string) iter.Seq[Segment] {
	return func(yield func(Segment) bool) { s.each(msg, name, yield) }
}

func (s Segment) each(msg []byte, name string, yield func(Segment) bool) {
	for l := newLines(msg); ; {
		raw, more := l.next()
		if !more || s.named(raw, name) && !yield(Segment{Delimiters: s.Delimiters, raw: raw}) {
			return
		}
	}
}

// named tells whether a line is a segment of that name, fields or not.
func (s Segment) named(raw []byte, name string) bool {
	n := len(name)
	return len(raw) >= n && string(raw[:n]) == name && (len(raw) == n || raw[n] == s.Delimiters.Field)
}

// Bytes is the whole segment without its end. It shares memory with the message.
func (s Segment) Bytes() []byte { return s.raw }

// Name is the segment's name: the first three bytes.
func (s Segment) Name() string { return string(s.name()) }

func (s Segment) name() []byte { return s.raw[:min(len(s.raw), 3)] }

// Field returns field n, counted from 1 as the standard counts, with all its
// repetitions and components; nil when the segment ends before it. The slice
// shares memory with the message.
func (s Segment) Field(n int) []byte {
	if n == FieldSeparator && s.header() {
		return s.raw[3:4]
	}
	return cut(s.from(n), s.Delimiters.Field, 1)
}

// from is the segment from a field on, other than the separator; nil when it ends before.
func (s Segment) from(n int) []byte {
	if n < 0 {
		return nil
	}
	if n > FieldSeparator && s.header() {
		n-- // the separator is a field of its own here
	}
	b := s.raw
	for ; n > 0; n-- {
		i := bytes.IndexByte(b, s.Delimiters.Field)
		if i < 0 {
			return nil
		}
		b = b[i+1:]
	}
	return b
}

// Text is Field as a string.
func (s Segment) Text(n int) string { return string(s.Field(n)) }

// Part returns a component of the first repetition of a field, or a subcomponent of that, all counted from 1; 0 stands
// for the whole. It is nil when there is none. The first two fields of a header are delimiters and have no parts.
// The slice shares memory with the message.
func (s Segment) Part(field, component, subcomponent int) []byte {
	b := s.Field(field)
	if field <= EncodingCharacters && s.header() {
		return b
	}
	return s.Delimiters.Part(b, component, subcomponent)
}

// Part is Segment.Part of a field that was found before.
func (d Delimiters) Part(field []byte, component, subcomponent int) []byte {
	b := cut(field, d.Repetition, 1)
	if component > 0 || subcomponent > 0 {
		b = cut(b, d.Component, max(component, 1))
	}
	if subcomponent > 0 {
		b = cut(b, d.Subcomponent, subcomponent)
	}
	return b
}

// Component returns component c, counted from 1, of the first repetition of
// field n; "" when there is none. The second component of MSH-9 is the trigger.
func (s Segment) Component(n, c int) string { return string(s.Part(n, c, 0)) }

// header tells segments whose first field is the separator.
func (s Segment) header() bool { return len(s.raw) > 3 && isHeader(s.raw) }

// isHeader tells whether a line begins with the name of a header: of a message, of a batch, or of a file of batches.
func isHeader(raw []byte) bool {
	if len(raw) < 3 {
		return false
	}
	switch string(raw[:3]) {
	case "MSH", "FHS", "BHS":
		return true
	}
	return false
}

// cut returns the n-th part of b, counted from 1; nil where there are fewer. Without a delimiter b is one part.
func cut(b []byte, by byte, n int) []byte {
	if by == 0 {
		by = '\r' // cannot be inside a segment
	}
	for ; n > 1; n-- {
		i := bytes.IndexByte(b, by)
		if i < 0 {
			return nil
		}
		b = b[i+1:]
	}
	return b[:place(b, by)]
}

// separator tells what may stand between fields: anything but letters, digits, spaces and control characters.
func separator(c byte) bool {
	return c > ' ' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z')
}

func syntaxErrorf(offset int, format string, args ...any) error {
	return &protocols.SyntaxError{Proto: "hl7", Offset: offset, Msg: fmt.Sprintf(format, args...)}
}
