package mllpgate

import (
	"time"

	"gantry/protocols/hl7"
	"gantry/protocols/mllp"
)

// MaxNAK bounds what AppendNAK builds, in bytes. A header whose fields take more room than that is not answered.
const MaxNAK = 4 << 10

// echoed are the fields of MSH that an acknowledgement repeats.
var echoed = [...]int{
	hl7.EncodingCharacters, hl7.SendingApplication, hl7.SendingFacility, hl7.ReceivingApplication, hl7.ReceivingFacility,
	hl7.MessageType, hl7.ControlID, hl7.ProcessingID, hl7.VersionID,
}

// AppendNAK adds the gateway's own answer to dst: code is AE or AR, and becomes CE or CR where the sender asks for an
// accept acknowledgement (MSH-15 AL or ER); errorCode is one of table 0357, "" for none; text is for people, and holds
// nothing of the message; id is the MSH-10 of the answer.
//
// ok is false, and nothing is added, where no answer can be given: to a batch, to a sender that does not want to hear
// of errors (MSH-15 and MSH-16 NE or SU), to an acknowledgement, or to a header that would make it longer than MaxNAK.
func AppendNAK(dst []byte, e *Envelope, code, errorCode, text, id string, now time.Time) (nak []byte, ok bool) {
	if e.Batch || e.Header.Bytes() == nil {
		return dst, false
	}
	switch e.Header.AnswerError() {
	case hl7.AnswerNone:
		return dst, false
	case hl7.AnswerAccept:
		code = commit(code)
	}
	size := 0
	for _, n := range echoed {
		size += len(e.Header.Field(n))
	}
	if size > MaxNAK {
		return dst, false
	}
	ack := hl7.Ack{Code: code, ControlID: id, Time: now, Text: text, Error: errorCode}
	nak = ack.Append(dst, e.Header)
	if built := nak[len(dst):]; len(built) > MaxNAK || !mllp.Encodable(built) {
		return dst, false
	}
	return nak, true
}

// commit is the accept acknowledgement that says the same as an application's.
func commit(code string) string {
	if code == hl7.ApplicationError {
		return hl7.CommitError
	}
	return hl7.CommitReject
}
