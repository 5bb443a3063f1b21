package conformance

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/conformance/peers"
	"gantry/fixtures/modality"
	"gantry/negotiate"
)

// TestRefusalsAreNamed: real servers that say no, and what a person reads then.
func TestRefusalsAreNamed(t *testing.T) {
	for _, c := range []struct {
		name     string
		programs []string
		start    func(*testing.T, context.Context) string // the server's address
		check    asked
		peer     string // what the server said
		sentence string
	}{
		{"dcmqrscp does not know the called AE title", []string{"dcmqrscp"}, archiveOf(16),
			of("dicom-echo", "called_ae", "NOWHERE"), "A-ASSOCIATE-RJ 1/1/7",
			"called AE title 'NOWHERE' not recognised (rejected permanently by the service user): check the AE title table of the server"},
		{"wlmscpfs has no list for the called AE title", []string{"wlmscpfs", "dump2dcm"}, worklist,
			of("dicom-find", "model", "worklist", "called_ae", "NOWHERE"), "A-ASSOCIATE-RJ 1/1/7",
			"called AE title 'NOWHERE' not recognised (rejected permanently by the service user): check the AE title table of the server"},
		{"storescp refuses everybody", []string{"storescp"}, func(t *testing.T, ctx context.Context) string {
			r, err := peers.StartRefuser(ctx)
			require.NoError(t, err)
			t.Cleanup(r.Stop)
			return r.DICOM
		}, of("dicom-echo"), "A-ASSOCIATE-RJ 1/1/1", "association rejected without a reason (rejected permanently by the service user): " +
			"the log of the server says why; often an AE title or address is not allowed"},
		{"dcmqrscp has no place left", []string{"dcmqrscp"}, func(t *testing.T, ctx context.Context) string {
			addr := archiveOf(1)(t, ctx)
			require.NoError(t, peers.Until(ctx, "its one place is ours", func() error {
				a, err := modality.Dial(ctx, modality.Options{Address: addr})
				if err == nil {
					t.Cleanup(func() { _ = a.Close() })
				}
				return err
			}))
			return addr
		}, of("dicom-echo"), "A-ASSOCIATE-RJ 2/3/2", "local limit exceeded (rejected for now by the service provider): " +
			"all association slots of the server are taken; too few are configured, or clients leave theirs open"},
		{"storescp cannot search", []string{"storescp"}, storescp, of("dicom-find"), "abstract syntax not supported",
			"accepts the association but not the Study Root query service in it (abstract syntax not supported): " +
				"C-FIND is switched off on the server, or not allowed for 'GANTRY'"},
		{"storescp is no HL7 receiver", []string{"storescp"}, storescp, of("mllp"), "",
			"resets the connection instead of acknowledging: it does not accept this address, its channel is stopped, it expects TLS, " +
				"or it closes on types that it does not know: then write a message that it knows and name its file with message"},
		{"HAPI is no archive", []string{"javac", "HAPI"}, func(t *testing.T, ctx context.Context) string {
			return hl7Address(t, ctx, peers.StartHAPI)
		}, of("dicom-echo"), "", "closes the connection without answering the association request: it does not accept this address, " +
			"is shutting down, expects TLS, or the port belongs to another service"},
		{"Orthanc without its worklist plug-in", []string{"Orthanc"}, func(t *testing.T, ctx context.Context) string {
			o, err := peers.StartOrthanc(ctx, "plain", t.TempDir())
			require.NoError(t, err)
			t.Cleanup(o.Stop)
			return o.DICOM
		}, of("dicom-find", "model", "worklist"), "abstract syntax not supported",
			"accepts the association but not the worklist service in it (abstract syntax not supported): " +
				"C-FIND is switched off on the server, or not allowed for 'GANTRY'"},
	} {
		t.Run(c.name, func(t *testing.T) {
			need(t, append(c.programs, "echoscu")...)
			t.Parallel()
			ctx := within(t, time.Minute)
			check := checkOf(t, c.start(t, ctx), c.check)
			check.Timeout = brokenTimeout
			r := negotiate.Run(ctx, check)
			require.NotNil(t, r.Fault)
			require.Equal(t, [2]string{c.peer, c.sentence}, [2]string{r.Fault.Peer, r.Fault.Sentence})
		})
	}
}

func archiveOf(associations int) func(*testing.T, context.Context) string {
	return func(t *testing.T, ctx context.Context) string {
		a, err := peers.StartSmallArchive(ctx, t.TempDir(), associations)
		require.NoError(t, err)
		t.Cleanup(a.Stop)
		return a.DICOM
	}
}

func storescp(t *testing.T, ctx context.Context) string {
	r, err := peers.StartReceiver(ctx)
	require.NoError(t, err)
	t.Cleanup(r.Stop)
	return r.DICOM
}

func worklist(t *testing.T, ctx context.Context) string {
	w, err := peers.StartWorklist(ctx, t.TempDir())
	require.NoError(t, err)
	t.Cleanup(w.Stop)
	return w.DICOM
}

func hl7Address(t *testing.T, ctx context.Context, start func(context.Context, string) (*peers.Receiver, error)) string {
	r, err := start(ctx, t.TempDir())
	require.NoError(t, err)
	t.Cleanup(r.Stop)
	return r.MLLP
}
