package dicomstore

import (
	"context"
	"net"
	"time"

	"gantry/negotiate"
	"gantry/negotiate/internal/dicomtalk"
	"gantry/protocols/dicom"
)

// How often and after which pauses the stored image is searched for: some archives enter an object into their database
// only after they have confirmed it.
const (
	ReadBackTries = 4
	ReadBackPause = 250 * time.Millisecond // doubled each time
)

// probe is one configured object. It is safe for several conversations at once.
type probe struct {
	caller     *dicomtalk.Caller
	image      image
	identifier []byte // nil = nothing is read back
}

var _ negotiate.Narrator = (*probe)(nil)

// Negotiate holds one conversation: associate, store, search if asked to, release.
func (p *probe) Negotiate(ctx context.Context, conn net.Conn) error {
	return p.caller.Hold(ctx, conn, func(t *dicomtalk.Talk) *negotiate.Fault {
		kept, fault := p.store(t)
		if fault != nil || !kept || p.identifier == nil {
			return fault
		}
		return p.readBack(ctx, t)
	})
}

// Narrate puts a conversation into words.
func (p *probe) Narrate(chunks []negotiate.Chunk) []negotiate.Passage {
	return dicomtalk.Narrate(chunks)
}

// store sends the image and judges the answer. kept is false when the server lives but did not want the image.
func (p *probe) store(t *dicomtalk.Talk) (kept bool, fault *negotiate.Fault) {
	id, fault := t.Send("C-STORE", dicomtalk.Message{
		Context: storeContext,
		Command: dicom.Command{AffectedSOPClassUID: dicom.SecondaryCaptureUID, Field: dicom.CStoreRQ,
			DataSetType: dicom.WithDataSet, AffectedSOPInstanceUID: p.image.uid},
		Data: p.image.reader(), Size: p.image.size(),
	})
	if fault != nil {
		return false, fault
	}
	rsp, fault := t.Response(dicom.CStoreRQ, storeContext, id)
	if fault != nil {
		return false, fault
	}
	if stored(rsp.Status) {
		return true, nil
	}
	return false, t.Failed(rsp)
}

// stored tells what counts as kept: success, the warnings of PS3.4 table B.2-1, and that the image is there already.
func stored(status uint16) bool {
	class := dicom.StatusClassOf(status)
	return class == dicom.ClassSuccess || class == dicom.ClassWarning || status == dicom.StatusDuplicateInstance
}

// readBack searches for the image.
func (p *probe) readBack(ctx context.Context, t *dicomtalk.Talk) *negotiate.Fault {
	pause := ReadBackPause
	for try := 1; ; try++ {
		found, fault := t.Find(dicomtalk.Query{
			Context: findContext, SOPClass: dicom.StudyRootFindUID, Identifier: p.identifier,
			Key: tagSOPInstanceUID, Value: p.image.uid, Most: dicomtalk.MaxMatches,
		})
		switch {
		case fault != nil, found.Refused, found.Matches > 0:
			return fault
		case found.Endless, try == ReadBackTries:
			return t.Mismatch("answers C-STORE with success, but C-FIND does not find the image: what it confirms does not reach its database")
		}
		if fault := wait(ctx, t, pause); fault != nil {
			return fault
		}
		pause *= 2
	}
}

const tagSOPInstanceUID dicom.Tag = 0x00080018

// wait pauses, unless the time of the check is over.
func wait(ctx context.Context, t *dicomtalk.Talk, pause time.Duration) *negotiate.Fault {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return t.Mismatch("answers C-STORE with success, but C-FIND did not find the image within " + negotiate.Within(ctx) +
			": what it confirms does not reach its database")
	}
}
