package mllpack

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/negotiate"
)

// TestNoAcknowledgement are receivers that take the message and give no answer that counts.
func TestNoAcknowledgement(t *testing.T) {
	tests := []struct {
		name     string
		steps    []step
		reason   negotiate.Reason
		sentence string
	}{
		{"silent", []step{recv, hear}, negotiate.ReasonTimeout, "accepts TCP but does not acknowledge a message within 5 s: its channel is stopped or paused"},
		{"closed", []step{recv}, negotiate.ReasonClosed, "closes the connection instead of acknowledging: it does not accept this address, its channel is stopped, it expects TLS, or it closes on types"},
		{"half an answer", []step{recv, raw("\x0bMSH|^~"), hear}, negotiate.ReasonTimeout, "begins to acknowledge, but does not finish within 5 s"},
		{"half an answer, then closed", []step{recv, raw("\x0bMSH|^~")}, negotiate.ReasonClosed, "in the middle of its acknowledgement"},
		{"unframed", []step{recv, raw(ackHead + "MSA|AA|ID\r"), hear}, negotiate.ReasonMalformed, "acknowledges without MLLP framing (no 0B in front)"},
		{"unframed MSA alone", []step{recv, raw("MSA|AA|ID\r"), hear}, negotiate.ReasonMalformed, "acknowledges without MLLP framing"},
		{"bare 06", []step{recv, raw("\x06"), hear}, negotiate.ReasonMalformed, "answers with the bare byte 06, without MLLP framing"},
		{"bare 15", []step{recv, raw("\x15"), hear}, negotiate.ReasonMalformed, "answers with the bare byte 15"},
		{"TLS alert", []step{recv, raw("\x15\x03\x01\x00\x02\x02\x46"), hear}, negotiate.ReasonMalformed, "answers with a TLS alert: this port expects MLLP over TLS; add tls: {} to the check"},
		{"HTTP", []step{recv, raw("HTTP/1.1 400 Bad Request\r\n\r\n"), hear}, negotiate.ReasonMalformed, "text of another protocol"},
		{"DICOM abort", []step{recv, raw("\x07\x00\x00\x00\x00\x04\x00\x00\x02\x00"), hear}, negotiate.ReasonMalformed, "bytes that are not MLLP (first one 07)"},
		{"empty frame", []step{recv, framed(""), hear}, negotiate.ReasonMalformed, "answers with an empty frame"},
		{"frame without HL7", []step{recv, framed("OK"), hear}, negotiate.ReasonMalformed, "a frame that holds no HL7 message"},
		{"echo", []step{recv, func(s *script) { framed(s.got[0])(s) }, hear}, negotiate.ReasonMismatch, "sends our own message back"},
		{"no MSA", []step{recv, ack("EVN|A01"), hear}, negotiate.ReasonMalformed, "acknowledges nothing (no MSA segment)"},
		{"no code", []step{recv, ack("MSA||ID"), hear}, negotiate.ReasonMalformed, "acknowledges without a code (MSA-1 is empty)"},
		{"unknown code", []step{recv, ack("MSA|OK|ID"), hear}, negotiate.ReasonMalformed, "acknowledges with OK in MSA-1, which is none of"},
		{"a text for a code", []step{recv, ack("MSA|John Doe|ID"), hear}, negotiate.ReasonMalformed, "acknowledges with something that is no code in MSA-1"},
		{"end block inside", []step{recv, raw("\x0bMSH|^~\\&|\x1cx"), hear}, negotiate.ReasonMalformed, "a broken MLLP frame (end block inside a message, byte 78 behind it)"},
		{"UTF-16", []step{recv, raw("\x0bM\x00S\x00H\x00\x1c\r"), hear}, negotiate.ReasonMalformed, "UTF-16"},
		{"frames without end", []step{recv, raw(strings.Repeat("\x0b"+ackHead+"MSA|AA|1\r\x1c\r", MaxFrames+1)), hear}, "", ""},
		{"too much in a frame", []step{recv, raw("\x0b" + strings.Repeat("MSH|", MaxAnswer/4+1)), hear}, negotiate.ReasonOversized, "more than 1 MiB in one frame"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, _ := run(t, Settings{}, 0, tt.steps...)
			if tt.reason == "" { // acknowledgements of others, without end
				require.Nil(t, r.Fault)
				require.NotNil(t, r.Degraded)
				return
			}
			require.NotNil(t, r.Fault)
			require.Equal(t, negotiate.StageAsk, r.Fault.Stage)
			require.Equal(t, tt.reason, r.Fault.Reason)
			require.Contains(t, r.Fault.Sentence, tt.sentence)
			require.LessOrEqual(t, r.Duration, negotiate.DefaultTimeout)
			require.Equal(t, tt.name == "silent", r.Fault.Busy, "only silence may mean that all places are taken")
		})
	}
}

// TestGallery39: an acknowledgement that comes after 30 s is none for a check of 5 s, and slow for
// one that waits.
func TestGallery39(t *testing.T) {
	late := []step{recv, pause(30 * time.Second), ack("MSA|AA|ID"), hear}
	r, _ := run(t, Settings{}, 0, late...)
	require.Equal(t, negotiate.ReasonTimeout, r.Fault.Reason)
	r, _ = run(t, Settings{}, time.Minute, late...)
	require.Nil(t, r.Fault)
	require.GreaterOrEqual(t, r.Duration, 30*time.Second)
}

// TestGallery41: a receiver whose buffer ends at 64 KiB takes small messages and closes on large ones;
// a padded message of the operator's own shows it.
func TestGallery41(t *testing.T) {
	smallBuffer := []step{func(s *script) {
		b := make([]byte, 64<<10)
		for n := 0; n < len(b); {
			k, err := s.conn.Read(b[n:])
			if err != nil {
				return
			}
			if n += k; b[n-1] == '\r' && b[n-2] == 0x1c {
				s.got = append(s.got, string(b[1:n-2]))
				ack("MSA|AA|ID")(s)
				hear(s)
				return
			}
		}
	}}
	padded := testADT
	for i := range 100 {
		padded += fmt.Sprintf("NTE|%d||%s\n", i+1, strings.Repeat("x", 700))
	}
	r, _ := run(t, own(t, testADT), 0, smallBuffer...)
	require.Nil(t, r.Fault)
	r, _ = run(t, own(t, padded), 0, smallBuffer...)
	require.NotNil(t, r.Fault)
	require.Equal(t, "closes the connection in the middle of a message of 69 KiB: its buffer or its limit for messages is smaller", r.Fault.Sentence)
	r, _ = run(t, own(t, padded), 0, recv) // takes it all, and closes
	require.NotNil(t, r.Fault)
	require.Equal(t, "closes the connection instead of acknowledging a message of 69 KiB: its buffer or its limit for messages is smaller", r.Fault.Sentence)
}

// TestGallery42: a receiver that cannot read the message's characters closes.
func TestGallery42(t *testing.T) {
	strict := []step{recv, func(s *script) {
		for _, c := range []byte(s.got[0]) {
			if c > '~' {
				return
			}
		}
		ack("MSA|AA|ID")(s)
		hear(s)
	}}
	r, got := run(t, own(t, strings.Replace(testADT, "INVENTED", "ÄRZTIN", 1)), 0, strict...)
	require.Contains(t, got[0], "ÄRZTIN")
	require.NotNil(t, r.Fault)
	require.Contains(t, r.Fault.Sentence, "or it fails over the message (its type ADT^A08, its character set, its size)")
}

// TestEnhancedMode: a message that asks for both acknowledgements is judged by the one that is expected.
func TestEnhancedMode(t *testing.T) {
	both := strings.Replace(testADT, "|2.5\n", "|2.5|||AL|AL\n", 1)
	tests := []struct {
		name     string
		expect   []string
		steps    []step
		sentence string
	}{
		{"commit is enough", nil, []step{recv, ack("MSA|CA|ID"), hear}, ""},
		{"application expected and heard", []string{"AA"}, []step{recv, ack("MSA|CA|ID"), ack("MSA|AA|ID"), hear}, ""},
		{"application says no", []string{"AA"}, []step{recv, ack("MSA|CA|ID"), ack("MSA|AE|ID"), hear}, "acknowledges with AE and no error code where AA is expected"},
		{"application silent", []string{"AA"}, []step{recv, ack("MSA|CA|ID"), hear}, "stores the message (CA), but its application does not acknowledge within 5 s"},
		{"closed in between", []string{"AA"}, []step{recv, ack("MSA|CA|ID")}, "stores the message (CA), then closes"},
		{"not stored", []string{"AA"}, []step{recv, ack("MSA|CE|ID"), hear}, "acknowledges with CE"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			settings := own(t, both)
			settings.Expect = tt.expect
			r, _ := run(t, settings, 0, tt.steps...)
			if tt.sentence == "" {
				require.Nil(t, r.Fault)
				return
			}
			require.NotNil(t, r.Fault)
			require.Contains(t, r.Fault.Sentence, tt.sentence)
			require.False(t, r.Fault.Busy)
		})
	}
}

// TestRelease2: the application's acknowledgement is itself a message there, which the sender commits.
func TestRelease2(t *testing.T) {
	r, got := run(t, Settings{Expect: []string{"AA"}}, 0, recv, framed("\x06"), ack("MSA|AA|ID"), recv, hear)
	require.Nil(t, r.Words())
	require.Len(t, got, 2)
	require.Equal(t, "\x06", got[1])
	r, _ = run(t, Settings{Expect: []string{"AA"}}, 0, recv, framed("\x06"), hear)
	require.Equal(t, "stores the message (06), but its application does not acknowledge within 5 s:"+
		" the application behind it is stopped; if 06 is enough, add CA to expect", r.Fault.Sentence)
}
