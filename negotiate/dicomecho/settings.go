package dicomecho

import (
	"strconv"
	"strings"

	"gantry/negotiate"
	"gantry/protocols/dicom"
)

// Settings of the kind "dicom-echo".
type Settings struct {
	CalledAE  string `yaml:"called_ae" default:"ANY-SCP" min:"1" max:"16" doc:"AE title that the check asks for."`
	CallingAE string `yaml:"calling_ae" default:"GANTRY" min:"1" max:"16" doc:"AE title that the check gives itself. Not one of a client: servers count associations by it."`
}

// Values of absent settings.
const (
	DefaultCalledAE  = "ANY-SCP"
	DefaultCallingAE = "GANTRY"
)

var _ negotiate.Settings = (*Settings)(nil)

// Validate reports AE titles that the standard does not allow (PS3.5 table 6.2-1, VR AE).
func (s *Settings) Validate(report func(key, got, want string)) {
	validTitle("called_ae", s.CalledAE, report)
	validTitle("calling_ae", s.CallingAE, report)
}

// validTitle lets an empty title pass: it stands for the default.
func validTitle(key, title string, report func(key, got, want string)) {
	const letters = "write 1 to 16 ASCII characters without backslash"
	switch {
	case len(title) > dicom.AETitleLen, strings.ContainsFunc(title, notInTitle):
		report(key, strconv.Quote(title), letters)
	case title != "" && strings.TrimSpace(title) == "":
		report(key, strconv.Quote(title), letters+", not blanks alone")
	}
}

func notInTitle(r rune) bool { return r < ' ' || r > '~' || r == '\\' }

// Prober builds the probe for one server.
func (s *Settings) Prober(t negotiate.Target) (negotiate.Prober, error) {
	p := &probe{
		called:  titleOr(s.CalledAE, DefaultCalledAE),
		calling: titleOr(s.CallingAE, DefaultCallingAE),
		server:  t.Server, secure: t.Secure,
	}
	if p.server == "" {
		p.server = "the server"
	}
	p.request = request(p.called, p.calling, t.Version)
	return p, nil
}

// titleOr drops blanks around a title, which have no meaning (PS3.5 6.2).
func titleOr(title, otherwise string) string {
	if title = strings.TrimSpace(title); title == "" {
		return otherwise
	}
	return title
}

// implementationClassUID names this implementation (PS3.7 D.3.3.2), made from a random UUID
// as PS3.5 B.2 describes.
const implementationClassUID = "2.25.169094021110743322363671350827519687372"

// maxVersionName is the length of an implementation version name, PS3.7 D.3.3.2.
const maxVersionName = 16

// contextID is the one presentation context that is proposed.
const contextID = 1

// maxData is what is announced as the largest P-DATA-TF to receive: the most common value.
const maxData = 16384

// request is the same for every conversation, so it is encoded once. One transfer syntax is
// enough: every application must accept Implicit VR Little Endian (PS3.5 10.1), and the
// command set of C-ECHO, which has no data set, is in it anyway.
func request(called, calling, version string) []byte {
	name := strings.TrimSuffix("GANTRY_"+version, "_")
	rq := dicom.AssociateRQ{
		CalledAE: called, CallingAE: calling,
		Contexts: []dicom.PresentationContext{{
			ID: contextID, AbstractSyntax: dicom.VerificationUID,
			TransferSyntaxes: []string{dicom.ImplicitVRLittleEndianUID},
		}},
		UserInformation: dicom.UserInformation{
			MaxLength: maxData, ImplementationClassUID: implementationClassUID,
			ImplementationVersion: name[:min(len(name), maxVersionName)],
		},
	}
	return rq.Append(nil)
}
