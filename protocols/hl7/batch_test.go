package hl7

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestMerge(t *testing.T) {
	merges := "A18 A34 A35 A36 A40 A41 A42 A43 A44 A45 A46 A47"
	for n := range 100 {
		event := fmt.Sprintf("A%02d", n)
		require.Equal(t, strings.Contains(merges, event), header(t, "MSH|^~\\&|||||||ADT^"+event+"|1\r").Merge(), event)
	}
	for text, want := range map[string]bool{"ADT^ A40 ^ADT_A39": true, "ADT*A40": false, "ADT": false, "ADT^A4": false, "ADT^A401": false, "ADT^B40": false, "": false} {
		require.Equal(t, want, header(t, "MSH|^~\\&|||||||"+text+"|1\r").Merge(), text)
	}
}

func TestMessages(t *testing.T) {
	const one, two = "MSH|^~\\&|A\rPID|1\r", "MSH#*:?!#B\nPID#2\n"
	for _, tt := range []struct {
		name, msg string
		batch     bool
		want      []string
	}{
		{"no batch", one, false, []string{one}},
		{"file and batch", "FHS|^~\\&|A\rBHS|^~\\&|A\r" + one + two + "BTS|2\rFTS|1\r", true, []string{one, two}},
		{"batch without its trailer", "BHS|^~\\&|A\r" + one + two, true, []string{one, two}},
		{"two batches", "FHS|\rBHS|\r" + one + "BTS|1\rBHS|\r" + two + "BTS\rFTS\r", true, []string{one, two}},
		{"nothing inside", "BHS|^~\\&|A\rBTS|0\r", true, nil},
		{"segments before the first message", "BHS|^~\\&|A\rNTE|1\r" + one, true, []string{one}},
		{"a name that only begins so", "BHS|^~\\&|A\r" + one + "MSHX|1\rBTSX\r", true, []string{one + "MSHX|1\rBTSX\r"}},
		{"header without a separator ends a message and begins none", "BHS|^~\\&|A\r" + one + "MSH\rPID|9\r", true, []string{one}},
		{"CR LF and no end", "BHS|^~\\&|A\r\nMSH|^~\\&|A\r\nPID|1", true, []string{"MSH|^~\\&|A\r\nPID|1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.batch, header(t, tt.msg).Batch())
			require.Equal(t, tt.want, collect(Messages([]byte(tt.msg))))
			for range Messages([]byte(tt.msg)) {
				break
			}
		})
	}
}

// TestManyLines: no kind of segment ends makes the work grow faster than the message.
func TestManyLines(t *testing.T) {
	for name, end := range map[string]string{"CR": "\r", "LF": "\n", "CR LF": "\r\n", "both": "\n\r"} {
		t.Run(name, func(t *testing.T) {
			msg := []byte("MSH|^~\\&|A" + end + strings.Repeat("OBX|1"+end, 500_000) + "PID|7")
			start := time.Now()
			require.Equal(t, "7", string(Path{"PID", 1, 0, 0}.Find(header(t, string(msg[:64])), msg)))
			require.Less(t, time.Since(start), 5*time.Second)
		})
	}
}

// What the sender wants to hear of an error that the gateway finds.
func TestAnswerError(t *testing.T) {
	for _, tt := range []struct {
		accept, application string
		want                Answer
	}{
		{"", "", AnswerApplication}, {`""`, " ", AnswerApplication}, {"yes", "no", AnswerApplication},
		{"AL", "NE", AnswerAccept}, {"AL", "AL", AnswerAccept}, {"ER", "", AnswerAccept}, {"ER", "AL", AnswerAccept},
		{"NE", "AL", AnswerApplication}, {"", "AL", AnswerApplication}, {"", "ER", AnswerApplication}, {"SU", "ER", AnswerApplication}, {"SU", "AL", AnswerApplication},
		{"NE", "NE", AnswerNone}, {"NE", "", AnswerNone}, {"", "NE", AnswerNone}, {"SU", "SU", AnswerNone}, {"SU", "", AnswerNone}, {"NE", "SU", AnswerNone},
	} {
		h := header(t, "MSH|^~\\&|A|B|C|D|1||ADT^A01|9|P|2.5|||"+tt.accept+"|"+tt.application)
		require.Equal(t, tt.want, h.AnswerError(), "%s/%s", tt.accept, tt.application)
	}
}

func TestHeaders(t *testing.T) {
	var got []string
	for h := range Headers([]byte("FHS|^~\\&|A\rBHS#*:?!#B\nBHS\rNTE|MSH|\rMSH|^~\\&|C\r\nMSHX|D\rPID|1\rMSH$^~\\&$E\rBTS|2\r")) {
		got = append(got, h.Name()+"-3 "+h.Text(SendingApplication))
	}
	require.Equal(t, []string{"FHS-3 A", "BHS-3 B", "MSH-3 C", "MSH-3 E"}, got)
	for range Headers([]byte(order)) {
		break
	}
}

// An acknowledgement is not acknowledged, unless it asks for it.
func TestAnswerToAcknowledgement(t *testing.T) {
	for _, tt := range []struct {
		kind, accept  string
		want, onError Answer
	}{
		{"ACK^A01^ACK", "", AnswerMaybe, AnswerNone}, {"MCF", "", AnswerMaybe, AnswerNone}, {"ACK", "AL", AnswerAccept, AnswerAccept},
		{"ACK", "NE", AnswerNone, AnswerNone}, {"RSP^K22", "", AnswerApplication, AnswerApplication},
	} {
		h := header(t, "MSH|^~\\&|A|B|C|D|1||"+tt.kind+"|9|P|2.5|||"+tt.accept)
		require.Equal(t, tt.want, h.Answer(), "%s/%s", tt.kind, tt.accept)
		require.Equal(t, tt.onError, h.AnswerError(), "%s/%s", tt.kind, tt.accept)
	}
}

// FuzzMessages: what is inside a batch are its own bytes, in their order, each readable by itself.
func FuzzMessages(f *testing.F) {
	f.Add([]byte("FHS|^~\\&|A\rBHS|^~\\&|A\rMSH|^~\\&|A\rPID|1\rMSH#*:?!#B\nBTS|2\rFTS|1\r"))
	f.Add([]byte("MSH|\r\nMSH\nMSH|"))
	f.Fuzz(func(t *testing.T, batch []byte) {
		rest, count := batch, 0
		for msg := range Messages(batch) {
			at := bytes.Index(rest, msg)
			require.GreaterOrEqual(t, at, 0)
			rest = rest[at+len(msg):]
			count++
			h, err := DecodeHeader(msg)
			require.NoError(t, err)
			require.False(t, h.Batch())
		}
		if h, err := DecodeHeader(batch); err == nil && !h.Batch() {
			require.NotZero(t, count)
		}
	})
}
