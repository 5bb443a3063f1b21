package mllpgate

import "gantry/protocols/hl7"

// Lengths of labels in bytes; what is longer is no name.
const (
	maxTypeLabel     = 16
	maxFacilityLabel = 40
)

// What stands in the place of a name.
const (
	labelBatch = "batch" // a batch has no message type
	labelNone  = "none"  // the field is empty
	labelOther = "other" // too long, or with signs that names do not have
)

// AppendMessageType adds the message type to dst as CODE^TRIGGER, or CODE alone, with ^ whatever the message's own
// delimiter is: at most 16 letters and digits. It is "batch" for a batch, "none" where MSH-9 is empty and "other"
// where it is no such thing. It fits into a metric's label; how many different ones there are is the sender's choice.
func (e *Envelope) AppendMessageType(dst []byte) []byte {
	if e.Batch {
		return append(dst, labelBatch...)
	}
	kind := e.first.Field(hl7.MessageType)
	code, trigger := hl7.Value(e.first.Delimiters.Part(kind, 1, 0)), hl7.Value(e.first.Delimiters.Part(kind, 2, 0))
	switch {
	case code == nil && trigger == nil:
		return append(dst, labelNone...)
	case len(code)+1+len(trigger) > maxTypeLabel || !all(code, wordSign) || !all(trigger, wordSign):
		return append(dst, labelOther...)
	}
	dst = append(dst, code...)
	if trigger == nil {
		return dst
	}
	return append(append(dst, '^'), trigger...)
}

// MessageType is AppendMessageType as a string, for a log line.
func (e *Envelope) MessageType() string { return string(e.AppendMessageType(nil)) }

// AppendFacility adds the sending facility's name to dst, MSH-4.1, of a batch that of its header: at most 40 printable
// characters of ASCII; "none" where it is empty, "other" where it is no such thing.
func (e *Envelope) AppendFacility(dst []byte) []byte {
	field, d := e.field(hl7.SendingFacility)
	name := hl7.Value(d.Part(field, 1, 0))
	switch {
	case name == nil:
		return append(dst, labelNone...)
	case len(name) > maxFacilityLabel || !all(name, printable):
		return append(dst, labelOther...)
	}
	return append(dst, name...)
}

// Facility is AppendFacility as a string.
func (e *Envelope) Facility() string { return string(e.AppendFacility(nil)) }

func all(b []byte, is func(byte) bool) bool {
	for _, c := range b {
		if !is(c) {
			return false
		}
	}
	return true
}

func wordSign(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == '_'
}

func printable(c byte) bool { return c >= ' ' && c <= '~' }
