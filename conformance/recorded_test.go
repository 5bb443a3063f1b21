package conformance

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/conformance/peers"
	"gantry/fixtures/recorded"
)

var record = flag.Bool("record", false, "record the conversations of fixtures/recorded anew")

// recordFolder is where the conversations are kept.
const recordFolder = "../fixtures/recorded/conversations"

// studyRoot are the keys of a query for the studies of one invented patient.
var studyRoot = []string{"-S", "-k", "QueryRetrieveLevel=STUDY", "-k", "PatientID=ZZ-71", "-k", "StudyInstanceUID"}

// TestRecord has DCMTK's clients talk with DCMTK's servers through a relay that writes down what is said.
func TestRecord(t *testing.T) {
	if !*record {
		t.Skip("only with -record")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	dir := t.TempDir()
	archive, err := peers.StartArchive(ctx, dir)
	require.NoError(t, err)
	defer archive.Stop()
	objects, err := peers.WriteObjects(dir, 71, 2, 1800)
	require.NoError(t, err)
	r := recorder{t: t, ctx: ctx, server: archive.DICOM}

	r.run("echo", "echoscu and dcmqrscp: one C-ECHO", "echoscu", false)
	r.run("store", "storescu and dcmqrscp: two small objects, PDUs of 16 kB", "storescu", false, objects...)
	r.run("store-pieces", "storescu and dcmqrscp: the same, PDUs of 4 kB at most and all contexts in one association", "storescu", false,
		append([]string{"--max-send-pdu", "4096", "--required"}, objects...)...)
	r.run("find", "findscu and dcmqrscp: C-FIND with one match", "findscu", false, studyRoot...)
	r.run("find-cancel", "findscu and dcmqrscp: C-FIND that is cancelled after the first match, too late", "findscu", false,
		"-S", "--cancel", "1", "-k", "QueryRetrieveLevel=IMAGE", "-k", "StudyInstanceUID="+peers.StudyUID(71),
		"-k", "SeriesInstanceUID="+peers.StudyUID(71)+".1", "-k", "SOPInstanceUID")
	r.run("get", "getscu and dcmqrscp: C-GET of two objects, 128 contexts, C-STORE in the same association", "getscu", false,
		"-S", "--output-directory", dir, "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID="+peers.StudyUID(71))
	r.run("move-unknown", "movescu and dcmqrscp: C-MOVE to a destination that the archive does not know", "movescu", true,
		"-S", "--move", "ZZNOWHERE", "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID="+peers.StudyUID(71))
	r.run("abort", "echoscu and dcmqrscp: aborted by the client instead of released", "echoscu", false, "--abort")

	r.server = startFullReceiver(t, ctx, dir)
	r.run("store-refused", "storescu and storescp with nowhere to write: out of resources", "storescu", true, "--required", objects[0])
	r.server = startFullReceiver(t, ctx, dir, "--abort-after")
	r.run("server-aborts", "storescu and storescp: aborted by the server after the object", "storescu", true, "--required", objects[0])
	refuser, err := peers.StartRefuser(ctx)
	require.NoError(t, err)
	defer refuser.Stop()
	r.server = refuser.DICOM
	r.run("rejected", "echoscu and storescp: association rejected", "echoscu", true)
}

// startFullReceiver starts a storescp whose folder is taken away.
func startFullReceiver(t *testing.T, ctx context.Context, dir string, options ...string) string {
	folder, err := os.MkdirTemp(dir, "gone")
	require.NoError(t, err)
	port := peers.FreePort()
	options = append(options, "--fork", "--output-directory", folder, fmt.Sprint(port))
	p, err := peers.Start(peers.Command{Name: "storescp", Path: peers.Find("storescp"), Args: options})
	require.NoError(t, err)
	t.Cleanup(func() { p.Stop() })
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	require.Eventually(t, func() bool {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	}, 10*time.Second, 20*time.Millisecond)
	require.NoError(t, os.RemoveAll(folder))
	return addr
}

type recorder struct {
	t      *testing.T
	ctx    context.Context
	server string
}

func (r recorder) run(name, about, tool string, fails bool, args ...string) {
	relay, err := recorded.StartRelay(r.server)
	require.NoError(r.t, err)
	defer relay.Close()
	host, port, err := net.SplitHostPort(relay.Addr)
	require.NoError(r.t, err)
	args = append([]string{"-aec", "ANY-SCP", "-aet", "ZZ-CT1", host, port}, args...)
	_, err = peers.Run(r.ctx, tool, args...)
	require.Equal(r.t, fails, err != nil, "%s: %v", name, err)
	pieces, err := relay.Conversation()
	require.NoError(r.t, err)
	c := recorded.Conversation{About: about, Pieces: pieces}
	require.NoError(r.t, os.WriteFile(filepath.Join(recordFolder, name+".txt"), c.Append(nil), 0o644))
}
