package conformance

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/conformance/peers"
	"gantry/gateway/config"
)

// examples are the whole configurations on a page of docs.
func examples(t *testing.T, page string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "docs", page))
	require.NoError(t, err)
	var all []string
	for _, block := range regexp.MustCompile("(?s)```yaml\n(services:.*?)```").FindAllStringSubmatch(string(text), -1) {
		all = append(all, block[1])
	}
	return all
}

// TestExamplesOfTheDICOMPage: what the page shows passes the checker.
func TestExamplesOfTheDICOMPage(t *testing.T) {
	all := examples(t, "dicom.md")
	require.Len(t, all, 2)
	for i, yaml := range all {
		_, problems := config.Parse(fmt.Sprintf("example %d", i+1), []byte(yaml), config.Options{})
		require.Empty(t, problems)
	}
}

// TestEgress runs the page's second example, with addresses of this machine: a pool of dcmqrscp and Orthanc sends by
// C-MOVE to two storescp, through the gateway in both directions. Each node moves to each of them, and all that they
// see is one caller.
func TestEgress(t *testing.T) {
	need(t, "Orthanc", "dcmqrscp", "storescp", "storescu", "movescu", "echoscu")
	ctx := within(t, time.Minute)
	dir, in, out := t.TempDir(), peers.FreeAddr(), peers.FreeAddr()
	folders := map[string]string{"CT1": t.TempDir(), "WS7": t.TempDir()}
	stations := map[string]*peers.Archive{}
	for title, folder := range folders {
		s, err := peers.StartStation(ctx, folder)
		require.NoError(t, err)
		t.Cleanup(s.Stop)
		stations[title] = s
	}
	archive, err := peers.StartMovingArchive(ctx, dir, map[string]string{"CT1": out, "WS7": out, "NOBODY": out})
	require.NoError(t, err)
	t.Cleanup(archive.Stop)
	orthanc, err := peers.StartOrthanc(ctx, "O", dir)
	require.NoError(t, err)
	t.Cleanup(orthanc.Stop)
	for _, title := range []string{"CT1", "WS7", "NOBODY"} {
		require.NoError(t, orthanc.Knows(ctx, title, title, out))
	}
	g := gateway(t, raced(t), strings.NewReplacer("10.12.1.110/32, 10.12.1.111/32", "127.0.0.1/32",
		"10.12.1.100:104", in, "10.12.1.101:104", out, "10.12.1.110:104", archive.DICOM, "10.12.1.111:104", orthanc.DICOM,
		"10.12.20.11:104", stations["CT1"].DICOM, "10.12.20.57:11112", stations["WS7"].DICOM).Replace(examples(t, "dicom.md")[1]))
	nodes := map[string]string{"DICOM1": archive.DICOM, "DICOM2": orthanc.DICOM}
	files := objects(t, dir, 44, 3)
	for node, addr := range nodes {
		require.NoError(t, g.AwaitState(ctx, "PACS", node, "up"))
		require.NoError(t, peers.Store(ctx, addr, files))
	}
	for title := range stations {
		require.NoError(t, g.AwaitState(ctx, "EGRESS", title, "up"))
	}
	for node, other := range map[string]string{"DICOM1": "DICOM2", "DICOM2": "DICOM1"} {
		require.NoError(t, g.SetServer(ctx, "PACS", node, peers.ServerChange{Admin: "ready"}))
		require.NoError(t, g.SetServer(ctx, "PACS", other, peers.ServerChange{Admin: "drain"}))
		for title, station := range stations {
			mark := station.Mark()
			said, err := peers.MoveStudy(ctx, in, peers.StudyUID(44), title)
			require.NoError(t, err, "%s to %s: %s", node, title, said)
			require.Equal(t, 3, emptied(t, folders[title]), "%s to %s", node, title)
			log, err := station.LogSince(mark)
			require.NoError(t, err)
			require.Regexp(t, `(?m)^D: Calling Application Name: +VNA$`, log)
			require.Regexp(t, `(?m)^D: Called Application Name: +`+title+`$`, log)
		}
		_, err := peers.MoveStudy(ctx, in, peers.StudyUID(44), "NOBODY")
		require.Error(t, err, "a title that the egress service does not know")
	}
	rejected, err := g.Metric(ctx, "gantry_dicom_association_rejects_total", `service="EGRESS"`, `reason="7"`)
	require.NoError(t, err)
	require.Positive(t, rejected)
}
