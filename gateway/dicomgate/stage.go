package dicomgate

import (
	"fmt"

	"gantry/protocols/dicom"
)

// Stage is how far an accepted association has come.
type Stage uint8

// The stages, in their order.
const (
	Open         Stage = iota
	ReleaseAsked       // an A-RELEASE-RQ has passed
	Released           // its A-RELEASE-RP has passed too; both of them when both sides had asked
	Aborted            // an A-ABORT has passed
)

// String gives "open", "release asked", "released" or "aborted".
func (s Stage) String() string {
	return [...]string{"open", "release asked", "released", "aborted"}[s]
}

// Stage tells how far the association has come. What a side sent while it was out of sight is not in it.
func (a *Association) Stage() Stage { return a.stage }

// ReleaseAskedBy is who asked for the release first; without meaning unless the stage is ReleaseAsked or Released.
func (a *Association) ReleaseAskedBy() Side { return a.by }

// AbortedBy is who aborted, and how; without meaning unless the stage is Aborted.
func (a *Association) AbortedBy() (Side, dicom.Abort) { return a.by, a.aborted }

// Ending tells the stage in one sentence: "open", "release asked by the client", "released by the client", or "A-ABORT from
// the server: aborted by the service provider: reason not specified (2/0)".
func (a *Association) Ending() string {
	switch a.stage {
	case Open:
		return a.stage.String()
	case Aborted:
		return fmt.Sprintf("A-ABORT from the %s: %s", a.by, a.aborted)
	}
	return fmt.Sprintf("%s by the %s", a.stage, a.by)
}

// whole takes the PDUs that end an association; others have no place in it and are the peers' affair.
func (a *Association) whole(from Side, t dicom.PDUType, pdu []byte) {
	if a.over() {
		return
	}
	switch t {
	case dicom.TypeReleaseRQ:
		a.asked[from] = true
		if a.stage == Open {
			a.stage, a.by = ReleaseAsked, from
		}
	case dicom.TypeReleaseRP:
		a.release(from)
	case dicom.TypeAbort:
		a.abort(from, pdu)
	}
}

// OwesRelease tells that a side was asked for the release and has neither agreed nor aborted.
func (a *Association) OwesRelease(by Side) bool {
	return !a.over() && a.asked[by.other()] && !a.replied[by]
}

// over tells that nothing more is said in this association.
func (a *Association) over() bool { return a.stage >= Released }

// release takes an A-RELEASE-RP. When both sides have asked there are two of them. PS3.8 7.2.2.7.
func (a *Association) release(from Side) {
	a.replied[from] = true
	if a.asked[Client] && a.asked[Server] && !a.replied[from.other()] {
		return
	}
	if a.stage == Open { // the request passed unseen
		a.by = from.other()
	}
	a.stage = Released
	a.healthy = true
}

func (a *Association) abort(from Side, pdu []byte) {
	abort, err := dicom.DecodeAbort(pdu)
	if err != nil {
		return // cannot be: the scanner has checked type and length
	}
	a.stage, a.by, a.aborted = Aborted, from, abort
	// An abort that complains of a PDU, or comes from the application, may be the client's doing; so may one after
	// bytes of the client that made no sense.
	if from == Server && abort == dicom.AbortProvider && !a.Garbled(Client) {
		a.blame(SymptomAborted)
	}
}
