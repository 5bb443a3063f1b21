package dicomtalk

import (
	"fmt"

	"gantry/negotiate"
	"gantry/protocols/dicom"
)

// Response reads the next answer to a request and makes sure that it is one: on the context, of the
// command and for the message id of the request. Its status is left for the caller to judge, and its data
// set, if one follows, for DataSet to read.
func (t *Talk) Response(request uint16, context byte, id uint16) (*dicom.Command, *negotiate.Fault) {
	alive := t.alive
	rsp, fault := t.response(request, context, id)
	if t.broken != nil && (fault != nil || dicom.StatusClassOf(rsp.Status) != dicom.ClassFailure) {
		t.alive = alive
		return nil, t.broken // no good answer to half a request
	}
	return rsp, fault
}

func (t *Talk) response(request uint16, context byte, id uint16) (*dicom.Command, *negotiate.Fault) {
	for range MaxPDUs {
		for len(t.waiting) > 0 {
			pdv := t.next()
			if pdv.ContextID != context {
				return nil, t.Mismatch("answers " + t.operation + " on a presentation context that was not agreed upon")
			}
			command, err := t.commands.Add(pdv)
			if err != nil {
				return nil, t.malformed(negotiate.StageAsk, "answers "+t.operation+" with a malformed command", err)
			}
			if command != nil {
				return command, t.answers(request, id, command)
			}
			if !pdv.Command {
				return nil, t.Mismatch("answers " + t.operation + " with a data set that belongs to no command: its DICOM software is broken")
			}
		}
		if fault := t.more(); fault != nil {
			return nil, fault
		}
	}
	return nil, t.tooMuch(negotiate.StageAsk)
}

// answers compares an answer with what was asked.
func (t *Talk) answers(request, id uint16, c *dicom.Command) *negotiate.Fault {
	asked := dicom.Command{Field: request}
	switch {
	case c.Field != request|dicom.ResponseBit:
		return t.Mismatch("answers " + asked.Name() + " with " + c.Name() + ": its DICOM software is broken")
	case c.MessageIDBeingRespondedTo != id:
		return t.Mismatch(fmt.Sprintf("answers message %d although message %d was asked: it mixes up its answers",
			c.MessageIDBeingRespondedTo, id))
	}
	return nil
}

// DataSet reads the data set that follows an answer, up to MaxIdentifier bytes.
func (t *Talk) DataSet(context byte) ([]byte, *negotiate.Fault) {
	var set []byte
	for range MaxPDUs {
		for len(t.waiting) > 0 {
			pdv := t.next()
			switch {
			case pdv.Command:
				return nil, t.Mismatch("answers " + t.operation + " with a command where its data set should come: its DICOM software is broken")
			case pdv.ContextID != context:
				return nil, t.Mismatch("answers " + t.operation + " on a presentation context that was not agreed upon")
			case len(set)+len(pdv.Data) > MaxIdentifier:
				return nil, t.tooMuch(negotiate.StageAsk)
			}
			set = append(set, pdv.Data...)
			if pdv.Last {
				return set, nil
			}
		}
		if fault := t.more(); fault != nil {
			return nil, fault
		}
	}
	return nil, t.tooMuch(negotiate.StageAsk)
}

// next takes the first of the waiting PDVs.
func (t *Talk) next() dicom.PDV {
	pdv := t.waiting[0]
	t.waiting = t.waiting[1:]
	return pdv
}

// more reads one P-DATA-TF into waiting; anything else ends the conversation.
func (t *Talk) more() *negotiate.Fault {
	kind, pdu, fault := t.read(negotiate.StageAsk)
	if fault != nil {
		return fault
	}
	switch kind {
	case dicom.TypeData:
		pdvs, err := dicom.DecodePDVs(pdu[dicom.HeaderLen:])
		if err != nil {
			return t.malformed(negotiate.StageAsk, "answers "+t.operation+" with a malformed P-DATA-TF", err)
		}
		t.waiting = pdvs
		return nil
	case dicom.TypeAbort:
		t.alive = false
		return t.aborted(negotiate.StageAsk, pdu, "accepts the association, then aborts it instead of answering "+t.operation)
	case dicom.TypeReleaseRQ:
		// Answering ends the association on both sides: an abort on top would only make noise.
		t.alive = false
		negotiate.Farewell(t.conn, dicom.AppendReleaseRP(nil))
		return &negotiate.Fault{Stage: negotiate.StageAsk, Reason: negotiate.ReasonClosed, Peer: "A-RELEASE-RQ",
			Sentence: "accepts the association, then releases it instead of answering " + t.operation}
	default:
		return t.unexpected(negotiate.StageAsk, kind)
	}
}
