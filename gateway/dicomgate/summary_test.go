package dicomgate_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gantry/gateway/dicomgate"
	"gantry/protocols/dicom"
)

func TestResponse(t *testing.T) {
	k := begin(nil)
	k.FromServer(answer(dicom.CStoreRQ, 1, success))
	k.FromServer(answer(dicom.CStoreRQ, 2, 0xB007))
	k.FromServer(answer(dicom.CStoreRQ, 3, 0xA700))
	k.FromServer(subs(dicom.CMoveRQ, 4, pending, dicom.SubOperations{Remaining: 2, Completed: 1}))
	k.FromServer(dicom.AppendPData(nil, dicom.PDV{ContextID: 77, Command: true, Last: true, Data: (&dicom.Command{
		Field: 0x4321 | dicom.ResponseBit, AffectedSOPClassUID: "1.2.3", DataSetType: dicom.NoDataSet}).Append(nil)}))
	k.FromClient(answer(dicom.NEventReportRQ, 1, success))
	require.Equal(t, heard{
		{From: dicomgate.Server, Command: dicom.CStoreRQ, SOPClass: dicom.CTImageStorageUID, Class: dicom.ClassSuccess, Objects: 1},
		{From: dicomgate.Server, Command: dicom.CStoreRQ, SOPClass: dicom.CTImageStorageUID, Status: 0xB007, Class: dicom.ClassWarning, Objects: 1},
		{From: dicomgate.Server, Command: dicom.CStoreRQ, SOPClass: dicom.CTImageStorageUID, Status: 0xA700, Class: dicom.ClassFailure},
		{From: dicomgate.Server, Command: dicom.CMoveRQ, SOPClass: dicom.StudyRootMoveUID, Status: pending, Class: dicom.ClassPending,
			Sub: &dicom.SubOperations{Remaining: 2, Completed: 1}},
		{From: dicomgate.Server, Command: 0x4321, Class: dicom.ClassSuccess},
		{From: dicomgate.Client, Command: dicom.NEventReportRQ, SOPClass: dicom.StorageCommitmentPushUID, Class: dicom.ClassSuccess},
	}, k.heard)
	require.True(t, k.heard[0].Final())
	require.False(t, k.heard[3].Final())
}

func TestSummary(t *testing.T) {
	k := begin(nil)
	require.Equal(t, "no operations", k.Summary().String())
	for id := range uint16(60) {
		k.FromClient(store(id))
		status := success
		if id%30 == 7 {
			status = dicom.StatusOutOfResources
		}
		k.FromServer(answer(dicom.CStoreRQ, id, status))
	}
	require.Equal(t, "C-STORE 60 (58 success, 2 failure A700), 58 objects", k.Summary().String())
	k.FromClient(store(61))
	require.Equal(t, "C-STORE 61 (58 success, 2 failure A700, 1 unanswered), 58 objects", k.Summary().String())
	s := k.Summary()
	require.Equal(t, []dicomgate.Failure{{Performer: dicomgate.Server, Command: dicom.CStoreRQ, Status: 0xA700, Count: 2}}, s.Failures)
	require.Equal(t, []dicomgate.Operation{{Performer: dicomgate.Server, Command: dicom.CStoreRQ, Requests: 61,
		Responses: [5]uint32{dicom.ClassSuccess: 58, dicom.ClassFailure: 2}}}, s.Operations)
	require.Equal(t, uint32(58), s.Stored)
}

// The counters of a C-MOVE are those of its final response; without any, or before it, those of the last pending one.
func TestSummarySubOperations(t *testing.T) {
	k := begin(nil)
	k.FromClient(askWithData(dicom.CMoveRQ, 1))
	k.FromClient(data(true))
	k.FromServer(subs(dicom.CMoveRQ, 1, pending, dicom.SubOperations{Remaining: 9, Completed: 3}))
	require.Equal(t, "C-MOVE 1 (1 unanswered), sub-operations 3 completed", k.Summary().String())
	k.FromServer(subs(dicom.CMoveRQ, 1, 0xB000, dicom.SubOperations{Completed: 9, Failed: 2, Warning: 1}))
	require.Equal(t, "C-MOVE 1 (1 warning), sub-operations 9 completed, 2 failed, 1 warning", k.Summary().String())
	k.FromServer(subs(dicom.CMoveRQ, 2, pending, dicom.SubOperations{Completed: 4}))
	k.FromServer(answer(dicom.CMoveRQ, 2, success))
	require.Equal(t, dicomgate.SubTotals{Completed: 13, Failed: 2, Warning: 1}, k.Summary().Sub)
}

// A peer that makes up commands and statuses gets no memory for them.
func TestSummaryIsBounded(t *testing.T) {
	k := begin(nil)
	for n := range uint16(2000) {
		k.FromServer(answer(n, n, 0xC000+n))
		k.FromClient(answer(n, n, 0xC000+n))
	}
	s := k.Summary()
	require.LessOrEqual(t, len(s.Operations), 16+2)
	require.Len(t, s.Failures, 4)
	total := uint32(0)
	for _, o := range s.Operations {
		total += o.Finals()
	}
	require.Equal(t, uint32(4000), total)
	require.Contains(t, s.String(), "other commands")
	require.Less(t, len(s.String()), 1500)
}
