package dicomgate

import (
	"fmt"

	"gantry/protocols/dicom"
)

// Phase is how far an accepted association has come.
type Phase uint8

// The phases, in their order.
const (
	Open         Phase = iota
	ReleaseAsked       // an A-RELEASE-RQ has passed
	Released           // its A-RELEASE-RP has passed too; both of them when both sides had asked
	Aborted            // an A-ABORT has passed
)

// Stage is how far an association has come, and by whom.
type Stage struct {
	Phase Phase
	By    Side        // who asked for the release first, or aborted
	Abort dicom.Abort // of Aborted
}

// String gives "open", "release asked by the client", "released by the client", or "by the server: aborted by the service
// provider: reason not specified (2/0)".
func (s Stage) String() string {
	switch s.Phase {
	case Open:
		return "open"
	case ReleaseAsked:
		return fmt.Sprintf("release asked by the %s", s.By)
	case Released:
		return fmt.Sprintf("released by the %s", s.By)
	}
	return fmt.Sprintf("by the %s: %s", s.By, s.Abort)
}

// Stage tells how far the association has come. What a side sent while it was out of sight is not in it.
func (a *Association) Stage() Stage { return a.stage }

// whole takes the PDUs that end an association; others have no place in it and are the peers' affair.
func (a *Association) whole(from Side, t dicom.PDUType, pdu []byte) {
	if a.over() {
		return
	}
	switch t {
	case dicom.TypeReleaseRQ:
		a.asked[from] = true
		if a.stage.Phase == Open {
			a.stage = Stage{Phase: ReleaseAsked, By: from}
		}
	case dicom.TypeReleaseRP:
		a.release(from)
	case dicom.TypeAbort:
		a.abort(from, pdu)
	}
}

// over tells that nothing more is said in this association.
func (a *Association) over() bool { return a.stage.Phase >= Released }

// release takes an A-RELEASE-RP. When both sides have asked there are two of them. PS3.8 7.2.2.7.
func (a *Association) release(from Side) {
	a.replied[from] = true
	if a.asked[Client] && a.asked[Server] && !a.replied[from.other()] {
		return
	}
	if a.stage.Phase == Open { // the request passed unseen
		a.stage.By = from.other()
	}
	a.stage.Phase = Released
	a.healthy = true
}

func (a *Association) abort(from Side, pdu []byte) {
	abort, err := dicom.DecodeAbort(pdu)
	if err != nil {
		return // cannot be: the scanner has checked type and length
	}
	a.stage = Stage{Phase: Aborted, By: from, Abort: abort}
	// An abort that complains of a PDU, or comes from the application, may be the client's doing; so may one after
	// bytes of the client that made no sense.
	if from == Server && abort == dicom.AbortProvider && a.Trouble(Client) == nil {
		a.blame(SymptomAborted)
	}
}
