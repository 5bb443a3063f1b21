package dicomecho

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/protocols/dicom"
)

// TestExpectedRejection: the named "no" is proof of life, any other one is what it always is.
func TestExpectedRejection(t *testing.T) {
	rejectedBy := func(rj dicom.Reject) []step { return []step{recv, send(rj.Append(nil)), hear} }
	tests := []struct {
		name    string
		expect  []string
		steps   []step
		healthy bool
	}{
		{"expected", []string{"calling-ae-not-recognized"}, rejectedBy(dicom.RejectCallingAE), true},
		{"one of several", []string{"called-ae-not-recognized", "no-reason"}, rejectedBy(dicom.RejectNoReason), true},
		{"no reason given by the provider", []string{"no-reason"}, rejectedBy(dicom.Reject{Result: 1, Source: 2, Reason: 1}), true},
		{"for now instead of for ever", []string{"called-ae-not-recognized"}, rejectedBy(dicom.Reject{Result: 2, Source: 1, Reason: 7}), true},
		{"another one", []string{"calling-ae-not-recognized"}, rejectedBy(dicom.RejectLocalLimit), false},
		{"one without meaning", []string{"no-reason"}, rejectedBy(dicom.Reject{Result: 1, Source: 3, Reason: 0}), false},
		{"accepted after all", []string{"no-reason"}, wellBehave, true},
		{"accepted after all, echo fails", []string{"no-reason"}, []step{recv, accepted, recv, answer(0x0110, 1), hear}, false},
		{"silent", []string{"no-reason"}, []step{recv, hear}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			result, got := run(t, Settings{ExpectRejection: tt.expect}, dicom2, tt.steps...)
			require.Equal(t, tt.healthy, result.OK(), result.Fault)
			require.Nil(t, result.Warning)
			_, aborted := lastAbort(got)
			require.Equal(t, !tt.healthy && tt.name != "another one" && tt.name != "one without meaning", aborted)
		})
	}
}

// TestBusy: what a server with all places taken says, or does not say.
func TestBusy(t *testing.T) {
	tests := []struct {
		name  string
		steps []step
		busy  bool
	}{
		{"silent", []step{recv, hear}, true},
		{"frozen", []step{pause(time.Minute)}, true},
		{"congestion", []step{recv, send(dicom.RejectCongestion.Append(nil))}, true},
		{"local limit", []step{recv, send(dicom.RejectLocalLimit.Append(nil))}, true},
		{"local limit for ever", []step{recv, send(dicom.Reject{Result: 1, Source: 3, Reason: 2}.Append(nil))}, false},
		{"unknown title", []step{recv, send(dicom.RejectCalledAE.Append(nil))}, false},
		{"half an answer", []step{recv, send([]byte{2, 0, 0}), hear}, false},
		{"closes", []step{recv}, false},
		{"silent after accepting", []step{recv, accepted, recv, hear}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			result, _ := run(t, Settings{}, dicom2, tt.steps...)
			require.NotNil(t, result.Fault)
			require.Equal(t, tt.busy, result.Fault.Busy)
		})
	}
}

// TestTranscript: who wants to see the conversation sees it PDU by PDU.
func TestTranscript(t *testing.T) {
	result, _ := run(t, Settings{}, dicom2, wellBehave...)
	var titles []string
	for _, p := range result.Transcript {
		titles = append(titles, p.Title)
	}
	require.Equal(t, []string{"A-ASSOCIATE-RQ, 225 bytes", "A-ASSOCIATE-AC, 150 bytes", "P-DATA-TF, 80 bytes",
		"P-DATA-TF, 64 bytes", "A-RELEASE-RQ, 10 bytes", "A-RELEASE-RP, 10 bytes"}, titles)
	require.Equal(t, []string{"called AE title 'ANY-SCP', calling AE title 'GANTRY'", "context 1: Verification, as ImplicitVRLittleEndian",
		"takes P-DATA-TF of at most 16384 bytes", "implementation 2.25.169094021110743322363671350827519687372 GANTRY_1.2.3"}, result.Transcript[0].Notes)
	require.Empty(t, result.Transcript[0].Masked)
	require.Equal(t, []string{"context 1: Verification: accepted as ImplicitVRLittleEndian", "takes P-DATA-TF of at most 16384 bytes",
		"implementation 2.25.1"}, result.Transcript[1].Notes)
	require.Equal(t, []string{"context 1 (Verification): C-ECHO-RSP", "(0000,0000) group length 40", "(0000,0100) command 8030 C-ECHO-RSP", "(0000,0120) answers message 1",
		"(0000,0800) data set: none", "(0000,0900) status 0000 success"}, result.Transcript[3].Notes)
}
