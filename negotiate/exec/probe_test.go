package execcheck

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/negotiate"
)

var hl71 = negotiate.Target{Service: "HL7", Server: "HL71", Host: "10.12.1.130", Port: 2575, Version: "1.2.3"}

// program writes an executable script and returns its path.
func program(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "check_it")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	require.NoError(t, os.Chmod(file, 0o700))
	return file
}

// script is a program for the shell.
func script(t *testing.T, text string) string { return program(t, "#!/bin/sh\n"+text+"\n") }

// check runs a command once, as the gateway does.
func check(t *testing.T, ctx context.Context, timeout time.Duration, command ...string) negotiate.Result {
	t.Helper()
	s := Settings{Command: command}
	p, err := s.Prober(hl71)
	require.NoError(t, err)
	return negotiate.Run(ctx, negotiate.Check{Prober: p, Timeout: timeout})
}

// TestExitCodes: what each way to end says about the server.
func TestExitCodes(t *testing.T) {
	const about = "; this says nothing about the server"
	tests := []struct {
		name, text string
		reason     negotiate.Reason // "" = healthy
		degraded   bool
		counts     bool
		sentence   string
	}{
		{"OK", "echo OK - fine; exit 0", "", false, true, ""},
		{"OK, silent", "exit 0", "", false, true, ""},
		{"warning", "echo 'WARNING - slow | time=3s'; echo more; exit 1", "bad-status", true, true, "check_it says warning (exit code 1): WARNING - slow"},
		{"critical", "echo CRITICAL - dead; exit 2", "bad-status", false, true, "check_it says critical (exit code 2): CRITICAL - dead"},
		{"critical, silent", "exit 2", "bad-status", false, true, "check_it says critical (exit code 2)"},
		{"critical, on standard error", "echo no route >&2; exit 2", "bad-status", false, true, "check_it says critical (exit code 2): no route"},
		{"critical, on both", "echo noise >&2; echo dead; exit 2", "bad-status", false, true, "check_it says critical (exit code 2): dead"},
		{"unknown", "echo UNKNOWN - usage; exit 3", "local", false, false, "check_it says unknown (exit code 3): UNKNOWN - usage" + about},
		{"a code of curl", "echo refused >&2; exit 7", "bad-status", false, true, "check_it says that something failed (exit code 7): refused"},
		{"255", "exit 255", "bad-status", false, true, "check_it says that something failed (exit code 255)"},
		{"a program that is missing inside", "exec /nowhere/plugin 2>/dev/null", "local", false, false, "gantry could not check: check_it found no program to run (exit code 127)" + about},
		{"not executable inside", "exit 126", "local", false, false, "gantry could not check: check_it found no program to run (exit code 126)" + about},
		{"crashed", "kill -SEGV $$", "local", false, false, "gantry could not check: check_it was ended by a signal (segmentation fault): it crashed, or somebody killed it" + about},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := check(t, t.Context(), 0, script(t, tt.text))
			require.Equal(t, tt.counts, r.Counts())
			if tt.reason == "" {
				require.Nil(t, r.Words())
				return
			}
			require.NotNil(t, r.Words())
			require.Equal(t, tt.degraded, r.Degraded != nil)
			require.Equal(t, tt.reason, r.Words().Reason)
			require.Equal(t, negotiate.StageAsk, r.Words().Stage)
			require.Equal(t, tt.sentence, r.Words().Sentence)
		})
	}
}

// TestCannotStart is trouble on this machine, which no server may pay for.
func TestCannotStart(t *testing.T) {
	plain := filepath.Join(t.TempDir(), "plain")
	require.NoError(t, os.WriteFile(plain, nil, 0o600))
	tests := []struct{ name, program, sentence string }{
		{"missing", "/nowhere/check_it", "gantry could not check: cannot start check_it (no such file or directory): check its path, its rights and its first line"},
		{"a folder", "/tmp", "cannot start tmp (permission denied)"},
		{"not executable", plain, "cannot start plain (permission denied)"},
		{"no interpreter named", program(t, "exit 0\n"), "cannot start check_it (exec format error)"},
		{"interpreter missing", program(t, "#!/nowhere/sh\n"), "cannot start check_it (no such file or directory)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := check(t, t.Context(), 0, tt.program)
			require.NotNil(t, r.Fault)
			require.Equal(t, negotiate.ReasonLocal, r.Fault.Reason)
			require.False(t, r.Counts())
			require.Contains(t, r.Fault.Sentence, tt.sentence)
			require.Error(t, r.Fault.Err)
		})
	}
}

// TestSurroundings: what the program is given, and what it is not.
func TestSurroundings(t *testing.T) {
	t.Setenv("GANTRY_TEST_SECRET", "secret")
	ours, err := os.Create(filepath.Join(t.TempDir(), "open here"))
	require.NoError(t, err)
	defer ours.Close()
	file := filepath.Join(t.TempDir(), "seen")
	r := check(t, t.Context(), 0, script(t, `exec >"$1"; shift; printf '%s\n' "$@"; env | grep -v '^_=\|^SHLVL=\|^PWD=' | sort; pwd; cat; ls -l /proc/self/fd | grep -c 'open here' || true`),
		file, "{host}:{port}", "{server} of {service}", "$HOME; `id`", `{"json": 1}`)
	require.Nil(t, r.Words())
	seen, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, "10.12.1.130:2575\nHL71 of HL7\n$HOME; `id`\n{\"json\": 1}\n"+
		"GANTRY_HOST=10.12.1.130\nGANTRY_PORT=2575\nGANTRY_SERVER=HL71\nGANTRY_SERVICE=HL7\nLANG=C\n"+
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"+
		"/\n0\n", string(seen), "arguments, environment, directory, nothing on standard input, no descriptor of ours")
	require.Len(t, r.Stages, 1)
	require.Equal(t, negotiate.StageAsk, r.Stages[0].Stage)
}
