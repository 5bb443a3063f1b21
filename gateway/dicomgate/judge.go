package dicomgate

import "gantry/protocols/dicom"

// The words of a Refusal: why the gateway does not pass an A-ASSOCIATE-RQ on. A closed set.
const (
	WhyVersion    = "version"     // protocol version 1 is not offered
	WhyCalledAE   = "called-ae"   // the called AE title is empty or not accepted
	WhyCallingAE  = "calling-ae"  // the same of the calling one
	WhyNoContexts = "no-contexts" // nothing is proposed
	WhyRoute      = "route"       // a route rejects it
)

// Refusal is what the gateway answers in its own name to a request that no server shall see.
type Refusal struct {
	Why    string       // one of the words above
	Reject dicom.Reject // the answer, unless it is the zero value
	Abort  dicom.Abort  // the answer otherwise
}

// Append adds the PDU of the answer to dst: an A-ASSOCIATE-RJ or an A-ABORT of 10 bytes.
func (r *Refusal) Append(dst []byte) []byte {
	if r.Reject != (dicom.Reject{}) {
		return r.Reject.Append(dst)
	}
	return r.Abort.Append(dst)
}

// The refusals there are. They are shared and not changed.
var (
	refuseVersion    = &Refusal{Why: WhyVersion, Reject: dicom.RejectVersion}
	refuseCalledAE   = &Refusal{Why: WhyCalledAE, Reject: dicom.RejectCalledAE}
	refuseCallingAE  = &Refusal{Why: WhyCallingAE, Reject: dicom.RejectCallingAE}
	refuseNoContexts = &Refusal{Why: WhyNoContexts, Abort: dicom.AbortInvalidParameter}
)

// Acceptance says which AE titles may come, and where to. The zero value accepts all that are not empty.
type Acceptance struct {
	Called, Calling Patterns
	IgnoreCase      bool // of letters in AE titles
}

// Judge returns nil for a request that may go to a server, else the answer to it: A-ASSOCIATE-RJ 1/2/2 without protocol
// version 1, 1/1/7 and 1/1/3 for a called and a calling AE title that is empty or not accepted (PS3.8 table 9-21), and
// A-ABORT 2/6 when there is no presentation context at all (PS3.8 table 9-26). The first of these counts.
func (a *Acceptance) Judge(rq *dicom.AssociateRQ) (refusal *Refusal) {
	switch {
	case !rq.SpeaksVersion1():
		return refuseVersion
	case !a.accepts(a.Called, rq.CalledAE):
		return refuseCalledAE
	case !a.accepts(a.Calling, rq.CallingAE):
		return refuseCallingAE
	case len(rq.Contexts) == 0:
		return refuseNoContexts
	}
	return nil
}

// accepts refuses a title of padding alone, whatever the patterns say.
func (a *Acceptance) accepts(some Patterns, title string) bool {
	title = bareTitle(title)
	return title != "" && some.Match(title, a.IgnoreCase)
}
