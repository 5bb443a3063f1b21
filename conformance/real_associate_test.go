package conformance

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/conformance/peers"
)

// accepts is what `gantry associate --output json` says, as far as it is looked at here.
type accepts struct {
	Verdict string `json:"verdict"`
	Server  struct {
		Implementation string `json:"implementation_version"`
		MaxPDU         int    `json:"max_pdu"`
		Roles          []struct {
			SCP bool `json:"scp"`
		} `json:"roles"`
	} `json:"server"`
	Odd          []string `json:"odd"`
	Associations []struct {
		Proposed int       `json:"proposed"`
		Warning  *struct{} `json:"warning"`
	} `json:"associations"`
	Pairs []struct {
		SOPClass       string `json:"sop_class"`
		TransferSyntax string `json:"transfer_syntax"`
		Answer         string `json:"answer"`
		Code           *int   `json:"code"`
	} `json:"pairs"`
}

func associate(t *testing.T, ctx context.Context, code int, args ...string) (found accepts) {
	t.Helper()
	out := gantry(t, ctx, code, append([]string{"associate", "--output", "json"}, args...)...)
	require.NoError(t, json.Unmarshal([]byte(out), &found), out)
	return found
}

// codes are the results of one transfer syntax over all SOP classes, in order, each once; -1 is no answer.
func (a accepts) codes(syntax string) (list []int) {
	for _, p := range a.Pairs {
		code := -1
		if p.Code != nil {
			code = *p.Code
		}
		if p.TransferSyntax == syntax && !slices.Contains(list, code) {
			list = append(list, code)
		}
	}
	slices.Sort(list)
	return list
}

// TestAssociateRealServers: what four servers accept of what they were set up for, without an oddity, and each
// association released.
func TestAssociateRealServers(t *testing.T) {
	need(t, "storescp", "dcmqrscp", "wlmscpfs", "dump2dcm", "echoscu", "Orthanc")
	ctx := within(t, 2*time.Minute)
	dir := t.TempDir()
	implicit, err := peers.StartReceiver(ctx, "+xi", "-pdu", "65536")
	require.NoError(t, err)
	t.Cleanup(implicit.Stop)
	archive, err := peers.StartArchive(ctx, dir)
	require.NoError(t, err)
	t.Cleanup(archive.Stop)
	list, err := peers.StartWorklist(ctx, dir)
	require.NoError(t, err)
	t.Cleanup(list.Stop)
	orthanc, err := peers.StartOrthanc(ctx, "associate", dir)
	require.NoError(t, err)
	t.Cleanup(orthanc.Stop)

	all := []accepts{}
	found := associate(t, ctx, 0, implicit.DICOM, "--profile", "ct")
	require.Equal(t, []any{"accepted", []int{0}, []int{4}, []int{4}}, []any{found.Verdict, found.codes("ImplicitVRLittleEndian"), found.codes("ExplicitVRLittleEndian"), found.codes("JPEG2000Lossless")})
	require.Equal(t, 65536, found.Server.MaxPDU)
	all = append(all, found)

	found = associate(t, ctx, 0, archive.DICOM, "--profile", "qr")
	require.Equal(t, []int{0}, found.codes("ImplicitVRLittleEndian"))
	require.Len(t, found.Server.Roles, 4)
	for _, r := range found.Server.Roles {
		require.True(t, r.SCP, "C-GET brings objects")
	}
	all = append(all, found, associate(t, ctx, 0, list.DICOM, "--profile", "mwl"))

	found = associate(t, ctx, 1, list.DICOM, "--profile", "ct")
	require.Equal(t, []any{"partly", []int{3}}, []any{found.Verdict, found.codes("JPEG2000Lossless")})
	all = append(all, found, associate(t, ctx, 0, orthanc.DICOM, "--profile", "ct,mr,us,xa,qr"))

	found = associate(t, ctx, 1, orthanc.DICOM, "--profile", "all")
	require.Greater(t, len(found.Associations), 10)
	for _, a := range found.Associations[:len(found.Associations)-1] {
		require.Equal(t, 128, a.Proposed)
	}
	for _, f := range append(all, found) {
		require.Empty(t, f.Odd)
		require.Contains(t, f.Server.Implementation, "OFFIS_DCMTK")
		for _, a := range f.Associations {
			require.Nil(t, a.Warning)
		}
	}
}

// TestAssociateComparesNodes: two nodes of one pool, one of which lost a transfer syntax.
func TestAssociateComparesNodes(t *testing.T) {
	need(t, "Orthanc", "echoscu")
	ctx := within(t, 2*time.Minute)
	dir := t.TempDir()
	a, err := peers.StartOrthanc(ctx, "A", dir)
	require.NoError(t, err)
	t.Cleanup(func() { a.Stop() })
	b, err := peers.StartOrthanc(ctx, "B", dir)
	require.NoError(t, err)
	t.Cleanup(func() { b.Stop() })
	require.Contains(t, gantry(t, ctx, 0, "associate", a.DICOM, "--compare", b.DICOM), "same: both answer alike to 283 pairs")
	require.NoError(t, b.Reconfigure(ctx, "Jpeg2000TransferSyntaxAccepted", false))
	out := gantry(t, ctx, 1, "associate", a.DICOM, "--compare", b.DICOM, "--profile", "ct,mr")
	require.Contains(t, out, "\nJPEG2000Lossless: all 5 SOP classes that were proposed in it\n    A  accepted\n    B  abstract syntax not supported\n\n"+
		"different: the answers to 5 of 41 pairs differ: ")
}

// TestLostTransferSyntaxDegrades: C-ECHO finds nothing wrong with an archive that came back from an upgrade without
// JPEG 2000; the check that expects it makes the server degraded, names what is missing, and is content when it is back.
func TestLostTransferSyntaxDegrades(t *testing.T) {
	need(t, "Orthanc", "echoscu")
	ctx := within(t, 2*time.Minute)
	o, err := peers.StartOrthanc(ctx, "A", t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { o.Stop() })
	g := gateway(t, raced(t), fmt.Sprintf(`services:
- name: PACS
  protocol: dicom
  listen: [%q]
  timeouts: {drain: 1s}
  checks:
  - {type: dicom-echo, interval: 300ms, timeout: 5s, rise: 2, fall: 2}
  - {type: dicom-associate, interval: 300ms, timeout: 5s, rise: 2, fall: 2, profile: mr, expect: [CTImageStorage/JPEG2000Lossless]}
  servers: [{name: A, address: %q}]
`, peers.FreeAddr(), o.DICOM))
	require.NoError(t, g.AwaitState(ctx, "PACS", "A", "up"))
	require.NoError(t, o.Reconfigure(ctx, "Jpeg2000TransferSyntaxAccepted", false))
	require.NoError(t, g.AwaitState(ctx, "PACS", "A", "degraded"))
	require.Contains(t, gantry(t, ctx, 0, "checks", "PACS/A", "--run", "dicom-associate", "--admin", g.Admin),
		"accepts only 6 of the 7 that are expected, and not CTImageStorage/JPEG2000Lossless (abstract syntax not supported): switched off on A")
	require.NoError(t, o.Reconfigure(ctx, "Jpeg2000TransferSyntaxAccepted", true))
	require.NoError(t, g.AwaitState(ctx, "PACS", "A", "up"))
}
