package hl7

import "time"

// Acknowledgement codes, table 0008. The first letter tells the mode: A is an
// application acknowledgement, C an accept acknowledgement (enhanced mode).
const (
	ApplicationAccept = "AA"
	ApplicationError  = "AE" // something is wrong with the message
	ApplicationReject = "AR" // the message may be fine; the same may work later
	CommitAccept      = "CA"
	CommitError       = "CE"
	CommitReject      = "CR"
)

// Error conditions, table 0357, as far as a gateway has to say them.
const (
	ErrorUnsupportedMessageType = "200"
	ErrorUnsupportedEvent       = "201"
	ErrorLocked                 = "206"
	ErrorInternal               = "207"
)

// errorWords is table 0357 in its own words.
var errorWords = map[string]string{
	"0":                         "Message accepted",
	"100":                       "Segment sequence error",
	"101":                       "Required field missing",
	"102":                       "Data type error",
	"103":                       "Table value not found",
	"104":                       "Value too long",
	ErrorUnsupportedMessageType: "Unsupported message type",
	ErrorUnsupportedEvent:       "Unsupported event code",
	"202":                       "Unsupported processing id",
	"203":                       "Unsupported version id",
	"204":                       "Unknown key identifier",
	"205":                       "Duplicate key identifier",
	ErrorLocked:                 "Application record locked",
	ErrorInternal:               "Application internal error",
}

// ErrorWords says what a code of table 0357 means, "" for one that the table does not have.
func ErrorWords(code string) string { return errorWords[code] }

// Ack describes an acknowledgement to be built.
type Ack struct {
	Code      string    // AA, AE and so on
	ControlID string    // MSH-10 of the acknowledgement itself
	Time      time.Time // MSH-7; left empty when zero
	Text      string    // MSA-3, for people; without anything from the message
	Error     string    // code of table 0357 for an ERR segment; "" for none
}

// Append adds the acknowledgement of the message with this MSH (a batch header
// will not do) to dst, in the
// message's own delimiters: applications and facilities change places, MSH-11
// and MSH-12 are copied, MSA-2 repeats MSH-10 byte by byte.
func (a Ack) Append(dst []byte, header Segment) []byte {
	w := writer{dst: append(dst, "MSH"...), d: header.Delimiters}
	w.field(header.Field(EncodingCharacters))
	w.field(header.Field(ReceivingApplication))
	w.field(header.Field(ReceivingFacility))
	w.field(header.Field(SendingApplication))
	w.field(header.Field(SendingFacility))
	w.field(a.stamp())
	w.field(nil)
	w.field(ackType(header))
	w.text(a.ControlID)
	w.field(header.Field(ProcessingID))
	w.field(header.Field(VersionID))
	w.segment("MSA")
	w.text(a.Code)
	w.field(header.Field(ControlID))
	if a.Text != "" {
		w.text(a.Text)
	}
	if a.Error != "" {
		w.appendError(a.Error, header.Component(VersionID, 1))
	}
	return append(w.dst, '\r')
}

func (a Ack) stamp() []byte {
	if a.Time.IsZero() {
		return nil
	}
	return a.Time.AppendFormat(nil, "20060102150405")
}

// ackType is ACK^trigger^ACK, or plain ACK where the message has no trigger.
func ackType(header Segment) []byte {
	trigger := header.Component(MessageType, 2)
	c := header.Delimiters.Component
	if trigger == "" || c == 0 {
		return []byte("ACK")
	}
	b := append(append([]byte("ACK"), c), trigger...)
	return append(append(b, c), "ACK"...)
}

// appendError writes ERR as the message's version has it: a coded element in
// ERR-3 with a severity from 2.5 on, components of ERR-1 before.
func (w *writer) appendError(code, version string) {
	w.segment("ERR")
	if version != "" && version < "2.5" && w.d.Component != 0 {
		w.field(nil)
		for range 3 { // segment, sequence and field: the message as a whole
			w.dst = append(w.dst, w.d.Component)
		}
		w.parts(w.d.Subcomponent, code, errorWords[code], "HL70357")
		return
	}
	w.field(nil)
	w.field(nil)
	w.dst = append(w.dst, w.d.Field)
	w.parts(w.d.Component, code, errorWords[code], "HL70357")
	w.text("E")
}

// writer puts fields into segments.
type writer struct {
	dst []byte
	d   Delimiters
}

func (w *writer) segment(name string) { w.dst = append(append(w.dst, '\r'), name...) }

func (w *writer) field(raw []byte) { w.dst = append(append(w.dst, w.d.Field), raw...) }

func (w *writer) text(s string) {
	w.dst = w.escape(append(w.dst, w.d.Field), s)
}

// parts writes a list; the first of it alone where the message names no delimiter to keep them apart.
func (w *writer) parts(by byte, list ...string) {
	for i, s := range list {
		switch {
		case i == 0:
		case by == 0:
			return
		default:
			w.dst = append(w.dst, by)
		}
		w.dst = w.escape(w.dst, s)
	}
}

// escape writes text with the message's delimiters escaped; where the message
// names no escape character, and for control characters, it writes a space.
func (w *writer) escape(dst []byte, s string) []byte {
	for i := range len(s) {
		name := w.escapeName(s[i])
		switch {
		case name == 0 && s[i] >= ' ':
			dst = append(dst, s[i])
		case name == 0 || w.d.Escape == 0:
			dst = append(dst, ' ')
		default:
			dst = append(dst, w.d.Escape, name, w.d.Escape)
		}
	}
	return dst
}

// escapeName is the letter between two escape characters. HL7 2.5.1, 2.7.1.
func (w *writer) escapeName(c byte) byte {
	switch c {
	case w.d.Field:
		return 'F'
	case w.d.Component:
		return 'S'
	case w.d.Repetition:
		return 'R'
	case w.d.Escape:
		return 'E'
	case w.d.Subcomponent:
		return 'T'
	}
	return 0
}
