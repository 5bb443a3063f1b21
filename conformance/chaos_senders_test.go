package conformance

import (
	"context"
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/fixtures/feed"
	"gantry/fixtures/hl7/ledger"
)

// crowdOfSenders are connections of one character. What got no answer they send again, on a new connection, in its order
// and under the same control id.
type crowdOfSenders struct {
	what        string
	connections int
	pipeline    int
	share       float64 // of all messages
	patients    int
	by          feed.By
	patience    time.Duration // with one answer
	retries     int
}

// always is how often a sender that never gives up sends a message again.
const always = 1 << 30

// patientSenders are the first few kinds of chaosSenders: those that wait longer than any answer takes.
const patientSenders = 3

// chaosSenders are 64 connections.
var chaosSenders = []crowdOfSenders{
	{"one by one", 28, 1, 0.52, 280, feed.Patient, 10 * time.Second, always},
	{"eight on the way", 16, 8, 0.37, 160, feed.Patient, 10 * time.Second, always},
	{"patients over all connections", 12, 1, 0.06, 120, feed.RoundRobin, 10 * time.Second, always},
	{"impatient", 4, 4, 0.04, 40, feed.Patient, 700 * time.Millisecond, always},
	{"gives up", 4, 1, 0.01, 20, feed.Patient, 700 * time.Millisecond, 0},
}

// connectionSenders are those of chaosSenders that send all of a patient over one connection.
func connectionSenders() []crowdOfSenders {
	return slices.DeleteFunc(slices.Clone(chaosSenders), func(s crowdOfSenders) bool { return s.by != feed.Patient })
}

// kindsOfChaos are what is sent; one of six merges two patients.
var kindsOfChaos = []string{"ADT^A08", "ORU^R01", "ORM^O01", "ADT^A08", "ORU^R01", "ADT^A40"}

// enough is how much more the senders have than has to be sent: they go on until all has happened.
const enough = 8

// sendAtOnce lets all senders begin, at a rate over all.
func (c *chaos) sendAtOnce(ctx context.Context, total int, rate float64, book *ledger.Ledger) {
	for i, s := range c.senders {
		work, err := feed.Generate(feed.Generator{Count: int(float64(total*enough) * s.share), Types: kindsOfChaos, Patients: s.patients})
		require.NoError(c.t, err)
		c.jobs = append(c.jobs, feed.Start(ctx, feed.Options{
			Target:      feed.Target{Address: c.listen[i%len(c.listen)], Timeout: s.patience},
			Connections: s.connections, Pipeline: s.pipeline, Rate: rate * s.share, By: s.by,
			Retries: s.retries, RetryWait: 20 * time.Millisecond, Recorders: []feed.Recorder{book},
		}, work))
	}
}

// progress is what all senders have done so far.
type progress struct{ ended, again, broken, wrong int }

func (c *chaos) progress() (p progress) {
	for _, j := range c.jobs {
		r := j.Progress()
		p.ended += r.Done() + r.Refused + r.Unanswered
		p.again += r.Again
		p.broken += r.Broken
		p.wrong += r.Wrong
	}
	return p
}
