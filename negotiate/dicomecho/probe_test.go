package dicomecho

import (
	"bytes"
	"encoding/hex"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/negotiate"
	"gantry/negotiate/internal/dicomscript"
	"gantry/negotiate/internal/dicomtalk"
	"gantry/protocols/dicom"
)

// TestGolden compares a whole conversation with bytes put together by hand from PS3.8 9.3
// and PS3.7 9.3.5.
func TestGolden(t *testing.T) {
	result, got := run(t, Settings{CalledAE: "VNA"}, dicom2, wellBehave...)
	require.Nil(t, result.Fault)
	require.Nil(t, result.Warning)
	const uid = "2.25.169094021110743322363671350827519687372"
	associate := "\x01\x00\x00\x00\x00\xdb" + // A-ASSOCIATE-RQ, 219 bytes follow
		"\x00\x01\x00\x00" + // protocol version 1
		"VNA             " + "GANTRY          " + strings.Repeat("\x00", 32) +
		"\x10\x00\x00\x15" + "1.2.840.10008.3.1.1.1" + // application context
		"\x20\x00\x00\x2e" + "\x01\x00\x00\x00" + // presentation context 1
		"\x30\x00\x00\x11" + "1.2.840.10008.1.1" + // Verification
		"\x40\x00\x00\x11" + "1.2.840.10008.1.2" + // Implicit VR Little Endian
		"\x50\x00\x00\x48" + // user information
		"\x51\x00\x00\x04" + "\x00\x00\x40\x00" + // maximum length 16384
		"\x52\x00\x00\x2c" + uid + // implementation class
		"\x55\x00\x00\x0c" + "GANTRY_1.2.3" // implementation version
	echo := "\x04\x00\x00\x00\x00\x4a" + // P-DATA-TF, 74 bytes follow
		"\x00\x00\x00\x46" + "\x01\x03" + // PDV of 70 bytes, context 1, last fragment of a command
		"\x00\x00\x00\x00" + "\x04\x00\x00\x00" + "\x38\x00\x00\x00" + // group length 56
		"\x00\x00\x02\x00" + "\x12\x00\x00\x00" + "1.2.840.10008.1.1\x00" + // affected SOP class
		"\x00\x00\x00\x01" + "\x02\x00\x00\x00" + "\x30\x00" + // C-ECHO-RQ
		"\x00\x00\x10\x01" + "\x02\x00\x00\x00" + "\x01\x00" + // message id 1
		"\x00\x00\x00\x08" + "\x02\x00\x00\x00" + "\x01\x01" // no data set
	release := "\x05\x00\x00\x00\x00\x04" + "\x00\x00\x00\x00"
	require.Len(t, got, 3)
	for i, want := range []string{associate, echo, release} {
		require.Equal(t, hex.Dump([]byte(want)), hex.Dump(got[i]))
	}
}

func TestHealthy(t *testing.T) {
	rsp := response(0, 1)
	set := rsp.Append(nil)
	half := len(set) / 2
	fragment := func(last bool, b []byte) dicom.PDV {
		return dicom.PDV{ContextID: contextID, Command: true, Last: last, Data: b}
	}
	withClass := rsp
	withClass.AffectedSOPClassUID = dicom.VerificationUID
	withClass.DataSetType = dicom.WithDataSet
	var everything []byte
	{
		ac := dicom.AssociateAC{Version: 1, Results: []dicom.ContextResult{{ID: contextID, TransferSyntax: "1.2.3"}}}
		everything = ac.Append(nil)
	}
	tests := []struct {
		name  string
		steps []step
	}{
		{"as it should be", wellBehave},
		{"answer in two PDUs", []step{recv, accepted, recv, send(dicom.AppendPData(nil, fragment(false, set[:half]))),
			send(dicom.AppendPData(nil, fragment(true, set[half:]))), recv, released, hear}},
		{"answer in two PDVs", []step{recv, accepted, recv, send(dicom.AppendPData(nil, fragment(false, set[:half]), fragment(true, set[half:]))), recv, released, hear}},
		{"byte by byte, in time", []step{recv, accepted, recv, drip(message(1, rsp)[:3]), send(message(1, rsp)[3:]), recv, released, hear}},
		{"with SOP class and a wrong data set type", []step{recv, accepted, recv, send(message(1, withClass)), recv, released, hear}},
		{"sparse AC with another transfer syntax", []step{recv, send(everything), recv, answer(0, 1), recv, released, hear}},
		{"more contexts than proposed", []step{recv, accept(dicom.ContextResult{ID: 3, Result: 3}, dicom.ContextResult{ID: contextID}), recv, answer(0, 1), recv, released, hear}},
		{"release collision", []step{recv, accepted, recv, answer(0, 1), recv, releaseRQ, recv, released, hear}},
		{"late data before the release answer", []step{recv, accepted, recv, answer(0, 1), recv, answer(0, 1), released, hear}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			result, got := run(t, Settings{}, dicom2, tt.steps...)
			require.Nil(t, result.Fault)
			require.Nil(t, result.Warning)
			var stages []negotiate.Stage
			for _, s := range result.Stages {
				stages = append(stages, s.Stage)
			}
			require.Equal(t, []negotiate.Stage{negotiate.StageConnect, negotiate.StageOpen, negotiate.StageAsk, negotiate.StageClose}, stages)
			_, aborted := lastAbort(got)
			require.False(t, aborted)
		})
	}
}

// TestDefaultTitleRejected: somebody has not said which title to ask for.
func TestDefaultTitleRejected(t *testing.T) {
	result, _ := run(t, Settings{}, dicom2, recv, send(dicom.RejectCalledAE.Append(nil)), hear)
	require.Equal(t, "called AE title 'ANY-SCP' not recognised (rejected permanently by the service user): check the AE title table of DICOM2, and set called_ae to its title",
		result.Fault.Sentence)
}

// none stands for "no A-ABORT was sent".
var none = dicom.Abort{Source: 0xFF}

func TestRejected(t *testing.T) {
	tests := []struct {
		rj       dicom.Reject
		peer     string
		sentence string
	}{
		{dicom.RejectNoReason, "A-ASSOCIATE-RJ 1/1/1",
			"association rejected without a reason (rejected permanently by the service user): the log of DICOM2 says why; often an AE title or address is not allowed"},
		{dicom.RejectApplicationContext, "A-ASSOCIATE-RJ 1/1/2",
			"application context not supported (rejected permanently by the service user): DICOM2 is not a DICOM storage or query server, or its software is broken"},
		{dicom.RejectCallingAE, "A-ASSOCIATE-RJ 1/1/3",
			"calling AE title 'GANTRY' not recognised (rejected permanently by the service user): add 'GANTRY' to the AE titles that DICOM2 knows"},
		{dicom.RejectCalledAE, "A-ASSOCIATE-RJ 1/1/7",
			"called AE title 'VNA' not recognised (rejected permanently by the service user): check the AE title table of DICOM2"},
		{dicom.Reject{Result: 1, Source: 2, Reason: 1}, "A-ASSOCIATE-RJ 1/2/1",
			"association rejected without a reason (rejected permanently by the service provider): the log of DICOM2 says why"},
		{dicom.RejectVersion, "A-ASSOCIATE-RJ 1/2/2",
			"protocol version not supported (rejected permanently by the service provider): the DICOM software of DICOM2 is broken"},
		{dicom.RejectCongestion, "A-ASSOCIATE-RJ 2/3/1",
			"temporary congestion (rejected for now by the service provider): DICOM2 is overloaded or shutting down"},
		{dicom.RejectLocalLimit, "A-ASSOCIATE-RJ 2/3/2",
			"local limit exceeded (rejected for now by the service provider): all association slots of DICOM2 are taken; too few are configured, or clients leave theirs open"},
		{dicom.Reject{Result: 2, Source: 1, Reason: 7}, "A-ASSOCIATE-RJ 2/1/7",
			"called AE title 'VNA' not recognised (rejected for now by the service user): check the AE title table of DICOM2"},
		{dicom.Reject{Result: 9, Source: 1, Reason: 3}, "A-ASSOCIATE-RJ 9/1/3",
			"calling AE title 'GANTRY' not recognised (rejected by the service user with unknown result 9): add 'GANTRY' to the AE titles that DICOM2 knows"},
		{dicom.Reject{Result: 1, Source: 3, Reason: 0}, "A-ASSOCIATE-RJ 1/3/0",
			"association rejected for a reason that the standard does not have (1/3/0): the log of DICOM2 says why"},
	}
	for _, tt := range tests {
		t.Run(tt.peer, func(t *testing.T) {
			result, got := run(t, Settings{CalledAE: "VNA"}, dicom2, recv, send(tt.rj.Append(nil)), hear)
			require.NotNil(t, result.Fault)
			require.Equal(t, negotiate.ReasonRejected, result.Fault.Reason)
			require.Equal(t, negotiate.StageOpen, result.Fault.Stage)
			require.Equal(t, tt.peer, result.Fault.Peer)
			require.Equal(t, tt.sentence, result.Fault.Sentence)
			require.Len(t, got, 1, "a reject ends the conversation: nothing more is sent")
		})
	}
}

func TestUnhealthy(t *testing.T) {
	const silentOpen = "accepts TCP but does not answer an association request within 5 s: process hung or its single listener thread is blocked"
	const closedOpen = "closes the connection without answering the association request: it does not accept this address, is shutting down, expects TLS, or the port belongs to another service"
	const silentAsk = "accepts the association but does not answer C-ECHO within 5 s: its workers are all busy or stuck"
	const slow = "answers too slowly: only a part of its answer came within 5 s"
	const broken = ": its DICOM software is broken"
	open := func(steps ...step) []step { return append([]step{recv}, steps...) }
	ask := func(steps ...step) []step { return append([]step{recv, accepted, recv}, steps...) }
	wrongField := dicom.Command{Field: dicom.CStoreRSP, MessageIDBeingRespondedTo: 1, DataSetType: dicom.NoDataSet}
	commented := response(dicom.StatusProcessingFailure, 1)
	commented.ErrorComment = "DOE^JOHN\nlevel=ERROR"
	noStatus := bytes.Replace(message(1, response(0, 1)), []byte{0, 0, 0, 9, 2, 0, 0, 0}, []byte{0, 0, 2, 9, 2, 0, 0, 0}, 1)
	endless := dicom.AppendPData(nil, dicom.PDV{ContextID: contextID, Command: true})
	again := func(s *script) {
		for range dicomtalk.MaxPDUs {
			_, _ = s.Conn.Write(endless)
		}
	}
	tests := []struct {
		name     string
		steps    []step
		stage    negotiate.Stage
		reason   negotiate.Reason
		peer     string
		sentence string
		abort    dicom.Abort
	}{
		{"silent", open(hear), negotiate.StageOpen, negotiate.ReasonTimeout, "", silentOpen, dicom.AbortUser},
		{"frozen, not even reading", []step{pause(time.Minute)}, negotiate.StageOpen, negotiate.ReasonTimeout, "", silentOpen, none},
		{"answers too late", open(pause(6*time.Second), accepted), negotiate.StageOpen, negotiate.ReasonTimeout, "", silentOpen, none},
		{"drips", open(drip(make([]byte, 0)), drip([]byte("\x02\x00\x00\x00\x00\x50\x00\x01\x00\x00"))), negotiate.StageOpen, negotiate.ReasonTimeout, "", slow, none},
		{"stops in the header", open(send([]byte{2, 0, 0}), hear), negotiate.StageOpen, negotiate.ReasonTimeout, "", slow, dicom.AbortUser},
		{"closes at once", nil, negotiate.StageOpen, negotiate.ReasonClosed, "", closedOpen, none},
		{"closes after the request", open(), negotiate.StageOpen, negotiate.ReasonClosed, "", closedOpen, none},
		{"closes in the middle", open(send([]byte{2, 0, 0, 0, 0, 80, 0, 1})), negotiate.StageOpen, negotiate.ReasonClosed, "",
			"closes the connection in the middle of its answer", none},
		{"aborts", open(abortBy(2, 2), hear), negotiate.StageOpen, negotiate.ReasonAborted, "A-ABORT 2/2",
			"aborts instead of answering the association request (aborted by the service provider: unexpected PDU (2/2)): the log of DICOM2 says why", none},
		{"accepts twice over: releases", open(releaseRQ, hear), negotiate.StageOpen, negotiate.ReasonMalformed, "A-RELEASE-RQ",
			"sends A-RELEASE-RQ where the protocol does not allow it" + broken, dicom.AbortUnexpectedPDU},
		{"AC with zero contexts", open(accept(), hear), negotiate.StageOpen, negotiate.ReasonMismatch, "",
			"accepts the association but answers no presentation context at all: its DICOM software is broken", dicom.AbortUser},
		{"AC with another context", open(accept(dicom.ContextResult{ID: 3}), hear), negotiate.StageOpen, negotiate.ReasonMismatch, "",
			"accepts the association but answers another presentation context than the one proposed", dicom.AbortUser},
		{"verification refused", open(accept(dicom.ContextResult{ID: contextID, Result: dicom.AbstractSyntaxRejected}), hear), negotiate.StageOpen, negotiate.ReasonRejected, "abstract syntax not supported",
			"accepts the association but not the Verification service in it (abstract syntax not supported): C-ECHO is switched off on DICOM2, or not allowed for 'GANTRY'", dicom.AbortUser},
		{"transfer syntax refused", open(accept(dicom.ContextResult{ID: contextID, Result: dicom.TransferSyntaxesRejected}), hear), negotiate.StageOpen, negotiate.ReasonRejected, "transfer syntaxes not supported",
			"accepts the association but not the Verification service in it with Implicit VR Little Endian (transfer syntaxes not supported), which every DICOM server must take: look at the transfer syntaxes that DICOM2 is set up for", dicom.AbortUser},
		{"malformed AC", open(send(append([]byte{2, 0, 0, 0, 0, 72, 0, 1, 0, 0}, append(make([]byte, 64), 0x10, 0, 0xFF, 0xFF, 0, 0)...)), hear), negotiate.StageOpen, negotiate.ReasonMalformed, "", "", dicom.AbortInvalidParameter},
		{"AC shorter than allowed", open(send([]byte{2, 0, 0, 0, 0, 8}), hear), negotiate.StageOpen, negotiate.ReasonMalformed, "",
			"sends A-ASSOCIATE-AC with a length of 8 bytes: its DICOM software is broken, or another service answers on this port", dicom.AbortInvalidParameter},
		{"AC claims 2 GiB", open(send([]byte{2, 0, 0x7F, 0xFF, 0xFF, 0xFF}), hear), negotiate.StageOpen, negotiate.ReasonOversized, "",
			"sends A-ASSOCIATE-AC with a length of 2147483647 bytes: its DICOM software is broken, or another service answers on this port", dicom.AbortInvalidParameter},
		{"AC larger than one context can be", open(send([]byte{2, 0, 0, 2, 0, 0}), hear), negotiate.StageOpen, negotiate.ReasonOversized, "",
			"sends A-ASSOCIATE-AC with a length of 131072 bytes: its DICOM software is broken, or another service answers on this port", dicom.AbortInvalidParameter},
		{"TLS alert", open(send([]byte{0x15, 3, 1, 0, 2, 2, 70})), negotiate.StageOpen, negotiate.ReasonMalformed, "",
			"answers with a TLS alert: this port expects DICOM over TLS; add tls: {} to the check", none},
		{"HTTP", open(send([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))), negotiate.StageOpen, negotiate.ReasonMalformed, "",
			"answers with text, not with DICOM: the port belongs to another service", none},
		{"HL7", open(send([]byte("\x0bMSH|"))), negotiate.StageOpen, negotiate.ReasonMalformed, "",
			"answers with an HL7 message: the port belongs to an HL7 interface", none},
		{"one byte of nonsense, then silence", open(send([]byte{0xEE}), hear), negotiate.StageOpen, negotiate.ReasonMalformed, "",
			"answers with bytes that are not DICOM (first one EE): the port belongs to another service", dicom.AbortUnrecognizedPDU},

		{"echo never answered", ask(hear), negotiate.StageAsk, negotiate.ReasonTimeout, "", silentAsk, dicom.AbortUser},
		{"closes after accepting", ask(), negotiate.StageAsk, negotiate.ReasonClosed, "",
			"accepts the association, then closes the connection instead of answering C-ECHO", none},
		{"aborts after accepting", ask(abortBy(0, 0), hear), negotiate.StageAsk, negotiate.ReasonAborted, "A-ABORT 0/0",
			"accepts the association, then aborts it instead of answering C-ECHO (aborted by the service user (0/0)): the log of DICOM2 says why", none},
		{"releases after accepting", ask(releaseRQ, hear), negotiate.StageAsk, negotiate.ReasonClosed, "A-RELEASE-RQ",
			"accepts the association, then releases it instead of answering C-ECHO", none},
		{"accepts again", ask(accepted, hear), negotiate.StageAsk, negotiate.ReasonMalformed, "A-ASSOCIATE-AC",
			"sends A-ASSOCIATE-AC where the protocol does not allow it" + broken, dicom.AbortUnexpectedPDU},
		{"wrong message id", ask(answer(0, 77), hear), negotiate.StageAsk, negotiate.ReasonMismatch, "",
			"answers message 77 although message 1 was asked: it mixes up its answers", dicom.AbortUser},
		{"wrong command", ask(send(message(contextID, wrongField)), hear), negotiate.StageAsk, negotiate.ReasonMismatch, "",
			"answers C-ECHO-RQ with C-STORE-RSP" + broken, dicom.AbortUser},
		{"wrong context", ask(send(message(5, response(0, 1))), hear), negotiate.StageAsk, negotiate.ReasonMismatch, "",
			"answers C-ECHO on a presentation context that was not agreed upon", dicom.AbortUser},
		{"status missing", ask(send(noStatus), hear), negotiate.StageAsk, negotiate.ReasonMalformed, "", "", dicom.AbortInvalidParameter},
		{"malformed PDV", ask(send([]byte{4, 0, 0, 0, 0, 6, 0, 0, 0, 99, 1, 3}), hear), negotiate.StageAsk, negotiate.ReasonMalformed, "", "", dicom.AbortInvalidParameter},
		{"larger than announced", ask(send([]byte{4, 0, 0, 1, 0, 0}), hear), negotiate.StageAsk, negotiate.ReasonOversized, "",
			"sends P-DATA-TF with a length of 65536 bytes: its DICOM software is broken, or another service answers on this port", dicom.AbortInvalidParameter},
		{"empty fragments without end", ask(again, hear), negotiate.StageAsk, negotiate.ReasonOversized, "",
			"sends data without end instead of an answer" + broken, dicom.AbortUser},
		{"service switched off", ask(answer(dicom.StatusClassNotSupported, 1), hear), negotiate.StageAsk, negotiate.ReasonBadStatus, "C-ECHO-RSP 0122",
			"answers C-ECHO with status 0122 (SOP class not supported): C-ECHO is switched off on DICOM2", dicom.AbortUser},
		{"not authorised", ask(answer(dicom.StatusNotAuthorized, 1), hear), negotiate.StageAsk, negotiate.ReasonBadStatus, "C-ECHO-RSP 0124",
			"answers C-ECHO with status 0124 (not authorised): allow C-ECHO for 'GANTRY' on DICOM2", dicom.AbortUser},
		{"processing failure with a comment", ask(send(message(1, commented)), hear), negotiate.StageAsk, negotiate.ReasonBadStatus, "C-ECHO-RSP 0110",
			"answers C-ECHO with status 0110 (processing failure): the log of DICOM2 says why", dicom.AbortUser},
		{"out of resources", ask(answer(0xA701, 1), hear), negotiate.StageAsk, negotiate.ReasonBadStatus, "C-ECHO-RSP A701",
			"answers C-ECHO with status A701 (out of resources): check disks and memory of DICOM2", dicom.AbortUser},
		{"any other status", ask(answer(0xC001, 1), hear), negotiate.StageAsk, negotiate.ReasonBadStatus, "C-ECHO-RSP C001",
			"answers C-ECHO with status C001 (failure): the log of DICOM2 says why", dicom.AbortUser},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			result, got := run(t, Settings{}, dicom2, tt.steps...)
			require.NotNil(t, result.Fault)
			require.Equal(t, tt.reason, result.Fault.Reason, result.Fault)
			require.Equal(t, tt.stage, result.Fault.Stage)
			require.Equal(t, tt.peer, result.Fault.Peer)
			if tt.sentence != "" {
				require.Equal(t, tt.sentence, result.Fault.Sentence)
			}
			abort, ok := lastAbort(got)
			require.Equal(t, tt.abort != none, ok, "an A-ABORT was sent")
			if ok {
				require.Equal(t, tt.abort, abort)
			}
			require.LessOrEqual(t, result.Duration, negotiate.DefaultTimeout+100*time.Millisecond)
		})
	}
}

// TestReleaseTrouble: a server that has answered is healthy, however it says goodbye.
func TestReleaseTrouble(t *testing.T) {
	after := func(steps ...step) []step {
		return append([]step{recv, accepted, recv, answer(0, 1), recv}, steps...)
	}
	again := func(s *script) {
		for range dicomtalk.MaxPDUs {
			answer(0, 1)(s)
		}
	}
	tests := []struct {
		name     string
		steps    []step
		reason   negotiate.Reason
		sentence string
		abort    bool
		takes    time.Duration
	}{
		{"never releases", after(hear), negotiate.ReasonTimeout,
			"answers C-ECHO but not the release within 1 s: associations may pile up on DICOM2 until none is left", true, dicomtalk.ReleaseWait},
		{"closes", after(), negotiate.ReasonClosed, "answers C-ECHO, then closes without answering the release", false, 0},
		{"closes before the release is read", after()[:4], negotiate.ReasonClosed, "answers C-ECHO, then closes without answering the release", false, 0},
		{"aborts", after(abortBy(0, 0), hear), negotiate.ReasonAborted,
			"answers C-ECHO, then aborts instead of releasing (aborted by the service user (0/0)): the log of DICOM2 says why", false, 0},
		{"rejects", after(send(dicom.RejectNoReason.Append(nil)), hear), negotiate.ReasonMalformed,
			"sends A-ASSOCIATE-RJ where the protocol does not allow it: its DICOM software is broken", true, 0},
		{"talks on", after(again, hear), negotiate.ReasonOversized,
			"sends data without end instead of an answer: its DICOM software is broken", true, 0},
		{"deadline comes first", []step{recv, accepted, recv, pause(4500 * time.Millisecond), answer(0, 1), hear}, negotiate.ReasonTimeout,
			"answers C-ECHO but not the release within 1 s: associations may pile up on DICOM2 until none is left", true, negotiate.DefaultTimeout},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			result, got := run(t, Settings{}, dicom2, tt.steps...)
			require.Nil(t, result.Fault)
			require.NotNil(t, result.Warning)
			require.Equal(t, negotiate.StageClose, result.Warning.Stage)
			require.Equal(t, tt.reason, result.Warning.Reason)
			require.Equal(t, tt.sentence, result.Warning.Sentence)
			_, aborted := lastAbort(got)
			require.Equal(t, tt.abort, aborted)
			require.Equal(t, tt.takes, result.Duration)
		})
	}
}

// TestSecureWords: with TLS already on, nobody is sent to look for it.
func TestSecureWords(t *testing.T) {
	secure := dicom2
	secure.Secure, secure.Server = true, ""
	result, _ := run(t, Settings{}, secure, recv)
	require.NotContains(t, result.Fault.Sentence, "TLS")
	result, _ = run(t, Settings{}, secure, recv, send([]byte{0x15, 3}), hear)
	require.Contains(t, result.Fault.Sentence, "first one 15")
	result, _ = run(t, Settings{}, secure, recv, send(dicom.RejectCalledAE.Append(nil)), hear)
	require.Contains(t, result.Fault.Sentence, "check the AE title table of the server")
}

// FuzzServer: whatever a server sends, the check ends with a verdict and without a panic.
func FuzzServer(f *testing.F) {
	ac := dicom.AssociateAC{Version: 1, Results: []dicom.ContextResult{{ID: contextID, TransferSyntax: dicom.ImplicitVRLittleEndianUID}}}
	good := dicom.AppendReleaseRP(append(ac.Append(nil), message(contextID, response(0, 1))...))
	f.Add(good)
	f.Add(cut(good, 15))
	f.Add(dicom.RejectCalledAE.Append(nil))
	f.Add(dicom.AbortProvider.Append(nil))
	f.Add([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
	f.Fuzz(func(t *testing.T, answers []byte) {
		r := dicomscript.Canned(t.Context(), proberOf(t, Settings{}, dicom2), answers)
		if r.Fault != nil {
			require.NotEqual(t, negotiate.ReasonInternal, r.Fault.Reason, r.Fault.Err)
			require.NotEmpty(t, r.Fault.Sentence)
		}
	})
}

// BenchmarkEcho is one whole check against a well-behaved server on loopback, both sides
// included: the cost of a check for the gateway is about half of it.
func BenchmarkEcho(b *testing.B) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s := &script{Conn: conn}
			recv(s)
			accepted(s)
			recv(s)
			pdvs, _ := dicom.DecodePDVs(s.Got[1][dicom.HeaderLen:])
			rq, _ := dicom.DecodeCommand(pdvs[0].Data)
			answer(0, rq.MessageID)(s)
			recv(s)
			released(s)
			conn.Close()
		}
	}()
	check := negotiate.Check{Prober: proberOf(b, Settings{}, dicom2),
		Address: func() (string, error) { return l.Addr().String(), nil }}
	b.ReportAllocs()
	for b.Loop() {
		if r := negotiate.Run(b.Context(), check); !r.OK() {
			b.Fatal(r.Fault)
		}
	}
}
