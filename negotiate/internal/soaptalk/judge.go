package soaptalk

import (
	"context"
	"net/http"
	"strings"

	"gantry/negotiate"
	"gantry/protocols/xds"
)

// message judges an envelope: is it an answer to this question at all?
func (t *talk) message(m *xds.Message, p *xds.Package) (*xds.Response, *negotiate.Fault) {
	if m.RelatesTo != "" && m.RelatesTo != t.id {
		return nil, t.Fault(negotiate.ReasonMismatch, "answers another question than this one (RelatesTo does not match): it, or a cache in front of it, mixes up answers")
	}
	if f := m.Fault(); f != nil {
		return nil, t.soapFault(m, f)
	}
	if t.Response.StatusCode >= 300 {
		return nil, t.Fault(negotiate.ReasonBadStatus, t.statusSentence())
	}
	if m.Version == "1.1" {
		return nil, t.Fault(negotiate.ReasonMismatch, soap11Sentence)
	}
	r := m.Response(p)
	if r == nil || m.Content != t.question.Answer && !bareFailure(m, r) {
		return nil, t.Fault(negotiate.ReasonMismatch, "answers with "+shownName(m.Content)+" where "+t.question.Answer+
			" was expected: the path leads to another service, or it mixes up answers")
	}
	t.remark(m)
	return r, nil
}

// bareFailure: some stacks report errors of any transaction as a plain RegistryResponse.
func bareFailure(m *xds.Message, r *xds.Response) bool {
	return m.Content == "RegistryResponse" && r.Status != xds.StatusSuccess
}

func shownName(name string) string {
	if name == "" {
		return "an empty body"
	}
	return shownCode(name)
}

// remark notes what strict clients stumble over and others do not.
func (t *talk) remark(m *xds.Message) {
	sentence := ""
	switch {
	case m.RelatesTo == "":
		sentence = "answers without saying what it answers (no RelatesTo): strict clients refuse that"
	case m.Action != xds.ResponseAction(t.question.Action()):
		sentence = "answers with another wsa:Action than the profile asks for: strict clients refuse that"
	default:
		return
	}
	negotiate.Warn(t.ctx, t.Fault(negotiate.ReasonMismatch, sentence))
}

// soapFault judges a fault, whatever HTTP's status was.
func (t *talk) soapFault(m *xds.Message, f *xds.Fault) *negotiate.Fault {
	if t.expected(append([]string{f.Code}, f.Subcodes...)...) {
		return nil
	}
	codes := shownCodes(f)
	found := func(r negotiate.Reason, sentence string) *negotiate.Fault {
		fault := t.Fault(r, sentence)
		fault.Peer = negotiate.PeerWords(t.Status() + ", SOAP fault " + codes)
		return fault
	}
	if code := f.Security(); code != "" {
		negotiate.Degrade(t.ctx, found(negotiate.ReasonRejected, t.securitySentence(code)))
		return nil
	}
	switch sentence := t.refusal(f); {
	case f.Code == "Receiver" && sentence != "":
		return found(negotiate.ReasonBadStatus, sentence)
	case f.Code == "Receiver":
		return found(negotiate.ReasonBadStatus, "fails inside (SOAP fault "+codes+t.withStatus()+"): often its database or what else it needs; its own log says why")
	case m.Version == "1.1" || f.Code == "VersionMismatch":
		return found(negotiate.ReasonMismatch, soap11Sentence)
	case sentence != "":
		return found(negotiate.ReasonRejected, sentence)
	default:
		return found(negotiate.ReasonRejected, "refuses the question (SOAP fault "+codes+t.withStatus()+
			"): it lives, but the path leads to another service, or it wants what this check does not send; its own log says why")
	}
}

// withStatus tells of middleware that sends faults with 200.
func (t *talk) withStatus() string {
	if t.Response.StatusCode == http.StatusOK {
		return " with HTTP 200"
	}
	return ""
}

// refusal explains the refusals whose cause is known; empty for others.
func (t *talk) refusal(f *xds.Fault) string {
	if f.Code == "MustUnderstand" {
		return "does not understand a header of the question (SOAP fault MustUnderstand): WS-Addressing" + t.orSecurity() +
			" is switched off there, or the path leads to another service"
	}
	for _, code := range f.Subcodes {
		switch code {
		case "ActionNotSupported":
			return "does not know " + t.question.Action() + " (SOAP fault ActionNotSupported): the path leads to another service"
		case "DestinationUnreachable", "EndpointUnavailable":
			return "cannot reach the service behind it (SOAP fault " + code + "): that is down, or the path is wrong"
		}
	}
	return ""
}

func (t *talk) orSecurity() string {
	if t.secured {
		return " or WS-Security"
	}
	return ""
}

// soap11Sentence: XDS.b is SOAP 1.2 (IHE ITI TF-2 appendix V.3).
const soap11Sentence = "speaks SOAP 1.1 where XDS.b asks for 1.2: the path leads to another service, or its SOAP stack is set up wrong"

// securitySentence: a refusal of credentials proves that SOAP and the check of credentials work.
// It is never a reason to take a server out, or an assertion that expires would take out all.
func (t *talk) securitySentence(code string) string {
	if t.secured {
		return "answers, but refuses the WS-Security header of security_file (" + code +
			"): the assertion may have expired; if it has not, users are refused too"
	}
	return "answers, but wants a WS-Security header (" + code +
		"): give one in security_file, or accept this answer with expect_error: [" + code + "]"
}

// Judge reads status and errors of a response. refuse turns codes that show a living server into
// a fault by returning a sentence; it may be nil. Nil means that nothing speaks against the
// server, or that it was noted as degraded: look at the content if the status is Success or
// PartialSuccess.
func (c *Caller) Judge(ctx context.Context, r *xds.Response, refuse func(code string) string) *negotiate.Fault {
	var worst xds.Group
	code, all := "", []string{}
	for _, e := range speaking(r) {
		all = append(all, e.Code)
		if g := xds.GroupOf(e.Code); !c.expected(e.Code) && g > worst {
			worst, code = g, e.Code
		}
	}
	found := func(reason negotiate.Reason, sentence string) *negotiate.Fault {
		return &negotiate.Fault{Stage: negotiate.StageAsk, Reason: reason, Sentence: sentence, Peer: peerWords(r.Status, all)}
	}
	switch {
	case r.Status == xds.StatusSuccess:
		return nil
	case r.Status == xds.StatusOther:
		return found(negotiate.ReasonMalformed, "answers without a status of the profile: its software is broken")
	case len(all) == 0 && r.Status == xds.StatusPartialSuccess:
		negotiate.Degrade(ctx, found(negotiate.ReasonBadStatus, "answers in part only (PartialSuccess), and does not say what is missing"))
	case len(all) == 0:
		return found(negotiate.ReasonBadStatus, "reports Failure without an error code: its own log may say why")
	case worst == xds.GroupBusy:
		negotiate.Degrade(ctx, found(negotiate.ReasonBadStatus, "is too busy to answer ("+code+"): overloaded, or it waits for its database"))
	case worst == xds.GroupAlive && refuse != nil && refuse(code) != "":
		return found(negotiate.ReasonMismatch, refuse(code))
	case worst > xds.GroupAlive:
		return found(negotiate.ReasonBadStatus, c.groupSentence(worst, code))
	}
	return nil
}

// speaking are the errors that explain a status. Warnings explain a Failure where nothing else does:
// some servers report a refusal with the severity Warning.
func speaking(r *xds.Response) []xds.Error {
	var found []xds.Error
	for _, e := range r.Errors {
		if !e.Warning {
			found = append(found, e)
		}
	}
	if len(found) == 0 && r.Status == xds.StatusFailure {
		return r.Errors
	}
	return found
}

func peerWords(s xds.Status, codes []string) string {
	words := []string{s.String()}
	for _, code := range codes {
		words = append(words, shownCode(code))
	}
	return negotiate.PeerWords(strings.Join(words, " "))
}
