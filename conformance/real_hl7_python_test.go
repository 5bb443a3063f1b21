package conformance

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/conformance/peers"
	"gantry/protocols/mllp"
)

// TestMessageByMessageWithPythonHL7: six mllp_send with a hundred messages each and, beside them, senders whose framing that
// server does not forgive. Both receivers get their share, each message comes once and is acknowledged under its own
// control id, in the order of its sender, and no receiver has anything to complain of.
func TestMessageByMessageWithPythonHL7(t *testing.T) {
	need(t, "mllp_send")
	t.Parallel()
	ctx := within(t, time.Minute)
	two := startTwo(t, ctx, peers.StartHL7Receiver)
	addr := peers.FreeAddr()
	g := gateway(t, raced(t), "services:\n"+hl7Service("HL7", addr, "", two[0].MLLP, two[1].MLLP))
	allUp(t, ctx, g, "HL7", 2)

	const senders, each = 6, 100
	var all sync.WaitGroup
	for i := range senders {
		all.Go(func() { mllpSend(t, ctx, fmt.Sprintf("REAL%c", 'A'+i), addr, each) })
		all.Go(func() { oddSender(t, ctx, fmt.Sprintf("REALODD%c", 'A'+i), addr, each/4) })
	}
	all.Wait()

	got := times(t, ctx, "REAL", two[:]...)
	require.Len(t, got, senders*(each+each/4))
	for id, n := range got {
		require.Equal(t, 1, n, id)
	}
	for _, r := range two {
		require.Greater(t, len(receipts(r.Log(), "REAL")), senders*each/4, "its share")
		inOrder(t, receipts(r.Log(), "REAL"))
		require.Empty(t, complaints.FindAllString(r.Log(), -1))
	}
}

// mllpSend sends n messages by mllp_send, which takes the answers as they come: they must be those of its messages, in order.
func mllpSend(t *testing.T, ctx context.Context, prefix, addr string, n int) {
	out, err := peers.SendAdmissionsAs(ctx, prefix, t.TempDir(), addr, n)
	if err != nil {
		t.Error(err)
		return
	}
	for i := range n {
		want := fmt.Sprintf("MSA|AA|%s%04d", prefix, i)
		at := strings.Index(out, want)
		if at < 0 {
			t.Errorf("no %s, or not in its place, in:\n%s", want, out)
			return
		}
		out = out[at+len(want):]
	}
}

// oddSender sends n messages, two at a time, with all between them that senders put there.
func oddSender(t *testing.T, ctx context.Context, prefix, addr string, n int) {
	oddities := []string{"", "\n", "\r\n", "\x00\x00", "junk", "\x0b\x1c\r", "\x1c\r", "\x0bMSH|^~\\&|CUT"}
	c, err := dialWire(ctx, addr)
	if err != nil {
		t.Error(err)
		return
	}
	defer c.Close()
	for i := range n {
		raw := mllp.Append([]byte(oddities[i%len(oddities)]), admitted(fmt.Sprintf("%s%04d", prefix, i)))
		if _, err := c.Write(raw); err != nil {
			t.Error(err)
			return
		}
		if i%2 == 1 || i == n-1 {
			for j := i &^ 1; j <= i; j++ {
				isAcked(t, c, fmt.Sprintf("%s%04d", prefix, j))
			}
		}
	}
}

// admitted is a message of an invented patient.
func admitted(id string) []byte {
	return fmt.Appendf(nil, "MSH|^~\\&|WARD|TEST|GANTRY|TEST|20240101120000||ADT^A01^ADT_A01|%s|T|2.5.1\r"+
		"EVN|A01|20240101120000\rPID|1||ZZ-GANTRY-1^^^TEST||CONFORMANCE^INVENTED\rPV1|1|O\r", id)
}

// isAcked reads the next answer, which must be AA of that message.
func isAcked(t *testing.T, c *wire, id string) {
	t.Helper()
	ack, err := c.acked()
	if err != nil || ack.Code != "AA" || ack.ControlID != id {
		t.Errorf("answer of %s: %+v, %v", id, ack, err)
	}
}

// inOrder checks that the messages of each sender, whose control ids are a name and a number of four digits, came in theirs.
func inOrder(t *testing.T, all []receipt) {
	t.Helper()
	last := map[string]string{}
	for _, r := range all {
		sender := r.id[:len(r.id)-4]
		require.Greater(t, r.id, last[sender], "of %s", sender)
		last[sender] = r.id
	}
}
