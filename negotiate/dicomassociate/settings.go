package dicomassociate

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gantry/negotiate"
	"gantry/negotiate/internal/dicomtalk"
	"gantry/protocols/dicom"
)

// Settings of the kind "dicom-associate".
type Settings struct {
	CalledAE       string   `yaml:"called_ae" min:"1" max:"16" doc:"AE title that the check asks for. Absent: the server's ae_title, else the only title without wildcards in the service's accept_called_ae, else ANY-SCP."`
	CallingAE      string   `yaml:"calling_ae" default:"GANTRY" min:"1" max:"16" doc:"AE title that the check gives itself. Not one of a client: servers count associations by it. Servers that let each client do other things must know it as one that stores."`
	Expect         []string `yaml:"expect" min:"1" max:"128" doc:"What must be accepted: a SOP class in a transfer syntax, CTImageStorage/JPEG2000Lossless; or a SOP class in any of transfer_syntax, CTImageStorage. Names are the keywords of PS3.6, or UIDs. Absent, as profile and sop_class are: Verification."`
	Profile        string   `yaml:"profile" enum:"ct,mr,us,cr,dx,mg,xa,nm,pt,rt,sc,sr,ecg,wsi,es,qr,mwl,mpps,storage-commitment,print" doc:"Each SOP class that such a modality typically proposes, Verification left out, must be accepted, in any of its transfer syntaxes or in those of transfer_syntax. gantry associate --profile shows them, and what a server makes of them."`
	SOPClass       []string `yaml:"sop_class" min:"1" max:"128" doc:"SOP classes, each of which must be accepted, in any of the two uncompressed transfer syntaxes of little endian or in those of transfer_syntax."`
	TransferSyntax []string `yaml:"transfer_syntax" min:"1" max:"64" doc:"Transfer syntaxes. Each SOP class of profile and sop_class must be accepted in every one of them, those that expect names alone in any one."`
}

// want is one thing that is expected of a server: a SOP class in all of the transfer syntaxes, or in any of them.
type want struct {
	class    string
	syntaxes []string
	any      bool
}

// String is how the want is named in sentences.
func (w want) String() string {
	if w.any {
		return Name(w.class)
	}
	return Pair{w.class, w.syntaxes[0]}.String()
}

var _ negotiate.Settings = (*Settings)(nil)

// Validate reports AE titles and names that are none, and more than one association can ask for.
func (s *Settings) Validate(report func(key, got, want string)) {
	dicomtalk.ValidTitle("called_ae", s.CalledAE, report)
	dicomtalk.ValidTitle("calling_ae", s.CallingAE, report)
	bad := false
	wants := s.wants(func(key, got string, err error) {
		bad = true
		report(key, strconv.Quote(got), err.Error())
	})
	if !bad && len(s.TransferSyntax) > 0 && len(s.Expect) == 0 && s.Profile == "" && len(s.SOPClass) == 0 {
		report("transfer_syntax", strconv.Quote(s.TransferSyntax[0]), "add profile, sop_class or expect: what is to be accepted in it")
	}
	if n := len(pairsOf(wants)); n > MaxContexts && !bad {
		report(s.longest(), strconv.Itoa(n)+" presentation contexts", fmt.Sprintf("one association has %d of them: expect less, or divide it into several checks", MaxContexts))
	}
}

// longest is the key to blame when there is too much of everything.
func (s *Settings) longest() string {
	switch {
	case len(s.Expect) > len(s.SOPClass):
		return "expect"
	case len(s.SOPClass) > 0:
		return "sop_class"
	}
	return "transfer_syntax"
}

// wants is all that is expected. What cannot be understood is reported and left out.
func (s *Settings) wants(report func(key, got string, err error)) []want {
	read := func(key string, list []string, uid func(string) (string, error)) (uids []string) {
		for i, text := range list {
			u, err := uid(text)
			if err != nil {
				report(fmt.Sprintf("%s[%d]", key, i), text, err)
				continue
			}
			uids = append(uids, u)
		}
		return uids
	}
	syntaxes := read("transfer_syntax", s.TransferSyntax, TransferSyntaxUID)
	var wants []want
	if s.Profile != "" {
		p, known := LookupProfile(s.Profile)
		if !known || s.Profile == AllProfile {
			report("profile", s.Profile, fmt.Errorf("write one of %s", strings.Join(checkProfiles(), ", ")))
			p = profiles[0]
		}
		for _, proposal := range p.Proposals[1:] { // without Verification: a server that has lost all else would only be degraded
			wants = append(wants, wantEach(proposal.SOPClasses, syntaxes, proposal.TransferSyntaxes)...)
		}
	}
	wants = append(wants, wantEach(read("sop_class", s.SOPClass, SOPClassUID), syntaxes, plain)...)
	for i, text := range s.Expect {
		w, err := parseWant(text, orElse(syntaxes, plain))
		if err != nil {
			report(fmt.Sprintf("expect[%d]", i), text, err)
			continue
		}
		wants = append(wants, w)
	}
	if len(s.Expect) == 0 && s.Profile == "" && len(s.SOPClass) == 0 {
		wants = wantEach([]string{dicom.VerificationUID}, syntaxes, plain)
	}
	return wants
}

// wantEach wants each class in every one of the syntaxes, or, when there are none, in any of the others.
func wantEach(classes, syntaxes, otherwise []string) []want {
	var wants []want
	for _, c := range classes {
		for _, ts := range syntaxes {
			wants = append(wants, want{class: c, syntaxes: []string{ts}})
		}
		if len(syntaxes) == 0 {
			wants = append(wants, want{class: c, syntaxes: otherwise, any: true})
		}
	}
	return wants
}

// parseWant reads SOPCLASS or SOPCLASS/TRANSFERSYNTAX.
func parseWant(text string, syntaxes []string) (want, error) {
	class, syntax, exact := strings.Cut(text, "/")
	uid, err := SOPClassUID(class)
	if err != nil || !exact {
		return want{class: uid, syntaxes: syntaxes, any: true}, err
	}
	ts, err := TransferSyntaxUID(syntax)
	return want{class: uid, syntaxes: []string{ts}}, err
}

func orElse(list, otherwise []string) []string {
	if len(list) > 0 {
		return list
	}
	return otherwise
}

// checkProfiles are the profiles that fit into one association.
func checkProfiles() []string {
	var names []string
	for _, p := range profiles {
		names = append(names, p.Name)
	}
	return names
}

// pairsOf are what has to be proposed to find out.
func pairsOf(wants []want) []Pair {
	var pairs []Pair
	for _, w := range wants {
		pairs = append(pairs, Product([]string{w.class}, w.syntaxes)...)
	}
	return distinct(pairs)
}

// roles are those of the profile.
func (s *Settings) roles() []dicom.Role {
	p, _ := LookupProfile(s.Profile)
	return p.Roles()
}

// Prober builds the probe for one server.
func (s *Settings) Prober(t negotiate.Target) (negotiate.Prober, error) {
	var first error
	wants := s.wants(func(key, got string, err error) {
		if first == nil {
			first = fmt.Errorf("%s: %w", key, err)
		}
	})
	requests := plan(Question{Pairs: pairsOf(wants), Roles: s.roles()}, MaxContexts)
	switch {
	case first != nil:
		return nil, first
	case len(requests) != 1:
		return nil, fmt.Errorf("%d presentation contexts do not fit into one association", len(pairsOf(wants)))
	}
	peer := dicomtalk.NewPeer(t, s.CalledAE, s.CallingAE)
	return &probe{request: requests[0], wants: slices.Clip(wants), proposer: dicomtalk.NewProposer(peer, requests[0].Proposal)}, nil
}
