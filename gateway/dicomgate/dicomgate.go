package dicomgate

import (
	"errors"
	"fmt"

	"gantry/protocols"
	"gantry/protocols/dicom"
)

// HeadLen is how many bytes Length needs to see to know all.
const HeadLen = dicom.HeaderLen

// Errors of a first PDU that is no association request.
var (
	// ErrNotDICOM is a first byte that begins no PDU.
	ErrNotDICOM = errors.New("not a DICOM upper layer PDU")
	// ErrUnexpected is another PDU than A-ASSOCIATE-RQ.
	ErrUnexpected = errors.New("the first PDU is not an A-ASSOCIATE-RQ")
	// ErrMalformed is an A-ASSOCIATE-RQ with an impossible length (over
	// dicom.MaxAssociatePDU bytes among them) or senseless items.
	ErrMalformed = errors.New("malformed A-ASSOCIATE-RQ")
)

// Length tells from the first bytes, at least one, how many must be there
// before more can be said: HeadLen while the header is incomplete, then the
// length of the whole PDU in bytes.
func Length(head []byte) (int, error) {
	t, length, err := dicom.DecodeHeader(head)
	switch {
	case errors.Is(err, protocols.ErrShort):
		return dicom.HeaderLen, nil
	case err != nil:
		return 0, ErrNotDICOM
	case t != dicom.TypeAssociateRQ:
		return 0, fmt.Errorf("%w but %s", ErrUnexpected, t)
	}
	if err := dicom.CheckLength(t, length, 0); err != nil {
		return 0, fmt.Errorf("%w: a length of %d bytes", ErrMalformed, length)
	}
	return dicom.HeaderLen + int(length), nil
}

// Read decodes a whole A-ASSOCIATE-RQ, which may have more bytes behind it.
func Read(first []byte) (*dicom.AssociateRQ, error) {
	n, err := Length(first)
	if err != nil {
		return nil, err
	}
	if n > len(first) {
		return nil, fmt.Errorf("%w: cut short", ErrMalformed)
	}
	rq, err := dicom.DecodeAssociateRQ(first[:n])
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return rq, nil
}

// The gateway's own answers, as whole PDUs (PS3.8 9.3.4 and 9.3.8).
var (
	noServer = dicom.RejectCongestion.Append(nil)
	full     = dicom.RejectLocalLimit.Append(nil)

	unexpected = dicom.AbortUnexpectedPDU.Append(nil)
)

// NoServer is the A-ASSOCIATE-RJ 2/3/1 (rejected transient, temporary
// congestion) for when no server can take the association.
func NoServer() []byte { return noServer }

// Full is the A-ASSOCIATE-RJ 2/3/2 (rejected transient, local limit exceeded)
// for when every place is taken.
func Full() []byte { return full }

// Unexpected is the A-ABORT 2/2 for a PDU that must not come at this moment.
func Unexpected() []byte { return unexpected }

// Answer returns the A-ABORT that fits an error of Length or Read.
func Answer(err error) []byte {
	abort := dicom.AbortInvalidParameter
	switch {
	case errors.Is(err, ErrNotDICOM):
		abort = dicom.AbortUnrecognizedPDU
	case errors.Is(err, ErrUnexpected):
		abort = dicom.AbortUnexpectedPDU
	}
	return abort.Append(nil)
}
