package dicomgate_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gantry/gateway/dicomgate"
	"gantry/protocols/dicom"
)

// last keeps one response, as a gateway that counts does.
type last struct{ r dicomgate.Response }

func (l *last) Response(r dicomgate.Response) { l.r = r }

func following() *dicomgate.Association {
	rq := dicom.AssociateRQ{Contexts: []dicom.PresentationContext{{ID: 1, AbstractSyntax: dicom.CTImageStorageUID}}}
	return dicomgate.NewAssociation(&rq, &dicom.AssociateAC{}, dicomgate.Options{Listener: &last{}})
}

// The steady state of a busy association: what a server says costs no memory.
func BenchmarkResponse(b *testing.B) {
	stored := command(dicom.Command{Field: dicom.CStoreRSP, AffectedSOPClassUID: dicom.CTImageStorageUID, MessageIDBeingRespondedTo: 9,
		DataSetType: dicom.NoDataSet, AffectedSOPInstanceUID: "2.25.329800735698586629295641978511506172918"})
	match := append(command(dicom.Command{Field: dicom.CFindRSP, AffectedSOPClassUID: dicom.StudyRootFindUID, Status: pending,
		MessageIDBeingRespondedTo: 9}), data(true)...)
	for _, bb := range []struct {
		name string
		pdu  []byte
	}{{"C-STORE-RSP", stored}, {"C-FIND pending", match}} {
		b.Run(bb.name, func(b *testing.B) {
			a := following()
			b.ReportAllocs()
			for b.Loop() {
				a.FromServer(bb.pdu)
			}
		})
	}
}

// The race detector empties pools now and then, on purpose; that is less than one allocation a run, which counts as none.
func TestResponsesCostNoMemory(t *testing.T) {
	a := following()
	rsp := command(dicom.Command{Field: dicom.CStoreRSP, AffectedSOPClassUID: dicom.CTImageStorageUID, MessageIDBeingRespondedTo: 9,
		DataSetType: dicom.NoDataSet, AffectedSOPInstanceUID: "2.25.329800735698586629295641978511506172918"})
	require.Zero(t, testing.AllocsPerRun(1000, func() { a.FromServer(rsp) }))
}

// What one association costs from its acceptance on.
func BenchmarkNewAssociation(b *testing.B) {
	rq := dicom.AssociateRQ{Contexts: []dicom.PresentationContext{{ID: 1, AbstractSyntax: dicom.CTImageStorageUID}}}
	ac := dicom.AssociateAC{}
	b.ReportAllocs()
	for b.Loop() {
		sink = dicomgate.NewAssociation(&rq, &ac, dicomgate.Options{})
	}
}

var sink *dicomgate.Association

// One object of some MB whose middle is spliced: the cost of reading along beside the copying that is not done.
func BenchmarkStoreReadAlong(b *testing.B) {
	a := following()
	head, rsp := askWithData(dicom.CStoreRQ, 1), answer(dicom.CStoreRQ, 1, success)
	pixels := data(false)
	b.ReportAllocs()
	for b.Loop() {
		a.FromClient(head)
		a.FromClient(pixels)
		a.SkippedFromClient(4 << 20)
		a.FromServer(rsp)
	}
}
