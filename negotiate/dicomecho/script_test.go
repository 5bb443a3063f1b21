package dicomecho

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

func proberOf(t testing.TB, s Settings, target negotiate.Target) negotiate.Prober {
	t.Helper()
	s.Validate(func(key, got, want string) { t.Errorf("%s: %s; %s", key, got, want) })
	p, err := s.Prober(target)
	require.NoError(t, err)
	return p
}

type (
	step   = dicomscript.Step
	script = dicomscript.Script
)

// The vocabulary of the scripts.
var (
	recv, hear = dicomscript.Recv, dicomscript.Hear
	send       = dicomscript.Send
	pause      = dicomscript.Pause
	drip       = dicomscript.Drip
	released   = dicomscript.Released
	releaseRQ  = dicomscript.ReleaseRQ
	abortBy    = dicomscript.Abort
	lastAbort  = dicomscript.LastAbort
	accepted   = dicomscript.Agree(contextID)
	wellBehave = []step{recv, accepted, recv, answer(0, 1), recv, released, hear}
)

func accept(results ...dicom.ContextResult) step { return dicomscript.Accept(16384, results...) }

func response(status, id uint16) dicom.Command {
	return dicom.Command{Field: dicom.CEchoRSP, MessageIDBeingRespondedTo: id, DataSetType: dicom.NoDataSet, Status: status}
}

func message(context byte, c dicom.Command) []byte { return dicomscript.Message(context, c, nil) }

func answer(status, id uint16) step { return send(message(contextID, response(status, id))) }

// run plays the steps against one check in fake time. got is what the server received.
func run(t *testing.T, settings Settings, target negotiate.Target, steps ...step) (negotiate.Result, [][]byte) {
	t.Helper()
	return dicomscript.Run(t, proberOf(t, settings, target), steps...)
}

// cut returns all but the last n bytes.
func cut(b []byte, n int) []byte { return bytes.Clone(b[:len(b)-n]) }
