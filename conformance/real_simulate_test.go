package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/conformance/peers"
	simulated "gantry/fixtures/pacs"
)

// standIn starts `gantry simulate dicom` and gives its address. At the end it must have ended with exit code 0.
func standIn(t *testing.T, ctx context.Context, program string, args ...string) (*peers.Process, string) {
	t.Helper()
	p, err := peers.Start(peers.Command{Name: "simulate", Path: program,
		Args: append([]string{"simulate", "dicom", "--listen", "127.0.0.1:0", "-o", "json"}, args...)})
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, p.Signal(os.Interrupt))
		code, err := p.ExitCode(context.WithoutCancel(ctx))
		p.Stop()
		require.NoError(t, err)
		require.Zero(t, code, p.Log())
		require.NotRegexp(t, `panic|DATA RACE|PatientName|INVENTED`, p.Log())
	})
	line, err := p.Await(ctx, `"listening"`)
	require.NoError(t, err)
	var said struct{ Address string }
	require.NoError(t, json.Unmarshal([]byte(line), &said))
	return p, said.Address
}

// send runs `gantry send dicom` to its end.
func send(ctx context.Context, program, addr string, args ...string) (string, error) {
	return peers.Run(ctx, program, append([]string{"send", "dicom", addr}, args...)...)
}

// syntaxes are transfer syntaxes by the option with which storescu proposes them, and how a file in one is made.
var syntaxes = []struct{ option, program, convert, keyword string }{
	{"-xi", "dcmconv", "+ti", "ImplicitVRLittleEndian"},
	{"-xe", "dcmconv", "+te", "ExplicitVRLittleEndian"},
	{"-xb", "dcmconv", "+tb", "ExplicitVRBigEndian"},
	{"-xd", "dcmconv", "+td", "DeflatedExplicitVRLittleEndian"},
	{"-xs", "dcmcjpeg", "+e1", "JPEGLosslessSV1"},
	{"-xt", "dcmcjpls", "+el", "JPEGLSLossless"},
	{"-xr", "dcmcrle", "", "RLELossless"},
}

// inEverySyntax writes the same image in all of them, one file each, with UIDs of their own.
func inEverySyntax(t *testing.T, ctx context.Context) (files []string) {
	t.Helper()
	dir := t.TempDir()
	plain := objects(t, t.TempDir(), 61, len(syntaxes))
	for i, s := range syntaxes {
		file := filepath.Join(dir, s.keyword+".dcm")
		args := []string{plain[i], file}
		if s.convert != "" {
			args = append([]string{s.convert}, args...)
		}
		_, err := peers.Run(ctx, s.program, args...)
		require.NoError(t, err)
		files = append(files, file)
	}
	return files
}

// content is what dcmdump shows of a file's data set, and its transfer syntax; padding and encoding are not content.
func content(t *testing.T, ctx context.Context, file string) string {
	t.Helper()
	out, err := peers.Run(ctx, "dcmdump", "+L", "-q", file)
	require.NoError(t, err)
	head, set, ok := strings.Cut(out, "# Dicom-Data-Set\n")
	require.True(t, ok)
	syntax := regexp.MustCompile(`(?m)^\(0002,0010\) UI (\S+)`).FindStringSubmatch(head)
	require.Len(t, syntax, 2)
	return syntax[1] + "\n" + set
}

// TestRealToolsAtTheSimulatedArchive: DCMTK stores in seven transfer syntaxes, finds, gets and moves; what is kept
// are files that DCMTK reads as the ones that it sent.
func TestRealToolsAtTheSimulatedArchive(t *testing.T) {
	need(t, "storescu", "findscu", "getscu", "movescu", "storescp")
	ctx := within(t, 3*time.Minute)
	kept, folder := t.TempDir(), t.TempDir()
	station, err := peers.StartStation(ctx, folder)
	require.NoError(t, err)
	t.Cleanup(station.Stop)
	list := filepath.Join(t.TempDir(), "list.yaml")
	require.NoError(t, os.WriteFile(list, []byte("- PatientID: ZZ-GANTRY-W\n  ScheduledProcedureStepSequence: [{Modality: CT, ScheduledStationAETitle: ZZCT}]\n"), 0o600))
	p, addr := standIn(t, ctx, raced(t), "--keep", kept, "--move-destination", "STATION="+station.DICOM, "--worklist", list)

	files := inEverySyntax(t, ctx)
	for i, s := range syntaxes {
		t.Run("storescu "+s.keyword, func(t *testing.T) {
			before := p.Mark()
			require.NoError(t, peers.Store(ctx, addr, files[i:i+1], s.option))
			_, err := p.Await(ctx, `"end":"released"`)
			require.NoError(t, err)
			said, err := p.LogSince(before)
			require.NoError(t, err)
			require.Contains(t, said, s.keyword, "the line names what was proposed")
			name := peers.StudyUID(61) + ".1." + string(rune('1'+i)) + ".dcm"
			require.Equal(t, content(t, ctx, files[i]), content(t, ctx, filepath.Join(kept, name)))
		})
	}
	t.Run("findscu", func(t *testing.T) {
		found, err := peers.FindStudies(ctx, addr, "PatientID=ZZ-6?", "StudyInstanceUID", "NumberOfStudyRelatedInstances")
		require.NoError(t, err)
		require.Contains(t, found, peers.StudyUID(61))
		require.Regexp(t, `IS \[6 ?\]`, found, "one is in Explicit VR Big Endian, which is retired: it is kept, but not read")
	})
	t.Run("findscu for the worklist of a file", func(t *testing.T) {
		found, err := peers.FindSteps(ctx, addr, "ZZ-GANTRY-W")
		require.NoError(t, err)
		require.Contains(t, found, "Find Response: 1 (Pending)")
	})
	t.Run("getscu", func(t *testing.T) {
		n, err := peers.GetStudy(ctx, addr, simulated.MadeUpStudyUID(1), t.TempDir())
		require.NoError(t, err)
		require.Equal(t, 2, n)
	})
	t.Run("movescu", func(t *testing.T) {
		said, err := peers.MoveStudy(ctx, addr, peers.StudyUID(61), "STATION")
		require.NoError(t, err)
		require.Contains(t, said, "Received Final Move Response (Success)")
		require.Equal(t, len(syntaxes)-1, emptied(t, folder), "each in its own transfer syntax")
	})
	t.Run("movescu to an unknown destination", func(t *testing.T) {
		said, err := peers.MoveStudy(ctx, addr, peers.StudyUID(61), "NOBODY")
		require.Error(t, err)
		require.Contains(t, said, "MoveDestinationUnknown")
	})
}

// dataSet is what stands behind the meta information, byte for byte.
func dataSet(t *testing.T, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, "DICM", string(b[128:132]))
	length := int(b[140]) | int(b[141])<<8 // (0002,0000), PS3.10 7.1
	return b[144+length:]
}

// TestSendKeepsEveryByte: files of seven transfer syntaxes, sent to our own archive and to DCMTK's storescp, arrive
// byte for byte.
func TestSendKeepsEveryByte(t *testing.T) {
	need(t, "storescp", "dcmqrscp")
	ctx := within(t, 2*time.Minute)
	files := inEverySyntax(t, ctx)
	folder := filepath.Dir(files[0])
	kept, theirs := t.TempDir(), t.TempDir()
	_, ours := standIn(t, ctx, raced(t), "--keep", kept)
	station, err := peers.StartStation(ctx, theirs)
	require.NoError(t, err)
	t.Cleanup(station.Stop)
	for dir, addr := range map[string]string{kept: ours, theirs: station.DICOM} {
		out, err := send(ctx, raced(t), addr, folder, "--concurrency", "2")
		require.NoError(t, err)
		require.Contains(t, out, "Nothing was lost: all 7 objects answered with success.")
		arrived, err := filepath.Glob(filepath.Join(dir, "*"))
		require.NoError(t, err)
		require.Len(t, arrived, len(files))
		for _, sent := range files {
			want, found := dataSet(t, sent), false
			for _, file := range arrived {
				got := dataSet(t, file)
				if len(want)%2 != 0 && len(got) > 0 { // a deflated one is padded on its way, PS3.5 A.5
					got = bytes.TrimSuffix(got, []byte{0})
				}
				found = found || bytes.Equal(want, got)
			}
			require.True(t, found, "%s has no equal in %s", filepath.Base(sent), dir)
		}
	}
	archive, err := peers.StartArchive(ctx, t.TempDir())
	require.NoError(t, err)
	t.Cleanup(archive.Stop)
	// One association: dcmqrscp has a process for each, and they trip over each other's index (C000) on a busy machine.
	out, err := send(ctx, raced(t), archive.DICOM, "--generate", "30", "--size", "64KiB")
	require.NoError(t, err)
	require.Contains(t, out, "all 30 objects answered with success")
	found, err := peers.FindStudies(ctx, archive.DICOM, "PatientID=ZZ-GANTRY-SEND", "NumberOfStudyRelatedInstances", "StudyInstanceUID")
	require.NoError(t, err)
	require.Contains(t, found, "Find Response: 1 (Pending)")
}

// TestSimulateAndSendMemory: an object of 200 MB passes through both in little memory.
func TestSimulateAndSendMemory(t *testing.T) {
	const most = 40 << 20
	ctx := within(t, 2*time.Minute)
	kept := t.TempDir()
	p, addr := standIn(t, ctx, plain(t), "--keep", kept)
	before, err := p.PeakRSS()
	require.NoError(t, err)
	s, err := peers.Start(peers.Command{Name: "send", Path: plain(t),
		Args: []string{"send", "dicom", addr, "--generate", "2", "--size", "200MiB"}})
	require.NoError(t, err)
	defer s.Stop()
	var sender int64
	for s.Running() {
		if peak, err := s.PeakRSS(); err == nil {
			sender = max(sender, peak)
		}
		time.Sleep(5 * time.Millisecond) // a sample of a growing figure, nothing is waited for
	}
	code, err := s.ExitCode(ctx)
	require.NoError(t, err)
	require.Zero(t, code, s.Log())
	after, err := p.PeakRSS()
	require.NoError(t, err)
	t.Logf("archive: %d MiB, then %d MiB; sender: %d MiB", before>>20, after>>20, sender>>20)
	require.Less(t, after-before, int64(most))
	require.Less(t, sender, before+most, "both are the same program")
	entries, err := os.ReadDir(kept)
	require.NoError(t, err)
	require.Len(t, entries, 2)
}
