package dicomecho

import (
	"bufio"
	"context"
	"net"
	"sync/atomic"
	"time"

	"gantry/negotiate"
	"gantry/protocols/dicom"
)

// Bounds of one conversation.
const (
	// MaxAnswer bounds an A-ASSOCIATE-AC, in bytes. One context needs about 200.
	MaxAnswer = 64 << 10
	// MaxPDUs bounds the PDUs read for one answer: a C-ECHO-RSP needs one, and a server
	// that sends thousands of empty ones is as good as silent.
	MaxPDUs = 64
	// ReleaseWait is how long the answer to the release is waited for.
	ReleaseWait = time.Second
)

// probe is one configured question. It is safe for several conversations at once.
type probe struct {
	called, calling string
	server          string // for words
	secure          bool
	request         []byte        // the A-ASSOCIATE-RQ
	asked           atomic.Uint32 // C-ECHO requests so far
}

var _ negotiate.Prober = (*probe)(nil)

// Negotiate holds one conversation: associate, echo, release. When that fails while the
// server may still hold the association, it is aborted.
func (p *probe) Negotiate(ctx context.Context, conn net.Conn) error {
	t := &talk{probe: p, ctx: ctx, conn: conn, reader: bufio.NewReaderSize(conn, 1024)}
	if fault := t.openAndAsk(); fault != nil {
		if t.alive {
			negotiate.Farewell(conn, t.abort.Append(nil))
		}
		return fault
	}
	t.close()
	return nil
}

// talk is one run of a probe on one connection.
type talk struct {
	*probe
	ctx    context.Context
	conn   net.Conn
	reader *bufio.Reader

	alive bool        // the server has not ended the conversation: it is owed an A-ABORT
	abort dicom.Abort // and this is the one that fits
}

// openAndAsk is the part that decides about the server's health.
func (t *talk) openAndAsk() *negotiate.Fault {
	t.alive = true
	if fault := t.open(); fault != nil {
		return fault
	}
	return t.ask()
}

// open asks for the association and reads the answer.
func (t *talk) open() *negotiate.Fault {
	negotiate.Enter(t.ctx, negotiate.StageOpen)
	if _, err := t.conn.Write(t.request); err != nil {
		return t.lost(negotiate.StageOpen, err)
	}
	kind, pdu, fault := t.read(negotiate.StageOpen)
	if fault != nil {
		return fault
	}
	switch kind {
	case dicom.TypeAssociateAC:
		return t.accepted(pdu)
	case dicom.TypeAssociateRJ:
		t.alive = false
		return t.rejected(pdu)
	case dicom.TypeAbort:
		t.alive = false
		return t.aborted(negotiate.StageOpen, pdu, "aborts instead of answering the association request")
	default:
		return t.unexpected(negotiate.StageOpen, kind)
	}
}

// accepted looks into an A-ASSOCIATE-AC: having one says little, the context decides.
func (t *talk) accepted(pdu []byte) *negotiate.Fault {
	ac, err := dicom.DecodeAssociateAC(pdu)
	if err != nil {
		return t.malformed(negotiate.StageOpen, "accepts the association with a malformed answer", err)
	}
	answer, found := ac.Context(contextID)
	// The chosen transfer syntax is not looked at: C-ECHO has no data set that would use it.
	switch {
	case len(ac.Results) == 0:
		return t.noContext("", "accepts the association but answers no presentation context at all")
	case !found:
		return t.noContext("", "accepts the association but answers another presentation context than the one proposed")
	case answer.Result != dicom.Accepted:
		return t.noContext(answer.Result.String(), "accepts the association but not the Verification service in it ("+
			answer.Result.String()+"): C-ECHO is switched off on "+t.server+", or not allowed for '"+t.calling+"'")
	}
	return nil
}

// ask sends the C-ECHO-RQ and reads until its answer is complete.
func (t *talk) ask() *negotiate.Fault {
	negotiate.Enter(t.ctx, negotiate.StageAsk)
	id := t.nextID()
	if _, err := t.conn.Write(echo(id)); err != nil {
		return t.lost(negotiate.StageAsk, err)
	}
	var commands dicom.Assembler
	for range MaxPDUs {
		kind, pdu, fault := t.read(negotiate.StageAsk)
		if fault != nil {
			return fault
		}
		switch kind {
		case dicom.TypeData:
			command, fault := t.command(&commands, pdu)
			if fault != nil {
				return fault
			}
			if command != nil {
				return t.judge(id, command)
			}
		case dicom.TypeAbort:
			t.alive = false
			return t.aborted(negotiate.StageAsk, pdu, "accepts the association, then aborts it instead of answering C-ECHO")
		case dicom.TypeReleaseRQ:
			// Answering ends the association on both sides: an abort on top would only make noise.
			t.alive = false
			negotiate.Farewell(t.conn, dicom.AppendReleaseRP(nil))
			return &negotiate.Fault{Stage: negotiate.StageAsk, Reason: negotiate.ReasonClosed, Peer: "A-RELEASE-RQ",
				Sentence: "accepts the association, then releases it instead of answering C-ECHO"}
		default:
			return t.unexpected(negotiate.StageAsk, kind)
		}
	}
	return t.tooMuch(negotiate.StageAsk)
}

// nextID numbers the requests, so that an answer to another one can be told. Each
// association has one request, so the numbers may come round again; 0 is left out because
// it is what a server without a number in mind would send.
func (p *probe) nextID() uint16 {
	return uint16((p.asked.Add(1)-1)%0xFFFF) + 1
}

// echo is a whole C-ECHO-RQ, PS3.7 9.3.5.1.
func echo(id uint16) []byte {
	rq := dicom.Command{
		AffectedSOPClassUID: dicom.VerificationUID, Field: dicom.CEchoRQ,
		MessageID: id, DataSetType: dicom.NoDataSet,
	}
	return dicom.AppendPData(nil, dicom.PDV{ContextID: contextID, Command: true, Last: true, Data: rq.Append(nil)})
}

// command adds the fragments of one P-DATA-TF and returns the command set once it is complete.
func (t *talk) command(commands *dicom.Assembler, pdu []byte) (*dicom.Command, *negotiate.Fault) {
	pdvs, err := dicom.DecodePDVs(pdu[dicom.HeaderLen:])
	if err != nil {
		return nil, t.malformed(negotiate.StageAsk, "answers C-ECHO with a malformed P-DATA-TF", err)
	}
	for _, pdv := range pdvs {
		if pdv.ContextID != contextID {
			return nil, t.mismatch("answers C-ECHO on a presentation context that was not agreed upon")
		}
		command, err := commands.Add(pdv)
		if err != nil {
			return nil, t.malformed(negotiate.StageAsk, "answers C-ECHO with a malformed command", err)
		}
		if command != nil {
			return command, nil
		}
	}
	return nil, nil
}

// close releases the association. The server has shown that it works, so trouble here is
// only a warning; but without an answer it gets an A-ABORT, and is free either way.
func (t *talk) close() {
	negotiate.Enter(t.ctx, negotiate.StageClose)
	fault := t.release()
	if fault == nil {
		return
	}
	negotiate.Warn(t.ctx, fault)
	if t.alive {
		negotiate.Farewell(t.conn, dicom.AbortUser.Append(nil))
	}
}

// release takes all that may lawfully come before the answer to A-RELEASE-RQ.
func (t *talk) release() *negotiate.Fault {
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
			return t.aborted(negotiate.StageClose, pdu, "answers C-ECHO, then aborts instead of releasing")
		default:
			return t.unexpected(negotiate.StageClose, kind)
		}
	}
	return t.tooMuch(negotiate.StageClose)
}
