package mllpack

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gantry/negotiate"
	"gantry/protocols/mllp"
)

func narrate(sent bool, data string) []negotiate.Passage {
	return (&probe{}).Narrate([]negotiate.Chunk{{Sent: sent, Data: []byte(data)}})
}

// told is a transcript as text.
func told(list []negotiate.Passage) string {
	var b strings.Builder
	for _, p := range list {
		fmt.Fprintf(&b, "%s\n%s\n%s\n", p.Title, strings.Join(p.Notes, "; "), p.Bytes)
	}
	return b.String()
}

// TestTranscript is a whole conversation as an operator reads it.
func TestTranscript(t *testing.T) {
	r, _ := run(t, own(t, testADT), 0, recv, ack("MSA|AE|ID|DOE^JOHN not found\rERR|PID^1^3^101&John|PID^1^3|207^Doe^HL70357|E|D7^Doe||John Doe"), hear)
	require.Len(t, r.Transcript, 2)
	sent, answer := r.Transcript[0], r.Transcript[1]
	require.True(t, sent.Sent)
	require.Regexp(t, `^HL7 ADT\^A08 in an MLLP frame of \d+ bytes$`, sent.Title)
	require.True(t, sent.Text)
	require.Zero(t, sent.More)
	lines := strings.Split(strings.TrimSpace(string(sent.Bytes)), "\n")
	require.Regexp(t, `^MSH\|\^~\\&\|GANTRY\|GANTRY\|RIS\|WARD\|\d{14}\|\|ADT\^A08\|GANTRY[A-Z2-7]{14}\|T\|2\.5$`, lines[0])
	require.Equal(t, []string{"EVN|***|**************", "PID|*||***************||*****^********"}, lines[1:])

	require.False(t, answer.Sent)
	require.Equal(t, []string{"MSA-1 AE", "MSA-2 is the control id that was sent", "error 207 Application internal error"}, answer.Notes)
	lines = strings.Split(strings.TrimSpace(string(answer.Bytes)), "\n")
	require.Equal(t, `MSH|^~\&|RIS|WARD|GANTRY|GANTRY|20260102030405||ACK^ZHC^ACK|77|T|2.5.1`, lines[0])
	require.Regexp(t, `^MSA\|AE\|GANTRY[A-Z2-7]{14}\|\*\*\*\^\*+$`, lines[1])
	require.Equal(t, "ERR|PID^1^3^101&****|PID^1^3|207^***^*******|E|D7^***||********", lines[2])
	require.NotEmpty(t, answer.Masked)
}

func TestNarrate(t *testing.T) {
	const head = "MSH|^~\\&|A|B|C|D|1|SECRET|ACK|9|P|2.5|77|NEXT|AL|NE|DEU|8859/1|||X|DOE|"
	tests := []struct {
		name, data, want string
		more             int
	}{
		{"security and what is not known of MSH", "\x0b" + head + "\r\x1c\r",
			"HL7 ACK in an MLLP frame of 75 bytes\n\nMSH|^~\\&|A|B|C|D|1|******|ACK|9|P|2.5|**|****|AL|NE|DEU|8859/1|||X|***|\n\n", 0},
		{"commit", "\x0b\x06\x1c\r", "MLLP release 2 commit answer\n06: stored\n\x0b\x06\x1c\r\n", 0},
		{"refused commit", "\x0b\x15\x1c\r", "MLLP release 2 commit answer\n15: not stored\n\x0b\x15\x1c\r\n", 0},
		{"unframed", "MSH|^~\\&|A|B|C|D|1||ACK|9", "25 bytes outside of any MLLP frame\n\nMSH|^~\\&|A|B|C|D\n", 9},
		{"not HL7", "\x0bJohn Doe was here all day\x1c\r", "an MLLP frame of 28 bytes that is not HL7\n\n\x0bJohn Doe was he\n", 12},
		{"no end", "\x0bMSH|^~\\&|A|B\rPID|1||12", "HL7 message in an MLLP frame of 23 bytes, without its end\n\nMSH|^~\\&|A|B\nPID|*||**\n", 0},
		{"identifiers where codes and places stand", "\x0bMSH|^~\\&|A\rMSA|AE|1||||77777777701^x\rERR|PID^1^MRN77777^MRN777777|PID^1^3^77777777|MRN777777^x|E7777777777\r\x1c\r",
			"HL7 message in an MLLP frame of 110 bytes\nMSA-1 AE; MSA-2 is not the control id that was sent\nMSH|^~\\&|A\nMSA|AE|1||||***********^*\nERR|PID^1^********^*********|PID^1^3^********|*********^*|***********\n\n", 0},
		{"repeated places", "\x0bMSH|^~\\&|A\rERR|PID^1^3^101~PV1^1^2^207|PID^1^3~PV1^1\r\x1c\r", "HL7 message in an MLLP frame of 56 bytes\n\nMSH|^~\\&|A\nERR|PID^1^3^101~PV1^1^2^207|PID^1^3~PV1^1\n\n", 0},
		{"wrong id", "\x0bMSH|^~\\&|A\rMSA|AA|X9\r\x1c\r", "HL7 message in an MLLP frame of 24 bytes\nMSA-1 AA; MSA-2 is not the control id that was sent\nMSH|^~\\&|A\nMSA|AA|X9\n\n", 0},
		{"a name for an id", "\x0bMSH|^~\\&|A\rMSA|AA|DOE^JOHN\r\x1c\r", "HL7 message in an MLLP frame of 30 bytes\nMSA-1 AA; MSA-2 is not the control id that was sent\nMSH|^~\\&|A\nMSA|AA|***^****\n\n", 0},
		{"letters for delimiters", "\x0bMSH|JOHN|A\rPID|JOHN\r\x1c\r", "HL7 message in an MLLP frame of 23 bytes\n\nMSH|****|A\nPID|****\n\n", 0},
		{"terminal codes", "\x0bMSH|^~\\&|\x1b[2J\rDOE\x1b\rZZ1\r\x1c\r", "HL7 message in an MLLP frame of 26 bytes\n\nMSH|^~\\&|*[2J\n****\nZZ1\n\n", 0},
		{"CR LF and junk", "\r\n\x0bMSH|^~\\&|A\r\nPID|x\r\n\x1c\r", "HL7 message in an MLLP frame of 22 bytes\n\nMSH|^~\\&|A \nPID|* \n\n", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := narrate(false, tt.data)
			require.Equal(t, tt.want, told(got))
			require.Equal(t, tt.more, got[0].More)
		})
	}
	require.Equal(t, 2, len(narrate(false, "\x0b\x06\x1c\r\x0b\x15\x1c\r")))
	require.Empty(t, narrate(false, "\r\n"))
	require.Empty(t, narrate(false, ""))
	large := narrate(true, "\x0bMSH|^~\\&|A\r"+strings.Repeat("NTE|John\r", 2000)+"\x1c\r")[0]
	require.Len(t, large.Bytes, MaxNarrated)
	require.NotContains(t, string(large.Bytes), "John")
	lost := (&probe{}).Narrate([]negotiate.Chunk{{Data: []byte("\x0bMSH|^~\\&|A"), Lost: 9}})
	require.Equal(t, 9, lost[0].More)
}

// FuzzNarrate: any bytes can be told, and no value of a patient's segment is.
func FuzzNarrate(f *testing.F) {
	f.Add([]byte("\x0b"+ackHead+"MSA|AA|1\r\x1c\r"), "John Doe")
	f.Add([]byte("MSA|"), "x")
	f.Add([]byte("\x0bMSH|JOHN|A\rERR|1^2&3|\x1c\r\x0b\x06\x1c\r"), "DOE^JOHN")
	f.Fuzz(func(t *testing.T, data []byte, name string) {
		for _, p := range narrate(false, string(data)) {
			require.NotEmpty(t, p.Title)
			if !p.Text {
				require.LessOrEqual(t, len(p.Bytes), negotiate.Shown)
			}
			for _, c := range p.Bytes {
				require.True(t, !p.Text || c == '\n' || c >= ' ' && c <= '~')
			}
		}
		if !letters(name) {
			return
		}
		message := "MSH|^~\\&|A|B\rPID|1||" + name + "\rMSA|AA|1|" + name + "\rERR|||207^" + name + "|E|||" + name + "\rZXX|" + name + "\r"
		require.NotContains(t, told(narrate(false, string(mllp.Append(nil, []byte(message))))), name)
	})
}

// letters are names of four and more letters, none of them a word of a title.
func letters(s string) bool {
	return len(s) > 3 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

// TestMiddleOfAMessage: what is in no frame may have been meant to be in one.
func TestMiddleOfAMessage(t *testing.T) {
	got := narrate(false, "\x0bMSH|^~\\&|A\rOBX|1|ED|x\x1c\rDOE^JOHN\r\x1c\r\x0bDOE^JOHN\x1c\r")
	require.Len(t, got, 3)
	require.NotContains(t, told(got), "DOE")
	require.Equal(t, 11, got[1].More)
}
