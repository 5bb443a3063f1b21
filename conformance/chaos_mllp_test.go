package conformance

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/conformance/peers"
	"gantry/fixtures/feed"
	"gantry/fixtures/hl7/ledger"
)

// How much of it there is, at least. More is said by CHAOS, a number of messages, as in `make chaos`.
const (
	fewMessages, fewPerSecond = 10_000, 1_000
	manyPerSecond             = 3_000
)

func chaosAmount(t *testing.T) (messages int, perSecond float64) {
	t.Helper()
	text := os.Getenv("CHAOS")
	if text == "" {
		return fewMessages, fewPerSecond
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err, "CHAOS")
	return max(n, fewMessages), manyPerSecond
}

// chaosStepTime bounds a step.
const chaosStepTime = 10 * time.Second

// chaos is 64 senders in front of the gateway and three receivers behind it, to whom things happen.
type chaos struct {
	t          *testing.T
	ctx        context.Context
	senders    []crowdOfSenders
	ackTimeout string
	orderBy    string
	links      int // connections_per_server of the first generation
	listen     []string
	receivers  []*chaosReceiver
	gateway    *peers.Gantry
	jobs       []*feed.Job
	did        []done
	counted    map[string]float64 // by gateways that are gone
}

// done is what went on during a step.
type done struct {
	name       string
	from, to   time.Time
	progress         // during it
	wrong      int64 // turns of receivers
	duplicates int   // that receivers kept
}

// configuration is that of a generation; odd ones lack the second server.
func (c *chaos) configuration(generation int) string {
	var servers []string
	for n, r := range c.receivers {
		if n != 1 || generation%2 == 0 {
			servers = append(servers, fmt.Sprintf("{name: %s, address: %q}", r.name, r.addr))
		}
	}
	return fmt.Sprintf(`log: {level: error}
services:
- name: HL7
  protocol: mllp
  listen: [%s]
  slow_start: 0s
  timeouts: {connect: 500ms}
  flapping: {hold: 0s}
  persistence: {entries: 50}
  mllp: {routing: per-message, %sack_timeout: %s, hold: 2s, retry_on: [AR-207], connections_per_server: %d}
  checks: [{type: mllp, interval: 500ms, timeout: 1s, rise: 1, fall: 2}]
  servers: [%s]
`, quoted(c.listen...), c.orderBy, c.ackTimeout, c.links+generation%3, strings.Join(servers, ", "))
}

// TestChaosOfMessages: 64 senders, three receivers and a gateway that keeps the order of each patient, while all
// goes wrong that can. What was acknowledged is at one receiver, and at more only if its sender sent it more than once;
// all is in order; no sender gets an answer that is another message's; what was not acknowledged is accounted for.
func TestChaosOfMessages(t *testing.T) {
	total, rate := chaosAmount(t)
	judged := playChaos(t, total, rate, &chaos{ackTimeout: "1s", orderBy: byPatient, links: 8, senders: chaosSenders}, chaosSteps())
	require.Positive(t, judged.Doubled, "no sender had to send again what had arrived: the test has missed its point")
}

// TestGentleChangesDoubleNothing: while 56 senders are at work, servers are drained, the configuration is reloaded and the gateway is
// stopped, all between two messages of each connection: every message is kept once.
func TestGentleChangesDoubleNothing(t *testing.T) {
	judged := playChaos(t, 3000, fewPerSecond, &chaos{ackTimeout: "10s", orderBy: byPatient, links: 8, senders: chaosSenders[:patientSenders]}, gentleSteps())
	require.Zero(t, judged.Doubled)
	require.Zero(t, judged.Unanswered)
	require.Equal(t, judged.Accepted, judged.Kept)
}

// TestChaosOverSeveralLoops: without order_by, a service with many connections is spread over loops, and gathered again by
// a reload that leaves it fewer. Each connection's messages are in order all the same.
func TestChaosOverSeveralLoops(t *testing.T) {
	judged := playChaos(t, 3000, fewPerSecond, &chaos{ackTimeout: "1s", links: 15, senders: connectionSenders()}, spreadSteps())
	require.Positive(t, judged.Doubled)
}

// byPatient keeps the order of each patient over all connections.
const byPatient = "order_by: PID-3.1, "

// playChaos plays the steps, one after the other, while that many messages are sent at least, and judges.
func playChaos(t *testing.T, total int, rate float64, c *chaos, steps []chaosStep) ledger.Report {
	t.Helper()
	ctx := within(t, 5*time.Minute)
	c.t, c.ctx, c.listen = t, ctx, []string{peers.FreeAddr(), peers.FreeAddr()}
	c.receivers = []*chaosReceiver{receiverInside(t, "R1"), receiverInside(t, "R2"), receiverProcess(t, ctx, "R3")}
	require.NoError(t, c.startGateway())
	t.Cleanup(func() { farewell(t, c.gateway) })
	for _, r := range c.receivers {
		require.NoError(t, c.gateway.AwaitState(ctx, "HL7", r.name, "up"))
	}
	book := ledger.New(ledger.Options{})
	c.sendAtOnce(ctx, total, rate, book)
	for _, step := range steps {
		c.play(step, total/len(steps))
	}
	require.NoError(t, c.awaits("all is sent", func() bool { return c.progress().ended >= total }))
	return c.finish(book)
}

// startGateway starts it, for the first time or again.
func (c *chaos) startGateway() (err error) {
	c.gateway, err = peers.StartGantry(c.ctx, raced(c.t), c.t.TempDir(), c.configuration(0))
	return err
}

// play is one step: something goes wrong while so many messages end, and is mended.
func (c *chaos) play(step chaosStep, messages int) {
	before, wrong, d := c.progress(), c.wrong(), done{name: step.name, from: time.Now()}
	require.NoError(c.t, step.begin(c), step.name)
	c.reaches(c.progress().ended+messages, chaosStepTime)
	if step.faulty {
		require.NoError(c.t, c.awaits("it has gone wrong", func() bool { return c.wrong() > wrong }), step.name)
	}
	require.NoError(c.t, step.end(c), step.name)
	after := c.progress()
	d.to, d.wrong = time.Now(), c.wrong()-wrong
	d.progress = progress{after.ended - before.ended, after.again - before.again, after.broken - before.broken, after.wrong - before.wrong}
	c.did = append(c.did, d)
}

// wrong is in how many turns receivers have done something wrong.
func (c *chaos) wrong() (n int64) {
	for _, r := range c.receivers {
		n += r.wrong.Load()
	}
	return n
}

// reaches waits until so many messages have ended, or long enough: all may be stuck.
func (c *chaos) reaches(n int, within time.Duration) {
	ctx, cancel := context.WithTimeout(c.ctx, within)
	defer cancel()
	_ = until(ctx, fmt.Sprintf("%d messages have ended", n), func() bool { return c.progress().ended >= n })
}

// awaits waits for what has to come.
func (c *chaos) awaits(what string, is func() bool) error {
	ctx, cancel := context.WithTimeout(c.ctx, chaosStepTime)
	defer cancel()
	return until(ctx, what, is)
}

func until(ctx context.Context, what string, is func() bool) error {
	return peers.Until(ctx, what, func() error {
		if !is() {
			return errors.New("not yet")
		}
		return nil
	})
}
