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
	raw, _ := cutLine(msg)
	if len(raw) < 4 {
		return Segment{}, syntaxErrorf(0, "message of %d bytes in its first segment, too few for a header", len(raw))
	}
	switch string(raw[:3]) {
	case "MSH", "FHS", "BHS":
	default:
		return Segment{}, syntaxErrorf(0, "message does not begin with MSH, FHS or BHS")
	}
	d := Delimiters{Field: raw[3]}
	if alphanumeric(d.Field) || d.Field <= ' ' {
		return Segment{}, syntaxErrorf(3, "field separator %02X", d.Field)
	}
	encoding, _, _ := bytes.Cut(raw[4:], raw[3:4])
	for i, to := range []*byte{&d.Component, &d.Repetition, &d.Escape, &d.Subcomponent} {
		if i < len(encoding) {
			*to = encoding[i]
		}
	}
	return Segment{Delimiters: d, raw: raw}, nil
}

// Find returns the first segment of a name behind the header, for example PID;
// ok is false when there is none.
func (s Segment) Find(msg []byte, name string) (found Segment, ok bool) {
	for found := range s.All(msg, name) {
		return found, true
	}
	return Segment{}, false
}

// All returns the segments of a name behind the header, in order.
func (s Segment) All(msg []byte, name string) iter.Seq[Segment] {
	return func(yield func(Segment) bool) {
		for len(msg) > 0 {
			var raw []byte
			raw, msg = cutLine(msg)
			found := Segment{Delimiters: s.Delimiters, raw: raw}
			if found.Name() == name && !yield(found) {
				return
			}
		}
	}
}

// Bytes is the whole segment without its end. It shares memory with the message.
func (s Segment) Bytes() []byte { return s.raw }

// Name is the segment's name: the first three bytes.
func (s Segment) Name() string { return string(s.raw[:min(len(s.raw), 3)]) }

// Field returns field n, counted from 1 as the standard counts, with all its
// repetitions and components; nil when the segment ends before it. The slice
// shares memory with the message.
func (s Segment) Field(n int) []byte {
	switch {
	case !s.header():
	case n == FieldSeparator:
		return s.raw[3:4]
	default:
		n-- // the separator is a field of its own here
	}
	rest := s.raw
	for ; n > 0; n-- {
		_, after, ok := bytes.Cut(rest, []byte{s.Delimiters.Field})
		if !ok {
			return nil
		}
		rest = after
	}
	field, _, _ := bytes.Cut(rest, []byte{s.Delimiters.Field})
	return field
}

// Text is Field as a string.
func (s Segment) Text(n int) string { return string(s.Field(n)) }

// Component returns component c, counted from 1, of the first repetition of
// field n; "" when there is none. The second component of MSH-9 is the trigger.
func (s Segment) Component(n, c int) string {
	first := cut(s.Field(n), s.Repetition, 1)
	return string(cut(first, s.Delimiters.Component, c))
}

// header tells segments whose first field is the separator.
func (s Segment) header() bool {
	switch s.Name() {
	case "MSH", "FHS", "BHS":
		return true
	}
	return false
}

// cut returns the n-th part of b, counted from 1. Without a delimiter b is one
// part.
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
	if i := bytes.IndexByte(b, by); i >= 0 {
		b = b[:i]
	}
	return b
}

// cutLine splits off the first segment, without its end.
func cutLine(b []byte) (line, rest []byte) {
	i := bytes.IndexAny(b, "\r\n")
	if i < 0 {
		return b, nil
	}
	line, rest = b[:i], b[i+1:]
	if b[i] == '\r' && len(rest) > 0 && rest[0] == '\n' {
		rest = rest[1:]
	}
	return line, rest
}

func alphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
}

func syntaxErrorf(offset int, format string, args ...any) error {
	return &protocols.SyntaxError{Proto: "hl7", Offset: offset, Msg: fmt.Sprintf(format, args...)}
}
