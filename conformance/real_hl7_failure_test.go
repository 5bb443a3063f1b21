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

// hl7Failures are senders on HAPI, eight threads over four connections, in front of two receivers on HAPI to whom
// something happens. The senders know by MSA-2 what is answered, and send again what is not.
type hl7Failures struct {
	t       *testing.T
	ctx     context.Context
	gateway *peers.Gantry
	a, b    *peers.Receiver
	sender  *peers.Process
	dead    []string // what receivers that were killed had written
}

const (
	failureConnections, failureThreads = 4, 2
	failureCount                       = 10_000 // of each thread: more than it comes to
)

// TestReceiversOnHAPIFail: one is drained, frozen and killed while senders on HAPI go on. Nobody gets the answer of another message,
// and what was acknowledged is at a receiver; only what a sender sent again is there twice.
func TestReceiversOnHAPIFail(t *testing.T) {
	need(t, "javac", "HAPI")
	t.Parallel()
	ctx := within(t, 2*time.Minute)
	two := startTwo(t, ctx, peers.StartHAPI)
	f := &hl7Failures{t: t, ctx: ctx, a: two[0], b: two[1]}
	addr := peers.FreeAddr()
	f.gateway = gateway(t, raced(t), "services:\n"+hl7Service("HL7", addr, "ack_timeout: 1s", f.a.MLLP, f.b.MLLP)+
		"  slow_start: 0s\n  flapping: {hold: 0s}\n  checks: [{type: mllp, interval: 200ms, timeout: 500ms, rise: 1, fall: 2}]\n")
	allUp(t, ctx, f.gateway, "HL7", 2)
	var err error
	dir := t.TempDir()
	f.sender, err = peers.HAPISend(ctx, dir, addr, peers.HAPIFeed{Connections: failureConnections, Threads: failureThreads,
		Count: failureCount, Prefix: "FAIL", Pace: 10 * time.Millisecond, Timeout: 3 * time.Second})
	require.NoError(t, err)
	t.Cleanup(f.sender.Stop)

	f.goesOn(10)
	f.drain()
	f.freeze()
	f.kill()
	require.NoError(t, peers.HAPISendNoMore(dir))
	_, err = f.sender.Await(ctx, "finished")
	require.NoError(t, err)
	f.judge()
}

// goesOn waits until the senders have so many more answers.
func (f *hl7Failures) goesOn(n int) {
	f.t.Helper()
	want := strings.Count(f.sender.Log(), "acked ") + n
	require.NoError(f.t, until(f.ctx, fmt.Sprintf("%d messages are acknowledged", want),
		func() bool { return strings.Count(f.sender.Log(), "acked ") >= want || !f.sender.Running() }))
	require.NotContains(f.t, f.sender.Log(), "finished", "the test has missed its point")
}

// drain: between two messages, without a sender's notice.
func (f *hl7Failures) drain() {
	t := f.t
	gantry(t, f.ctx, 0, "server", "drain", "HL7/A", "--admin", f.gateway.Admin)
	require.NoError(t, f.underWay(func(n int64) bool { return n == 0 }))
	before := len(receipts(heard(t, f.ctx, f.a), "FAIL"))
	f.goesOn(50)
	require.Len(t, receipts(heard(t, f.ctx, f.a), "FAIL"), before, "a drained server gets nothing")
	require.NotContains(t, f.sender.Log(), "again ")
	gantry(t, f.ctx, 0, "server", "ready", "HL7/A", "--admin", f.gateway.Admin)
	require.NoError(t, until(f.ctx, "A gets messages again", func() bool { return len(receipts(f.a.Log(), "FAIL")) > before }))
}

// freeze: with messages in it, until the gateway gives up their answers.
func (f *hl7Failures) freeze() {
	t := f.t
	before := strings.Count(f.sender.Log(), "again ")
	require.NoError(t, f.a.Freeze(f.ctx))
	require.NoError(t, f.gateway.AwaitState(f.ctx, "HL7", "A", "down"))
	require.NoError(t, until(f.ctx, "senders send again", func() bool { return strings.Count(f.sender.Log(), "again ") > before }))
	f.goesOn(50)
	require.NoError(t, f.a.Thaw())
	require.NoError(t, f.gateway.AwaitState(f.ctx, "HL7", "A", "up"))
}

// kill: -9, with messages in it. Another one takes its place.
func (f *hl7Failures) kill() {
	t := f.t
	before := strings.Count(f.sender.Log(), "again ")
	require.NoError(t, f.a.Freeze(f.ctx))
	require.NoError(t, f.underWay(func(n int64) bool { return n > 2 }))
	f.a.Kill()
	f.dead = append(f.dead, f.a.Log())
	require.NoError(t, until(f.ctx, "senders send again", func() bool { return strings.Count(f.sender.Log(), "again ") > before }))
	f.goesOn(50)
	again, err := peers.StartHAPIAt(f.ctx, t.TempDir(), f.a.MLLP)
	require.NoError(t, err)
	t.Cleanup(again.Stop)
	f.a = again
	require.NoError(t, until(f.ctx, "the new A gets messages",
		func() bool { return len(receipts(f.a.Log(), "FAIL")) > 0 || !f.sender.Running() }))
	require.NotEmpty(t, receipts(heard(t, f.ctx, f.a), "FAIL"))
}

// underWay waits for a number of messages that are on their way at A.
func (f *hl7Failures) underWay(is func(int64) bool) error {
	return until(f.ctx, "messages under way at A are as they should be", func() bool {
		s, err := f.gateway.Status(f.ctx)
		return err == nil && is(s.Server("HL7", "A").Active)
	})
}

func (f *hl7Failures) judge() {
	t := f.t
	got := times(t, f.ctx, "FAIL", f.a, f.b)
	for _, log := range f.dead {
		for _, r := range receipts(log, "FAIL") {
			got[r.id]++
		}
	}
	log := f.sender.Log()
	codes := answersIn(t, log)
	require.NotEmpty(t, codes)
	for id := range got {
		require.Contains(t, codes, id, "what has come is acknowledged in the end")
	}
	doubled := 0
	for id, code := range codes {
		require.Equal(t, "AA", code, id)
		require.Positive(t, got[id], "%s was acknowledged and is nowhere", id)
		if got[id] > 1 {
			doubled++
			require.LessOrEqual(t, got[id], 1+strings.Count(log, "again "+id+" "), "%s came more often than its sender sent it", id)
		}
	}
	t.Logf("%d messages, sent again %d, doubled %d", len(codes), strings.Count(log, "again "), doubled)
}
