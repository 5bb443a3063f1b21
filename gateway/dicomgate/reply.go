package dicomgate

import (
	"errors"
	"fmt"

	"gantry/protocols"
	"gantry/protocols/dicom"
)

// ErrNoReply is what cannot be a server's answer to an A-ASSOCIATE-RQ: another protocol, another PDU, a length that
// its type does not have.
var ErrNoReply = errors.New("no answer to an A-ASSOCIATE-RQ")

// ReplyKind is how a server answered an A-ASSOCIATE-RQ.
type ReplyKind uint8

// The kinds of replies.
const (
	Unfinished ReplyKind = iota // more bytes are needed
	Accepted
	Rejected
	AbortedAtOnce
)

// String gives "unfinished", "accepted", "rejected" or "aborted".
func (k ReplyKind) String() string {
	return [...]string{"unfinished", "accepted", "rejected", "aborted"}[k]
}

// Reply is what a server said to an A-ASSOCIATE-RQ.
type Reply struct {
	Kind ReplyKind
	// Len is the length of the whole PDU in bytes; what follows it belongs to the association. While the reply is
	// Unfinished it is what must be there before more can be said.
	Len int
	// AC of an Accepted reply. It is nil when its items make no sense; Note says why then. Its framing is sound and
	// the client may understand it, so it is an acceptance for whoever only passes it on.
	AC     *dicom.AssociateAC
	Note   string
	Reject dicom.Reject // of Rejected
	Abort  dicom.Abort  // of AbortedAtOnce
}

// ReadReply reads all that a server has said so far, which may be nothing. It fails with an error that wraps ErrNoReply
// as soon as the bytes show that no answer begins there.
func ReadReply(b []byte) (Reply, error) {
	if len(b) == 0 {
		return Reply{Len: dicom.HeaderLen}, nil
	}
	switch t := dicom.PDUType(b[0]); {
	case !t.Valid():
		return Reply{}, fmt.Errorf("%w: not a DICOM upper layer PDU", ErrNoReply)
	case t != dicom.TypeAssociateAC && t != dicom.TypeAssociateRJ && t != dicom.TypeAbort:
		return Reply{}, fmt.Errorf("%w but %s", ErrNoReply, t)
	}
	t, length, err := dicom.DecodeHeader(b)
	if errors.Is(err, protocols.ErrShort) {
		return Reply{Len: dicom.HeaderLen}, nil
	}
	if err := dicom.CheckLength(t, length, 0); err != nil {
		return Reply{}, fmt.Errorf("%w: %s of length %d", ErrNoReply, t, length)
	}
	r := Reply{Len: dicom.HeaderLen + int(length)}
	if len(b) >= r.Len {
		r.read(t, b[:r.Len])
	}
	return r, nil
}

// read takes the whole PDU, whose type and length are right.
func (r *Reply) read(t dicom.PDUType, pdu []byte) {
	var err error
	switch t {
	case dicom.TypeAssociateAC:
		r.Kind = Accepted
		r.AC, err = dicom.DecodeAssociateAC(pdu)
	case dicom.TypeAssociateRJ:
		r.Kind = Rejected
		r.Reject, err = dicom.DecodeReject(pdu)
	default:
		r.Kind = AbortedAtOnce
		r.Abort, err = dicom.DecodeAbort(pdu)
	}
	if err != nil {
		r.Note = err.Error()
	}
}
