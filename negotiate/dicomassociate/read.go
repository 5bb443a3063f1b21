package dicomassociate

import (
	"slices"

	"gantry/negotiate"
	"gantry/negotiate/internal/dicomtalk"
	"gantry/protocols/dicom"
)

// read takes the answers of one association out of its AC: one for each pair of the request, in its order.
func read(r request, ac *dicom.AssociateAC) []PairResult {
	results := make([]PairResult, len(r.pairs))
	for i, p := range r.pairs {
		results[i] = PairResult{Pair: p, Answer: Unanswered}
		answer, found := ac.Context(dicom.ContextID(i))
		switch {
		case !found:
		case answer.Result != dicom.Accepted:
			results[i].Answer, results[i].Code = Refused, answer.Result
		case answer.TransferSyntax != p.TransferSyntax:
			results[i].Answer, results[i].Chosen = Misfit, answer.TransferSyntax
		default:
			results[i].Answer = Accepted
		}
	}
	return results
}

// maxVersionName is the length of an implementation version name, PS3.7 D.3.3.2.
const maxVersionName = 16

// factsOf is what the server says about itself.
func factsOf(r request, ac *dicom.AssociateAC) Facts {
	f := Facts{
		ImplementationClassUID: implementation(ac.ImplementationClassUID),
		ImplementationVersion:  negotiate.PeerWords(ac.ImplementationVersion[:min(len(ac.ImplementationVersion), maxVersionName)]),
		MaxPDU:                 ac.MaxLength, AsyncAsked: r.Async, Async: ac.Async,
	}
	for _, asked := range r.Roles {
		a := RoleAnswer{Asked: asked, Got: dicom.Role{SOPClassUID: asked.SOPClassUID, SCU: true}}
		if i := slices.IndexFunc(ac.Roles, func(g dicom.Role) bool { return g.SOPClassUID == asked.SOPClassUID }); i >= 0 {
			a.Answered, a.Got = true, ac.Roles[i]
		}
		f.Roles = append(f.Roles, a)
	}
	for _, asked := range r.Extended {
		a := ExtendedAnswer{SOPClass: asked.SOPClassUID}
		if i := slices.IndexFunc(ac.Extended, func(g dicom.ExtendedNegotiation) bool { return g.SOPClassUID == asked.SOPClassUID }); i >= 0 {
			a.Answered, a.Granted = true, grantedWords(asked.SOPClassUID, ac.Extended[i].Info)
		}
		f.Extended = append(f.Extended, a)
	}
	return f
}

func implementation(uid string) string {
	if uid == "" {
		return ""
	}
	return dicomtalk.UIDWord(uid)
}

// merge adds what a later association says about classes that the earlier ones did not have.
func (f *Facts) merge(later Facts) {
	for _, a := range later.Roles {
		if !slices.ContainsFunc(f.Roles, func(b RoleAnswer) bool { return a.Asked.SOPClassUID == b.Asked.SOPClassUID }) {
			f.Roles = append(f.Roles, a)
		}
	}
	for _, a := range later.Extended {
		if !slices.ContainsFunc(f.Extended, func(b ExtendedAnswer) bool { return a.SOPClass == b.SOPClass }) {
			f.Extended = append(f.Extended, a)
		}
	}
}

// another tells whether a later association was answered by something else than the first one.
func (f *Facts) another(later Facts) bool {
	return f.ImplementationClassUID != later.ImplementationClassUID || f.ImplementationVersion != later.ImplementationVersion ||
		f.MaxPDU != later.MaxPDU
}
