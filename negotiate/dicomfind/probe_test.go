package dicomfind

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gantry/negotiate"
	"gantry/negotiate/internal/dicomscript"
	"gantry/negotiate/internal/dicomtalk"
	"gantry/protocols/dicom"
)

func TestHealthy(t *testing.T) {
	known := Settings{StudyUID: "2.25.7"}
	found := study(t, "2.25.7")
	tests := []struct {
		name     string
		settings Settings
		steps    []step
	}{
		{"nothing found", Settings{}, ended(final(0))},
		{"nothing found in a worklist", Settings{Model: "worklist"}, ended(final(0))},
		{"final answer claims a data set", Settings{}, ended(dicomscript.Say(1, response(0, 0), nil))},
		{"success with a warning", Settings{}, ended(final(0xB000))},
		{"study found", known, ended(match(found), final(0))},
		{"study found, optional keys not supported", known,
			ended(dicomscript.Say(1, response(dicom.StatusPendingWarning, 0), found), final(0))},
		{"several found", Settings{PatientID: "ZZ-GANTRY-TEST", MinMatches: 2}, ended(match(found), match(study(t, "2.25.8")), match(found), final(0))},
		{"match that does not name the key", known, ended(match(study(t, "")), final(0))},
		{"match in fragments", known, ended(send(dicom.AppendPData(nil, dicom.PDV{ContextID: 1, Command: true, Last: true,
			Data: command(response(dicom.StatusPending, 1))}, dicom.PDV{ContextID: 1, Data: found[:20]})),
			send(dicom.AppendPData(nil, dicom.PDV{ContextID: 1, Last: true, Data: found[20:]})), final(0))},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			result, got := run(t, tt.settings, tt.steps...)
			require.Nil(t, result.Words())
			require.Equal(t, dicom.AppendReleaseRQ(nil), got[len(got)-1])
		})
	}
}

func command(c dicom.Command) []byte { return c.Append(nil) }

// TestIgnoredKey: a server that finds too much answers, but is told to stop and should get less to do.
func TestIgnoredKey(t *testing.T) {
	const ignores = "finds what cannot exist: it ignores the search key, so that a search for one patient may bring all"
	other := match(study(t, "2.25.99"))
	wanted := match(study(t, "2.25.7"))
	many := dicomscript.Flood(dicomscript.Message(1, response(dicom.StatusPending, dicom.WithDataSet), study(t, "2.25.99")), dicomtalk.MaxAfterCancel+10)
	canceled := func(steps ...step) []step {
		return asked(append([]step{other, recv}, steps...)...)
	}
	tests := []struct {
		name     string
		settings Settings
		steps    []step
		sentence string
		cancels  bool
		abort    bool
	}{
		{"stops when told to", Settings{}, canceled(final(dicom.StatusCancel), recv, released, hear), ignores, true, false},
		{"comes to an end before that", Settings{}, canceled(final(0), recv, released, hear), ignores, true, false},
		{"some more, then stops", Settings{}, canceled(other, other, final(dicom.StatusCancel), recv, released, hear), ignores, true, false},
		{"never stops", Settings{}, canceled(many, hear), ignores + "; nor does it stop when the search is cancelled", true, true},
		{"known study among others", Settings{StudyUID: "2.25.7"}, ended(other, wanted, final(0)),
			"finds what was asked for, and other entries beside it: it ignores the search key", false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			result, got := run(t, tt.settings, tt.steps...)
			require.Nil(t, result.Fault)
			require.Nil(t, result.Warning)
			require.NotNil(t, result.Degraded)
			require.Equal(t, tt.sentence, result.Degraded.Sentence)
			require.Equal(t, negotiate.ReasonMismatch, result.Degraded.Reason)
			_, aborted := dicomscript.LastAbort(got)
			require.Equal(t, tt.abort, aborted)
			cancel := "\x04\x00\x00\x00\x00\x30" + "\x00\x00\x00\x2c" + "\x01\x03" + // context 1, last fragment of a command
				"\x00\x00\x00\x00" + "\x04\x00\x00\x00" + "\x1e\x00\x00\x00" + // group length 30
				"\x00\x00\x00\x01" + "\x02\x00\x00\x00" + "\xff\x0f" + // C-CANCEL-RQ
				"\x00\x00\x20\x01" + "\x02\x00\x00\x00" + "\x01\x00" + // of message 1
				"\x00\x00\x00\x08" + "\x02\x00\x00\x00" + "\x01\x01" // no data set
			require.Equal(t, tt.cancels, len(got) > 3 && string(got[3]) == cancel)
		})
	}
}

// FuzzServer: whatever a server sends, the check ends with a verdict and without a panic.
func FuzzServer(f *testing.F) {
	ac := dicom.AssociateAC{Version: 1, Results: []dicom.ContextResult{{ID: 1, TransferSyntax: dicom.ImplicitVRLittleEndianUID}}}
	opened := ac.Append(nil)
	pending := dicomscript.Message(1, response(dicom.StatusPending, 1), []byte("\x20\x00\x0d\x00\x06\x00\x00\x002.25.7"))
	done := dicom.AppendReleaseRP(dicomscript.Message(1, response(0, dicom.NoDataSet), nil))
	f.Add(append(append(opened[:len(opened):len(opened)], pending...), done...))
	f.Add(append(opened[:len(opened):len(opened)], done...))
	f.Add(append(opened[:len(opened):len(opened)], pending...))
	f.Fuzz(func(t *testing.T, answers []byte) {
		p, err := (&Settings{StudyUID: "2.25.7"}).Prober(dicom2)
		require.NoError(t, err)
		r := dicomscript.Canned(t.Context(), p, answers)
		if r.Fault != nil {
			require.NotEqual(t, negotiate.ReasonInternal, r.Fault.Reason, r.Fault.Err)
			require.NotEmpty(t, r.Fault.Sentence)
		}
	})
}
