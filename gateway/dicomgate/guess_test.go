package dicomgate_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gantry/gateway/dicomgate"
	"gantry/protocols/dicom"
)

// An answer that may come before the end of what it answers shows that the message is answered, but not that the client is
// between two PDUs: an A-ABORT must wait until a PDU has begun there.
func TestAnswersThatMayComeEarly(t *testing.T) {
	for _, tt := range []struct {
		name          string
		field, status uint16
		sure          bool
	}{
		{"stored", dicom.CStoreRQ, success, true},
		{"stored with coercion", dicom.CStoreRQ, 0xB000, true},
		{"refused, perhaps half way", dicom.CStoreRQ, dicom.StatusOutOfResources, false},
		{"found, while a C-CANCEL may be under way", dicom.CFindRQ, success, false},
		{"moved, while a C-CANCEL may be under way", dicom.CMoveRQ, success, false},
		{"got, while a C-CANCEL may be under way", dicom.CGetRQ, dicom.StatusCancel, false},
		{"done", dicom.NActionRQ, success, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := begin(nil)
			k.FromClient(askWithData(tt.field, 1))
			k.SkippedFromClient(300_000)
			k.FromServer(answer(tt.field, 1, tt.status))
			k.outstanding(t, 0)
			require.Equal(t, tt.sure, k.AtBoundary(dicomgate.Server))
			require.True(t, k.AtBoundary(dicomgate.Client))
			k.FromClient(ask(dicom.CEchoRQ, 2))
			require.True(t, k.AtBoundary(dicomgate.Server))
		})
	}
}

// Pixels that begin like an association PDU, or like an A-ABORT, end nothing and are not collected.
func TestPixelsAreNoPDU(t *testing.T) {
	for name, pixels := range map[string][]byte{
		"A-ABORT":      {7, 1, 0, 0, 0, 4, 0, 0, 2, 0},
		"A-RELEASE-RP": {6, 255, 0, 0, 0, 4, 0, 0, 0, 0},
		"request":      {1, 0, 0, 2, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			k := begin(nil)
			k.SkippedFromClient(300_000)
			k.FromServer(answer(dicom.CStoreRQ, 1, dicom.StatusOutOfResources))
			k.FromClient(pixels)
			require.Equal(t, dicomgate.Open, k.Stage())
			k.outstanding(t, -1)
			require.False(t, k.AtBoundary(dicomgate.Server))
		})
	}
}

// A C-MOVE may take as long as it takes somebody else; the server's silence says nothing about it.
func TestMoveIsNotOwed(t *testing.T) {
	k := begin(&dicom.AsyncWindow{Invoked: 2, Performed: 1})
	k.FromClient(ask(dicom.CMoveRQ, 1))
	k.outstanding(t, 0)
	k.FromClient(ask(dicom.CEchoRQ, 2))
	k.outstanding(t, 1)
	k.FromServer(answer(dicom.CMoveRQ, 1, success))
	k.outstanding(t, 1)
	k.FromServer(answer(dicom.CEchoRQ, 2, success))
	k.outstanding(t, 0)
	require.Equal(t, "C-MOVE 1 (1 success), C-ECHO 1 (1 success)", k.Summary().String())
}

// The end of one C-GET is not the end of another's sub-operations: the server still waits for the client.
func TestTwoGets(t *testing.T) {
	k := begin(&dicom.AsyncWindow{Invoked: 2, Performed: 2})
	k.FromClient(ask(dicom.CGetRQ, 1))
	k.FromClient(ask(dicom.CGetRQ, 2))
	k.FromServer(store(1))
	k.FromServer(answer(dicom.CGetRQ, 2, success))
	k.outstanding(t, 0)
	k.FromClient(answer(dicom.CStoreRQ, 1, success))
	k.outstanding(t, 1)
}

// The counters of operations at the same time are not mixed.
func TestTwoMoves(t *testing.T) {
	k := begin(&dicom.AsyncWindow{Invoked: 2, Performed: 1})
	k.FromServer(subs(dicom.CMoveRQ, 1, pending, dicom.SubOperations{Remaining: 1, Completed: 3}))
	k.FromServer(subs(dicom.CMoveRQ, 2, pending, dicom.SubOperations{Remaining: 9, Completed: 5}))
	k.FromServer(subs(dicom.CMoveRQ, 1, success, dicom.SubOperations{Completed: 4}))
	require.Equal(t, dicomgate.SubTotals{Completed: 9}, k.Summary().Sub)
	k.FromServer(answer(dicom.CMoveRQ, 2, success)) // without counters: the last ones it gave
	require.Equal(t, dicomgate.SubTotals{Completed: 9}, k.Summary().Sub)
}

// Neither side can make the gateway hold an association PDU where there must be none, and it ends nothing.
func TestAssociationPDULater(t *testing.T) {
	k := begin(nil)
	rq := (&dicom.AssociateRQ{}).Append(nil)
	k.FromClient(rq)
	k.FromServer(rq[:50])
	require.False(t, k.AtBoundary(dicomgate.Client))
	k.FromServer(rq[50:])
	require.True(t, k.AtBoundary(dicomgate.Client) && k.AtBoundary(dicomgate.Server))
	require.Equal(t, dicomgate.Open, k.Stage())
}
