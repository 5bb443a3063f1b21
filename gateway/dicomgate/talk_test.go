package dicomgate_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gantry/fixtures/recorded"
	"gantry/gateway/dicomgate"
	"gantry/protocols/dicom"
)

// heard are the responses that a Listener was told of.
type heard []dicomgate.Response

func (h *heard) Response(r dicomgate.Response) {
	if r.Sub != nil {
		sub := *r.Sub
		r.Sub = &sub
	}
	*h = append(*h, r)
}

// talk is an association that a test speaks both parts of.
type talk struct {
	*dicomgate.Association
	heard heard
}

// contexts of every talk: 1 CT storage, 3 study root find, 5 study root move, 7 study root get, 9 storage commitment.
var classes = []string{
	dicom.CTImageStorageUID, dicom.StudyRootFindUID, dicom.StudyRootMoveUID, dicom.StudyRootGetUID, dicom.StorageCommitmentPushUID,
}

func begin(window *dicom.AsyncWindow) *talk {
	rq := &dicom.AssociateRQ{CalledAE: "ARCHIVE", CallingAE: "ZZ-CT1"}
	ac := &dicom.AssociateAC{}
	rq.Async, ac.Async = window, window
	for i, uid := range classes {
		rq.Contexts = append(rq.Contexts, dicom.PresentationContext{
			ID: dicom.ContextID(i), AbstractSyntax: uid, TransferSyntaxes: []string{dicom.ImplicitVRLittleEndianUID}})
	}
	t := &talk{}
	t.Association = dicomgate.NewAssociation(rq, ac, dicomgate.Options{Listener: &t.heard})
	return t
}

// command is a P-DATA-TF with a command set for the context that fits its field.
func command(c dicom.Command) []byte {
	context := map[uint16]byte{dicom.CFindRQ: 3, dicom.CMoveRQ: 5, dicom.CGetRQ: 7, dicom.NActionRQ: 9,
		dicom.NEventReportRQ: 9}[c.Field&^dicom.ResponseBit]
	if context == 0 {
		context = 1
	}
	return dicom.AppendPData(nil, dicom.PDV{ContextID: context, Command: true, Last: true, Data: c.Append(nil)})
}

// request is one without a data set, store one with a data set to follow.
func ask(field, id uint16) []byte {
	return command(dicom.Command{Field: field, MessageID: id, DataSetType: dicom.NoDataSet})
}

func askWithData(field, id uint16) []byte {
	return command(dicom.Command{Field: field, MessageID: id, DataSetType: dicom.WithDataSet})
}

// data is a P-DATA-TF of a data set.
func data(last bool) []byte {
	return dicom.AppendPData(nil, dicom.PDV{ContextID: 1, Last: last, Data: make([]byte, 1000)})
}

// store is a whole C-STORE-RQ.
func store(id uint16) []byte {
	return append(append(askWithData(dicom.CStoreRQ, id), data(false)...), data(true)...)
}

func answer(field, id, status uint16) []byte {
	return command(dicom.Command{Field: field | dicom.ResponseBit, MessageIDBeingRespondedTo: id, Status: status, DataSetType: dicom.NoDataSet})
}

func subs(field, id, status uint16, s dicom.SubOperations) []byte {
	return command(dicom.Command{Field: field | dicom.ResponseBit, MessageIDBeingRespondedTo: id, Status: status,
		DataSetType: dicom.NoDataSet, SubOperations: &s})
}

// outstanding asserts how many requests wait; -1 stands for not known.
func (k *talk) outstanding(t *testing.T, want int) {
	t.Helper()
	n, known := k.Outstanding()
	if !known {
		n = -1
	}
	require.Equal(t, want, n, "outstanding")
}

// conversation finds a recorded conversation.
func conversation(t testing.TB, name string) recorded.Conversation {
	all, err := recorded.All()
	require.NoError(t, err)
	for _, c := range all {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("no conversation %q", name)
	return recorded.Conversation{}
}

// opening reads both association PDUs of a conversation and gives their lengths.
func opening(t require.TestingT, c recorded.Conversation) (rq *dicom.AssociateRQ, ac *dicom.AssociateAC, client, server int) {
	first := c.From(false)
	client, err := dicomgate.Length(first)
	require.NoError(t, err)
	rq, err = dicom.DecodeAssociateRQ(first[:client])
	require.NoError(t, err)
	reply, err := dicomgate.ReadReply(c.From(true))
	require.NoError(t, err)
	require.Equal(t, dicomgate.Accepted, reply.Kind)
	return rq, reply.AC, client, reply.Len
}

// replay lets a recorded conversation pass; feed is called for each piece behind the opening.
func replay(t require.TestingT, c recorded.Conversation, feed func(k *talk, fromServer bool, b []byte)) *talk {
	rq, ac, client, server := opening(t, c)
	k := &talk{}
	k.Association = dicomgate.NewAssociation(rq, ac, dicomgate.Options{Listener: &k.heard})
	left := map[bool]*int{false: &client, true: &server}
	for _, p := range c.Pieces {
		n := min(*left[p.Server], len(p.Bytes))
		*left[p.Server] -= n
		if n < len(p.Bytes) {
			feed(k, p.Server, p.Bytes[n:])
		}
	}
	return k
}

func (k *talk) from(server bool, b []byte) {
	if server {
		k.FromServer(b)
	} else {
		k.FromClient(b)
	}
}
