package dicomtalk

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/negotiate"
	"gantry/protocols/dicom"
)

func sent(b []byte) negotiate.Chunk     { return negotiate.Chunk{Sent: true, Data: b} }
func received(b []byte) negotiate.Chunk { return negotiate.Chunk{Data: b, At: time.Second} }

// opened is an association with one context of a transfer syntax.
func opened(syntax string) []negotiate.Chunk {
	rq := dicom.AssociateRQ{CalledAE: "VNA", CallingAE: "GANTRY",
		Contexts:        []dicom.PresentationContext{{ID: 1, AbstractSyntax: dicom.StudyRootFindUID, TransferSyntaxes: []string{syntax}}},
		UserInformation: dicom.UserInformation{MaxLength: 16384}}
	ac := dicom.AssociateAC{Results: []dicom.ContextResult{{ID: 1, TransferSyntax: syntax}}}
	return []negotiate.Chunk{sent(rq.Append(nil)), received(ac.Append(nil))}
}

func pdata(command, last bool, data string) []byte {
	return dicom.AppendPData(nil, dicom.PDV{ContextID: 1, Command: command, Last: last, Data: []byte(data)})
}

// told is everything that a person could read of a conversation.
func told(passages []negotiate.Passage) string {
	var b strings.Builder
	for _, p := range passages {
		b.WriteString(p.Title + "\n" + strings.Join(p.Notes, "\n") + "\n" + string(p.Bytes) + "\n")
	}
	return b.String()
}

// TestShort: the PDUs that say all in ten bytes.
func TestShort(t *testing.T) {
	tests := []struct {
		name  string
		pdu   []byte
		title string
		notes []string
	}{
		{"reject", dicom.RejectCalledAE.Append(nil), "A-ASSOCIATE-RJ, 10 bytes", []string{"called AE title not recognized (permanent, service user, 1/1/7)"}},
		{"abort", dicom.AbortUnexpectedPDU.Append(nil), "A-ABORT, 10 bytes", []string{"aborted by the service provider: unexpected PDU (2/2)"}},
		{"release", dicom.AppendReleaseRQ(nil), "A-RELEASE-RQ, 10 bytes", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := Narrate([]negotiate.Chunk{received(tt.pdu)})
			require.Equal(t, []negotiate.Passage{{At: time.Second, Title: tt.title, Notes: tt.notes, Bytes: tt.pdu}}, got)
		})
	}
}

// TestAssociation: titles, contexts with names, and what the peer announces.
func TestAssociation(t *testing.T) {
	ac := dicom.AssociateAC{Results: []dicom.ContextResult{{ID: 1, TransferSyntax: dicom.ImplicitVRLittleEndianUID}, {ID: 3, Result: 3}, {ID: 5, Result: 9}},
		UserInformation: dicom.UserInformation{ImplementationClassUID: "1.2.276.0.7230010.3.0.3.6.7", ImplementationVersion: "OFFIS_DCMTK_367"}}
	rq := dicom.AssociateRQ{CalledAE: "VNA", CallingAE: "GANTRY", Contexts: []dicom.PresentationContext{
		{ID: 1, AbstractSyntax: dicom.VerificationUID, TransferSyntaxes: []string{dicom.ImplicitVRLittleEndianUID, "1.2.3"}},
		{ID: 3, AbstractSyntax: dicom.ModalityWorklistUID}}}
	got := Narrate([]negotiate.Chunk{sent(rq.Append(nil)), received(ac.Append(nil)), received(ac.Append(nil)[:80])})
	require.Len(t, got, 3)
	require.Equal(t, []string{"called AE title 'VNA', calling AE title 'GANTRY'", "context 1: Verification, as ImplicitVRLittleEndian or 1.2.3",
		"context 3: ModalityWorklistInformationModelFind, as ", "takes P-DATA-TF of any length"}, got[0].Notes)
	require.Equal(t, []string{"context 1: Verification: accepted as ImplicitVRLittleEndian", "context 3: ModalityWorklistInformationModelFind: abstract syntax not supported",
		"context 5: not proposed: result 9", "takes P-DATA-TF of any length", "implementation 1.2.276.0.7230010.3.0.3.6.7 OFFIS_DCMTK_367"}, got[1].Notes)
	require.Equal(t, "A-ASSOCIATE-AC, only 80 of 214 bytes", got[2].Title)
	require.Equal(t, 80-dicom.HeaderLen, strings.Count(string(got[2].Bytes), "*"))
}

// TestUserIdentity: what may be a password is neither told nor shown.
func TestUserIdentity(t *testing.T) {
	pdu := opened(dicom.ImplicitVRLittleEndianUID)[0].Data
	item := "\x58\x00\x00\x0f" + "\x02\x01" + "\x00\x03BOB" + "\x00\x06SECRET"
	at := strings.LastIndex(string(pdu), "\x50\x00\x00") // user information: the last item
	pdu[at+3] += byte(len(item))
	pdu[5] += byte(len(item))
	pdu = append(pdu, item...)
	_, err := dicom.DecodeAssociateRQ(pdu)
	require.NoError(t, err)
	text := told(Narrate([]negotiate.Chunk{sent(pdu)}))
	require.Contains(t, text, "user identity, masked")
	require.Contains(t, text, "\x58\x00\x00\x0f***************")
	require.NotContains(t, text, "BOB")
}

// patient is a match as an archive sends it, in Implicit VR.
const patient = "\x08\x00\x05\x00\x0a\x00\x00\x00ISO_IR 100" +
	"\x08\x00\x50\x00\x04\x00\x00\x00DOE1" + "\x08\x00\x52\x00\x06\x00\x00\x00STUDY " + "\x08\x00\x80\x00\x04\x00\x00\x00DOEH" + "\x08\x00\x90\x00\x04\x00\x00\x00DOEP" +
	"\x10\x00\x10\x00\x08\x00\x00\x00DOE^JOHN" + "\x10\x00\x20\x00\x04\x00\x00\x00DOE2" + "\x20\x00\x0d\x00\x06\x00\x00\x002.25.7" +
	"\x20\x00\x0e\x00\x04\x00\x00\x00DOE3" + "\x32\x00\x60\x10\x04\x00\x00\x00DOE4" +
	"\x40\x00\x00\x01\xff\xff\xff\xff" + "\xfe\xff\x00\xe0\x0c\x00\x00\x00" + "\x40\x00\x06\x00\x04\x00\x00\x00DOE5" + "\xfe\xff\xdd\xe0\x00\x00\x00\x00"

// TestPatient: of a match nothing is shown but tags, lengths and the level.
func TestPatient(t *testing.T) {
	got := Narrate(append(opened(dicom.ImplicitVRLittleEndianUID), received(pdata(false, true, patient))))
	require.Equal(t, []string{
		"context 1 (StudyRootQueryRetrieveInformationModelFind): 170 bytes of a data set, whole",
		"(0008,0005) SpecificCharacterSet, 10 bytes, masked",
		"(0008,0050) AccessionNumber, 4 bytes, masked", "(0008,0052) QueryRetrieveLevel STUDY", "(0008,0080) InstitutionName, 4 bytes, masked",
		"(0008,0090) ReferringPhysicianName, 4 bytes, masked", "(0010,0010) PatientName, 8 bytes, masked", "(0010,0020) PatientID, 4 bytes, masked",
		"(0020,000D) StudyInstanceUID, 6 bytes, masked", "(0020,000E) SeriesInstanceUID, 4 bytes, masked", "(0032,1060) RequestedProcedureDescription, 4 bytes, masked",
		"(0040,0100) ScheduledProcedureStepSequence, sequence", "(0040,0006) ScheduledPerformingPhysicianName, 4 bytes, masked",
	}, got[2].Notes)
	require.NotContains(t, told(got), "DOE")
	require.Contains(t, string(got[2].Bytes), "\x10\x00\x10\x00\x08\x00\x00\x00********")
}

// TestPatientInPieces: wherever a match is cut, and in whatever syntax it claims to be, nothing more is shown.
func TestPatientInPieces(t *testing.T) {
	for _, syntax := range []string{dicom.ImplicitVRLittleEndianUID, dicom.ExplicitVRLittleEndianUID, "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99", ""} {
		for cut := range len(patient) {
			talk := append(opened(syntax), received(pdata(false, false, patient[:cut])), received(pdata(false, true, patient[cut:])))
			require.NotContains(t, told(Narrate(talk)), "DOE", "%s cut at %d", syntax, cut)
			whole := pdata(false, true, patient)
			talk = append(opened(syntax), received(whole[:cut]), received(whole[cut:len(whole)-1]))
			require.NotContains(t, told(Narrate(talk)), "DOE", "%s, PDU cut at %d", syntax, cut)
		}
	}
	require.NotContains(t, told(Narrate([]negotiate.Chunk{received(pdata(true, true, patient)), received(pdata(true, true, patient[:100]))})), "DOE")
}

// TestValueInPieces: a value that fragments share is stepped over, whatever it looks like, and the rest is told.
func TestValueInPieces(t *testing.T) {
	const trap = "\x20\x00\x0d\x00\x06\x00\x00\x002.25.9" // a value that looks like an element
	set := "\x10\x00\x10\x00\x0e\x00\x00\x00" + trap + "\x20\x00\x0d\x00\x06\x00\x00\x002.25.7"
	got := Narrate(append(opened(dicom.ImplicitVRLittleEndianUID),
		received(pdata(false, false, set[:8])), received(pdata(false, false, set[8:8+8])), received(pdata(false, true, set[8+8:]))))
	require.Equal(t, []string{"context 1 (StudyRootQueryRetrieveInformationModelFind): 8 bytes of a data set, begins", "(0010,0010) PatientName, 14 bytes, masked"}, got[2].Notes)
	require.Equal(t, []string{"context 1 (StudyRootQueryRetrieveInformationModelFind): 8 bytes of a data set, goes on"}, got[3].Notes)
	require.Equal(t, []string{"context 1 (StudyRootQueryRetrieveInformationModelFind): 20 bytes of a data set, ends", "(0020,000D) StudyInstanceUID, 6 bytes, masked"}, got[4].Notes)
	require.NotContains(t, told(got), "2.25.9")
}

// TestTimes: a passage has the time of its first byte, and passages come in its order.
func TestTimes(t *testing.T) {
	rj := dicom.RejectCalledAE.Append(nil)
	at := func(way bool, seconds int, b []byte) negotiate.Chunk {
		return negotiate.Chunk{Sent: way, At: time.Duration(seconds) * time.Second, Data: b}
	}
	got := Narrate([]negotiate.Chunk{
		at(false, 1, rj), at(false, 2, rj[:4]), at(true, 3, dicom.AbortUser.Append(nil)),
		at(false, 4, append(rj[4:10:10], rj[:3]...)), at(false, 5, rj[3:]), at(false, 6, rj),
	})
	var times []int
	for _, p := range got {
		times = append(times, int(p.At/time.Second))
	}
	require.Equal(t, []int{1, 2, 3, 4, 6}, times)
	require.True(t, got[2].Sent)
}
