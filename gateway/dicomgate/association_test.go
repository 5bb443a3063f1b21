package dicomgate_test

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"gantry/gateway/dicomgate"
	"gantry/protocols/dicom"
)

const (
	pending = dicom.StatusPending
	success = dicom.StatusSuccess
)

func TestOutstanding(t *testing.T) {
	k := begin(nil)
	k.outstanding(t, 0)
	whole := store(1)
	k.FromClient(whole[:len(whole)-1])
	k.outstanding(t, 0)
	k.FromClient(whole[len(whole)-1:])
	k.outstanding(t, 1)
	rsp := answer(dicom.CStoreRQ, 1, success)
	k.FromServer(rsp[:len(rsp)-1])
	k.outstanding(t, 1)
	k.FromServer(rsp[len(rsp)-1:])
	k.outstanding(t, 0)

	k.FromClient(askWithData(dicom.CFindRQ, 2))
	k.FromClient(data(true))
	k.outstanding(t, 1)
	k.FromServer(answer(dicom.CFindRQ, 2, pending))
	k.outstanding(t, 1)
	k.FromClient(command(dicom.Command{Field: dicom.CCancelRQ, MessageIDBeingRespondedTo: 2, DataSetType: dicom.NoDataSet}))
	k.outstanding(t, 1)
	k.FromServer(answer(dicom.CFindRQ, 2, dicom.StatusCancel))
	k.outstanding(t, 0)
	require.Equal(t, "C-STORE 1 (1 success), C-FIND 1 (1 cancelled), 1 object, 1 match", k.Summary().String())

	k.FromClient(ask(dicom.CEchoRQ, 3))
	k.outstanding(t, 1)
	k.FromServer(dicom.AbortUser.Append(nil))
	k.outstanding(t, 0)
}

// An answer before the end of a message, a refusal for example, is the answer; nothing is awaited after it.
func TestAnswerBeforeTheEnd(t *testing.T) {
	k := begin(nil)
	k.FromClient(askWithData(dicom.CStoreRQ, 1))
	k.FromClient(data(false))
	k.FromServer(answer(dicom.CStoreRQ, 1, dicom.StatusOutOfResources))
	k.FromClient(data(true))
	k.outstanding(t, 0)
	k.FromClient(store(2))
	k.outstanding(t, 1)
}

// With a window of one operation an answer shows that the client's message has ended.
func TestFoundAgain(t *testing.T) {
	k := begin(nil)
	k.FromClient(askWithData(dicom.CStoreRQ, 1))
	for id := range uint16(5) {
		k.SkippedFromClient(300_000)
		k.outstanding(t, -1)
		require.False(t, k.AtBoundary(dicomgate.Server))
		k.FromServer(answer(dicom.CStoreRQ, id+1, success))
		k.outstanding(t, 0)
		require.True(t, k.AtBoundary(dicomgate.Server))
	}
	k.FromClient(store(6))
	k.outstanding(t, 1)
	k.FromServer(answer(dicom.CStoreRQ, 6, success))
	k.FromClient(dicom.AppendReleaseRQ(nil))
	require.Equal(t, dicomgate.ReleaseAsked, k.Stage())
	require.Equal(t, "C-STORE 6 (6 success), 6 objects", k.Summary().String())
}

// What the client says while the server works on its request may pass unseen too: a cancel, the answers in a C-GET.
func TestFoundAgainBehindAnswers(t *testing.T) {
	k := begin(nil)
	k.FromClient(ask(dicom.CFindRQ, 1))
	k.SkippedFromClient(70)
	k.FromServer(answer(dicom.CFindRQ, 1, dicom.StatusCancel))
	k.outstanding(t, 0)

	k.FromClient(ask(dicom.CGetRQ, 2))
	k.FromServer(store(1))
	k.SkippedFromClient(120)
	k.FromServer(answer(dicom.CGetRQ, 2, success))
	k.outstanding(t, 0)
	k.FromClient(ask(dicom.CEchoRQ, 3))
	k.outstanding(t, 1)
}

func TestNotFoundAgain(t *testing.T) {
	for _, tt := range []struct {
		name   string
		window *dicom.AsyncWindow
		before func(k *talk)
	}{
		{"more operations are allowed", &dicom.AsyncWindow{Invoked: 2, Performed: 1}, func(*talk) {}},
		{"any number of operations", &dicom.AsyncWindow{}, func(*talk) {}},
		{"more were sent than allowed", nil, func(k *talk) { k.FromClient(store(1)); k.FromClient(store(2)) }},
		{"the client may be answering the server", nil, func(k *talk) { k.FromServer(ask(dicom.NEventReportRQ, 1)) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := begin(tt.window)
			tt.before(k)
			k.SkippedFromClient(300_000)
			k.FromServer(answer(dicom.CStoreRQ, 1, success))
			k.outstanding(t, -1)
			require.False(t, k.AtBoundary(dicomgate.Server))
			require.Len(t, k.heard, 1)
		})
	}
}

// A server that answers in the middle of a message that passes unseen makes the client be looked for in the wrong place.
// That does no harm: the next answer shows where it is.
func TestFoundInTheWrongPlace(t *testing.T) {
	k := begin(nil)
	k.SkippedFromClient(300_000)
	k.FromServer(answer(dicom.CStoreRQ, 1, dicom.StatusOutOfResources))
	k.FromClient(make([]byte, 2000)) // pixels
	k.outstanding(t, -1)
	require.False(t, k.Garbled(dicomgate.Client))
	k.SkippedFromClient(1000)
	k.FromServer(answer(dicom.CStoreRQ, 2, success))
	k.FromClient(ask(dicom.CEchoRQ, 3))
	k.outstanding(t, 1)
}

func TestWindow(t *testing.T) {
	k := begin(&dicom.AsyncWindow{Invoked: 3, Performed: 1})
	for id := range uint16(3) {
		k.FromClient(store(id + 1))
	}
	k.outstanding(t, 3)
	k.FromServer(answer(dicom.CStoreRQ, 3, success))
	k.FromServer(answer(dicom.CStoreRQ, 1, success))
	k.outstanding(t, 1)
	k.FromServer(answer(dicom.CStoreRQ, 2, success))
	k.FromServer(answer(dicom.CStoreRQ, 2, success)) // once more
	k.outstanding(t, 0)

	rq := &dicom.AssociateRQ{UserInformation: dicom.UserInformation{Async: &dicom.AsyncWindow{Invoked: 5}}}
	for _, tt := range []struct {
		name  string
		ac    *dicom.AssociateAC
		known bool // again, after an answer
	}{
		{"not answered: one", &dicom.AssociateAC{}, true},
		{"answer not readable: any", nil, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := dicomgate.NewAssociation(rq, tt.ac, dicomgate.Options{})
			a.SkippedFromClient(1)
			a.FromServer(answer(dicom.CEchoRQ, 1, success))
			_, known := a.Outstanding()
			require.Equal(t, tt.known, known)
		})
	}
}

// In a C-GET the server asks too. While it waits for the client it owes nothing.
func TestGet(t *testing.T) {
	k := begin(nil)
	k.FromClient(ask(dicom.CGetRQ, 1))
	k.outstanding(t, 1)
	k.FromServer(store(1))
	k.outstanding(t, 0)
	k.FromClient(answer(dicom.CStoreRQ, 1, success))
	k.outstanding(t, 1)
	k.FromServer(subs(dicom.CGetRQ, 1, pending, dicom.SubOperations{Remaining: 1, Completed: 1}))
	k.FromServer(store(2))
	k.FromClient(answer(dicom.CStoreRQ, 2, 0xC001))
	k.FromServer(subs(dicom.CGetRQ, 1, 0xB000, dicom.SubOperations{Completed: 1, Failed: 1}))
	k.outstanding(t, 0)
	require.Equal(t, "C-GET 1 (1 warning), C-STORE to the client 2 (1 success, 1 failure C001), 1 object to the client, "+
		"sub-operations 1 completed, 1 failed", k.Summary().String())
	_, bad := k.Blame()
	require.False(t, bad, "the client refused the object")
	require.Equal(t, []dicomgate.Side{dicomgate.Client, dicomgate.Server, dicomgate.Client, dicomgate.Server},
		[]dicomgate.Side{k.heard[0].From, k.heard[1].From, k.heard[2].From, k.heard[3].From})
}

// What an association costs while nothing happens, beside the strings of the request: the gateway holds thousands.
func TestAssociationIsSmall(t *testing.T) {
	const oneContext = 24
	require.Less(t, unsafe.Sizeof(dicomgate.Association{})+oneContext, uintptr(600), "bytes")
}
