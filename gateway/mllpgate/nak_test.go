package mllpgate_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/gateway/mllpgate"
	"gantry/protocols/hl7"
	"gantry/protocols/mllp"
)

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func TestAppendNAK(t *testing.T) {
	const plain = "MSH|^~\\&|A|B|C|D|1||ADT^A01|9|P|2.5"
	for _, tt := range []struct{ name, msg, code, err, want string }{
		{"original mode", plain, "AR", "207",
			"MSH|^~\\&|C|D|A|B|20260102030405||ACK^A01^ACK|G1|P|2.5\rMSA|AR|9|no server\rERR|||207^Application internal error^HL70357|E\r"},
		{"original mode, error", plain, "AE", "", "MSH|^~\\&|C|D|A|B|20260102030405||ACK^A01^ACK|G1|P|2.5\rMSA|AE|9|no server\r"},
		{"accept acknowledgement", plain + "|||AL|NE", "AR", "", "MSH|^~\\&|C|D|A|B|20260102030405||ACK^A01^ACK|G1|P|2.5\rMSA|CR|9|no server\r"},
		{"accept acknowledgement on error", plain + "|||ER|AL", "AE", "", "MSH|^~\\&|C|D|A|B|20260102030405||ACK^A01^ACK|G1|P|2.5\rMSA|CE|9|no server\r"},
		{"application acknowledgement alone", plain + "|||NE|AL", "AE", "", "MSH|^~\\&|C|D|A|B|20260102030405||ACK^A01^ACK|G1|P|2.5\rMSA|AE|9|no server\r"},
		{"other delimiters, old version", "MSH#*~\\&#A#B#C#D#1##ADT#9#T#2.3\r", "AR", "207",
			"MSH#*~\\&#C#D#A#B#20260102030405##ACK#G1#T#2.3\rMSA#AR#9#no server\rERR#***207&Application internal error&HL70357\r"},
		{"none wanted", plain + "|||NE|NE", "AR", "", ""},
		{"only of success", plain + "|||SU|SU", "AR", "", ""},
		{"to an acknowledgement", "MSH|^~\\&|A|B|C|D|1||ACK|9|P|2.5", "AR", "", ""},
		{"to a batch", batch, "AR", "", ""},
		{"a header too large to repeat", "MSH|^~\\&|A|B|C|D|1||ADT^A01|" + strings.Repeat("9", mllpgate.MaxNAK), "AR", "", ""},
		{"almost too large", "MSH|^~\\&|A|B|C|D|1||ADT^A01|" + strings.Repeat("9", mllpgate.MaxNAK-50), "AR", "", ""},
		{"a byte that cannot be framed", "MSH|^~\\&|A\x1cB|B|C|D|1||ADT^A01|9", "AR", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := mllpgate.AppendNAK([]byte("x"), envelope(t, tt.msg, nil), tt.code, tt.err, "no server", "G1", now)
			require.Equal(t, tt.want != "", ok)
			require.Equal(t, "x"+tt.want, string(got))
		})
	}
}

// FuzzEnvelope: whatever a message looks like, the gateway's own answer to it can be read, framed, and fits.
func FuzzEnvelope(f *testing.F) {
	for _, msg := range []string{order, merge, batch, "MSH|", "MSH#*:?!#A#B#C#D#1##ADT*A01#9#P#2.3\n", "BHS|\rMSH|^"} {
		f.Add([]byte(msg), "PID-3.1", []byte("4711"))
	}
	rules := mllpgate.Rules{{SendingApplication: mllpgate.Patterns{"R*S^*", "?"}}, {MessageType: mllpgate.TypePatterns{"*^A0?^*"}, Version: mllpgate.Patterns{"2.*"}}}
	f.Fuzz(func(t *testing.T, msg []byte, path string, id []byte) {
		var e mllpgate.Envelope
		by, err := hl7.ParsePath(path)
		if err != nil {
			by = *patient
		}
		if e.Read(msg, &by) != nil {
			return
		}
		require.LessOrEqual(t, len(e.Keys), mllpgate.MaxKeys)
		require.True(t, e.Fits(e.ControlID))
		require.Equal(t, e.Fits(id), e.Fits(append([]byte(" "), id...)))
		require.Less(t, rules.Find(&e, source), len(rules))
		require.Regexp(t, `^(batch|none|other|[0-9A-Za-z_^]{1,16})$`, e.MessageType())
		require.Regexp(t, `^[ -~]{1,40}$`, e.Facility())
		nak, ok := mllpgate.AppendNAK(nil, &e, hl7.ApplicationReject, hl7.ErrorInternal, "no server", "G1", now)
		if !ok {
			require.Empty(t, nak)
			return
		}
		require.LessOrEqual(t, len(nak), mllpgate.MaxNAK)
		require.True(t, mllp.Encodable(nak))
		ack, err := hl7.DecodeAcknowledgement(nak)
		require.NoError(t, err)
		require.True(t, e.Fits([]byte(ack.ControlID)))
		if !usual(e.Header.Delimiters) {
			return
		}
		require.Contains(t, []string{hl7.ApplicationReject, hl7.CommitReject}, ack.Code)
		require.Equal(t, hl7.ErrorInternal, ack.Error)
	})
}

// usual delimiters are different signs that are no part of a code.
func usual(d hl7.Delimiters) bool {
	signs := map[byte]bool{}
	for _, c := range []byte{d.Field, d.Component, d.Repetition, d.Escape, d.Subcomponent} {
		if c == ' ' || c > '~' || signs[c] && c != 0 || strings.ContainsRune("ACER0123456789HL", rune(c)) {
			return false
		}
		signs[c] = true
	}
	return true
}
