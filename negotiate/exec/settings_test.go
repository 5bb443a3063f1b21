package execcheck

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gantry/negotiate"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestValidate(t *testing.T) {
	tests := []struct {
		name    string
		command []string
		want    string // "" = fine
	}{
		{"plugin", []string{"/usr/lib/nagios/plugins/check_tcp", "-H", "{host}", "-p", "{port}", "{server}/{service}"}, ""},
		{"other braces", []string{"/bin/x", `{"a": 1}`, "{}", "${X}", "{A}"}, ""},
		{"nothing", nil, "nothing: write the program and its arguments as a list"},
		{"relative", []string{"check_tcp"}, `"check_tcp": write the program's absolute path`},
		{"a line for a shell", []string{"check_tcp -H x"}, `"check_tcp -H x": write the program's absolute path`},
		{"empty", []string{""}, `"": write the program's absolute path`},
		{"NUL", []string{"/bin/x", "a\x00b"}, `"/bin/x" and 1 more: write arguments of at most 4096 bytes, without NUL`},
		{"long", []string{"/bin/x", strings.Repeat("x", MaxArgument+1)}, "write arguments of at most 4096 bytes"},
		{"many", append([]string{"/bin/x"}, make([]string, MaxArguments)...), `"/bin/x" and 64 more: write at most 63 arguments`},
		{"unknown placeholder", []string{"/bin/x", "--password=secret", "{prot}"}, `"/bin/x" and 2 more: remove {prot}: in arguments {host}`},
		{"placeholder in the program", []string{"/bin/{server}"}, "remove {server}"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			s := Settings{Command: tt.command}
			s.Validate(func(key, value, want string) {
				require.Equal(t, "command", key)
				got = append(got, value+": "+want)
			})
			_, err := s.Prober(negotiate.Target{})
			if tt.want == "" {
				require.Empty(t, got)
				require.NoError(t, err)
				return
			}
			require.Len(t, got, 1)
			require.Contains(t, got[0], tt.want)
			require.NotContains(t, got[0], "secret")
			require.Error(t, err)
		})
	}
}

func TestFirstLine(t *testing.T) {
	for text, want := range map[string]string{
		"":                               "",
		"\n \n":                          "",
		"OK - fine":                      "OK - fine",
		"\nCRITICAL - dead\nmore":        "CRITICAL - dead",
		"WARNING: slow | time=3s;1;2":    "WARNING: slow",
		"| time=3s\nsecond":              "second",
		"tab\there \x1b[31mred\r\n":      "tab.here .[31mred",
		"gr\u00fcn":                      "gr..n",
		strings.Repeat("x", MaxOutput):   strings.Repeat("x", negotiate.MaxPeerWords),
		"\xff\xfe" + "binary\x00rubbish": "..binary.rubbish",
	} {
		require.Equal(t, want, firstLine(text))
	}
}

// FuzzFirstLine: whatever a program prints makes one short printable line.
func FuzzFirstLine(f *testing.F) {
	f.Add("OK | x=1\n")
	f.Add("\r\n\x1b]0;title\x07")
	f.Fuzz(func(t *testing.T, text string) {
		line := firstLine(text)
		require.LessOrEqual(t, len(line), negotiate.MaxPeerWords)
		for _, c := range []byte(line) {
			require.True(t, c >= ' ' && c <= '~')
		}
	})
}
