package conformance

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/conformance/peers"
	"gantry/fixtures/feed"
	"gantry/fixtures/hl7/ledger"
)

// finish ends the senders, as soon as they have the answers that are due, and the receivers, and judges.
func (c *chaos) finish(book *ledger.Ledger) ledger.Report {
	t := c.t
	var all []feed.Report
	for _, j := range c.jobs {
		j.Stop()
	}
	for _, j := range c.jobs {
		all = append(all, j.Wait())
	}
	require.NoError(t, c.idle())
	metrics := c.metrics()
	for _, r := range c.receivers {
		r.kill()
		require.NoError(t, r.tell(book))
	}
	c.findDuplicates()
	t.Log(c.story(all))
	judged := book.Judge()
	t.Logf("%s\n%s", metrics, summary(judged))

	require.True(t, judged.OneClock)
	require.True(t, judged.OK(), judged.String())
	require.Equal(t, judged.Messages, judged.Accepted+judged.Refused+judged.Unanswered, "each message that was sent has an end")
	for i, r := range all {
		require.Equal(t, r.Total, r.Done()+r.Refused+r.Unanswered+r.Unsent, c.senders[i].what)
		if c.senders[i].retries == always {
			for _, reason := range r.Reasons {
				require.Contains(t, reason.What, "interrupted", "%s never give up by themselves", c.senders[i].what)
			}
		}
	}
	for _, d := range c.did {
		require.Positive(t, d.ended, "nothing was answered during %q: the test has missed its point", d.name)
	}
	return judged
}

// idle waits until nothing is left in the gateway: no sender, no message that waits, none at a server.
func (c *chaos) idle() error {
	ctx, cancel := context.WithTimeout(c.ctx, chaosStepTime)
	defer cancel()
	return peers.Until(ctx, "nothing is left in the gateway", func() error {
		status, err := c.gateway.Status(ctx)
		if err != nil {
			return err
		}
		waiting, err := c.gateway.Metric(ctx, "gantry_hl7_messages_waiting")
		if err != nil {
			return err
		}
		senders, err := c.gateway.Metric(ctx, "gantry_connections_active")
		if err == nil && (status.Active() != 0 || waiting != 0 || senders != 0) {
			err = fmt.Errorf("%d messages at servers, %.0f wait, %.0f connections", status.Active(), waiting, senders)
		}
		return err
	})
}

// summary is what the ledger says.
func summary(r ledger.Report) string {
	return fmt.Sprintf("%d messages in %d attempts: %d accepted, %d refused, %d unanswered, %d never sent; kept %d copies, "+
		"%d messages more than once; of the refused %d and of the unanswered %d were kept all the same, %d late; by receiver %v; checks %d",
		r.Messages, r.Attempts, r.Accepted, r.Refused, r.Unanswered, r.Unsent, r.Kept,
		r.Doubled, r.KeptRefused, r.KeptUnanswered, r.Late, r.Receivers, r.Others)
}

// counters are what the gateway counts of all this.
var counters = []string{"hl7_messages_total", "hl7_unknown_outcome_total", "hl7_ack_mismatch_total", "hl7_retries_total"}

// count remembers them before a gateway ends; what it does from here to its end is not in them.
func (c *chaos) count() {
	if c.counted == nil {
		c.counted = map[string]float64{}
	}
	for _, name := range counters {
		v, err := c.gateway.Metric(c.ctx, "gantry_"+name)
		require.NoError(c.t, err)
		c.counted[name] += v
	}
}

// metrics are all of them in words. Those of a server that a reload took away are gone.
func (c *chaos) metrics() string {
	c.count()
	words := "the gateway:"
	for _, name := range counters {
		words += fmt.Sprintf(" %s %.0f", name, c.counted[name])
	}
	return words
}

// findDuplicates gives each further copy of a message to the step during which it was kept.
func (c *chaos) findDuplicates() {
	type copied struct {
		id string
		at time.Time
	}
	var all []copied
	for _, r := range c.receivers {
		require.NoError(c.t, r.kept(func(id string, at time.Time) { all = append(all, copied{id, at}) }))
	}
	slices.SortFunc(all, func(a, b copied) int { return a.at.Compare(b.at) })
	seen := map[string]bool{}
	for _, m := range all {
		if seen[m.id] {
			n, _ := slices.BinarySearchFunc(c.did, m.at, func(d done, at time.Time) int { return d.to.Compare(at) })
			c.did[min(n, len(c.did)-1)].duplicates++
		}
		seen[m.id] = true
	}
}

// story is a table of the steps.
func (c *chaos) story(all []feed.Report) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%-36s %8s %9s %7s %7s %7s %7s %7s\n", "what went wrong", "took", "messages", "per s", "faults", "again", "lost", "doubled")
	for _, d := range c.did {
		took := d.to.Sub(d.from)
		fmt.Fprintf(&b, "%-36s %8s %9d %7.0f %7d %7d %7d %7d\n", d.name, took.Round(10*time.Millisecond), d.ended,
			float64(d.ended)/took.Seconds(), d.wrong, d.again, d.broken, d.duplicates)
	}
	for i, r := range all {
		fmt.Fprintf(&b, "%2d senders, %s: %d accepted, %d refused, %d unanswered in %v, sent again %d, connections %d, lost %d, p50 %v p99 %v, %v\n",
			c.senders[i].connections, c.senders[i].what, r.Accepted, r.Refused, r.Unanswered, r.Took.Round(time.Millisecond),
			r.Again, r.Connections, r.Broken, r.Response.P50, r.Response.P99, r.Answers)
	}
	return b.String()
}
