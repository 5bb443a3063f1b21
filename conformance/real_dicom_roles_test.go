package conformance

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/conformance/peers"
)

// TestEveryRoleOfDCMTK: DCMTK's clients and servers speak C-ECHO, C-STORE, C-FIND, C-GET and C-MOVE through the
// gateway, the associations that a C-MOVE opens too. The RQ of those has 128 presentation contexts and 13 kB.
func TestEveryRoleOfDCMTK(t *testing.T) {
	need(t, "dcmqrscp", "storescp", "wlmscpfs", "storescu", "findscu", "getscu", "movescu", "echoscu", "dump2dcm")
	ctx := within(t, time.Minute)
	dir, folder := t.TempDir(), t.TempDir()
	station, err := peers.StartStation(ctx, folder)
	require.NoError(t, err)
	t.Cleanup(station.Stop)
	list, err := peers.StartWorklist(ctx, dir)
	require.NoError(t, err)
	t.Cleanup(list.Stop)
	_, out := doors(t, raced(t), "", station.DICOM)
	archive, err := peers.StartMovingArchive(ctx, dir, map[string]string{"STATION": out[0]})
	require.NoError(t, err)
	t.Cleanup(archive.Stop)
	_, in := doors(t, raced(t), "", archive.DICOM, list.DICOM, station.DICOM)
	files := objects(t, dir, 41, 5)

	t.Run("echoscu", func(t *testing.T) {
		for _, addr := range in {
			require.NoError(t, peers.Echo(ctx, addr))
		}
	})
	t.Run("storescu to storescp", func(t *testing.T) {
		require.NoError(t, peers.Store(ctx, in[2], files))
		require.Equal(t, 5, emptied(t, folder))
	})
	t.Run("storescu to dcmqrscp", func(t *testing.T) { require.NoError(t, peers.Store(ctx, in[0], files)) })
	t.Run("findscu", func(t *testing.T) {
		found, err := peers.FindStudies(ctx, in[0], "PatientID=ZZ-41", "StudyInstanceUID")
		require.NoError(t, err)
		require.Contains(t, found, peers.StudyUID(41))
	})
	t.Run("findscu to wlmscpfs", func(t *testing.T) {
		found, err := peers.FindSteps(ctx, in[1], peers.WorklistPatient)
		require.NoError(t, err)
		require.Contains(t, found, "Find Response: 1 (Pending)")
	})
	t.Run("getscu", func(t *testing.T) {
		n, err := peers.GetStudy(ctx, in[0], peers.StudyUID(41), t.TempDir())
		require.NoError(t, err)
		require.Equal(t, 5, n)
	})
	t.Run("movescu, sub-operations through the gateway", func(t *testing.T) {
		said, err := peers.MoveStudy(ctx, in[0], peers.StudyUID(41), "STATION")
		require.NoError(t, err)
		require.Contains(t, said, "Received Final Move Response (Success)")
		require.Equal(t, 5, emptied(t, folder))
		require.Regexp(t, `(?m)^D: Called Application Name: +STATION$`, station.Log())
	})
	t.Run("movescu to an unknown destination", func(t *testing.T) {
		said, err := peers.MoveStudy(ctx, in[0], peers.StudyUID(41), "NOBODY")
		require.Error(t, err)
		require.Contains(t, said, "MoveDestinationUnknown")
	})
}

// emptied counts what is in a folder and takes it away.
func emptied(t *testing.T, folder string) int {
	t.Helper()
	files, err := os.ReadDir(folder)
	require.NoError(t, err)
	for _, f := range files {
		require.NoError(t, os.Remove(filepath.Join(folder, f.Name())))
	}
	return len(files)
}

// TestOrthancInEveryRole: Orthanc as server and as client, of another Orthanc and of DCMTK, all through the gateway.
func TestOrthancInEveryRole(t *testing.T) {
	need(t, "Orthanc", "storescp", "storescu", "movescu", "findscu", "echoscu")
	ctx := within(t, 2*time.Minute)
	dir, folder := t.TempDir(), t.TempDir()
	var o [2]*peers.Orthanc
	for i, name := range []string{"A", "B"} {
		var err error
		o[i], err = peers.StartOrthanc(ctx, name, dir)
		require.NoError(t, err)
		t.Cleanup(o[i].Stop)
	}
	station, err := peers.StartStation(ctx, folder)
	require.NoError(t, err)
	t.Cleanup(station.Stop)
	_, in := doors(t, raced(t), "", o[0].DICOM, o[1].DICOM, station.DICOM)
	for i, other := range []int{1, 0} { // each knows the other, itself and the station only by the gateway's address
		require.NoError(t, o[i].Knows(ctx, "other", "OTHER", in[other]))
		require.NoError(t, o[i].Knows(ctx, "caller", "CALLER", in[other]))
		require.NoError(t, o[i].Knows(ctx, "station", "STATION", in[2]))
	}
	require.NoError(t, peers.Store(ctx, in[0], objects(t, dir, 42, 4)))

	require.NoError(t, o[0].EchoTo(ctx, "other"))
	require.NoError(t, o[0].StoreTo(ctx, "station"))
	require.Equal(t, 4, emptied(t, folder))
	found, err := peers.FindStudies(ctx, in[0], "PatientID=ZZ-42", "StudyInstanceUID")
	require.NoError(t, err)
	require.Contains(t, found, peers.StudyUID(42))
	said, err := peers.MoveStudy(ctx, in[0], peers.StudyUID(42), "STATION")
	require.NoError(t, err, said)
	require.Equal(t, 4, emptied(t, folder))

	n, err := o[1].MoveFrom(ctx, "other", peers.StudyUID(42), "CALLER") // A opens an association to B
	require.NoError(t, err)
	require.Equal(t, 1, n)
	have, err := o[1].Instances(ctx)
	require.NoError(t, err)
	require.Equal(t, 4, have)
	require.NoError(t, o[1].StoreTo(ctx, "station"))
	require.Equal(t, 4, emptied(t, folder))
}
