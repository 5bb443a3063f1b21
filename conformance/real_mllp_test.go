package conformance

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/conformance/peers"
)

// TestMessagesThroughPythonHL7: mllp_send at one end and python-hl7's own server at the other two. Each
// message is received once and acknowledged under its own control id; another sender goes to the other
// receiver.
func TestMessagesThroughPythonHL7(t *testing.T) {
	need(t, "mllp_send")
	ctx := within(t, time.Minute)
	var receivers [2]*peers.Receiver
	for i := range receivers {
		r, err := peers.StartHL7Receiver(ctx, t.TempDir())
		require.NoError(t, err)
		t.Cleanup(r.Stop)
		receivers[i] = r
	}
	addr := peers.FreeAddr()
	g := gateway(t, raced(t), fmt.Sprintf("services:\n- {name: HL7, protocol: mllp, listen: [%q], algorithm: round-robin,"+
		" persistence: {by: none}, timeouts: {drain: 1s}, servers: [{name: one, address: %q}, {name: two, address: %q}]}\n",
		addr, receivers[0].MLLP, receivers[1].MLLP))
	for _, name := range []string{"one", "two"} {
		require.NoError(t, g.AwaitState(ctx, "HL7", name, "up"))
	}
	for range 2 {
		sendAll(t, ctx, addr, 25)
	}
	for _, r := range receivers {
		require.Equal(t, 25, strings.Count(r.Log(), "received CONF"), "messages of one sender stay together")
	}
}

// sendAll sends n messages by mllp_send and reads the acknowledgements that it prints.
func sendAll(t *testing.T, ctx context.Context, addr string, n int) {
	t.Helper()
	out, err := peers.SendAdmissions(ctx, t.TempDir(), addr, n)
	require.NoError(t, err)
	for i := range n {
		require.Contains(t, out, fmt.Sprintf("MSA|AA|CONF%04d", i))
	}
}
