package dicom

import "fmt"

// Abort is an A-ABORT. PS3.8 9.3.8. Whoever sends it closes the connection
// itself, after a short wait at most: some peers never do.
type Abort struct{ Source, Reason byte }

// Values of Abort.Source.
const (
	AbortedByUser     byte = 0 // by the application; the reason has no meaning
	AbortedByProvider byte = 2
)

// The aborts that have a meaning. PS3.8 table 9-26.
var (
	AbortUser                  = Abort{0, 0}
	AbortProvider              = Abort{2, 0} // not specified; a connection was lost
	AbortUnrecognizedPDU       = Abort{2, 1} // the type is none of 1 to 7
	AbortUnexpectedPDU         = Abort{2, 2} // not in this state
	AbortUnrecognizedParameter = Abort{2, 4}
	AbortUnexpectedParameter   = Abort{2, 5}
	AbortInvalidParameter      = Abort{2, 6} // a bad length, a malformed item
)

var abortReasons = map[byte]string{
	0: "reason not specified",
	1: "unrecognized PDU",
	2: "unexpected PDU",
	4: "unrecognized PDU parameter",
	5: "unexpected PDU parameter",
	6: "invalid PDU parameter value",
}

// String gives "aborted by the service provider: unexpected PDU (2/2)".
func (a Abort) String() string {
	switch a.Source {
	case AbortedByUser:
		return fmt.Sprintf("aborted by the service user (%d/%d)", a.Source, a.Reason)
	case AbortedByProvider:
		return fmt.Sprintf("aborted by the service provider: %s (%d/%d)",
			word(abortReasons[a.Reason], "reason", a.Reason), a.Source, a.Reason)
	}
	return fmt.Sprintf("aborted by an unknown source (%d/%d)", a.Source, a.Reason)
}

// Append adds the whole PDU, 10 bytes, to dst.
func (a Abort) Append(dst []byte) []byte {
	return append(dst, byte(TypeAbort), 0, 0, 0, 0, shortBodyLen, 0, 0, a.Source, a.Reason)
}

// DecodeAbort reads a whole A-ABORT, header included, with any numbers.
func DecodeAbort(pdu []byte) (Abort, error) {
	pdu, err := wholePDU(pdu, TypeAbort)
	if err != nil {
		return Abort{}, err
	}
	return Abort{Source: pdu[8], Reason: pdu[9]}, nil
}

// AppendReleaseRQ adds an A-RELEASE-RQ, 10 bytes. PS3.8 9.3.6.
func AppendReleaseRQ(dst []byte) []byte { return appendRelease(dst, TypeReleaseRQ) }

// AppendReleaseRP adds an A-RELEASE-RP, 10 bytes. PS3.8 9.3.7. The requestor of
// the association closes the connection after it.
func AppendReleaseRP(dst []byte) []byte { return appendRelease(dst, TypeReleaseRP) }

func appendRelease(dst []byte, t PDUType) []byte {
	return append(dst, byte(t), 0, 0, 0, 0, shortBodyLen, 0, 0, 0, 0)
}
