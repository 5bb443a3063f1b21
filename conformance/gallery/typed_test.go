package gallery

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/conformance/peers"
)

// TestTyped types the commands of the page: gantry probe says there what it says here, and gantry simulate plays the
// servers that it is said to play.
func TestTyped(t *testing.T) {
	if testing.Short() {
		t.Skip("needs the program")
	}
	program, err := peers.Build(t.Context(), t.TempDir(), false)
	require.NoError(t, err)
	t.Run("commands", func(t *testing.T) {
		for _, f := range failures() {
			for i, s := range f.scenes {
				t.Run(strconv.Itoa(f.number)+"/"+strconv.Itoa(i+1), func(t *testing.T) {
					t.Parallel()
					got, code := s.typed(t, program)
					for try := 1; s.brief && try < briefTries && !slices.Equal(s.says, got); try++ {
						got, code = s.typed(t, program)
					}
					require.Equal(t, s.says, got, "%s", s.command(f))
					require.Equal(t, worst(s.says), code, "%s", s.command(f))
				})
			}
		}
	})
}

// typed runs a scene with the program.
func (s scene) typed(t *testing.T, program string) (said []verdict, code int) {
	var addr string
	if s.peer.play != "" {
		addr = simulated(t, program, s.peer.play)
	} else {
		addr = s.peer.start(t)
	}
	args := append(real(t, s.words(addr))[1:], "--output", "json")
	if len(s.says) > 1 {
		args = append(args, "--count", strconv.Itoa(len(s.says)), "--interval", "100ms")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out, errors bytes.Buffer
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Stdout, cmd.Stderr = &out, &errors
	_ = cmd.Run() // the exit code is that of the worst run
	require.Empty(t, errors.String())
	return verdicts(t, &out), cmd.ProcessState.ExitCode()
}

// real replaces the names of files by those under which they can be opened.
func real(t *testing.T, words []string) []string {
	for i, w := range words {
		words[i] = files.real(t, w)
	}
	return words
}

// worst is the exit code of several runs.
func worst(runs []verdict) int {
	code := 0
	for _, v := range runs {
		code = max(code, map[string]int{"healthy": 0, "degraded": 1, "unhealthy": 2}[v.word])
	}
	return code
}

// verdicts reads the results that the program wrote, a summary left out.
func verdicts(t *testing.T, out io.Reader) (all []verdict) {
	for in := json.NewDecoder(out); ; {
		var r struct {
			Verdict, Stage, Reason string
			Warning                struct{ Stage, Reason string }
		}
		err := in.Decode(&r)
		if err == io.EOF {
			return all
		}
		require.NoError(t, err)
		if r.Verdict != "" {
			all = append(all, verdict{r.Verdict, stage(cmp.Or(r.Stage, r.Warning.Stage)), reason(cmp.Or(r.Reason, r.Warning.Reason))})
		}
	}
}

var listening = regexp.MustCompile(`address=(\S+)`)

// simulated starts a server by its command, on a free port, and returns its address.
func simulated(t *testing.T, program, play string) string {
	args := append(real(t, strings.Fields(play))[1:], "--listen", "127.0.0.1:0")
	cmd := exec.Command(program, args...)
	said, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_, _ = io.Copy(io.Discard, said)
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(said)
	for lines.Scan() {
		if found := listening.FindStringSubmatch(lines.Text()); found != nil {
			go func() { _, _ = io.Copy(io.Discard, said) }()
			return found[1]
		}
	}
	t.Fatalf("%s does not listen", play)
	return ""
}
