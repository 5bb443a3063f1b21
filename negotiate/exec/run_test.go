package execcheck

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/negotiate"
)

// pidIn reads a process number that a script has written, and waits for it.
func pidIn(t *testing.T, file string) int {
	t.Helper()
	var pid int
	require.Eventually(t, func() bool {
		text, _ := os.ReadFile(file)
		n, err := strconv.Atoi(strings.TrimSpace(string(text)))
		pid = n
		return err == nil
	}, 10*time.Second, 5*time.Millisecond)
	return pid
}

// requireGone waits until there is no such process, not even a zombie of ours. An orphan is reaped by
// somebody else, who may take his time: its zombie counts as gone.
func requireGone(t *testing.T, pid int) {
	t.Helper()
	require.Eventually(t, func() bool {
		if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			return true
		}
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return true
		}
		_, rest, _ := strings.Cut(string(stat), ") ")
		fields := strings.Fields(rest)
		return fields[0] == "Z" && fields[1] != strconv.Itoa(os.Getpid())
	}, 10*time.Second, 5*time.Millisecond, "process %d lives", pid)
}

// TestTimeIsUp: programs that hang are ended with all they have started, the stubborn ones too.
func TestTimeIsUp(t *testing.T) {
	tests := []struct{ name, text string }{
		{"hangs", `sleep 1000 & echo $! >"$1"; wait`},
		{"prints and hangs", `echo hello; sleep 1000 & echo $! >"$1"; wait`},
		{"prints without end", `echo $$ >"$1"; while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done`},
		{"does not heed SIGTERM", `trap "" TERM; echo $$ >"$1"; while :; do sleep 0.01; done`},
		{"its child does not heed SIGTERM", `(trap "" TERM; while :; do sleep 0.01; done) & echo $! >"$1"; wait`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel() // they wait; long enough for a script to begin on a busy machine
			file := filepath.Join(t.TempDir(), "pid")
			r := check(t, t.Context(), 3*time.Second, script(t, tt.text), file)
			require.NotNil(t, r.Fault)
			require.Equal(t, negotiate.ReasonTimeout, r.Fault.Reason)
			require.True(t, r.Counts())
			require.Equal(t, "check_it is not done within 3 s: the server keeps it waiting, or it needs a longer timeout", r.Fault.Sentence)
			require.Less(t, r.Duration, 10*time.Second)
			requireGone(t, pidIn(t, file))
		})
	}
}

// TestIsAskedFirst: a program may clean up before it is killed.
func TestIsAskedFirst(t *testing.T) {
	file := filepath.Join(t.TempDir(), "cleaned")
	r := check(t, t.Context(), 2*time.Second, script(t, `trap 'echo yes >"$1"; exit 0' TERM; while :; do sleep 0.01; done`), file)
	require.Equal(t, negotiate.ReasonTimeout, r.Fault.Reason, "too late is too late, whatever it says then")
	require.FileExists(t, file)
}

// TestLeftBehind: a child that outlives the program and holds its output open neither holds the check
// up nor stays.
func TestLeftBehind(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	r := check(t, t.Context(), 20*time.Second, script(t, `sleep 1000 & echo $! >"$1"; echo dead; exit 2`), file)
	require.Equal(t, "check_it says critical (exit code 2): dead", r.Fault.Sentence)
	require.Less(t, r.Duration, 10*time.Second)
	requireGone(t, pidIn(t, file))
}

// TestLeftTheGroup: one in a session of its own stays, since it wants to, and holds nothing up.
func TestLeftTheGroup(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	r := check(t, t.Context(), 20*time.Second, script(t, `setsid sh -c 'echo $$ >"$0"; exec sleep 1000' "$1" & while ! [ -s "$1" ]; do sleep 0.01; done; echo dead; exit 2`), file)
	pid := pidIn(t, file)
	require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
	require.Equal(t, "check_it says critical (exit code 2): dead", r.Fault.Sentence)
	require.Less(t, r.Duration, 10*time.Second)
	requireGone(t, pid)
}

// TestCalledOff: the end of the gateway ends its programs, and says nothing about the server.
func TestCalledOff(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan negotiate.Result, 1)
	name := script(t, `echo $$ >"$1"; exec sleep 1000`)
	go func() { ended <- check(t, ctx, time.Minute, name, file) }()
	pid := pidIn(t, file)
	cancel()
	r := <-ended
	require.Equal(t, negotiate.ReasonCanceled, r.Fault.Reason)
	require.False(t, r.Counts())
	requireGone(t, pid)
}

// TestMuchOutput: a program that prints more than is kept comes to its own end.
func TestMuchOutput(t *testing.T) {
	r := check(t, t.Context(), time.Minute, script(t, `echo first; head -c 10000000 /dev/zero; head -c 10000000 /dev/zero >&2; exit 2`))
	require.Equal(t, "check_it says critical (exit code 2): first", r.Fault.Sentence)
}

// TestLeavesNothing: after many runs of all kinds no descriptor is left open and no child unreaped.
func TestLeavesNothing(t *testing.T) {
	good, slow := script(t, "echo fine"), script(t, "sleep 1000 & wait")
	round := func() {
		check(t, t.Context(), 0, good)
		check(t, t.Context(), 40*time.Millisecond, slow)
		check(t, t.Context(), 0, "/nowhere/check_it")
	}
	round()
	before := openFiles(t)
	for range 10 {
		round()
	}
	require.Equal(t, before, openFiles(t))
	_, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
	require.ErrorIs(t, err, syscall.ECHILD)
}

func openFiles(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	return len(list)
}

// TestGivesUp: a program that not even SIGKILL ends is not started a second time beside itself.
func TestGivesUp(t *testing.T) {
	p := &probe{name: "check_it", path: "/bin/true"}
	hung := &process{ended: make(chan struct{})}
	p.abandon(hung)
	r := negotiate.Run(t.Context(), negotiate.Check{Prober: p})
	require.Equal(t, negotiate.ReasonLocal, r.Fault.Reason)
	require.Contains(t, r.Fault.Sentence, "an earlier run of check_it cannot be killed")
	close(hung.ended)
	require.Eventually(t, func() bool { return p.stuck.Load() == 0 }, 10*time.Second, time.Millisecond)
	require.Nil(t, negotiate.Run(t.Context(), negotiate.Check{Prober: p}).Fault)
}
