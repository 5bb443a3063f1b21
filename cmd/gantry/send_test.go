package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/fixtures/modality"
	"gantry/fixtures/pacs"
	"gantry/fixtures/secure"
)

func archive(t *testing.T, o pacs.Options, faults ...string) *pacs.Server {
	t.Helper()
	f, err := pacs.FaultTable.Parse(faults)
	require.NoError(t, err)
	o.Faults = f
	s, err := pacs.Start(o)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

// What the summary says, and the exit code that goes with it.
func TestSendDICOM(t *testing.T) {
	tests := []struct {
		name  string
		fault string
		args  string
		code  int
		want  []string
	}{
		{"all well", "slow=1us", "--generate 20 --size 4KiB --concurrency 2", exitOK,
			[]string{"20 objects to ", "associations  2, 2 released", "answers       20 success 0000", "response", "Nothing was lost: all 20 objects answered with success."}},
		{"a warning", "wrong-status=store:B000", "--generate 2 --size 1KiB", exitOK,
			[]string{"2 warning B000, coerced", "2 of them with a warning"}},
		{"refused", "store-refused", "--generate 3 --size 1KiB", exitFailed,
			[]string{"3 failure A700, out of resources", "LOST: 3 of 3 objects.", "  3 × C-STORE answered with status A700 (out of resources)"}},
		{"rejected", "reject=2/3/2", "--echo 4", exitFailed,
			[]string{"1, 0 released, 1 rejected", "LOST: 4 of 4 C-ECHOs.", "local limit exceeded (transient, service provider, presentation, 2/3/2)"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := archive(t, pacs.Options{}, tt.fault)
			s := newStage()
			require.Equal(t, tt.code, s.run(t, append([]string{"send", "dicom", p.Addr()}, strings.Fields(tt.args)...)...), s.err.String())
			for _, want := range tt.want {
				require.Contains(t, s.out.String(), want)
			}
			require.NotContains(t, s.out.String()+s.err.String(), modality.GeneratedPatientID)
		})
	}
}

func TestSendDICOMRetries(t *testing.T) {
	p := archive(t, pacs.Options{}, "store-refused", "flapping=1")
	s := newStage()
	code := s.run(t, "send", "dicom", p.Addr(), "--generate", "8", "--size", "1KiB", "--per-association", "4", "--retry", "3", "-o", "json")
	require.Equal(t, exitOK, code, s.out.String())
	var j sendJSON
	require.NoError(t, json.Unmarshal(s.out.Bytes(), &j))
	require.Equal(t, []any{"ok", 8, 8, 0, 4}, []any{j.Verdict, j.Total, j.Done, j.Lost, j.Retried})
	require.Equal(t, []statusJSON{{"0000", "success", 8}, {"A700", "failure", 4}}, j.Statuses)
	require.Positive(t, j.ResponseMS.P50)
	require.Equal(t, associationsJSON{Asked: 3, Released: 3}, j.Associations)
}

// A DICOM file of a folder that cannot be read is lost, not left out.
func TestSendDICOMDamaged(t *testing.T) {
	dir := t.TempDir()
	file := modality.NewStudy().Object(1000).File()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "1"), file, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "2"), file[:200], 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "3"), []byte("short"), 0o600))
	list := filepath.Join(t.TempDir(), "failed")
	p := archive(t, pacs.Options{})
	s := newStage()
	require.Equal(t, exitFailed, s.run(t, "send", "dicom", p.Addr(), dir, "--failed", list))
	require.Contains(t, s.out.String(), "left out: 1 file.")
	require.Contains(t, s.out.String(), "LOST: 1 of 2 objects.\n  1 × "+whyDamaged)
	b, err := os.ReadFile(list)
	require.NoError(t, err)
	require.Equal(t, filepath.Join(dir, "2")+"\n", string(b))
	s = newStage()
	require.Equal(t, exitFailed, s.run(t, "send", "dicom", p.Addr(), dir, "-o", "json"))
	var j sendJSON
	require.NoError(t, json.Unmarshal(s.out.Bytes(), &j))
	require.Equal(t, []any{"lost", 2, 1, 1, []reasonJSON{{whyDamaged, 1}}}, []any{j.Verdict, j.Total, j.Done, j.Lost, j.Reasons})
}

// Files that were lost are listed, for another go.
func TestSendDICOMFiles(t *testing.T) {
	dir, study := t.TempDir(), modality.NewStudy()
	for _, name := range []string{"1.dcm", "2.dcm"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), study.Object(1000).File(), 0o600))
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "README"), []byte("no object"), 0o600))
	list := filepath.Join(t.TempDir(), "failed")
	p := archive(t, pacs.Options{}, "abort-after=1")
	s := newStage()
	require.Equal(t, exitFailed, s.run(t, "send", "dicom", p.Addr(), dir, "--failed", list))
	require.Contains(t, s.out.String(), "No DICOM objects, and left out: 1 file.")
	require.Contains(t, s.out.String(), "1 × association aborted by the service provider")
	b, err := os.ReadFile(list)
	require.NoError(t, err)
	require.Equal(t, filepath.Join(dir, "2.dcm")+"\n", string(b))
}

func TestSendDICOMOverTLS(t *testing.T) {
	identity, err := secure.SelfSigned("test")
	require.NoError(t, err)
	p := archive(t, pacs.Options{Identity: identity})
	for args, code := range map[string]int{"--tls --no-verify": exitOK, "--tls": exitFailed, "": exitFailed} {
		s := newStage()
		got := s.run(t, append([]string{"send", "dicom", p.Addr(), "--echo", "2", "--timeout", "5s"}, strings.Fields(args)...)...)
		require.Equal(t, code, got, "%s: %s%s", args, s.out.String(), s.err.String())
	}
}

func TestSendBadUsage(t *testing.T) {
	text := filepath.Join(t.TempDir(), "text")
	require.NoError(t, os.WriteFile(text, []byte("no DICOM"), 0o600))
	tests := map[string]string{
		"send":                                       "needs one of its commands: dicom, mllp",
		"send dicom":                                 "HOST:PORT is missing",
		"send dicom h:1":                             "nothing to send",
		"send dicom h --echo 1":                      "has no port",
		"send dicom h:1 --echo 1 x":                  "exclude each other",
		"send dicom h:1 " + text:                     "not a DICOM file",
		"send dicom h:1 /nowhere":                    "no such file",
		"send dicom h:1 --echo -1":                   "are from 1 to 1000000",
		"send dicom h:1 --echo 1 -c 0":               "--concurrency is from 1 to 1000",
		"send dicom h:1 --generate 1 --size 9GiB":    "out of range",
		"send dicom h:1 --generate 1 --sop-class CT": "neither a UID nor a keyword",
		"send dicom h:1 --generate 1 --transfer-syntax ExplicitVRBigEndian": "send files",
		"send dicom h:1 --generate 600000 --repeat 2":                       "too many for one run",
		"send dicom h:1 --echo 1 --called-ae SEVENTEEN_LETTERS":             "1 to 16 ASCII characters",
		"send dicom h:1 --generate 1 --sop-class Verification":              "--sop-class: Verification is no storage class",
		"send dicom h:1 --echo 1 --size 3MiB":                               "--size is about generated objects: give --generate too",
		"send dicom h:1 --sop-class MRImageStorage " + text:                 "--sop-class is about generated objects",
		"send dicom h:1 /dev/null":                                          "/dev/null: not a file",
		"send dicom h:1 --echo 1 --calling-ae A\\B":                         "--calling-ae: an AE title has 1 to 16 ASCII characters",
		"send dicom h:1 --echo 1 --rate -1":                                 "--rate is from 0",
		"send dicom h:1 --echo 1 --ca-file /nowhere":                        "--ca-file",
	}
	for args, want := range tests {
		t.Run(args, func(t *testing.T) {
			s := newStage()
			require.Equal(t, exitUsage, s.run(t, strings.Fields(args)...), s.out.String())
			require.Contains(t, s.err.String(), want)
		})
	}
}

// The line of a running job is for terminals alone, and leaves nothing behind.
func TestSendProgress(t *testing.T) {
	p := archive(t, pacs.Options{}, "slow=20ms")
	s := newStage()
	s.watched = func() bool { return true }
	require.Equal(t, exitOK, s.run(t, "send", "dicom", p.Addr(), "--generate", "30", "--size", "1KiB"))
	shown := s.err.Bytes()
	require.Contains(t, string(shown), " of 30 objects, ")
	require.True(t, bytes.HasSuffix(shown, []byte("\r\x1b[K")))
}

// The first interrupt lets nothing more begin, and the summary comes.
func TestSendInterrupted(t *testing.T) {
	p := archive(t, pacs.Options{})
	s := newStage()
	arrived := make(chan os.Signal, 1)
	s.signals = func(...os.Signal) (<-chan os.Signal, func()) { return arrived, func() {} }
	go func() {
		for p.Counters().Objects == 0 {
			time.Sleep(time.Millisecond)
		}
		arrived <- os.Interrupt
	}()
	require.Equal(t, exitFailed, s.run(t, "send", "dicom", p.Addr(), "--generate", "1000", "--size", "1KiB", "--rate", "50"))
	require.Contains(t, s.out.String(), "not sent: interrupted")
	require.Contains(t, s.out.String(), "1, 1 released")
}
