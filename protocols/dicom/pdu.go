package dicom

import (
	"encoding/binary"
	"fmt"

	"gantry/protocols"
)

// HeaderLen is the size of the header that every PDU begins with: type,
// reserved byte, length of the rest. PS3.8 9.3.1.
const HeaderLen = 6

// Limits on lengths that a peer claims. Each is checked before the bytes are
// waited for.
const (
	// MaxAssociatePDU bounds a whole A-ASSOCIATE-RQ or -AC, header included.
	// 128 contexts make 13 kB, a SAML identity adds at most 64 KiB.
	MaxAssociatePDU = 1 << 20
	// MaxDataPDU bounds the length field of a P-DATA-TF for receivers that
	// announced "no limit": the value dcm4che has too.
	MaxDataPDU = 16 << 20
	// fixedAssociateLen is the part of an A-ASSOCIATE body before its items:
	// version 2, reserved 2, AE titles 16 and 16, reserved 32.
	fixedAssociateLen = 68
	// shortBodyLen is the body of the four PDUs that have no variable part.
	shortBodyLen = 4
)

// PDUType is the first byte of a PDU. PS3.8 9.3.1.
type PDUType byte

// The seven PDU types.
const (
	TypeAssociateRQ PDUType = 1 // association request
	TypeAssociateAC PDUType = 2 // association accepted
	TypeAssociateRJ PDUType = 3 // association rejected: result, source, reason
	TypeData        PDUType = 4 // P-DATA-TF: presentation data values
	TypeReleaseRQ   PDUType = 5 // orderly end asked for
	TypeReleaseRP   PDUType = 6 // orderly end agreed to
	TypeAbort       PDUType = 7 // end at once: source, reason
)

var pduNames = [...]string{
	TypeAssociateRQ: "A-ASSOCIATE-RQ",
	TypeAssociateAC: "A-ASSOCIATE-AC",
	TypeAssociateRJ: "A-ASSOCIATE-RJ",
	TypeData:        "P-DATA-TF",
	TypeReleaseRQ:   "A-RELEASE-RQ",
	TypeReleaseRP:   "A-RELEASE-RP",
	TypeAbort:       "A-ABORT",
}

// Valid tells whether the standard knows the type.
func (t PDUType) Valid() bool { return t >= TypeAssociateRQ && t <= TypeAbort }

// String gives the standard's name, or "PDU type 47" for a byte (hexadecimal)
// that is none.
func (t PDUType) String() string {
	if t.Valid() {
		return pduNames[t]
	}
	return fmt.Sprintf("PDU type %02X", byte(t))
}

// DecodeHeader reads the header of a PDU: its type and the number of bytes that
// follow the header. The length is what the peer claims; put it through
// CheckLength before waiting for it.
//
// A first byte that no PDU begins with is a SyntaxError at once, because a peer
// that speaks another protocol may never send six bytes. The type is returned
// in that case too. The right answer to it is AbortUnrecognizedPDU.
func DecodeHeader(b []byte) (t PDUType, length uint32, err error) {
	if len(b) > 0 && !PDUType(b[0]).Valid() {
		return PDUType(b[0]), 0, syntaxErrorf(0, "%v is not known to the upper layer", PDUType(b[0]))
	}
	if len(b) < HeaderLen {
		return 0, 0, protocols.ErrShort
	}
	return PDUType(b[0]), binary.BigEndian.Uint32(b[2:]), nil
}

// CheckLength compares the length field of a PDU with the limits of its type:
// 4 for RJ, RELEASE and ABORT, 68 bytes up to MaxAssociatePDU for RQ and AC,
// and for P-DATA-TF at least one empty PDV (6) and at most maxData, which is
// what the receiver announced in its association PDU; 0 stands for MaxDataPDU.
// The right answer to the error is AbortInvalidParameter.
func CheckLength(t PDUType, length, maxData uint32) error {
	low, high := uint32(shortBodyLen), uint32(shortBodyLen)
	switch t {
	case TypeAssociateRQ, TypeAssociateAC:
		low, high = fixedAssociateLen, MaxAssociatePDU-HeaderLen
	case TypeData:
		low, high = pdvHeadLen, maxData
		if maxData == 0 {
			high = MaxDataPDU
		}
	}
	if length < low || length > high {
		return syntaxErrorf(2, "%v of length %d, allowed are %d to %d", t, length, low, high)
	}
	return nil
}

// wholePDU checks type and length of one whole PDU and returns exactly its bytes,
// header included; what follows in b is left alone.
func wholePDU(b []byte, want PDUType) ([]byte, error) {
	t, length, err := DecodeHeader(b)
	if err != nil {
		return nil, err
	}
	if t != want {
		return nil, syntaxErrorf(0, "%v where %v was expected", t, want)
	}
	if err := CheckLength(t, length, 0); err != nil {
		return nil, err
	}
	if len(b)-HeaderLen < int(length) {
		return nil, protocols.ErrShort
	}
	return b[:HeaderLen+int(length)], nil
}

// appendHeader begins a PDU whose length is filled in by setLength, once known.
func appendHeader(dst []byte, t PDUType) []byte {
	return append(dst, byte(t), 0, 0, 0, 0, 0)
}

// setLength completes the PDU that begins at start and ends with the slice.
func setLength(dst []byte, start int) []byte {
	binary.BigEndian.PutUint32(dst[start+2:], uint32(len(dst)-start-HeaderLen))
	return dst
}

func syntaxErrorf(offset int, format string, args ...any) error {
	return &protocols.SyntaxError{Proto: "dicom", Offset: offset, Msg: fmt.Sprintf(format, args...)}
}
