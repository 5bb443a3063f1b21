package dicomstore

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/negotiate"
	"gantry/negotiate/internal/dicomscript"
	"gantry/negotiate/internal/dicomtalk"
	"gantry/protocols/dicom"
)

// TestGoldenRequest compares the command with bytes put together by hand from PS3.7 9.3.1.1.
func TestGoldenRequest(t *testing.T) {
	result, got := run(t, Settings{}, ended(answer(0))...)
	require.Nil(t, result.Words())
	command := "\x04\x00\x00\x00\x00\x90" + "\x00\x00\x00\x8c" + "\x01\x03" + // context 1, last fragment of a command
		"\x00\x00\x00\x00" + "\x04\x00\x00\x00" + "\x7e\x00\x00\x00" + // group length 126
		"\x00\x00\x02\x00" + "\x1a\x00\x00\x00" + "1.2.840.10008.5.1.4.1.1.7\x00" + // Secondary Capture
		"\x00\x00\x00\x01" + "\x02\x00\x00\x00" + "\x01\x00" + // C-STORE-RQ
		"\x00\x00\x10\x01" + "\x02\x00\x00\x00" + "\x01\x00" + // message id 1
		"\x00\x00\x00\x07" + "\x02\x00\x00\x00" + "\x00\x00" + // priority medium
		"\x00\x00\x00\x08" + "\x02\x00\x00\x00" + "\x01\x00" + // a data set follows
		"\x00\x00\x00\x10" + "\x2c\x00\x00\x00" + "2.25.31383355646548506298827463528707948976\x00"
	require.Equal(t, hex.Dump([]byte(command)), hex.Dump(got[1]))
	rq, err := dicom.DecodeAssociateRQ(got[0])
	require.NoError(t, err)
	require.Equal(t, []dicom.PresentationContext{{ID: 1, AbstractSyntax: dicom.SecondaryCaptureUID,
		TransferSyntaxes: []string{dicom.ImplicitVRLittleEndianUID}}}, rq.Contexts, "nothing to search with unless read_back asks for it")
}

// TestStatus: what a server may say about an object.
func TestStatus(t *testing.T) {
	const healthy, degraded, sick = "healthy", "degraded", "sick"
	tests := []struct {
		status   uint16
		verdict  string
		sentence string
	}{
		{0x0000, healthy, ""}, {0xB000, healthy, ""}, {0xB006, healthy, ""}, {0xB007, healthy, ""}, {0x0111, healthy, ""},
		{0xA700, sick, "(out of resources): check whether the storage is full or not writable, and disks and memory of DICOM2"},
		{0xA7FF, sick, "(out of resources): check whether the storage is full or not writable, and disks and memory of DICOM2"},
		{0xA900, degraded, "(data set does not match SOP class): it is alive, but does not take what this check asks; the log of DICOM2 says why"},
		{0xC000, sick, "(cannot understand): it did not store a plain object; the log of DICOM2 says why"},
		{0x0110, sick, "(processing failure): the log of DICOM2 says why"},
		{0x0122, sick, "(SOP class not supported): C-STORE is switched off on DICOM2"},
		{0x0124, sick, "(not authorised): allow C-STORE for 'GANTRY' on DICOM2; if it was allowed before, its licence may have expired"},
		{0xFF00, sick, "(pending): the log of DICOM2 says why"},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%04X", tt.status), func(t *testing.T) {
			result, _ := run(t, Settings{}, ended(answer(tt.status))...)
			require.Equal(t, tt.verdict == sick, result.Fault != nil)
			require.Equal(t, tt.verdict == degraded, result.Degraded != nil)
			if tt.verdict != healthy {
				require.Equal(t, fmt.Sprintf("answers C-STORE with status %04X %s", tt.status, tt.sentence), result.Words().Sentence)
				require.Equal(t, negotiate.ReasonBadStatus, result.Words().Reason)
				require.Equal(t, fmt.Sprintf("C-STORE-RSP %04X", tt.status), result.Words().Peer)
			}
		})
	}
}

// TestFragments: a server gets no more at once than it announced, and all of the object.
func TestFragments(t *testing.T) {
	for _, tt := range []struct {
		announced uint32
		size      int
		largest   int
	}{
		{16384, MinSize, 1524}, {16384, 2 << 20, 16384}, {4096, 2 << 20, 4096}, {4097, 64 << 10, 4096}, {128, 4 << 10, 128}, {8, MinSize, 8},
		{0, 2 << 20, dicomtalk.MaxFragment}, {1 << 31, 2 << 20, dicomtalk.MaxFragment},
	} {
		t.Run(fmt.Sprintf("%d bytes in %d", tt.size, tt.announced), func(t *testing.T) {
			accepted := dicomscript.Accept(tt.announced, dicom.ContextResult{ID: storeContext, TransferSyntax: dicom.ImplicitVRLittleEndianUID})
			result, got := run(t, Settings{Size: tt.size}, recv, accepted, question, answer(0), recv, released, hear)
			require.Nil(t, result.Words())
			set, largest := dataSet(t, got)
			require.Equal(t, tt.largest, largest)
			require.Len(t, element(t, set, 0x7FE00010), 0, "black")
			require.Greater(t, len(set), tt.size)
		})
	}
}

// TestRude: servers that hang or break off.
func TestRude(t *testing.T) {
	tests := []struct {
		name     string
		steps    []step
		size     int
		reason   negotiate.Reason
		sentence string
	}{
		{"storage hangs", asked(hear), 0, negotiate.ReasonTimeout, "accepts the association but does not answer C-STORE within 5 s: its storage hangs, or its workers are all busy"},
		{"large objects hang", asked(hear), 2 << 20, negotiate.ReasonTimeout, "accepts the association but does not answer C-STORE within 5 s: its storage hangs, or its workers are all busy"},
		{"stops reading", asked()[:2:2], 2 << 20, negotiate.ReasonClosed, "accepts the association, then closes the connection instead of answering C-STORE"},
		{"reads no more", append(asked()[:2:2], recv, dicomscript.Pause(time.Minute)), 2 << 20, negotiate.ReasonTimeout, "accepts the association but does not answer C-STORE within 5 s: its storage hangs, or its workers are all busy"},
		{"says in the middle why, and reads no more", append(asked()[:2:2], recv, answer(0xA700), dicomscript.Pause(time.Minute)), 2 << 20, negotiate.ReasonBadStatus,
			"answers C-STORE with status A700 (out of resources): check whether the storage is full or not writable, and disks and memory of DICOM2"},
		{"calls half an object a success", append(asked()[:2:2], recv, answer(0), dicomscript.Pause(time.Minute)), 2 << 20, negotiate.ReasonTimeout,
			"accepts the association but does not answer C-STORE within 5 s: its storage hangs, or its workers are all busy"},
		{"aborts in the middle", append(asked()[:2:2], recv, dicomscript.Abort(0, 0)), 2 << 20, negotiate.ReasonAborted,
			"accepts the association, then aborts it instead of answering C-STORE (aborted by the service user (0/0)): the log of DICOM2 says why"},
		{"aborts afterwards", asked(dicomscript.Abort(2, 6), hear), 0, negotiate.ReasonAborted,
			"accepts the association, then aborts it instead of answering C-STORE (aborted by the service provider: invalid PDU parameter value (2/6)): the log of DICOM2 says why"},
		{"answers another command", asked(dicomscript.Say(storeContext, findResponse(1, 0, dicom.NoDataSet), nil), hear), 0, negotiate.ReasonMismatch,
			"answers C-STORE-RQ with C-FIND-RSP: its DICOM software is broken"},
		{"answers on the other context", asked(dicomscript.Say(findContext, response(0), nil), hear), 0, negotiate.ReasonMismatch,
			"answers C-STORE on a presentation context that was not agreed upon"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			result, _ := run(t, Settings{Size: tt.size}, tt.steps...)
			require.NotNil(t, result.Fault)
			require.Equal(t, tt.sentence, result.Fault.Sentence)
			require.Equal(t, []any{negotiate.StageAsk, tt.reason}, []any{result.Fault.Stage, result.Fault.Reason})
			require.LessOrEqual(t, result.Duration, negotiate.DefaultTimeout+200*time.Millisecond)
		})
	}
}

// TestReadBack: the database must know what the storage has confirmed, if not at once.
func TestReadBack(t *testing.T) {
	const lost = "answers C-STORE with success, but C-FIND does not find the image: what it confirms does not reach its database"
	noFind := dicomscript.Accept(16384, dicom.ContextResult{ID: storeContext, TransferSyntax: dicom.ImplicitVRLittleEndianUID},
		dicom.ContextResult{ID: findContext, Result: dicom.AbstractSyntaxRejected})
	find := func(status uint16) []step {
		return []step{question, dicomscript.Say(findContext, findResponse(2, status, dicom.NoDataSet), nil)}
	}
	tests := []struct {
		name     string
		steps    []step
		sentence string
	}{
		{"found at once", slices.Concat(asked(answer(0)), found(t, 1), []step{recv, released, hear}), ""},
		{"found later", slices.Concat(asked(answer(0)), missing(1), missing(2), found(t, 3), []step{recv, released, hear}), ""},
		{"never found", slices.Concat(asked(answer(0)), missing(1), missing(2), missing(3), missing(4), []step{hear}), lost},
		{"database down", slices.Concat(asked(answer(0)), find(0xC001), []step{hear}),
			"answers C-FIND with status C001 (unable to process): its database may be down; the log of DICOM2 says why"},
		{"search hangs", asked(answer(0), question, hear), "accepts the association but does not answer C-FIND within 5 s: its database hangs or is locked, or its workers are all busy"},
		{"no time left", slices.Concat(asked(dicomscript.Pause(4900*time.Millisecond), answer(0)), missing(1), []step{hear}),
			"answers C-STORE with success, but C-FIND did not find the image within 5 s: what it confirms does not reach its database"},
		{"not stored", asked(answer(0xA700), hear), "answers C-STORE with status A700 (out of resources): check whether the storage is full or not writable, and disks and memory of DICOM2"},
		{"cannot be searched", []step{recv, noFind, hear}, "accepts the association but not the Study Root query service, which read_back needs, in it (abstract syntax not supported): C-FIND is switched off on DICOM2, or not allowed for 'GANTRY'"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			result, _ := run(t, Settings{ReadBack: true}, tt.steps...)
			if tt.sentence == "" {
				require.Nil(t, result.Words())
				return
			}
			require.NotNil(t, result.Fault)
			require.Equal(t, tt.sentence, result.Fault.Sentence)
		})
	}
}

func TestValidate(t *testing.T) {
	for _, tt := range []struct {
		settings Settings
		want     string
	}{
		{Settings{}, ""}, {Settings{Size: MinSize}, ""}, {Settings{Size: MaxSize}, ""},
		{Settings{Size: 1}, "size"}, {Settings{Size: MaxSize + 1}, "size"}, {Settings{CalledAE: " "}, "called_ae"}, {Settings{CallingAE: `\`}, "calling_ae"},
	} {
		var keys []string
		tt.settings.Validate(func(key, _, _ string) { keys = append(keys, key) })
		require.Equal(t, tt.want, strings.Join(keys, " "))
	}
}

// FuzzServer: whatever a server sends, the check ends with a verdict and without a panic.
func FuzzServer(f *testing.F) {
	ac := dicom.AssociateAC{Version: 1, Results: []dicom.ContextResult{{ID: storeContext, TransferSyntax: dicom.ImplicitVRLittleEndianUID}}}
	f.Add(dicom.AppendReleaseRP(append(ac.Append(nil), dicomscript.Message(storeContext, response(0), nil)...)))
	f.Add(append(ac.Append(nil), dicom.AbortProvider.Append(nil)...))
	f.Fuzz(func(t *testing.T, answers []byte) {
		p, err := (&Settings{}).Prober(dicom2)
		require.NoError(t, err)
		r := dicomscript.Canned(t.Context(), p, answers)
		if r.Fault != nil {
			require.NotEqual(t, negotiate.ReasonInternal, r.Fault.Reason, r.Fault.Err)
			require.NotEmpty(t, r.Fault.Sentence)
		}
	})
}
