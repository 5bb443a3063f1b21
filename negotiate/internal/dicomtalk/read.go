package dicomtalk

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"gantry/negotiate"
	"gantry/protocols"
	"gantry/protocols/dicom"
)

// read returns the next whole PDU. The length that it claims is checked before anything is
// waited for, and the fault says which abort fits.
func (t *Talk) read(s negotiate.Stage) (dicom.PDUType, []byte, *negotiate.Fault) {
	// One byte may be all that a peer of another protocol ever sends.
	if first, err := t.reader.Peek(1); err != nil {
		return 0, nil, t.lost(s, err)
	} else if !dicom.PDUType(first[0]).Valid() {
		return 0, nil, t.foreign(s, first[0])
	}
	head, err := t.reader.Peek(dicom.HeaderLen)
	if err != nil {
		return 0, nil, t.partial(s, err)
	}
	kind, length, _ := dicom.DecodeHeader(head) // six bytes with a valid type cannot fail
	if fault := t.tooLong(s, kind, length); fault != nil {
		return 0, nil, fault
	}
	pdu := make([]byte, dicom.HeaderLen+int(length))
	if _, err := io.ReadFull(t.reader, pdu); err != nil {
		return 0, nil, t.partial(s, err)
	}
	return kind, pdu, nil
}

// tooLong compares a length with the limits of the standard, those announced in the request,
// and MaxAnswer.
func (t *Talk) tooLong(s negotiate.Stage, kind dicom.PDUType, length uint32) *negotiate.Fault {
	err := dicom.CheckLength(kind, length, maxData)
	if err == nil && length <= MaxAnswer {
		return nil
	}
	t.abort = dicom.AbortInvalidParameter
	f := &negotiate.Fault{Stage: s, Reason: negotiate.ReasonOversized, Err: err,
		Sentence: fmt.Sprintf("sends %v with a length of %d bytes: its DICOM software is broken, or another service answers on this port", kind, length)}
	if length <= maxData {
		f.Reason = negotiate.ReasonMalformed
	}
	return f
}

// partial explains a PDU of which only the beginning came.
func (t *Talk) partial(s negotiate.Stage, err error) *negotiate.Fault {
	t.abort = dicom.AbortUser
	f := negotiate.Lost(s, err, negotiate.Words{
		Silent: "answers too slowly: only a part of its answer came within " + t.time(s),
		Closed: "closes the connection in the middle of its answer",
		Reset:  "resets the connection in the middle of its answer",
	})
	t.alive = f.Reason == negotiate.ReasonTimeout
	return f
}

// foreign explains a first byte that no PDU begins with, by what usually does.
func (t *Talk) foreign(s negotiate.Stage, first byte) *negotiate.Fault {
	t.abort = dicom.AbortUnrecognizedPDU
	f := &negotiate.Fault{Stage: s, Reason: negotiate.ReasonMalformed}
	switch {
	case first == 0x15 && !t.Secure: // a TLS alert
		t.alive = false
		f.Sentence = "answers with a TLS alert: this port expects DICOM over TLS; add tls: {} to the check"
	case first == 0x0B: // MLLP start of block
		f.Sentence = "answers with an HL7 message: the port belongs to an HL7 interface"
	case bytes.IndexByte([]byte("HS2<"), first) >= 0: // HTTP, SSH, SMTP or FTP, HTML
		f.Sentence = "answers with text, not with DICOM: the port belongs to another service"
	default:
		f.Sentence = fmt.Sprintf("answers with bytes that are not DICOM (first one %02X): the port belongs to another service", first)
	}
	return f
}

// unexpected explains a PDU of the wrong type. PS3.8 table 9-10 answers it with an abort too.
func (t *Talk) unexpected(s negotiate.Stage, kind dicom.PDUType) *negotiate.Fault {
	t.abort = dicom.AbortUnexpectedPDU
	return &negotiate.Fault{Stage: s, Reason: negotiate.ReasonMalformed, Peer: kind.String(),
		Sentence: "sends " + kind.String() + " where the protocol does not allow it: its DICOM software is broken"}
}

// malformed explains a PDU that could not be read. A SyntaxError never quotes what it read.
func (t *Talk) malformed(s negotiate.Stage, what string, err error) *negotiate.Fault {
	t.abort = dicom.AbortInvalidParameter
	var syntax *protocols.SyntaxError
	if errors.As(err, &syntax) {
		what += " (" + syntax.Msg + ")"
	}
	return &negotiate.Fault{Stage: s, Reason: negotiate.ReasonMalformed, Err: err, Sentence: what + ": its DICOM software is broken"}
}

// tooMuch explains a server that uses up MaxPDUs.
func (t *Talk) tooMuch(s negotiate.Stage) *negotiate.Fault {
	return &negotiate.Fault{Stage: s, Reason: negotiate.ReasonOversized,
		Sentence: "sends data without end instead of an answer: its DICOM software is broken"}
}
