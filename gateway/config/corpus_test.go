package config

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// update writes the problems found into the bad files: go test ./gateway/config -run TestBad -update. Read the
// difference before committing it: the file is the place where the words are agreed on.
var update = flag.Bool("update", false, "write the expected problems into testdata/bad")

// testEnv is the environment of all tests: nothing of the real one.
var testEnv = Options{Getenv: func(name string) (string, bool) {
	v, ok := map[string]string{
		"GANTRY_TOKEN": "0123456789abcdef0123",
		"GANTRY_SHORT": "tiny",
		"GANTRY_SPACE": "correct horse battery staple",
		"GANTRY_EMPTY": "",
	}[name]
	return v, ok
}}

// corpus calls check for every file of a folder of testdata.
func corpus(t *testing.T, folder string, check func(t *testing.T, file string, data []byte)) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", folder, "*.yaml"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			check(t, file, data)
		})
	}
}

// wanted reads the expected lines at the end of a bad file: a line "# want:", then one line a problem.
func wanted(t *testing.T, data []byte) string {
	t.Helper()
	_, block, ok := strings.Cut(string(data), "\n# want:\n")
	require.True(t, ok, "no # want: block at the end of the file")
	var lines []string
	for line := range strings.Lines(block) {
		lines = append(lines, strings.TrimSuffix(strings.TrimPrefix(line, "#   "), "\n"))
	}
	return strings.Join(lines, "\n")
}

// TestBad: one mistake a file, the exact words of its problem in the same file.
func TestBad(t *testing.T) {
	corpus(t, "bad", func(t *testing.T, file string, data []byte) {
		c, problems := Parse(file, data, testEnv)
		require.Nil(t, c)
		for i := range problems {
			problems[i].File = filepath.Base(file)
		}
		if *update {
			rewrite(t, file, data, problems)
			return
		}
		require.Equal(t, wanted(t, data), problems.Error())
	})
}

func rewrite(t *testing.T, file string, data []byte, problems Problems) {
	t.Helper()
	body, _, _ := strings.Cut(string(data), "\n# want:\n")
	text := strings.TrimSuffix(body, "\n") + "\n# want:\n"
	for _, p := range problems {
		text += "#   " + p.String() + "\n"
	}
	require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
}

// TestBadIsPlain: problems are for people; they name no type of ours and repeat no secret.
func TestBadIsPlain(t *testing.T) {
	corpus(t, "bad", func(t *testing.T, file string, data []byte) {
		_, problems := Parse(file, data, testEnv)
		for _, word := range []string{"config.", "yaml.", "netip", "reflect", "strconv", "time.Duration", "!!", "hunter2", "battery", "tiny"} {
			require.NotContains(t, problems.Error(), word)
		}
		require.NotRegexp(t, `\*[A-Za-z]`, problems.Error(), "a type")
	})
}

func TestGood(t *testing.T) {
	corpus(t, "good", func(t *testing.T, file string, data []byte) {
		c, problems := Parse(file, data, testEnv)
		require.Empty(t, problems)
		for _, s := range c.Services {
			for _, server := range s.Servers {
				require.NotEmpty(t, server.Host)
				require.NotEmpty(t, server.Checks)
				for _, check := range server.Checks {
					require.NotEmpty(t, check.Address)
					require.NotNil(t, check.Settings)
					require.Len(t, check.Fingerprint, 64)
				}
			}
		}
	})
}
