package dicomtalk

import (
	"bufio"
	"context"
	"net"

	"gantry/negotiate"
	"gantry/protocols/dicom"
)

// Talk is one conversation on one connection. It is used by one goroutine.
type Talk struct {
	*Caller
	ctx    context.Context
	conn   net.Conn
	reader *bufio.Reader

	operation string // what is asked just now, for words: "C-ECHO"
	maxSend   uint32 // the largest P-DATA-TF that the server takes; 0 = it does not say
	commands  dicom.Assembler
	waiting   []dicom.PDV // read, and not yet looked at

	broken *negotiate.Fault // the request could not be sent to its end, but something like an answer to it is there

	alive bool        // the server has not ended the conversation: it is owed an A-ABORT or a release
	abort dicom.Abort // and this is the abort that fits
}

func newTalk(ctx context.Context, c *Caller, conn net.Conn) *Talk {
	return &Talk{Caller: c, ctx: ctx, conn: conn, reader: bufio.NewReaderSize(conn, 1024),
		operation: c.first, alive: true}
}

// open asks for the association and judges the answer.
func (t *Talk) open() *negotiate.Fault {
	ac, _, fault := t.associate()
	if fault != nil || ac == nil {
		return fault
	}
	return t.accepted(ac)
}

// associate asks for the association and reads the answer. Without a fault there is an A-ASSOCIATE-AC, decoded and as
// it came, or nil after a reject that was expected.
func (t *Talk) associate() (*dicom.AssociateAC, []byte, *negotiate.Fault) {
	negotiate.Enter(t.ctx, negotiate.StageOpen)
	if _, err := t.conn.Write(t.request); err != nil {
		return nil, nil, t.lostWrite(negotiate.StageOpen, err)
	}
	kind, pdu, fault := t.read(negotiate.StageOpen)
	if fault != nil {
		return nil, nil, fault
	}
	switch kind {
	case dicom.TypeAssociateAC:
		ac, err := dicom.DecodeAssociateAC(pdu)
		if err != nil {
			return nil, nil, t.malformed(negotiate.StageOpen, "accepts the association with a malformed answer", err)
		}
		return ac, pdu, nil
	case dicom.TypeAssociateRJ:
		t.alive = false
		return nil, nil, t.rejected(pdu)
	case dicom.TypeAbort:
		t.alive = false
		return nil, nil, t.aborted(negotiate.StageOpen, pdu, "aborts instead of answering the association request")
	default:
		return nil, nil, t.unexpected(negotiate.StageOpen, kind)
	}
}

// accepted looks into an A-ASSOCIATE-AC: having one says little, the contexts decide.
func (t *Talk) accepted(ac *dicom.AssociateAC) *negotiate.Fault {
	switch {
	case len(ac.Results) == 0:
		return t.noContext("", "accepts the association but answers no presentation context at all: its DICOM software is broken")
	case ac.MaxLength != 0 && ac.MaxLength < minPDU:
		return t.tooSmall(ac.MaxLength)
	}
	t.maxSend = ac.MaxLength
	for i, c := range t.contexts {
		if fault := t.agreed(ac, dicom.ContextID(i), c); fault != nil {
			return fault
		}
	}
	return nil
}

// agreed judges the answer to one context.
func (t *Talk) agreed(ac *dicom.AssociateAC, id byte, c Context) *negotiate.Fault {
	answer, found := ac.Context(id)
	switch {
	case !found && len(t.contexts) == 1:
		return t.noContext("", "accepts the association but answers another presentation context than the one proposed")
	case !found:
		return t.noContext("", "accepts the association but leaves the "+c.Service+" in it without an answer: its DICOM software is broken")
	case answer.Result == dicom.TransferSyntaxesRejected:
		return t.noContext(answer.Result.String(), "accepts the association but not the "+c.Service+" in it with Implicit VR Little Endian (transfer syntaxes not supported), "+
			"which every DICOM server must take: look at the transfer syntaxes that "+t.Server+" is set up for")
	case answer.Result != dicom.Accepted:
		return t.noContext(answer.Result.String(), "accepts the association but not the "+c.Service+" in it ("+
			answer.Result.String()+"): "+c.Operation+" is switched off on "+t.Server+", or not allowed for '"+t.Calling+"'")
	case !c.NoDataSet && answer.TransferSyntax != dicom.ImplicitVRLittleEndianUID:
		return t.noContext("", "accepts the "+c.Service+" with a transfer syntax that was not proposed: its DICOM software is broken")
	}
	return nil
}

// hangUp aborts a conversation that the server has not ended.
func (t *Talk) hangUp() {
	if t.alive {
		t.alive = false
		negotiate.Farewell(t.conn, t.abort.Append(nil))
	}
}

// Drop ends a conversation that is of no more use, although nothing failed: a release would have to
// wait for all that is still under way.
func (t *Talk) Drop() { t.hangUp() }

// close releases the association. The server has shown that it works, so trouble here is
// only a warning; but without an answer it gets an A-ABORT, and is free either way.
func (t *Talk) close() {
	negotiate.Enter(t.ctx, negotiate.StageClose)
	if fault := t.release(); fault != nil {
		negotiate.Warn(t.ctx, fault)
		t.hangUp()
	}
}

// release takes all that may lawfully come before the answer to A-RELEASE-RQ.
func (t *Talk) release() *negotiate.Fault {
	negotiate.ReadWithin(t.ctx, t.conn, ReleaseWait)
	if _, err := t.conn.Write(dicom.AppendReleaseRQ(nil)); err != nil {
		return t.lost(negotiate.StageClose, err)
	}
	for range MaxPDUs {
		kind, pdu, fault := t.read(negotiate.StageClose)
		if fault != nil {
			return fault
		}
		switch kind {
		case dicom.TypeReleaseRP:
			return nil
		case dicom.TypeReleaseRQ: // both at once: the requestor answers first, PS3.8 9.2.3 (AR-8)
			if _, err := t.conn.Write(dicom.AppendReleaseRP(nil)); err != nil {
				return t.lost(negotiate.StageClose, err)
			}
		case dicom.TypeData: // may still be under way
		case dicom.TypeAbort:
			t.alive = false
			return t.aborted(negotiate.StageClose, pdu, "answers "+t.operation+", then aborts instead of releasing")
		default:
			return t.unexpected(negotiate.StageClose, kind)
		}
	}
	return t.tooMuch(negotiate.StageClose)
}
