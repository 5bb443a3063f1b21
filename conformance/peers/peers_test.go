package peers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// within is a test's context with an end.
func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// need skips a test whose programs are not all installed; in CI it fails.
func need(t *testing.T, names ...string) {
	t.Helper()
	missing := Missing(names...)
	if missing != nil && os.Getenv("CI") != "" {
		t.Fatal("not installed: ", missing)
	} else if missing != nil {
		t.Skip("not installed: ", missing)
	}
}

func shell(t *testing.T, script string) *Process {
	t.Helper()
	p, err := Start(Command{Name: "sh", Path: "/bin/sh", Args: []string{"-c", script}})
	require.NoError(t, err)
	t.Cleanup(p.Stop)
	return p
}

func TestProcessIsStoppedWithItsChildren(t *testing.T) {
	ctx := within(t, time.Minute)
	p := shell(t, "sleep 600 & echo child $!; wait")
	_, err := p.Await(ctx, "child ")
	require.NoError(t, err)
	p.Stop()
	_, err = p.RSS()
	require.ErrorContains(t, err, "no process in group")
}

func TestProcessThatIgnoresSIGTERMIsKilled(t *testing.T) {
	p := shell(t, "trap '' TERM; echo deaf; while :; do sleep 600; done")
	_, err := p.Await(within(t, time.Minute), "deaf")
	require.NoError(t, err)
	p.Kill()
	code, err := p.ExitCode(within(t, time.Minute))
	require.NoError(t, err)
	require.Equal(t, -1, code)
}

func TestAwaitEndsWithTheProgram(t *testing.T) {
	p := shell(t, "echo bye; exit 3")
	_, err := p.Await(within(t, time.Minute), "never said")
	require.ErrorContains(t, err, "bye")
	code, err := p.ExitCode(within(t, time.Minute))
	require.NoError(t, err)
	require.Equal(t, 3, code)
}

func TestProcFigures(t *testing.T) {
	p := shell(t, "echo up; while :; do :; done")
	_, err := p.Await(within(t, time.Minute), "up")
	require.NoError(t, err)
	rss, err := p.RSS()
	require.NoError(t, err)
	require.Positive(t, rss)
	fds, err := p.Descriptors()
	require.NoError(t, err)
	require.GreaterOrEqual(t, fds, 3)
	require.NoError(t, Until(within(t, time.Minute), "CPU time passes", func() error {
		used, err := p.CPU()
		if err == nil && used == 0 {
			err = context.DeadlineExceeded
		}
		return err
	}))
}

// TestPeers starts each kind of peer once; starting is already waiting for its answer.
func TestPeers(t *testing.T) {
	ctx := within(t, 2*time.Minute)
	dir := t.TempDir()
	t.Run("orthanc", func(t *testing.T) {
		need(t, "Orthanc", "echoscu", "storescu")
		o, err := StartOrthanc(ctx, "one", dir)
		require.NoError(t, err)
		defer o.Stop()
		files, err := WriteObjects(dir, 1, 3, 1000)
		require.NoError(t, err)
		require.NoError(t, Store(ctx, o.DICOM, files))
		n, err := o.Instances(ctx)
		require.NoError(t, err)
		require.Equal(t, 3, n)
		studies, err := o.Studies(ctx)
		require.NoError(t, err)
		require.Equal(t, map[string]bool{StudyUID(1): true}, studies)
		o.Kill()
		require.Error(t, Echo(ctx, o.DICOM))
		require.NoError(t, o.Restart(ctx))
		require.NoError(t, o.Clear(ctx))
		n, err = o.Instances(ctx)
		require.NoError(t, err)
		require.Zero(t, n)
	})
	t.Run("dcmqrscp", func(t *testing.T) {
		need(t, "dcmqrscp", "echoscu", "storescu", "findscu")
		a, err := StartArchive(ctx, dir)
		require.NoError(t, err)
		defer a.Stop()
		files, err := WriteObjects(dir, 2, 1, 1000)
		require.NoError(t, err)
		require.NoError(t, Store(ctx, a.DICOM, files))
		found, err := FindStudies(ctx, a.DICOM, "PatientID=ZZ-2", "StudyInstanceUID")
		require.NoError(t, err)
		require.Contains(t, found, StudyUID(2))
	})
	t.Run("storescp", func(t *testing.T) {
		need(t, "storescp", "echoscu")
		r, err := StartReceiver(ctx)
		require.NoError(t, err)
		r.Stop()
	})
	t.Run("wlmscpfs", func(t *testing.T) {
		need(t, "wlmscpfs", "dump2dcm", "echoscu", "findscu")
		w, err := StartWorklist(ctx, dir)
		require.NoError(t, err)
		defer w.Stop()
		found, err := FindSteps(ctx, w.DICOM, WorklistPatient)
		require.NoError(t, err)
		require.Contains(t, found, "Find Response: 1 (Pending)")
	})
	t.Run("pynetdicom", func(t *testing.T) {
		need(t, pynetdicom, "echoscu")
		p, err := StartPynetdicom(ctx, t.TempDir(), "PYSCP")
		require.NoError(t, err)
		defer p.Stop()
		require.NoError(t, Echo(ctx, p.DICOM))
		lines, err := Pynetdicom(ctx, t.TempDir(), "echo", p.DICOM, "PYSCP", "PYSCU")
		require.NoError(t, err)
		require.Len(t, lines.Of("echoed", "status=0000"), 1)
	})
	t.Run("receivers", func(t *testing.T) {
		need(t, "mllp_send", "javac", hapi)
		for _, start := range []func(context.Context, string) (*Receiver, error){StartHL7Receiver, StartHAPI} {
			r, err := start(ctx, t.TempDir())
			require.NoError(t, err)
			defer r.Stop()
			out, err := SendAdmissions(ctx, t.TempDir(), r.MLLP, 2)
			require.NoError(t, err)
			require.Contains(t, out, "MSA|AA|CONF0001")
			require.Equal(t, 2, strings.Count(r.Log(), "received CONF"), r.Log())
		}
	})
	t.Run("middles", func(t *testing.T) {
		need(t, "haproxy", "nginx", "storescp", "echoscu")
		r, err := StartReceiver(ctx)
		require.NoError(t, err)
		defer r.Stop()
		for _, start := range []func() (*Middle, error){
			func() (*Middle, error) { return StartHAProxy(ctx, dir, r.DICOM, false) },
			func() (*Middle, error) { return StartHAProxy(ctx, dir, r.DICOM, true) },
			func() (*Middle, error) { return StartNginxStream(ctx, dir, r.DICOM) },
		} {
			m, err := start()
			require.NoError(t, err)
			require.NoError(t, Echo(ctx, m.Addr))
			m.Stop()
		}
	})
}

// TestVerboseLines: many processes of one server write to one log, and each line is one's alone.
func TestVerboseLines(t *testing.T) {
	need(t, "dcmqrscp", "echoscu")
	ctx := within(t, time.Minute)
	options, err := VerboseLines(t.TempDir())
	require.NoError(t, err)
	a, err := StartArchive(ctx, t.TempDir(), options...)
	require.NoError(t, err)
	defer a.Stop()
	const clients, echoes = 8, 15
	failed := make(chan error, clients)
	for range clients {
		go func() {
			var err error
			for range echoes {
				err = errors.Join(err, Echo(ctx, a.DICOM))
			}
			failed <- err
		}()
	}
	for range clients {
		require.NoError(t, <-failed)
	}
	whole := regexp.MustCompile(`^I: (Association (Received|Acknowledged) \([^()]*\)|Received Echo SCP RQ: MsgID \d+|` +
		`Association Release|Cleaned up after child \(\d+\))$`)
	require.NoError(t, Until(ctx, "every end is written", func() error {
		if n := strings.Count(a.Log(), "Association Release"); n <= clients*echoes { // and the one that showed that it answers
			return fmt.Errorf("%d so far", n)
		}
		return nil
	}))
	_, log, _ := strings.Cut(a.Log(), "Association Release\n")
	for _, line := range strings.Split(strings.TrimSuffix(log, "\n"), "\n") {
		require.Regexp(t, whole, line)
	}
}

func TestSamplesAreSummed(t *testing.T) {
	text := []byte("# HELP a_total Words.\na_total{x=\"1\",y=\"b c\"} 2\na_total{x=\"2\"} 3.5\na_total_more 7\nplain 4\n")
	for want, about := range map[float64][]string{5.5: {"a_total"}, 2: {"a_total", `x="1"`}, 4: {"plain"}, 0: {"other"}} {
		sum, err := sumSamples(text, about[0], about[1:])
		require.NoError(t, err)
		require.InDelta(t, want, sum, 0, about)
	}
}

func TestLogSince(t *testing.T) {
	l := newLog()
	_, _ = l.Write([]byte("before\n"))
	mark := l.Mark()
	_, _ = l.Write([]byte("after\n"))
	got, err := l.Since(mark)
	require.NoError(t, err)
	require.Equal(t, "after\n", got)
	_, _ = l.Write(make([]byte, maxLog))
	_, err = l.Since(mark)
	require.ErrorContains(t, err, "are gone")
}

func TestLibraryOfAnotherContentIsRefused(t *testing.T) {
	dir := t.TempDir()
	for _, j := range hapiJars {
		require.NoError(t, os.WriteFile(filepath.Join(dir, j.file()), []byte("something else"), 0o600))
	}
	_, err := hapiClasses(dir)
	require.ErrorContains(t, err, "it must be "+hapiJars[0].sha256)
}

func TestFreezeAndThaw(t *testing.T) {
	ctx := within(t, time.Minute)
	p := shell(t, "echo up; exec sleep 600") // a shell that is stopped in vfork stands in state D for ever
	_, err := p.Await(ctx, "up")
	require.NoError(t, err)
	state := func(want string) {
		require.NoError(t, Until(ctx, "its state is "+want, func() error {
			stat, err := statFields(p.PID())
			if err == nil && stat[0] != want {
				err = errors.New(stat[0])
			}
			return err
		}))
	}
	require.NoError(t, p.Freeze(ctx))
	state("T")
	require.NoError(t, p.Thaw())
	state("S")
	require.NoError(t, p.Freeze(ctx))
	start := time.Now()
	p.Stop()
	require.Less(t, time.Since(start), stopGrace/2, "a frozen program is ended without waiting")
}

// TestFreezeAmongChildren: some of them are met between vfork and exec, where they hold their parent.
func TestFreezeAmongChildren(t *testing.T) {
	ctx := within(t, time.Minute)
	p := shell(t, "echo up; while :; do /bin/true; done")
	_, err := p.Await(ctx, "up")
	require.NoError(t, err)
	for range 30 {
		require.NoError(t, p.Freeze(ctx))
		require.NoError(t, p.still())
		require.NoError(t, p.Thaw())
	}
}

func TestFreePortsDiffer(t *testing.T) {
	seen := map[int]bool{}
	for range 50 {
		p := FreePort()
		require.False(t, seen[p])
		require.Less(t, p, 32768, "outgoing connections of others must not take it")
		seen[p] = true
	}
}

func TestMissing(t *testing.T) {
	require.Equal(t, []string{"no-such-program"}, Missing("sh", "no-such-program"))
	require.Equal(t, []string{"dcmtk", "orthanc"}, Packages([]string{"echoscu", "storescu", "Orthanc"}))
	require.Empty(t, Packages([]string{hapi}), "what no package brings")
	_, err := os.Stat(filepath.Clean(Find("sh")))
	require.NoError(t, err)
}
