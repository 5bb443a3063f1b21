package conformance

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/conformance/peers"
)

// admissions are invented messages in the form that mllp_send --loose reads: one segment a line.
func admissions(t *testing.T, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "MSH|^~\\&|WARD|TEST|GANTRY|TEST|20240101120000||ADT^A01|CONF%04d|T|2.5\r\n"+
			"EVN|A01|20240101120000\r\nPID|1||ZZ-%d^^^TEST||CONFORMANCE^INVENTED\r\nPV1|1|O\r\n", i, i)
	}
	file := filepath.Join(t.TempDir(), "admissions.hl7")
	require.NoError(t, os.WriteFile(file, []byte(b.String()), 0o600))
	return file
}

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

// sendAll runs mllp_send with n messages and reads the acknowledgements that it prints.
func sendAll(t *testing.T, ctx context.Context, addr string, n int) {
	t.Helper()
	host, port, _ := strings.Cut(addr, ":")
	out, err := peers.Run(ctx, "mllp_send", "--loose", "--file", admissions(t, n), "--port", port, host)
	require.NoError(t, err)
	for i := range n {
		require.Contains(t, out, fmt.Sprintf("MSA|AA|CONF%04d", i))
	}
}
