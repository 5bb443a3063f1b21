package dicomgate_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/gateway/dicomgate"
)

func TestPatternMatch(t *testing.T) {
	for _, tt := range []struct {
		name, pattern, text string
		fold, want          bool
	}{
		{"itself", "CT1", "CT1", false, true},
		{"more behind it", "CT1", "CT12", false, false},
		{"less", "CT1", "CT", false, false},
		{"case counts", "CT1", "ct1", false, false},
		{"case is ignored", "CT1", "ct1", true, true},
		{"only letters have two cases", "CT[", "CT{", true, false},
		{"any run behind", "CT*", "CT12", false, true},
		{"any run may be empty", "CT*", "CT", false, true},
		{"any run before", "*CT", "XCT", false, true},
		{"any run must end there", "*CT", "XCTX", false, false},
		{"two runs", "*A*B", "xxAyyAzzB", false, true},
		{"a run tried again", "A*BC", "ABBBC", false, true},
		{"one character", "US_?", "US_1", false, true},
		{"one character, not none", "US_?", "US_", false, false},
		{"one character, not two", "US_?", "US_12", false, false},
		{"one character behind a run", "*?", "", false, false},
		{"everything", "*", "", false, true},
		{"other signs mean themselves", "A.[B]^$", "A.[B]^$", false, true},
		{"a dot is a dot", "1.2", "1x2", false, false},
		{"the longest", "*", strings.Repeat("1", 64), false, true},
		{"one more is no name", "*", strings.Repeat("1", 65), false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, dicomgate.Pattern(tt.pattern).Match(tt.text, tt.fold))
		})
	}
}

// TestPatternWork: what makes other matchers take years.
func TestPatternWork(t *testing.T) {
	p, text := dicomgate.Pattern(strings.Repeat("1*", 31)+"2"), strings.Repeat("1", 64)
	start := time.Now()
	for range 1000 {
		require.False(t, p.Match(text, true))
	}
	require.Less(t, time.Since(start), 5*time.Second)
}

func TestParseAEPattern(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"a title", "VNA", "VNA"},
		{"blanks around it", "  CT 1 ", "CT 1"},
		{"16 characters", "ABCDEFGHIJKLMNOP", "ABCDEFGHIJKLMNOP"},
		{"and runs beside them", "*ABCDEFGHIJKLMNOP*", "*ABCDEFGHIJKLMNOP*"},
		{"runs side by side are one", "A***?**", "A*?*"},
		{"everything", "*", "*"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := dicomgate.ParseAEPattern(tt.text)
			require.NoError(t, err)
			require.Equal(t, tt.want, string(p))
		})
	}
	for name, text := range map[string]string{
		"empty": "", "blanks alone": "  ", "17 characters": "ABCDEFGHIJKLMNOPQ", "17 with a wildcard for one": "ABCDEFGHIJKLMNOP?",
		"backslash": `A\B`, "control character": "A\x00", "not ASCII": "MÜNCHEN",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := dicomgate.ParseAEPattern(text)
			require.EqualError(t, err, "not an AE title, nor a pattern for one; "+
				"write 1 to 16 ASCII characters without backslash; * stands for any run of characters, ? for one")
		})
	}
}

func TestParseUIDPattern(t *testing.T) {
	for _, text := range []string{"1.2.276.0.7230010.3.0.3.6.7", "1.2.276.0.7230010.*", "*", "2.25.?", strings.Repeat("1", 64)} {
		p, err := dicomgate.ParseUIDPattern(text)
		require.NoError(t, err)
		require.Equal(t, text, string(p))
	}
	for _, text := range []string{"", "DCMTK", "1.2.", ".1", "1..2", "1.2 ", strings.Repeat("1", 65)} {
		_, err := dicomgate.ParseUIDPattern(text)
		require.ErrorContains(t, err, "not a UID, nor a pattern for one; write up to 64 digits and dots", text)
	}
}

func TestPatterns(t *testing.T) {
	ct := dicomgate.Patterns{"CT*", "MR1"}
	require.True(t, ct.Match("CT7", false))
	require.True(t, ct.Match("MR1", false))
	require.False(t, ct.Match("MR2", false))
	require.True(t, dicomgate.Patterns(nil).Match("MR2", false), "none asks for nothing")
	for _, tt := range []struct {
		name     string
		patterns dicomgate.Patterns
		want     string
	}{
		{"the only one", dicomgate.Patterns{"VNA"}, "VNA"},
		{"the only one beside patterns", dicomgate.Patterns{"PACS*", "VNA", "?"}, "VNA"},
		{"two", dicomgate.Patterns{"VNA", "PACS"}, ""},
		{"none", dicomgate.Patterns{"VNA*"}, ""},
		{"no list", nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			title, ok := tt.patterns.Literal()
			require.Equal(t, tt.want, title)
			require.Equal(t, tt.want != "", ok)
		})
	}
}

func TestFoldTitle(t *testing.T) {
	require.Equal(t, "Ct 1", dicomgate.FoldTitle(" Ct 1 \x00", false))
	require.Equal(t, "CT É", dicomgate.FoldTitle("ct É ", true), "letters of ASCII only")
	require.True(t, dicomgate.SameTitle("CT1 ", " ct1\x00\x00", true))
	require.False(t, dicomgate.SameTitle("CT1", "ct1", false))
}

// FuzzPattern: every pattern matches exactly what the plainest of all matchers lets it.
func FuzzPattern(f *testing.F) {
	f.Add("CT*", "CT1", false)
	f.Add("*?a*b", "xaxab", true)
	f.Add("1.2.840.10008.5.1.4.1.1.*", "1.2.840.10008.5.1.4.1.1.2", false)
	f.Fuzz(func(t *testing.T, pattern, text string, fold bool) {
		if len(pattern) > 2*dicomgate.MaxMatched {
			return
		}
		want := len(text) <= dicomgate.MaxMatched && plainly(pattern, text, fold)
		require.Equal(t, want, dicomgate.Pattern(pattern).Match(text, fold))
	})
}

// plainly asks for every beginning of the text whether every beginning of the pattern matches it.
func plainly(pattern, text string, fold bool) bool {
	matches := make([][]bool, len(pattern)+1)
	for i := range matches {
		matches[i] = make([]bool, len(text)+1)
		for j := range matches[i] {
			switch {
			case i == 0:
				matches[i][j] = j == 0
			case pattern[i-1] == '*':
				matches[i][j] = matches[i-1][j] || j > 0 && matches[i][j-1]
			case j > 0:
				p, c := pattern[i-1], text[j-1]
				fits := p == '?' || p == c || fold && p < 0x80 && c < 0x80 && strings.EqualFold(string(rune(p)), string(rune(c)))
				matches[i][j] = matches[i-1][j-1] && fits
			}
		}
	}
	return matches[len(pattern)][len(text)]
}
