package dicomgate

import "gantry/protocols/dicom"

// Symptoms that Blame names: what a server did wrong by itself.
const (
	SymptomOutOfResources = "out-of-resources"
	SymptomAborted        = "aborted"
)

// Statuses that only a server in need says.
const (
	statusResourceLimitation uint16 = 0x0213 // PS3.7 C.5.22
	statusCannotCount        uint16 = 0xA701 // of C-MOVE and C-GET: number of matches. PS3.4 C.4.2.1.5, C.4.3.1.4
	outOfResourcesPrefix     uint16 = 0xA7   // of C-STORE and C-FIND: PS3.4 B.2.3, C.4.1.1.4
)

// Blame tells whether the response speaks of a server that lacks resources. A sub-operation that failed (A702), a
// destination that is not known (A801), objects or identifiers that do not fit (A9xx, Cxxx), a processing failure
// (0110) and refusals (0122, 0124) may each be the doing of the client or of a third party.
func (r Response) Blame() (symptom string, ok bool) {
	var short bool
	switch r.Command {
	case dicom.CStoreRQ, dicom.CFindRQ:
		short = r.Status>>8 == outOfResourcesPrefix
	case dicom.CMoveRQ, dicom.CGetRQ:
		short = r.Status == statusCannotCount
	}
	if r.From == Server && (short || r.Status == statusResourceLimitation) {
		return SymptomOutOfResources, true
	}
	return "", false
}

// Blame names the first thing that the server did wrong by itself: SymptomOutOfResources for the responses that
// Response.Blame speaks of, SymptomAborted for an A-ABORT 2/0. ok is false when there is nothing of the kind; that does
// not make the server healthy.
func (a *Association) Blame() (symptom string, ok bool) { return a.symptom, a.symptom != "" }

func (a *Association) blame(symptom string) {
	if a.symptom == "" {
		a.symptom = symptom
	}
}

// Healthy tells whether the server did its work here: it answered with success or a warning at least once, or the
// association was released.
func (a *Association) Healthy() bool { return a.healthy }
