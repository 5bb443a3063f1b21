package dicomassociate

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gantry/negotiate"
	"gantry/negotiate/internal/dicomscript"
	"gantry/protocols/dicom"
)

func newTestProbe(t *testing.T, s *Settings) *probe {
	t.Helper()
	s.Validate(func(key, got, want string) { t.Errorf("%s: %s: %s", key, got, want) })
	p, err := s.Prober(negotiate.Target{Server: "DICOM2", AETitle: "VNA", Version: "1.2.3"})
	require.NoError(t, err)
	return p.(*probe)
}

// lacking accepts all but some pairs.
func lacking(result dicom.Result, pairs ...Pair) []dicomscript.Step {
	return []dicomscript.Step{answer(func(rq *dicom.AssociateRQ, ac *dicom.AssociateAC) {
		for i, c := range rq.Contexts {
			for _, p := range pairs {
				if p.SOPClass == c.AbstractSyntax && (p.TransferSyntax == c.TransferSyntaxes[0] || p.TransferSyntax == "") {
					ac.Results[i].Result = result
				}
			}
		}
	}), released}
}

// TestProbe: everything expected, a part of it, nothing.
func TestProbe(t *testing.T) {
	const hint = "switched off on DICOM2, lost in an upgrade, or not allowed for 'GANTRY'"
	twoOf := Settings{Expect: []string{"CTImageStorage", "MRImageStorage/ExplicitVRLittleEndian"}}
	tests := map[string]struct {
		settings Settings
		server   []dicomscript.Step
		outcome  negotiate.Outcome
		says     string
	}{
		"all there":                      {twoOf, good, negotiate.Passed, ""},
		"any transfer syntax is enough":  {twoOf, lacking(dicom.TransferSyntaxesRejected, Pair{ct, ile}), negotiate.Passed, ""},
		"what is not expected may lack":  {Settings{Expect: []string{"1.2.3"}}, lacking(3, Pair{ct, ile}), negotiate.Passed, ""},
		"a SOP class is gone":            {twoOf, lacking(dicom.AbstractSyntaxRejected, Pair{ct, ""}), negotiate.Partly, "accepts only 1 of the 2 that are expected, and not CTImageStorage (abstract syntax not supported): " + hint},
		"a transfer syntax is gone":      {twoOf, lacking(dicom.TransferSyntaxesRejected, Pair{mr, ele}), negotiate.Partly, "accepts only 1 of the 2 that are expected, and not MRImageStorage/ExplicitVRLittleEndian (transfer syntaxes not supported): " + hint},
		"all are gone":                   {twoOf, lacking(dicom.AbstractSyntaxRejected, Pair{ct, ""}, Pair{mr, ""}), negotiate.Failed, "accepts the association and refuses all that is expected in it: CTImageStorage and MRImageStorage/ExplicitVRLittleEndian (abstract syntax not supported): " + hint},
		"one is left without an answer":  {twoOf, []dicomscript.Step{answer(func(_ *dicom.AssociateRQ, ac *dicom.AssociateAC) { ac.Results = ac.Results[:2] }), released}, negotiate.Partly, "MRImageStorage/ExplicitVRLittleEndian (no answer to this context)"},
		"no context":                     {twoOf, []dicomscript.Step{answer(func(_ *dicom.AssociateRQ, ac *dicom.AssociateAC) { ac.Results = nil }), released}, negotiate.Failed, "answers no presentation context at all"},
		"each of sop_class × syntax":     {Settings{SOPClass: []string{"CTImageStorage"}, TransferSyntax: []string{ile, ele}}, lacking(4, Pair{ct, ele}), negotiate.Partly, "accepts only 1 of the 2 that are expected, and not CTImageStorage/ExplicitVRLittleEndian"},
		"a profile":                      {Settings{Profile: "ct"}, lacking(3, Pair{ct, ""}), negotiate.Partly, "accepts only 4 of the 5 that are expected, and not CTImageStorage"},
		"the profile alone has an echo":  {Settings{Profile: "mwl"}, lacking(3, Pair{dicom.ModalityWorklistUID, ""}), negotiate.Failed, "refuses all that is expected in it: ModalityWorklistInformationModelFind"},
		"nothing expected":               {Settings{}, lacking(3, Pair{dicom.VerificationUID, ""}), negotiate.Failed, "refuses all that is expected in it: Verification"},
		"rejected":                       {twoOf, []dicomscript.Step{dicomscript.Recv, dicomscript.Send(dicom.RejectCalledAE.Append(nil)), dicomscript.Hear}, negotiate.Failed, "called AE title 'VNA' not recognised (rejected permanently by the service user): check the AE title table of DICOM2"},
		"role selection lost":            {Settings{Profile: "qr"}, good, negotiate.Partly, "accepts only 6 of the 10 that are expected, and not CTImageStorage, MRImageStorage, ComputedRadiographyImageStorage and SecondaryCaptureImageStorage (the role of SCP, which C-GET needs, is not granted)"},
		"role selection granted":         {Settings{Profile: "qr"}, []dicomscript.Step{answer(func(rq *dicom.AssociateRQ, ac *dicom.AssociateAC) { ac.Roles = rq.Roles }), released}, negotiate.Passed, ""},
		"a long list is cut in sentence": {Settings{Profile: "rt"}, lacking(3, Pair{ct, ""}, Pair{rt("RTPlanStorage"), ""}, Pair{rt("RTDoseStorage"), ""}, Pair{rt("RTImageStorage"), ""}, Pair{rt("RTIonPlanStorage"), ""}, Pair{rt("RTStructureSetStorage"), ""}), negotiate.Partly, "and not RTPlanStorage, RTIonPlanStorage, RTStructureSetStorage, RTDoseStorage and 2 more (abstract"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			result, got := dicomscript.Run(t, newTestProbe(t, &tt.settings), tt.server...)
			require.Equal(t, tt.outcome, result.Outcome(), "%v", result.Words())
			if tt.says != "" {
				require.Contains(t, result.Words().Error(), tt.says)
			}
			require.NotEmpty(t, result.Transcript)
			if result.Fault == nil || result.Fault.Reason != negotiate.ReasonRejected || len(got) > 1 {
				require.Equal(t, dicom.AppendReleaseRQ(nil), got[len(got)-1], "released, whatever was found")
			}
		})
	}
}

func rt(name string) string { return uids(name)[0] }

func TestSettings(t *testing.T) {
	many := make([]string, 129)
	for i := range many {
		many[i] = "1.2." + string(rune('1'+i%9)) + string(rune('1'+i/9%9)) + string(rune('1'+i/81))
	}
	tests := map[string]struct {
		settings Settings
		want     string
	}{
		"title":           {Settings{CalledAE: `A\B`}, `called_ae: "A\\B": write 1 to 16 ASCII characters without backslash`},
		"class":           {Settings{Expect: []string{"Verification", "CT Image"}}, `expect[1]: "CT Image": "CT Image" is not a SOP class; write its keyword of PS3.6, or its UID`},
		"syntax":          {Settings{Expect: []string{"CTImageStorage/CTImageStorage"}}, `expect[0]: "CTImageStorage/CTImageStorage": "CTImageStorage" is a SOP class, not a transfer syntax`},
		"sop_class":       {Settings{SOPClass: []string{"JPEG2000"}}, `sop_class[0]: "JPEG2000": "JPEG2000" is a transfer syntax, not a SOP class`},
		"transfer_syntax": {Settings{TransferSyntax: []string{"GIF"}}, `transfer_syntax[0]: "GIF": "GIF" is not a transfer syntax; write its keyword of PS3.6, or its UID`},
		"syntax of what":  {Settings{TransferSyntax: []string{"JPEG2000"}}, `transfer_syntax: "JPEG2000": add profile, sop_class or expect: what is to be accepted in it`},
		"profile":         {Settings{Profile: "all"}, `profile: "all": write one of ct, mr, us, cr, dx, mg, xa, nm, pt, rt, sc, sr, ecg, wsi, es, qr, mwl, mpps, storage-commitment, print`},
		"too many":        {Settings{SOPClass: many}, `sop_class: 258 presentation contexts: one association has 128 of them: expect less, or divide it into several checks`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var said []string
			tt.settings.Validate(func(key, got, want string) { said = append(said, key+": "+got+": "+want) })
			require.Equal(t, []string{tt.want}, said)
			_, err := tt.settings.Prober(negotiate.Target{})
			require.Equal(t, name != "title" && name != "syntax of what", err != nil)
		})
	}
}
