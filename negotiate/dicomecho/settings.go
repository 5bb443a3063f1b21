package dicomecho

import (
	"slices"
	"strconv"
	"strings"

	"gantry/negotiate"
	"gantry/negotiate/internal/dicomtalk"
	"gantry/protocols/dicom"
)

// Settings of the kind "dicom-echo".
type Settings struct {
	CalledAE        string   `yaml:"called_ae" min:"1" max:"16" doc:"AE title that the check asks for. Absent: the server's ae_title, else the only title without wildcards in the service's accept_called_ae, else ANY-SCP."`
	CallingAE       string   `yaml:"calling_ae" default:"GANTRY" min:"1" max:"16" doc:"AE title that the check gives itself. Not one of a client: servers count associations by it."`
	ExpectRejection []string `yaml:"expect_rejection" enum:"no-reason,application-context-not-supported,calling-ae-not-recognized,called-ae-not-recognized,protocol-version-not-supported,temporary-congestion,local-limit-exceeded" doc:"Rejections of the association that prove that the server lives, for sites where the gateway is not let in. A server that accepts must answer the C-ECHO."`
}

// rejections are the words of ExpectRejection, PS3.8 table 9-21.
var rejections = []string{
	"no-reason", "application-context-not-supported", "calling-ae-not-recognized", "called-ae-not-recognized",
	"protocol-version-not-supported", "temporary-congestion", "local-limit-exceeded",
}

var _ negotiate.Settings = (*Settings)(nil)

// Validate reports AE titles that the standard does not allow and rejections that it does not have.
func (s *Settings) Validate(report func(key, got, want string)) {
	dicomtalk.ValidTitle("called_ae", s.CalledAE, report)
	dicomtalk.ValidTitle("calling_ae", s.CallingAE, report)
	for i, word := range s.ExpectRejection {
		if !slices.Contains(rejections, word) {
			report("expect_rejection["+strconv.Itoa(i)+"]", strconv.Quote(word), "accepted: "+strings.Join(rejections, ", "))
		}
	}
}

// Prober builds the probe for one server.
func (s *Settings) Prober(t negotiate.Target) (negotiate.Prober, error) {
	c := dicomtalk.NewCaller(dicomtalk.NewPeer(t, s.CalledAE, s.CallingAE), verification)
	if len(s.ExpectRejection) > 0 {
		expected := slices.Clone(s.ExpectRejection)
		c.Expected = func(rj dicom.Reject) bool { return slices.Contains(expected, rj.Word()) }
	}
	return &probe{caller: c}, nil
}
