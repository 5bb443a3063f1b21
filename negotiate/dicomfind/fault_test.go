package dicomfind

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"gantry/negotiate"
	"gantry/negotiate/internal/dicomscript"
	"gantry/negotiate/internal/dicomtalk"
	"gantry/protocols/dicom"
)

const (
	ask    = negotiate.StageAsk
	open   = negotiate.StageOpen
	broken = ": its DICOM software is broken"
)

// TestStatus: what a server may say at the end of a search.
func TestStatus(t *testing.T) {
	tests := []struct {
		status   uint16
		degraded bool
		sentence string
	}{
		{0xA700, false, "answers C-FIND with status A700 (out of resources): check database, disks and memory of DICOM2"},
		{0xC001, false, "answers C-FIND with status C001 (unable to process): its database may be down; the log of DICOM2 says why"},
		{0x0110, false, "answers C-FIND with status 0110 (processing failure): the log of DICOM2 says why"},
		{0x0122, false, "answers C-FIND with status 0122 (SOP class not supported): C-FIND is switched off on DICOM2"},
		{0x0124, false, "answers C-FIND with status 0124 (not authorised): allow C-FIND for 'GANTRY' on DICOM2; if it was allowed before, its licence may have expired"},
		{0xFE00, false, "answers C-FIND with status FE00 (cancel): the log of DICOM2 says why"},
		{0xA900, true, "answers C-FIND with status A900 (data set does not match SOP class): it is alive, but does not take what this check asks; the log of DICOM2 says why"},
	}
	for _, tt := range tests {
		t.Run(tt.sentence, func(t *testing.T) {
			c := response(tt.status, dicom.NoDataSet)
			c.ErrorComment = "no such patient: DOE^JOHN"
			result, _ := run(t, Settings{StudyUID: "2.25.7"}, ended(dicomscript.Say(1, c, nil))...)
			require.Equal(t, tt.degraded, result.OK())
			require.Equal(t, tt.sentence, result.Words().Sentence)
			require.Equal(t, negotiate.ReasonBadStatus, result.Words().Reason)
			require.NotContains(t, result.Words().Peer, "DOE")
		})
	}
}

// TestMissing: a search that is carried out and finds too little.
func TestMissing(t *testing.T) {
	tests := []struct {
		name     string
		settings Settings
		steps    []step
		sentence string
	}{
		{"no study", Settings{StudyUID: "2.25.7"}, []step{final(0)},
			"answers the search with success but does not find what must be there: an empty or wrong database is mounted, or the test entry was deleted"},
		{"too few", Settings{StudyUID: "2.25.7", MinMatches: 3}, []step{match(study(t, "2.25.7")), final(0)},
			"finds only 1 of at least 3 entries that must be there: a part of the database is missing, or test entries were deleted"},
		{"another study", Settings{StudyUID: "2.25.7"}, []step{match(study(t, "2.25.70")), final(0)},
			"does not find what must be there, but other entries: it ignores the search key"},
		{"another patient", Settings{PatientID: "ZZ-OTHER"}, []step{match(study(t, "2.25.7")), final(0)},
			"does not find what must be there, but other entries: it ignores the search key"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			result, _ := run(t, tt.settings, ended(tt.steps...)...)
			require.NotNil(t, result.Fault)
			require.Equal(t, tt.sentence, result.Fault.Sentence)
			require.Equal(t, []any{ask, negotiate.ReasonMismatch}, []any{result.Fault.Stage, result.Fault.Reason})
		})
	}
}

// TestRude: servers that break off or break the protocol.
func TestRude(t *testing.T) {
	found := study(t, "2.25.7")
	wrongID, wrongField := response(0, dicom.NoDataSet), response(0, dicom.NoDataSet)
	wrongID.MessageIDBeingRespondedTo, wrongField.Field = 9, dicom.CEchoRSP
	pending := response(dicom.StatusPending, 1)
	flood := dicomscript.Flood(dicom.AppendPData(nil, dicom.PDV{ContextID: 1, Data: bytes.Repeat([]byte{0}, 16000)}), dicomtalk.MaxPDUs)
	var large []byte // ends properly, but is longer than MaxIdentifier
	for i := range 5 {
		large = dicom.AppendPData(large, dicom.PDV{ContextID: 1, Last: i == 4, Data: bytes.Repeat([]byte{0}, 16000)})
	}
	refused := dicomscript.Accept(16384, dicom.ContextResult{ID: 1, Result: dicom.AbstractSyntaxRejected})
	tests := []struct {
		name     string
		steps    []step
		stage    negotiate.Stage
		reason   negotiate.Reason
		sentence string
	}{
		{"never answers", asked(hear), ask, negotiate.ReasonTimeout, "accepts the association but does not answer C-FIND within 5 s: its database hangs or is locked, or its workers are all busy"},
		{"hangs in the middle", asked(match(found), hear), ask, negotiate.ReasonTimeout, "accepts the association but does not answer C-FIND within 5 s: its database hangs or is locked, or its workers are all busy"},
		{"closes", asked(), ask, negotiate.ReasonClosed, "accepts the association, then closes the connection instead of answering C-FIND"},
		{"aborts", asked(dicomscript.Abort(0, 0), hear), ask, negotiate.ReasonAborted, "accepts the association, then aborts it instead of answering C-FIND (aborted by the service user (0/0)): the log of DICOM2 says why"},
		{"worklist not there", []step{recv, refused, hear}, open, negotiate.ReasonRejected, "accepts the association but not the Study Root query service in it (abstract syntax not supported): C-FIND is switched off on DICOM2, or not allowed for 'GANTRY'"},
		{"another transfer syntax", []step{recv, dicomscript.Accept(0, dicom.ContextResult{ID: 1, TransferSyntax: dicom.ExplicitVRLittleEndianUID}), hear}, open, negotiate.ReasonMismatch,
			"accepts the Study Root query service with a transfer syntax that was not proposed" + broken},
		{"takes no data", []step{recv, dicomscript.Accept(7, dicom.ContextResult{ID: 1, TransferSyntax: dicom.ImplicitVRLittleEndianUID}), hear}, open, negotiate.ReasonMismatch,
			"accepts the association but takes no data: it announces a maximum length of 7 bytes; check the maximum PDU length set on DICOM2"},
		{"wrong message id", asked(dicomscript.Say(1, wrongID, nil), hear), ask, negotiate.ReasonMismatch, "answers message 9 although message 1 was asked: it mixes up its answers"},
		{"wrong command", asked(dicomscript.Say(1, wrongField, nil), hear), ask, negotiate.ReasonMismatch, "answers C-FIND-RQ with C-ECHO-RSP" + broken},
		{"wrong context", asked(dicomscript.Say(3, response(0, dicom.NoDataSet), nil), hear), ask, negotiate.ReasonMismatch, "answers C-FIND on a presentation context that was not agreed upon"},
		{"data set on another context", asked(dicomscript.Say(1, pending, nil), send(dicom.AppendPData(nil, dicom.PDV{ContextID: 3, Last: true, Data: found})), hear), ask, negotiate.ReasonMismatch, "answers C-FIND on a presentation context that was not agreed upon"},
		{"data set before its command", asked(send(dicom.AppendPData(nil, dicom.PDV{ContextID: 1, Last: true, Data: found})), hear), ask, negotiate.ReasonMismatch, "answers C-FIND with a data set that belongs to no command" + broken},
		{"match without content", asked(dicomscript.Say(1, response(dicom.StatusPending, dicom.NoDataSet), nil), hear), ask, negotiate.ReasonMismatch, "answers C-FIND with a match that has no content" + broken},
		{"command instead of content", asked(dicomscript.Say(1, pending, nil), final(0), hear), ask, negotiate.ReasonMismatch, "answers C-FIND with a command where its data set should come" + broken},
		{"content too long", asked(dicomscript.Say(1, pending, nil), dicomscript.Flood(large, 1), hear), ask, negotiate.ReasonOversized, "sends data without end instead of an answer" + broken},
		{"content without end", asked(dicomscript.Say(1, pending, nil), flood, hear), ask, negotiate.ReasonOversized, "sends data without end instead of an answer" + broken},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			result, got := run(t, Settings{}, tt.steps...)
			require.NotNil(t, result.Fault)
			require.Equal(t, tt.sentence, result.Fault.Sentence)
			require.Equal(t, []any{tt.stage, tt.reason}, []any{result.Fault.Stage, result.Fault.Reason})
			require.False(t, result.Fault.Busy)
			_, aborted := dicomscript.LastAbort(got)
			require.Equal(t, tt.reason != negotiate.ReasonClosed && tt.reason != negotiate.ReasonAborted, aborted)
		})
	}
}
