package dicomgate_test

import (
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"

	"gantry/gateway/dicomgate"
	"gantry/protocols/dicom"
)

// asking is a request for a SOP class with some transfer syntaxes.
func asking(called, calling string) *dicom.AssociateRQ {
	return &dicom.AssociateRQ{
		Version: 1, CalledAE: called, CallingAE: calling,
		Contexts: []dicom.PresentationContext{{ID: 1, AbstractSyntax: dicom.VerificationUID, TransferSyntaxes: []string{dicom.ImplicitVRLittleEndianUID}}},
	}
}

func TestJudge(t *testing.T) {
	strict := dicomgate.Acceptance{Called: dicomgate.Patterns{"VNA", "PACS*"}, Calling: dicomgate.Patterns{"CT?"}}
	lenient := strict
	lenient.IgnoreCase = true
	const version, called, calling, parameter = "03000000000400010202", "03000000000400010107", "03000000000400010103", "07000000000400000206"
	for _, tt := range []struct {
		name   string
		accept dicomgate.Acceptance
		change func(*dicom.AssociateRQ)
		why    string
		answer string
	}{
		{"accepted", strict, func(*dicom.AssociateRQ) {}, "", ""},
		{"accepted by a pattern", strict, func(rq *dicom.AssociateRQ) { rq.CalledAE = "PACS7" }, "", ""},
		{"padding has no meaning", strict, func(rq *dicom.AssociateRQ) { rq.CalledAE = " VNA \x00\x00" }, "", ""},
		{"anybody without lists", dicomgate.Acceptance{}, func(rq *dicom.AssociateRQ) { rq.CalledAE, rq.CallingAE = "A", "B" }, "", ""},
		{"other bits of the version do not count", strict, func(rq *dicom.AssociateRQ) { rq.Version = 0x8001 }, "", ""},
		{"version 2 only", strict, func(rq *dicom.AssociateRQ) { rq.Version = 2 }, "version", version},
		{"called title not accepted", strict, func(rq *dicom.AssociateRQ) { rq.CalledAE = "VNA2" }, "called-ae", called},
		{"called title in small letters", strict, func(rq *dicom.AssociateRQ) { rq.CalledAE = "vna" }, "called-ae", called},
		{"case ignored", lenient, func(rq *dicom.AssociateRQ) { rq.CalledAE, rq.CallingAE = "vna", "ct1" }, "", ""},
		{"called title empty", dicomgate.Acceptance{}, func(rq *dicom.AssociateRQ) { rq.CalledAE = "" }, "called-ae", called},
		{"called title of blanks and NULs", dicomgate.Acceptance{}, func(rq *dicom.AssociateRQ) { rq.CalledAE = " \x00 \x00" }, "called-ae", called},
		{"empty is not everything", dicomgate.Acceptance{Called: dicomgate.Patterns{"*"}}, func(rq *dicom.AssociateRQ) { rq.CalledAE = "" }, "called-ae", called},
		{"calling title not accepted", strict, func(rq *dicom.AssociateRQ) { rq.CallingAE = "MR1" }, "calling-ae", calling},
		{"calling title empty", dicomgate.Acceptance{}, func(rq *dicom.AssociateRQ) { rq.CallingAE = "\x00" }, "calling-ae", calling},
		{"nothing proposed", strict, func(rq *dicom.AssociateRQ) { rq.Contexts = nil }, "no-contexts", parameter},
		{"version before titles", strict, func(rq *dicom.AssociateRQ) { rq.Version, rq.CalledAE = 0, "" }, "version", version},
		{"called before calling", strict, func(rq *dicom.AssociateRQ) { rq.CalledAE, rq.CallingAE = "X", "X" }, "called-ae", called},
		{"titles before contexts", strict, func(rq *dicom.AssociateRQ) { rq.CallingAE, rq.Contexts = "X", nil }, "calling-ae", calling},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rq := asking("VNA", "CT1")
			tt.change(rq)
			refusal := tt.accept.Judge(rq)
			if tt.why == "" {
				require.Nil(t, refusal)
				return
			}
			require.NotNil(t, refusal)
			require.Equal(t, tt.why, refusal.Why)
			require.Equal(t, tt.answer, hex.EncodeToString(refusal.Append(nil)))
		})
	}
}

// TestJudgeWire: titles of padding alone, as they come.
func TestJudgeWire(t *testing.T) {
	whole := request()
	for i := range dicom.AETitleLen {
		whole[dicom.CalledAEOffset+i] = " \x00"[i%2]
	}
	rq, err := dicom.DecodeAssociateRQ(whole)
	require.NoError(t, err)
	require.Equal(t, dicomgate.WhyCalledAE, new(dicomgate.Acceptance).Judge(rq).Why)
}
