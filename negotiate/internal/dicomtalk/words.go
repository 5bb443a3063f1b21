package dicomtalk

import (
	"fmt"

	"gantry/negotiate"
	"gantry/protocols/dicom"
)

// lost explains a connection that broke, or a server that says nothing. Silence where an answer to
// the association request should be is also what a server with a single place does while that is taken.
func (t *Talk) lost(s negotiate.Stage, err error) *negotiate.Fault {
	return t.ended(s, negotiate.Lost(s, err, t.words(s)))
}

// lostWrite is lost for a request that could not be written.
func (t *Talk) lostWrite(s negotiate.Stage, err error) *negotiate.Fault {
	return t.ended(s, negotiate.LostWrite(s, t.conn, err, t.words(s)))
}

// ended notes whether the server may still hold the association.
func (t *Talk) ended(s negotiate.Stage, f *negotiate.Fault) *negotiate.Fault {
	t.alive = f.Reason == negotiate.ReasonTimeout
	f.Busy = t.alive && s == negotiate.StageOpen
	return f
}

// words are the sentences of each stage for the three ways in which a connection ends.
func (t *Talk) words(s negotiate.Stage) negotiate.Words {
	switch s {
	case negotiate.StageOpen:
		why := "it does not accept this address, is shutting down"
		if !t.Secure {
			why += ", expects TLS"
		}
		why += ", or the port belongs to another service"
		return negotiate.Words{
			Silent: "accepts TCP but does not answer an association request within " + t.time(s) +
				": process hung or its single listener thread is blocked",
			Closed: "closes the connection without answering the association request: " + why,
			Reset:  "resets the connection without answering the association request: " + why,
		}
	case negotiate.StageAsk:
		return negotiate.Words{
			Silent: "accepts the association but does not answer " + t.operation + " within " + t.time(s) + ": " + t.stuck(),
			Closed: "accepts the association, then closes the connection instead of answering " + t.operation,
			Reset:  "accepts the association, then resets the connection instead of answering " + t.operation + ": a worker may have crashed",
		}
	default:
		return negotiate.Words{
			Silent: "answers " + t.operation + " but not the release within " + t.time(s) +
				": associations may pile up on " + t.Server + " until none is left",
			Closed: "answers " + t.operation + ", then closes without answering the release",
			Reset:  "answers " + t.operation + ", then resets the connection instead of answering the release",
		}
	}
}

// stuck says what usually hangs when an operation is never answered.
func (t *Talk) stuck() string {
	switch t.operation {
	case "C-FIND":
		return "its database hangs or is locked, or its workers are all busy"
	case "C-STORE":
		return "its storage hangs, or its workers are all busy"
	default:
		return "its workers are all busy or stuck"
	}
}

// time is what a stage had, in words.
func (t *Talk) time(s negotiate.Stage) string {
	if s == negotiate.StageClose {
		return negotiate.Seconds(ReleaseWait)
	}
	return negotiate.Within(t.ctx)
}

// advice says what to do about each reject of PS3.8 table 9-21. %[1]s is the server, %[2]s the
// called and %[3]s the calling AE title.
var advice = map[dicom.Reject]string{
	{Source: 1, Reason: 1}: "association rejected without a reason%[4]s: the log of %[1]s says why; often an AE title or address is not allowed",
	{Source: 1, Reason: 2}: "application context not supported%[4]s: %[1]s is not a DICOM storage or query server, or its software is broken",
	{Source: 1, Reason: 3}: "calling AE title '%[3]s' not recognised%[4]s: add '%[3]s' to the AE titles that %[1]s knows",
	{Source: 1, Reason: 7}: "called AE title '%[2]s' not recognised%[4]s: check the AE title table of %[1]s",
	{Source: 2, Reason: 1}: "association rejected without a reason%[4]s: the log of %[1]s says why",
	{Source: 2, Reason: 2}: "protocol version not supported%[4]s: the DICOM software of %[1]s is broken",
	{Source: 3, Reason: 1}: "temporary congestion%[4]s: %[1]s is overloaded or shutting down",
	{Source: 3, Reason: 2}: "local limit exceeded%[4]s: all association slots of %[1]s are taken; too few are configured, or clients leave theirs open",
}

// calledUnknown is the reason of a service user that does not go by the called AE title.
const calledUnknown = 7

// rejected explains an A-ASSOCIATE-RJ, unless it is one that was expected.
func (t *Talk) rejected(pdu []byte) *negotiate.Fault {
	rj, err := dicom.DecodeReject(pdu)
	if err != nil {
		return t.malformed(negotiate.StageOpen, "rejects the association with a malformed answer", err)
	}
	if t.Expected != nil && t.Expected(rj) {
		return nil
	}
	f := &negotiate.Fault{Stage: negotiate.StageOpen, Reason: negotiate.ReasonRejected,
		Peer: fmt.Sprintf("A-ASSOCIATE-RJ %d/%d/%d", rj.Result, rj.Source, rj.Reason),
		Busy: rj == dicom.RejectCongestion || rj == dicom.RejectLocalLimit}
	form, known := advice[dicom.Reject{Source: rj.Source, Reason: rj.Reason}]
	if !known {
		f.Sentence = fmt.Sprintf("association rejected for a reason that the standard does not have (%d/%d/%d): the log of %s says why",
			rj.Result, rj.Source, rj.Reason, t.Server)
		return f
	}
	f.Sentence = fmt.Sprintf(form, t.Server, t.Called, t.Calling, " ("+how(rj)+")")
	if rj.Source == 1 && rj.Reason == calledUnknown && t.Called == DefaultCalledAE {
		f.Sentence += ", and set called_ae to its title"
	}
	return f
}

// how says for how long a reject holds, and which part of the server said it.
func how(rj dicom.Reject) string {
	by := map[byte]string{1: "the service user", 2: "the service provider", 3: "the service provider"}[rj.Source]
	switch rj.Result {
	case dicom.RejectedPermanent:
		return "rejected permanently by " + by
	case dicom.RejectedTransient:
		return "rejected for now by " + by
	default:
		return fmt.Sprintf("rejected by %s with unknown result %d", by, rj.Result)
	}
}

// aborted explains an A-ABORT; a malformed one is an abort still.
func (t *Talk) aborted(s negotiate.Stage, pdu []byte, what string) *negotiate.Fault {
	f := &negotiate.Fault{Stage: s, Reason: negotiate.ReasonAborted, Peer: "A-ABORT",
		Sentence: what + ": the log of " + t.Server + " says why"}
	if a, err := dicom.DecodeAbort(pdu); err == nil {
		f.Peer = fmt.Sprintf("A-ABORT %d/%d", a.Source, a.Reason)
		f.Sentence = what + " (" + a.String() + "): the log of " + t.Server + " says why"
	}
	return f
}

// noContext explains an association that is of no use. The peer's words are its result.
func (t *Talk) noContext(peer, sentence string) *negotiate.Fault {
	f := &negotiate.Fault{Stage: negotiate.StageOpen, Reason: negotiate.ReasonMismatch, Peer: peer, Sentence: sentence}
	if peer != "" {
		f.Reason = negotiate.ReasonRejected
	}
	return f
}

// Mismatch explains an answer that is well-formed and wrong.
func (t *Talk) Mismatch(sentence string) *negotiate.Fault {
	return &negotiate.Fault{Stage: negotiate.StageAsk, Reason: negotiate.ReasonMismatch, Sentence: sentence}
}
