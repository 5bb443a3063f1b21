package dicomtalk

import (
	"context"
	"net"

	"gantry/negotiate"
	"gantry/protocols/dicom"
)

// Proposal is an association that is asked for to see what the server answers. Nothing is asked over it.
type Proposal struct {
	// Contexts are proposed as they are, up to 128 of them.
	Contexts []dicom.PresentationContext
	// MaxLength is announced as the largest P-DATA-TF to receive; 0 = the usual 16384.
	MaxLength uint32
	Async     *dicom.AsyncWindow
	Roles     []dicom.Role
	Extended  []dicom.ExtendedNegotiation
}

// Accepted is an A-ASSOCIATE-AC as it was understood, and as it came, header included.
type Accepted struct {
	*dicom.AssociateAC
	PDU []byte
}

// Proposer makes one proposal, as often as it is told to. It is safe for several conversations at once.
type Proposer struct{ caller Caller }

// NewProposer prepares a proposal to a server.
func NewProposer(p Peer, what Proposal) *Proposer {
	if what.MaxLength == 0 {
		what.MaxLength = maxData
	}
	rq := p.associate(what.MaxLength)
	rq.Contexts, rq.Async, rq.Roles, rq.Extended = what.Contexts, what.Async, what.Roles, what.Extended
	return &Proposer{Caller{Peer: p, first: "the association request", request: rq.Append(nil)}}
}

// Peer is whom it asks.
func (p *Proposer) Peer() Peer { return p.caller.Peer }

// Hold asks for the association, hands the answer to judge, and releases. It returns nil or a *negotiate.Fault: of the
// conversation, or what judge says. An association that was accepted is released whatever judge says: the server did
// nothing wrong in it.
func (p *Proposer) Hold(ctx context.Context, conn net.Conn, judge func(Accepted) *negotiate.Fault) error {
	t := newTalk(ctx, &p.caller, conn)
	ac, pdu, fault := t.associate()
	if fault != nil {
		t.hangUp()
		return fault
	}
	fault = judge(Accepted{ac, pdu})
	t.close()
	if fault != nil {
		return fault
	}
	return nil
}
