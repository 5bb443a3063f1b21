package conformance

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/conformance/peers"
)

// TestChecksOnRequest: what a person and Prometheus ask a running gateway about real servers, by the program
// and by curl: a check made now with its conversation, what is remembered, and /probe of a server that lives
// and of one that is frozen.
func TestChecksOnRequest(t *testing.T) {
	need(t, "curl")
	ctx := within(t, 2*time.Minute)
	a := startArchives(t, ctx, "persistence: {by: none}")

	run := gantry(t, ctx, 0, "checks", "PACS/A", "--run", "dicom-echo", "-v", "--admin", a.gateway.Admin)
	for _, said := range []string{"A-ASSOCIATE-RQ, ", "A-ASSOCIATE-AC, ", "(0000,0900) status 0000 success", "A-RELEASE-RP, 10 bytes", "passed in "} {
		require.Contains(t, run, said)
	}
	require.Regexp(t, `(?m)^dicom-echo: up for .*\n  TIME .*\n.* passed +connect \d+\.\d, open `,
		gantry(t, ctx, 0, "checks", "PACS/A", "--admin", a.gateway.Admin))

	alive := exposition(t, ctx, a.gateway, a.orthancs[0].DICOM)
	require.Contains(t, alive, "\nprobe_success 1\n")
	require.Contains(t, alive, `probe_stage_duration_seconds{check="dicom-echo",stage="open"} `)

	require.NoError(t, a.orthancs[1].Freeze(ctx))
	frozen := exposition(t, ctx, a.gateway, a.orthancs[1].DICOM)
	require.NoError(t, a.orthancs[1].Thaw())
	require.Contains(t, frozen, "\nprobe_success 0\n")
	require.Contains(t, frozen, `probe_failed_info{check="dicom-echo",reason="timeout",stage="open"} 1`)
	require.Contains(t, gantry(t, ctx, 2, "checks", "PACS", "--admin", a.gateway.Admin), "does not name a server; write SERVICE/SERVER")
}

// gantry runs the program and expects an exit code; it returns all that was said.
func gantry(t *testing.T, ctx context.Context, code int, args ...string) string {
	t.Helper()
	p, err := peers.Start(peers.Command{Name: "gantry", Path: raced(t), Args: args})
	require.NoError(t, err)
	t.Cleanup(p.Stop)
	got, err := p.ExitCode(ctx)
	require.NoError(t, err)
	require.Equal(t, code, got, p.Log())
	return p.Log()
}

// exposition is what curl gets of /probe.
func exposition(t *testing.T, ctx context.Context, g *peers.Gantry, target string) string {
	t.Helper()
	out, err := peers.Run(ctx, "curl", "-sSf", "-G", g.Admin+"/probe", "-d", "service=PACS", "-d", "target="+target)
	require.NoError(t, err, out)
	return out
}
