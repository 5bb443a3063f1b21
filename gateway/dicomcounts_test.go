package gateway_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gantry/protocols/dicom"
)

// A C-MOVE to a destination that the server does not know, and one whose
// sub-operations fail, show in what is counted.
func TestMovesAreCounted(t *testing.T) {
	addr, a := freePort(t), newArchive(t)
	h := start(t, dicomService(addr, "", a))
	client, server := together(t, addr, "WS7", a)
	move := func(id uint16, c dicom.Command) {
		client.says(command(1, dicom.Command{
			AffectedSOPClassUID: dicom.StudyRootMoveUID, Field: dicom.CMoveRQ, MessageID: id, MoveDestination: "WS7", DataSetType: dicom.WithDataSet,
		}))
		client.says(dicom.AppendPData(nil, dicom.PDV{ContextID: 1, Last: true, Data: make([]byte, 20)}))
		_ = server.pdu()
		_ = server.pdu()
		c.Field, c.MessageIDBeingRespondedTo, c.DataSetType = dicom.CMoveRSP, id, dicom.NoDataSet
		server.says(command(1, c))
		_ = client.pdu()
	}
	move(1, dicom.Command{Status: 0xA801})
	require.Equal(t, 1.0, h.counts("gantry_dimse_responses_total")["C-MOVE,A,failure"])
	move(2, dicom.Command{Status: 0xB000, SubOperations: &dicom.SubOperations{Completed: 3, Failed: 2, Warning: 1}})
	require.Equal(t, 1.0, h.counts("gantry_dimse_responses_total")["C-MOVE,A,warning"])
	require.Equal(t, map[string]float64{"completed,A": 3, "failed,A": 2, "warning,A": 1}, h.counts("gantry_dicom_sub_operations_total"))
	require.Zero(t, h.server("PACS", "A").AsideUntil)
}

// Storage commitment: what was asked for in one service, and reported in the other.
func TestCommitmentsAreCounted(t *testing.T) {
	addr, a := freePort(t), newArchive(t)
	h := start(t, dicomService(addr, "", a))
	for _, tt := range []struct {
		field uint16
		want  string
	}{{dicom.NActionRQ, "N-ACTION,A,success"}, {dicom.NEventReportRQ, "N-EVENT-REPORT,A,success"}} {
		client, server := together(t, addr, "CT1", a)
		client.says(command(1, dicom.Command{
			RequestedSOPClassUID: dicom.StorageCommitmentPushUID, Field: tt.field, MessageID: 1, DataSetType: dicom.NoDataSet,
			RequestedSOPInstanceUID: "1.2.840.10008.1.20.1.1", ActionTypeID: 1, EventTypeID: 1,
		}))
		_ = server.pdu()
		server.says(command(1, dicom.Command{
			Field: tt.field | dicom.ResponseBit, MessageIDBeingRespondedTo: 1, DataSetType: dicom.NoDataSet,
		}))
		_ = client.pdu()
		require.Equal(t, 1.0, h.counts("gantry_dimse_responses_total")[tt.want])
	}
}
