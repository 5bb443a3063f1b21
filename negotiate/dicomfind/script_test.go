package dicomfind

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gantry/negotiate"
	"gantry/negotiate/internal/dicomscript"
	"gantry/negotiate/internal/dicomtalk"
	"gantry/protocols/dicom"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var dicom2 = negotiate.Target{Service: "DICOM", Server: "DICOM2", Host: "10.12.1.111", Port: 104, Version: "1.2.3"}

type step = dicomscript.Step

var (
	recv, hear, question = dicomscript.Recv, dicomscript.Hear, dicomscript.RecvMessage
	send, released       = dicomscript.Send, dicomscript.Released
	agreed               = dicomscript.Agree(1)
)

// study is a match on study level.
func study(t testing.TB, uid string) []byte {
	t.Helper()
	set, err := dicomtalk.Encode(studies("ZZ-GANTRY-TEST", uid)...)
	require.NoError(t, err)
	return set
}

func response(status uint16, dataSet uint16) dicom.Command {
	return dicom.Command{Field: dicom.CFindRSP, MessageIDBeingRespondedTo: 1, DataSetType: dataSet, Status: status}
}

// match answers with a match.
func match(set []byte) step {
	return dicomscript.Say(1, response(dicom.StatusPending, dicom.WithDataSet), set)
}

// final answers with the last status.
func final(status uint16) step { return dicomscript.Say(1, response(status, dicom.NoDataSet), nil) }

// asked is a conversation up to the question.
func asked(steps ...step) []step { return append([]step{recv, agreed, question}, steps...) }

// ended adds a good end to it.
func ended(steps ...step) []step { return asked(append(steps, recv, released, hear)...) }

func run(t *testing.T, s Settings, steps ...step) (negotiate.Result, [][]byte) {
	t.Helper()
	s.Validate(func(key, got, want string) { t.Errorf("%s: %s; %s", key, got, want) })
	p, err := s.Prober(dicom2)
	require.NoError(t, err)
	return dicomscript.Run(t, p, steps...)
}
