package config

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzParse: any bytes give a configuration or problems, never both and never a panic; what is accepted keeps the
// promises that the gateway builds on.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/bad/*.yaml", "testdata/good/*.yaml"} {
		files, err := filepath.Glob(pattern)
		require.NoError(f, err)
		for _, file := range files {
			data, err := os.ReadFile(file)
			require.NoError(f, err)
			f.Add(data)
		}
	}
	f.Add([]byte("\ufeff---\nservices: *a\n"))
	f.Add([]byte("services: &a [*a, {<<: *a}]\n"))
	f.Add([]byte("? {a: b}\n: !!set {c}\n"))
	f.Add([]byte("{0\r0")) // a line ends here too
	// The fuzzer reaches neither the environment nor files.
	closed := Options{
		Getenv:   func(string) (string, bool) { return "", false },
		ReadFile: func(string, int64) ([]byte, error) { return nil, errors.New("closed") },
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, problems := Parse("fuzz.yaml", data, closed)
		require.Equal(t, c == nil, len(problems) > 0)
		require.LessOrEqual(t, len(problems), MaxProblems+1)
		lines := 1 + countAny(string(data), lineBreaks)
		for _, p := range problems {
			require.NotEmpty(t, p.Message)
			require.LessOrEqual(t, p.Line, lines+1) // the end of a file is one line further
			require.NotContains(t, p.String(), "gave up", "the YAML reader panicked")
		}
		if c != nil {
			requireSound(t, c)
		}
	})
}

// lineBreaks are the characters at which YAML counts a new line.
const lineBreaks = "\n\r\u0085\u2028\u2029"

func countAny(text, characters string) (n int) {
	for _, c := range text {
		if strings.ContainsRune(characters, c) {
			n++
		}
	}
	return n
}

// requireSound checks what every accepted configuration has.
func requireSound(t *testing.T, c *Config) {
	t.Helper()
	require.Empty(t, c.Admin.Token)
	require.NotEmpty(t, c.Services)
	for _, s := range c.Services {
		require.Regexp(t, patternName, s.Name)
		require.NotEmpty(t, s.Listen)
		require.NotEmpty(t, s.Servers)
		require.Positive(t, min(s.Timeouts.Connect, s.Timeouts.Handshake, s.Timeouts.Client, s.Timeouts.Server, s.Persistence.Timeout))
		require.GreaterOrEqual(t, s.Timeouts.Drain, s.Timeouts.Drain*0)
		require.False(t, slices.ContainsFunc(s.Servers, func(x Server) bool { return x.Host == "" || x.Weight < 1 || x.Weight > 256 }))
		require.NotNil(t, s.DICOM.Accept)
		require.Positive(t, min(s.DICOM.AssociateTimeout, s.DICOM.QueueTimeout))
		require.LessOrEqual(t, s.DICOM.AssociateTimeout, s.Timeouts.Handshake)
		require.Positive(t, min(s.MLLP.AckTimeout, s.MLLP.Idle, s.MLLP.FrameTimeout))
		require.Positive(t, min(s.MLLP.ConnectionsPerServer, s.MLLP.Pipelining, s.MLLP.ClientPipelining))
		require.LessOrEqual(t, s.MLLP.MaxMessage, s.MLLP.Memory)
		require.Equal(t, s.MLLP.OrderBy != nil, s.Persistence.By == "order-by")
		for _, r := range s.Routes {
			require.NotEqual(t, r.Reject == nil && r.Answer == nil, len(r.Servers) == 0 && r.CallingAE == "")
			require.True(t, s.Protocol == "dicom" && r.Answer == nil && r.Messages.Always() || s.messages() && r.Reject == nil && r.When.Always())
		}
		for _, server := range s.Servers {
			require.NotEmpty(t, server.Checks)
			for _, k := range server.Checks {
				require.NotNil(t, k.Settings)
				require.LessOrEqual(t, k.FastInterval, k.Interval)
				require.Positive(t, min(k.Interval, k.Timeout, k.FastInterval, k.DownInterval))
				require.Positive(t, min(k.Rise, k.Fall, k.Port))
			}
		}
	}
}
