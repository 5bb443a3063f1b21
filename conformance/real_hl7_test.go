package conformance

import (
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"gantry/conformance/peers"
	"gantry/protocols"
	"gantry/protocols/hl7"
	"gantry/protocols/mllp"
)

// hl7Service is one service that routes message by message; keys are further ones of its section mllp, which may be none.
func hl7Service(name, listen, keys string, servers ...string) string {
	var b strings.Builder
	if keys != "" {
		keys = ", " + keys
	}
	fmt.Fprintf(&b, "- name: %s\n  protocol: mllp\n  listen: [%q]\n  algorithm: round-robin\n  timeouts: {drain: 1s}\n", name, listen)
	fmt.Fprintf(&b, "  mllp: {routing: per-message%s}\n  servers:\n", keys)
	for i, addr := range servers {
		fmt.Fprintf(&b, "  - {name: %c, address: %q}\n", 'A'+i, addr)
	}
	return b.String()
}

// allUp waits until servers A, B and so on are in service.
func allUp(t *testing.T, ctx context.Context, g *peers.Gantry, service string, servers int) {
	t.Helper()
	for i := range servers {
		require.NoError(t, g.AwaitState(ctx, service, string(rune('A'+i)), "up"))
	}
}

// receipt is one message at a receiver on python-hl7 or HAPI.
type receipt struct{ id, sum string }

// receiptLine is what such a receiver writes of each.
var receiptLine = regexp.MustCompile(`(?m)^received (\S+) ([0-9a-f]{64})$`)

// receipts are those in a receiver's log whose control ids begin with a prefix, in their order.
func receipts(log, prefix string) (all []receipt) {
	for _, found := range receiptLine.FindAllStringSubmatch(log, -1) {
		if strings.HasPrefix(found[1], prefix) {
			all = append(all, receipt{found[1], found[2]})
		}
	}
	return all
}

// heard is a receiver's log with all that it wrote before now. What a program has written reaches us later, in its
// order: a message of our own marks the place.
func heard(t *testing.T, ctx context.Context, r *peers.Receiver) string {
	t.Helper()
	c, err := dialWire(ctx, r.MLLP)
	require.NoError(t, err)
	defer c.Close()
	id := fmt.Sprintf("MARK-%d", marks.Add(1))
	_, err = c.Write(mllp.Append(nil, admitted(id)))
	require.NoError(t, err)
	isAcked(t, c, id)
	_, err = r.Await(ctx, "received "+id+" ")
	require.NoError(t, err)
	return r.Log()
}

var marks atomic.Int64

// times counts how often each control id was received, at all receivers together.
func times(t *testing.T, ctx context.Context, prefix string, at ...*peers.Receiver) map[string]int {
	t.Helper()
	n := map[string]int{}
	for _, r := range at {
		for _, m := range receipts(heard(t, ctx, r), prefix) {
			n[m.id]++
		}
	}
	return n
}

// startTwo starts two receivers.
func startTwo(t *testing.T, ctx context.Context, start func(context.Context, string) (*peers.Receiver, error)) (two [2]*peers.Receiver) {
	t.Helper()
	for i := range two {
		r, err := start(ctx, t.TempDir())
		require.NoError(t, err)
		t.Cleanup(r.Stop)
		two[i] = r
	}
	return two
}

// wire is one end of an MLLP connection, which says and reads what it is told.
type wire struct {
	net.Conn
	decoder mllp.Decoder
	buf     []byte
}

func dialWire(ctx context.Context, addr string) (*wire, error) {
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return onWire(ctx, c), nil
}

// onWire reads and writes for no longer than the context lives.
func onWire(ctx context.Context, c net.Conn) *wire {
	if end, ok := ctx.Deadline(); ok {
		_ = c.SetDeadline(end)
	}
	return &wire{Conn: c}
}

// hears is the next message.
func (w *wire) hears() ([]byte, error) {
	for {
		msg, n, err := w.decoder.Next(w.buf)
		w.buf = w.buf[n:]
		if !errors.Is(err, protocols.ErrShort) {
			return msg, err
		}
		room := make([]byte, 64<<10)
		n, err = w.Read(room)
		if err != nil && n == 0 {
			return nil, err
		}
		w.buf = append(w.buf, room[:n]...)
	}
}

// acked is the next answer.
func (w *wire) acked() (hl7.Acknowledgement, error) {
	msg, err := w.hears()
	if err != nil {
		return hl7.Acknowledgement{}, err
	}
	return hl7.DecodeAcknowledgement(msg)
}
