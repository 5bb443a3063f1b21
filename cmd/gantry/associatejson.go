package main

import (
	"time"

	"gantry/negotiate/dicomassociate"
	"gantry/negotiate/transcript"
	"gantry/protocols/dicom"
)

// associateReport is a survey for programs. Names are the keywords of PS3.6, or UIDs where there is none.
type associateReport struct {
	Target         string                `json:"target"`
	CalledAE       string                `json:"called_ae"`
	CallingAE      string                `json:"calling_ae"`
	Verdict        string                `json:"verdict"` // accepted | partly | refused | failed
	Message        string                `json:"message"`
	Peer           string                `json:"peer,omitempty"` // what the server itself said, when an association failed
	Server         *associateServer      `json:"server"`         // null when it accepted no association
	Odd            []string              `json:"odd"`
	Associations   []associateOne        `json:"associations"`
	SOPClasses     int                   `json:"sop_classes"`
	SOPClassesGood int                   `json:"sop_classes_accepted"` // in at least one transfer syntax
	Pairs          []associatePairReport `json:"pairs"`
}

// associateServer is what a server says about itself.
type associateServer struct {
	ImplementationClassUID string              `json:"implementation_class_uid"`
	ImplementationVersion  string              `json:"implementation_version"`
	MaxPDU                 uint32              `json:"max_pdu"` // bytes; 0 = no limit
	Async                  *associateWindow    `json:"async"`   // null = one operation at a time
	Roles                  []associateRole     `json:"roles"`
	Extended               []associateExtended `json:"extended_negotiation"`
}

type associateWindow struct {
	Invoked   uint16 `json:"invoked"` // 0 = unlimited
	Performed uint16 `json:"performed"`
}

type associateRole struct {
	SOPClass string `json:"sop_class"`
	Answered bool   `json:"answered"`
	AskedSCU bool   `json:"asked_scu"`
	AskedSCP bool   `json:"asked_scp"`
	SCU      bool   `json:"scu"`
	SCP      bool   `json:"scp"`
}

type associateExtended struct {
	SOPClass string   `json:"sop_class"`
	Answered bool     `json:"answered"`
	Granted  []string `json:"granted"`
}

// associateOne is one association.
type associateOne struct {
	Start      time.Time            `json:"start"`
	DurationMS float64              `json:"duration_ms"`
	Proposed   int                  `json:"proposed"`
	Accepted   int                  `json:"accepted"`
	Stages     []stageReport        `json:"stages"`
	Stage      string               `json:"stage,omitempty"` // where it failed
	Reason     string               `json:"reason,omitempty"`
	Peer       string               `json:"peer,omitempty"`
	Message    string               `json:"message,omitempty"`
	Warning    *warningReport       `json:"warning,omitempty"`
	Transcript []transcript.Passage `json:"transcript,omitempty"`
}

// associatePairReport is one pair. Code is the result of PS3.8 table 9-18, of accepted and refused pairs alone.
type associatePairReport struct {
	SOPClass          string `json:"sop_class"`
	SOPClassUID       string `json:"sop_class_uid"`
	TransferSyntax    string `json:"transfer_syntax"`
	TransferSyntaxUID string `json:"transfer_syntax_uid"`
	Answer            string `json:"answer"` // accepted | refused | misfit | unanswered | lost | not-asked
	Code              *int   `json:"code"`
	Words             string `json:"words"`
}

func (a *associating) report(s surveyed) associateReport {
	r := associateReport{Target: s.target, CalledAE: s.Called, CallingAE: s.Calling, Verdict: string(s.Verdict()), Message: s.Sentence(),
		Server: serverReport(s.Facts), Odd: append([]string{}, s.Odd...), Associations: []associateOne{}, Pairs: []associatePairReport{}}
	if f := s.Fault(); f != nil {
		r.Peer = f.Peer
	}
	for _, one := range s.Associations {
		r.Associations = append(r.Associations, a.associationReport(one))
	}
	for _, c := range s.Classes() {
		r.SOPClasses++
		if c.Accepted() > 0 {
			r.SOPClassesGood++
		}
	}
	for _, p := range s.Pairs {
		r.Pairs = append(r.Pairs, pairReport(p))
	}
	return r
}

func pairReport(p dicomassociate.PairResult) associatePairReport {
	out := associatePairReport{SOPClass: dicomassociate.Name(p.SOPClass), SOPClassUID: p.SOPClass,
		TransferSyntax: dicomassociate.Name(p.TransferSyntax), TransferSyntaxUID: p.TransferSyntax, Answer: string(p.Answer), Words: p.Words()}
	if p.Answer == dicomassociate.Accepted || p.Answer == dicomassociate.Refused {
		code := int(p.Code)
		out.Code = &code
	}
	return out
}

func serverReport(f *dicomassociate.Facts) *associateServer {
	if f == nil {
		return nil
	}
	out := &associateServer{ImplementationClassUID: f.ImplementationClassUID, ImplementationVersion: f.ImplementationVersion,
		MaxPDU: f.MaxPDU, Async: windowReport(f.Async), Roles: []associateRole{}, Extended: []associateExtended{}}
	for _, r := range f.Roles {
		out.Roles = append(out.Roles, associateRole{dicomassociate.Name(r.Asked.SOPClassUID), r.Answered, r.Asked.SCU, r.Asked.SCP, r.Got.SCU, r.Got.SCP})
	}
	for _, e := range f.Extended {
		out.Extended = append(out.Extended, associateExtended{dicomassociate.Name(e.SOPClass), e.Answered, append([]string{}, e.Granted...)})
	}
	return out
}

func windowReport(w *dicom.AsyncWindow) *associateWindow {
	if w == nil {
		return nil
	}
	return &associateWindow{w.Invoked, w.Performed}
}

func (a *associating) associationReport(one dicomassociate.Association) associateOne {
	out := associateOne{Start: one.Start, DurationMS: transcript.Milliseconds(one.Duration), Proposed: one.Proposed, Accepted: one.Accepted, Stages: []stageReport{}}
	for _, s := range one.Stages {
		out.Stages = append(out.Stages, stageReport{string(s.Stage), transcript.Milliseconds(s.Took), stageWord(one.Result, s.Stage)})
	}
	if f := one.Fault; f != nil {
		out.Stage, out.Reason, out.Peer, out.Message = string(f.Stage), string(f.Reason), f.Peer, f.Error()
	}
	if w := one.Warning; w != nil {
		out.Warning = &warningReport{string(w.Stage), string(w.Reason), w.Peer, w.Error()}
	}
	if a.verbose > 0 {
		out.Transcript = transcript.Of(one.Transcript)
	}
	return out
}

// compareReport is a comparison for programs.
type compareReport struct {
	Verdict string            `json:"verdict"` // same | different | not-comparable
	Message string            `json:"message"`
	Pairs   []pairDifference  `json:"pairs"` // those that differ
	Facts   []factDifference  `json:"facts"`
	Servers []associateReport `json:"servers"` // both surveys in full
}

type pairDifference struct {
	SOPClass       string `json:"sop_class"`
	TransferSyntax string `json:"transfer_syntax"`
	A              string `json:"a"`
	B              string `json:"b"`
}

type factDifference struct {
	What string `json:"what"`
	A    string `json:"a"`
	B    string `json:"b"`
}

func (a *associating) compareReport(c comparison) compareReport {
	verdict, message := c.sentence()
	out := compareReport{Verdict: verdict, Message: message, Pairs: []pairDifference{}, Facts: []factDifference{},
		Servers: []associateReport{a.report(c.a), a.report(c.b)}}
	for _, d := range c.Pairs {
		out.Pairs = append(out.Pairs, pairDifference{dicomassociate.Name(d.A.SOPClass), dicomassociate.Name(d.A.TransferSyntax), d.A.Words(), d.B.Words()})
	}
	for _, f := range c.Facts {
		out.Facts = append(out.Facts, factDifference(f))
	}
	return out
}
