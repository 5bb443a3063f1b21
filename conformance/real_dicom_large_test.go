package conformance

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/conformance/peers"
)

// TestHugeObject: a multi-frame object of 500 MB goes through the gateway whole, by DCMTK at both ends, and the
// gateway's memory does not grow with it.
func TestHugeObject(t *testing.T) {
	need(t, "storescu", "storescp", "echoscu")
	ctx := within(t, 2*time.Minute)
	dir, folder := t.TempDir(), t.TempDir()
	station, err := peers.StartStation(ctx, folder)
	require.NoError(t, err)
	t.Cleanup(station.Stop)
	g, in := doors(t, plain(t), "", station.DICOM)
	file, err := peers.WriteHugeObject(dir, 500)
	require.NoError(t, err)
	require.NoError(t, peers.Store(ctx, in[0], []string{objects(t, dir, 43, 1)[0]}))
	require.Equal(t, 1, emptied(t, folder))
	before, err := g.PeakRSS()
	require.NoError(t, err)

	start := time.Now()
	require.NoError(t, peers.Store(ctx, in[0], []string{file}, "--max-send-pdu", "131072", "-td", "90"))
	took := time.Since(start)
	after, err := g.PeakRSS()
	require.NoError(t, err)
	require.Less(t, after-before, int64(16<<20), "memory of the gateway for an object of 500 MB")
	arrived, err := filepath.Glob(filepath.Join(folder, "*"))
	require.NoError(t, err)
	require.Len(t, arrived, 1)
	sameEnd(t, file, arrived[0], 500<<20)
	t.Logf("500 MiB in %.1f s; the gateway's peak memory went from %.1f to %.1f MB", took.Seconds(), float64(before)/1e6, float64(after)/1e6)
}

// sameEnd compares the last n bytes of two files: the files' heads tell who has written them.
func sameEnd(t *testing.T, one, other string, n int64) {
	t.Helper()
	var ends [2]*bufio.Reader
	for i, name := range []string{one, other} {
		f, err := os.Open(name)
		require.NoError(t, err)
		defer f.Close()
		_, err = f.Seek(-n, io.SeekEnd)
		require.NoError(t, err)
		ends[i] = bufio.NewReader(f)
	}
	a, b := make([]byte, 1<<20), make([]byte, 1<<20)
	for at := int64(0); at < n; at += int64(len(a)) {
		_, err := io.ReadFull(ends[0], a)
		require.NoError(t, err)
		_, err = io.ReadFull(ends[1], b)
		require.NoError(t, err)
		require.True(t, string(a) == string(b), "the files differ in the MiB from %d on", at)
	}
}
