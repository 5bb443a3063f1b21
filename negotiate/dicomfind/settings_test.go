package dicomfind

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gantry/negotiate"
	"gantry/negotiate/internal/dicomscript"
	"gantry/protocols/dicom"
)

func TestValidate(t *testing.T) {
	tests := []struct {
		name     string
		settings Settings
		want     string // the key, empty = nothing is reported
	}{
		{"absent", Settings{}, ""},
		{"patient and study", Settings{Model: "patient-root", PatientID: "ZZ-1", StudyUID: "1.2.3"}, ""},
		{"most matches", Settings{StudyUID: "1.2.3", MinMatches: 1000}, ""},
		{"model", Settings{Model: "series-root"}, "model"},
		{"title", Settings{CalledAE: "SEVENTEEN_LETTERS"}, "called_ae"},
		{"own title", Settings{CallingAE: `\`}, "calling_ae"},
		{"UID with letters", Settings{StudyUID: "1.2.x"}, "study_uid"},
		{"UID with a list", Settings{StudyUID: `1.2\1.3`}, "study_uid"},
		{"UID for all", Settings{StudyUID: "*"}, "study_uid"},
		{"UID with a leading zero", Settings{StudyUID: "1.02"}, "study_uid"},
		{"UID too long", Settings{StudyUID: "1." + strings.Repeat("2", 63)}, "study_uid"},
		{"study in a worklist", Settings{Model: "worklist", StudyUID: "1.2.3"}, "study_uid"},
		{"study without its patient", Settings{Model: "patient-root", StudyUID: "1.2.3"}, "study_uid"},
		{"patient for all", Settings{PatientID: "ZZ-*"}, "patient_id"},
		{"blank patient", Settings{PatientID: "  "}, "patient_id"},
		{"patients", Settings{PatientID: `ZZ-1\ZZ-2`}, "patient_id"},
		{"too many", Settings{StudyUID: "1.2.3", MinMatches: 1001}, "min_matches"},
		{"matches of nothing", Settings{MinMatches: 2}, "min_matches"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var keys []string
			tt.settings.Validate(func(key, got, want string) {
				keys = append(keys, key)
				if tt.settings.PatientID != "" {
					require.NotContains(t, got+want, tt.settings.PatientID)
				}
			})
			require.Equal(t, tt.want, strings.Join(keys, " "))
		})
	}
}

// TestTitles: the check's called AE title comes before the server's.
func TestTitles(t *testing.T) {
	for called, s := range map[string]Settings{"NODE1": {}, "VNA": {CalledAE: "VNA"}} {
		p, err := s.Prober(negotiate.Target{AETitle: "NODE1"})
		require.NoError(t, err)
		_, got := dicomscript.Run(t, p, recv)
		rq, err := dicom.DecodeAssociateRQ(got[0])
		require.NoError(t, err)
		require.Equal(t, called, rq.CalledAE)
	}
}
