package dicomfind

import (
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"

	"gantry/negotiate/internal/dicomtalk"
	"gantry/protocols/dicom"
)

// TestIdentifiers compares identifiers with bytes put together by hand from PS3.5 7.1 and 7.5: Implicit VR Little Endian.
func TestIdentifiers(t *testing.T) {
	const (
		level    = "\x08\x00\x52\x00"
		patient  = "\x10\x00\x20\x00"
		uid      = "\x20\x00\x0d\x00"
		procs    = "\x40\x00\x00\x01\xff\xff\xff\xff" + "\xfe\xff\x00\xe0\xff\xff\xff\xff" // sequence, item: undefined lengths
		station  = "\x40\x00\x01\x00"
		date     = "\x40\x00\x02\x00"
		procsEnd = "\xfe\xff\x0d\xe0\x00\x00\x00\x00" + "\xfe\xff\xdd\xe0\x00\x00\x00\x00" // their delimiters
		empty    = "\x00\x00\x00\x00"
		nobody   = "\x10\x00\x00\x00ZZ-GANTRY-NOBODY"
	)
	const none = "\x2c\x00\x00\x00" + noStudy
	tests := []struct {
		name     string
		settings Settings
		class    string
		want     string
		key      dicom.Tag
		most     int
	}{
		{"study root, nothing", Settings{}, dicom.StudyRootFindUID, level + "\x06\x00\x00\x00STUDY " + patient + nobody + uid + none, 0, 1},
		{"study root, a study", Settings{StudyUID: "2.25.1"}, dicom.StudyRootFindUID,
			level + "\x06\x00\x00\x00STUDY " + patient + empty + uid + "\x06\x00\x00\x002.25.1", tagStudyInstanceUID, dicomtalk.MaxMatches},
		{"study root, a patient", Settings{PatientID: " ZZ-7 "}, dicom.StudyRootFindUID,
			level + "\x06\x00\x00\x00STUDY " + patient + "\x04\x00\x00\x00ZZ-7" + uid + empty, tagPatientID, dicomtalk.MaxMatches},
		{"patient root, nothing", Settings{Model: "patient-root"}, dicom.PatientRootFindUID,
			level + "\x08\x00\x00\x00PATIENT " + patient + nobody, tagPatientID, 1},
		{"patient root, a patient", Settings{Model: "patient-root", PatientID: "ZZ-77"}, dicom.PatientRootFindUID,
			level + "\x08\x00\x00\x00PATIENT " + patient + "\x06\x00\x00\x00ZZ-77 ", tagPatientID, dicomtalk.MaxMatches},
		{"patient root, a study", Settings{Model: "patient-root", PatientID: "ZZ-7", StudyUID: "2.25.1"}, dicom.PatientRootFindUID,
			level + "\x06\x00\x00\x00STUDY " + patient + "\x04\x00\x00\x00ZZ-7" + uid + "\x06\x00\x00\x002.25.1", tagStudyInstanceUID, dicomtalk.MaxMatches},
		{"worklist, nothing", Settings{Model: "worklist"}, dicom.ModalityWorklistUID,
			patient + empty + procs + station + "\x08\x00\x00\x00ZZGANTRY" + date + "\x08\x00\x00\x0019000101" + procsEnd, tagPatientID, 1},
		{"worklist, a patient", Settings{Model: "worklist", PatientID: "ZZ-7"}, dicom.ModalityWorklistUID,
			patient + "\x04\x00\x00\x00ZZ-7" + procs + station + empty + date + empty + procsEnd, tagPatientID, dicomtalk.MaxMatches},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			context, q, err := tt.settings.query()
			require.NoError(t, err)
			require.Equal(t, tt.class, context.SOPClass)
			require.Equal(t, tt.class, q.SOPClass)
			require.Equal(t, hex.Dump([]byte(tt.want)), hex.Dump(q.Identifier))
			require.Equal(t, []any{tt.key, tt.most}, []any{q.Key, q.Most})
			require.Zero(t, len(q.Identifier)%2)
		})
	}
}

// TestGoldenIdentifier is a search that storescp, dcmqrscp, wlmscpfs and Orthanc have accepted.
func TestGoldenIdentifier(t *testing.T) {
	set, err := dicomtalk.Encode(studies("ZZ-HCGW-PROBE", "2.25.1")...)
	require.NoError(t, err)
	require.Equal(t, "080052000600000053545544592010002000"+"0e0000005a5a2d484347572d50524f4245"+"2020000d0006000000322e32352e31", hex.EncodeToString(set))
}

// TestGoldenRequest compares the question with bytes put together by hand from PS3.7 9.3.2.1.
func TestGoldenRequest(t *testing.T) {
	result, got := run(t, Settings{StudyUID: "2.25.1"}, ended(match(study(t, "2.25.1")), final(0))...)
	require.Nil(t, result.Words())
	command := "\x04\x00\x00\x00\x00\x5e" + "\x00\x00\x00\x5a" + "\x01\x03" + // context 1, last fragment of a command
		"\x00\x00\x00\x00" + "\x04\x00\x00\x00" + "\x4c\x00\x00\x00" + // group length 76
		"\x00\x00\x02\x00" + "\x1c\x00\x00\x00" + "1.2.840.10008.5.1.4.1.2.2.1\x00" + // Study Root find
		"\x00\x00\x00\x01" + "\x02\x00\x00\x00" + "\x20\x00" + // C-FIND-RQ
		"\x00\x00\x10\x01" + "\x02\x00\x00\x00" + "\x01\x00" + // message id 1
		"\x00\x00\x00\x07" + "\x02\x00\x00\x00" + "\x00\x00" + // priority medium
		"\x00\x00\x00\x08" + "\x02\x00\x00\x00" + "\x01\x00" // a data set follows
	identifier := "\x04\x00\x00\x00\x00\x2a" + "\x00\x00\x00\x26" + "\x01\x02" + // context 1, last fragment of a data set
		"\x08\x00\x52\x00\x06\x00\x00\x00STUDY " + "\x10\x00\x20\x00\x00\x00\x00\x00" + "\x20\x00\x0d\x00\x06\x00\x00\x002.25.1"
	require.Equal(t, hex.Dump([]byte(command)), hex.Dump(got[1]))
	require.Equal(t, hex.Dump([]byte(identifier)), hex.Dump(got[2]))
	rq, err := dicom.DecodeAssociateRQ(got[0])
	require.NoError(t, err)
	require.Equal(t, []dicom.PresentationContext{{ID: 1, AbstractSyntax: dicom.StudyRootFindUID,
		TransferSyntaxes: []string{dicom.ImplicitVRLittleEndianUID}}}, rq.Contexts)
}
