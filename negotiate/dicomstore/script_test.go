package dicomstore

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gantry/negotiate"
	"gantry/negotiate/internal/dicomscript"
	"gantry/protocols/dicom"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var dicom2 = negotiate.Target{Service: "DICOM", Server: "DICOM2", Host: "10.12.1.111", Port: 104, Version: "1.2.3"}

type step = dicomscript.Step

var (
	recv, hear, question = dicomscript.Recv, dicomscript.Hear, dicomscript.RecvMessage
	released             = dicomscript.Released
)

func response(status uint16) dicom.Command {
	return dicom.Command{Field: dicom.CStoreRSP, MessageIDBeingRespondedTo: 1, DataSetType: dicom.NoDataSet, Status: status}
}

// answer answers the C-STORE, which is message 1.
func answer(status uint16) step { return dicomscript.Say(storeContext, response(status), nil) }

func findResponse(id, status, dataSet uint16) dicom.Command {
	return dicom.Command{Field: dicom.CFindRSP, MessageIDBeingRespondedTo: id, DataSetType: dataSet, Status: status}
}

// found answers search n, counted from 1, with the image of DICOM2.
func found(t testing.TB, n uint16) []step {
	t.Helper()
	image, err := newImage(instanceUID(dicom2.Service, dicom2.Server), MinSize)
	require.NoError(t, err)
	set, err := image.identifier()
	require.NoError(t, err)
	return []step{question, dicomscript.Say(findContext, findResponse(n+1, dicom.StatusPending, dicom.WithDataSet), set),
		dicomscript.Say(findContext, findResponse(n+1, 0, dicom.NoDataSet), nil)}
}

// missing answers search n with nothing.
func missing(n uint16) []step {
	return []step{question, dicomscript.Say(findContext, findResponse(n+1, 0, dicom.NoDataSet), nil)}
}

// asked is a conversation up to the object; ended adds a good end.
func asked(steps ...step) []step {
	return append([]step{recv, dicomscript.Agree(storeContext, findContext), question}, steps...)
}

func ended(steps ...step) []step { return asked(append(steps, recv, released, hear)...) }

func run(t *testing.T, s Settings, steps ...step) (negotiate.Result, [][]byte) {
	t.Helper()
	s.Validate(func(key, got, want string) { t.Errorf("%s: %s; %s", key, got, want) })
	p, err := s.Prober(dicom2)
	require.NoError(t, err)
	return dicomscript.Run(t, p, steps...)
}

// dataSet puts the fragments of the data set in received PDUs together; largest is the length field of the largest PDU.
func dataSet(t testing.TB, got [][]byte) (set []byte, largest int) {
	t.Helper()
	last := false
	for _, pdu := range got {
		if dicom.PDUType(pdu[0]) != dicom.TypeData {
			continue
		}
		pdvs, err := dicom.DecodePDVs(pdu[dicom.HeaderLen:])
		require.NoError(t, err)
		largest = max(largest, len(pdu)-dicom.HeaderLen)
		for _, pdv := range pdvs {
			require.Zero(t, len(pdv.Data)%2, "fragments are even")
			if !pdv.Command {
				require.False(t, last, "a fragment behind the last one")
				last = pdv.Last
				set = append(set, pdv.Data...)
			}
		}
	}
	require.True(t, last)
	return set, largest
}

// element finds the value of an element of the first level.
func element(t testing.TB, set []byte, tag dicom.Tag) []byte {
	t.Helper()
	for len(set) > 0 {
		e, err := dicom.DecodeElementHead(set, false)
		require.NoError(t, err)
		value := set[e.HeadLen : e.HeadLen+int(e.Length)]
		if e.Tag == tag {
			return bytes.TrimRight(value, "\x00 ")
		}
		set = set[e.HeadLen+len(value):]
	}
	t.Fatalf("no element %v", tag)
	return nil
}
