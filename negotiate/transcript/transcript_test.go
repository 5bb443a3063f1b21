package transcript

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gantry/negotiate"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestLines(t *testing.T) {
	masked := negotiate.Passage{Bytes: []byte("\x08\x00\x10\x00PatientName^Of^Somebody*")}
	masked.Mask(4, 27)
	tests := []struct {
		name string
		p    negotiate.Passage
		most int
		want []string
	}{
		{"nothing", negotiate.Passage{}, 0, nil},
		{"nothing shown", negotiate.Passage{More: 12}, 0, nil},
		{"hex", negotiate.Passage{Bytes: []byte("\x01\x00VNA ~\x7f\xff")}, 0,
			[]string{"0000  01 00 56 4e 41 20 7e 7f  ff                       |..VNA ~..|"}},
		{"masked", masked, 0, []string{
			"0000  08 00 10 00 ** ** ** **  ** ** ** ** ** ** ** **  |....************|",
			"0010  ** ** ** ** ** ** ** **  ** ** ** 2a              |************|"}},
		{"bounded", negotiate.Passage{Bytes: make([]byte, 40), More: 2}, 1, []string{
			"0000  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|", "… 26 bytes more"}},
		{"text", negotiate.Passage{Text: true, Bytes: []byte("HTTP/1.1 200 OK\r\nA: b\r\n\r\nMSH|a\rMSA|b\nend")}, 0,
			[]string{"HTTP/1.1 200 OK", "A: b", "", "MSH|a", "MSA|b", "end"}},
		{"text, bounded", negotiate.Passage{Text: true, Bytes: []byte("one\r\ntwo")}, 1, []string{"one", "… 3 bytes more"}},
		{"text with more", negotiate.Passage{Text: true, Bytes: []byte("one"), More: 1}, 0, []string{"one", "… 1 byte more"}},
		{"long line", negotiate.Passage{Text: true, Bytes: []byte(strings.Repeat("x", MaxWidth+5))}, 0,
			[]string{strings.Repeat("x", MaxWidth) + " … 5 characters more"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { require.Equal(t, tt.want, Lines(tt.p, tt.most)) })
	}
}

// TestClean: peers that try to move the cursor, to clear the screen, to turn the writing around.
func TestClean(t *testing.T) {
	for text, want := range map[string]string{
		"plain é 日本":              "plain é 日本",
		"\x1b[2J\x1b]0;title\x07": `\x1b[2J\x1b]0;title\x07`,
		"\u009b2J":                `\u009b2J`,
		"\x9b2J":                  `\x9b2J`,
		"a\u202eb":                `a\u202eb`,
		"a\u0301\u0301":           `a\u0301\u0301`,
		"tab\there\x00\x7f":       `tab here\x00\x7f`,
		"zero\u200bwidth":         `zero\u200bwidth`,
	} {
		require.Equal(t, want, Clean(text))
	}
	require.Equal(t, []string{`\x1b[1A`}, Notes(negotiate.Passage{Notes: []string{"\x1b[1A"}}))
}

func TestOf(t *testing.T) {
	require.NotNil(t, Of(nil))
	p := negotiate.Passage{Sent: true, At: 1500 * time.Microsecond, Title: "query", Bytes: []byte("abc"), More: 2}
	p.Mask(1, 2)
	text, err := json.Marshal(Of([]negotiate.Passage{p, {Text: true, Bytes: []byte("MSH|"), Notes: []string{"a"}}}))
	require.NoError(t, err)
	require.JSONEq(t, `[{"sent": true, "at_ms": 1.5, "title": "query", "notes": [], "hex": "612a63", "masked": [[1, 2]], "more": 2},
		{"sent": false, "at_ms": 0, "title": "", "notes": ["a"], "text": "MSH|"}]`, string(text))
}

// FuzzLines: whatever a passage holds, lines are lines, and nothing in them acts on a terminal.
func FuzzLines(f *testing.F) {
	f.Add([]byte("MSH|^~\\&|\r\x1b[2J"), true, 0, 4, 3)
	f.Add([]byte{1, 0, 0xff}, false, 1, 2, 0)
	f.Fuzz(func(t *testing.T, b []byte, text bool, from, to, most int) {
		p := negotiate.Passage{Bytes: b, Text: text, Masked: []negotiate.Span{{From: from, To: to}}}
		for _, line := range Lines(p, most) {
			require.True(t, utf8.ValidString(line))
			for _, r := range line {
				require.True(t, r >= ' ' && r != 0x7f && (r < 0x80 || r > 0x9f), "%q", line)
			}
		}
		_ = Of([]negotiate.Passage{p})
	})
}
