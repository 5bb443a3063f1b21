package dicomecho

import (
	"fmt"

	"gantry/negotiate"
	"gantry/protocols/dicom"
)

// lost explains a connection that broke, or a server that says nothing.
func (t *talk) lost(s negotiate.Stage, err error) *negotiate.Fault {
	f := negotiate.Lost(s, err, t.words(s))
	t.alive = f.Reason == negotiate.ReasonTimeout
	return f
}

// words are the sentences of each stage for the three ways in which a connection ends.
func (t *talk) words(s negotiate.Stage) negotiate.Words {
	switch s {
	case negotiate.StageOpen:
		why := "it does not accept this address, is shutting down"
		if !t.secure {
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
			Silent: "accepts the association but does not answer C-ECHO within " + t.time(s) +
				": its workers are all busy or stuck",
			Closed: "accepts the association, then closes the connection instead of answering C-ECHO",
			Reset:  "accepts the association, then resets the connection instead of answering C-ECHO: a worker may have crashed",
		}
	default:
		return negotiate.Words{
			Silent: "answers C-ECHO but not the release within " + t.time(s) +
				": associations may pile up on " + t.server + " until none is left",
			Closed: "answers C-ECHO, then closes without answering the release",
			Reset:  "answers C-ECHO, then resets the connection instead of answering the release",
		}
	}
}

// time is what a stage had, in words.
func (t *talk) time(s negotiate.Stage) string {
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

// rejected explains an A-ASSOCIATE-RJ.
func (t *talk) rejected(pdu []byte) *negotiate.Fault {
	rj, err := dicom.DecodeReject(pdu)
	if err != nil {
		return t.malformed(negotiate.StageOpen, "rejects the association with a malformed answer", err)
	}
	f := &negotiate.Fault{Stage: negotiate.StageOpen, Reason: negotiate.ReasonRejected,
		Peer: fmt.Sprintf("A-ASSOCIATE-RJ %d/%d/%d", rj.Result, rj.Source, rj.Reason)}
	form, known := advice[dicom.Reject{Source: rj.Source, Reason: rj.Reason}]
	if !known {
		f.Sentence = fmt.Sprintf("association rejected for a reason that the standard does not have (%d/%d/%d): the log of %s says why",
			rj.Result, rj.Source, rj.Reason, t.server)
		return f
	}
	f.Sentence = fmt.Sprintf(form, t.server, t.called, t.calling, " ("+how(rj)+")")
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
func (t *talk) aborted(s negotiate.Stage, pdu []byte, what string) *negotiate.Fault {
	f := &negotiate.Fault{Stage: s, Reason: negotiate.ReasonAborted, Peer: "A-ABORT",
		Sentence: what + ": the log of " + t.server + " says why"}
	if a, err := dicom.DecodeAbort(pdu); err == nil {
		f.Peer = fmt.Sprintf("A-ABORT %d/%d", a.Source, a.Reason)
		f.Sentence = what + " (" + a.String() + "): the log of " + t.server + " says why"
	}
	return f
}

// noContext explains an association that is of no use. The peer's words are its result.
func (t *talk) noContext(peer, sentence string) *negotiate.Fault {
	f := &negotiate.Fault{Stage: negotiate.StageOpen, Reason: negotiate.ReasonMismatch, Peer: peer, Sentence: sentence}
	if peer != "" {
		f.Reason = negotiate.ReasonRejected
	}
	return f
}

// mismatch explains an answer that is well-formed and wrong.
func (t *talk) mismatch(sentence string) *negotiate.Fault {
	return &negotiate.Fault{Stage: negotiate.StageAsk, Reason: negotiate.ReasonMismatch, Sentence: sentence}
}

// judge reads the answer to the C-ECHO-RQ with the given message id.
func (t *talk) judge(id uint16, c *dicom.Command) *negotiate.Fault {
	switch {
	case c.Field != dicom.CEchoRSP:
		return t.mismatch("answers C-ECHO-RQ with " + c.Name() + ": its DICOM software is broken")
	case c.MessageIDBeingRespondedTo != id:
		return t.mismatch(fmt.Sprintf("answers message %d although message %d was asked: it mixes up its answers",
			c.MessageIDBeingRespondedTo, id))
	case c.Status == dicom.StatusSuccess:
		return nil
	}
	f := &negotiate.Fault{Stage: negotiate.StageAsk, Reason: negotiate.ReasonBadStatus,
		Peer:     negotiate.PeerWords(fmt.Sprintf("C-ECHO-RSP %04X %s", c.Status, c.ErrorComment)),
		Sentence: fmt.Sprintf("answers C-ECHO with status %04X", c.Status) + t.statusAdvice(c.Status)}
	return f
}

// statusAdvice says what the failures of C-ECHO mean, PS3.7 9.1.5 and annex C.
func (t *talk) statusAdvice(status uint16) string {
	switch {
	case status == dicom.StatusClassNotSupported:
		return " (SOP class not supported): C-ECHO is switched off on " + t.server
	case status == dicom.StatusNotAuthorized:
		return " (not authorised): allow C-ECHO for '" + t.calling + "' on " + t.server
	case status == dicom.StatusProcessingFailure:
		return " (processing failure): the log of " + t.server + " says why"
	case status&0xFF00 == dicom.StatusOutOfResources:
		return " (out of resources): check disks and memory of " + t.server
	default:
		return " (" + dicom.StatusClassOf(status).String() + "): the log of " + t.server + " says why"
	}
}
