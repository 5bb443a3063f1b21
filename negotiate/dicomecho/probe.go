package dicomecho

import (
	"context"
	"net"

	"gantry/negotiate"
	"gantry/negotiate/internal/dicomtalk"
	"gantry/protocols/dicom"
)

// contextID is the one presentation context that is proposed.
const contextID = 1

// verification is proposed without a data set: C-ECHO has none, so that the transfer syntax which the
// server chooses does not matter.
var verification = dicomtalk.Context{SOPClass: dicom.VerificationUID, Service: "Verification service", Operation: "C-ECHO", NoDataSet: true}

// probe is one configured question. It is safe for several conversations at once.
type probe struct{ caller *dicomtalk.Caller }

var _ negotiate.Narrator = (*probe)(nil)

// Negotiate holds one conversation: associate, echo, release.
func (p *probe) Negotiate(ctx context.Context, conn net.Conn) error {
	return p.caller.Hold(ctx, conn, ask)
}

// Narrate puts a conversation into words.
func (p *probe) Narrate(chunks []negotiate.Chunk) []negotiate.Passage {
	return dicomtalk.Narrate(chunks)
}

// ask sends a C-ECHO-RQ, PS3.7 9.3.5.1, and judges its answer.
func ask(t *dicomtalk.Talk) *negotiate.Fault {
	id, fault := t.Send("C-ECHO", dicomtalk.Message{
		Context: contextID,
		Command: dicom.Command{AffectedSOPClassUID: dicom.VerificationUID, Field: dicom.CEchoRQ, DataSetType: dicom.NoDataSet},
	})
	if fault != nil {
		return fault
	}
	rsp, fault := t.Response(dicom.CEchoRQ, contextID, id)
	switch {
	case fault != nil:
		return fault
	case rsp.Status != dicom.StatusSuccess:
		return t.BadStatus(rsp)
	}
	return nil
}
