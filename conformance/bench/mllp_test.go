package main

import (
	"bytes"
	"errors"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/conformance/peers"
	"gantry/protocols/hl7"
	"gantry/protocols/mllp"
)

// What both ends look for stands where they look for it, and both are HL7 to others.
func TestMessages(t *testing.T) {
	for _, size := range []int{1 << 10, 64 << 10} {
		frame := message(size, 17)
		require.Len(t, frame, size+framing)
		id := frame[controlIDAt : controlIDAt+controlIDLen]
		digits(id, 170042)
		require.Equal(t, size, numberIn(frame[sizeAt:sizeAt+sizeLen]))
		header, err := hl7.DecodeHeader(frame[1 : size+1])
		require.NoError(t, err)
		require.Equal(t, "0000170042", header.Text(hl7.ControlID))
		require.Equal(t, -1, bytes.IndexByte(frame[1:size+1], mllp.EndBlock))

		ack := acknowledgement()
		fillAnswer(ack, id)
		a, err := hl7.DecodeAcknowledgement(ack[1 : len(ack)-2])
		require.NoError(t, err)
		require.Equal(t, hl7.Acknowledgement{Code: "AA", ControlID: "0000170042"}, a)
	}
	require.Equal(t, -1, numberIn([]byte("12x")))
}

// engineHere runs the receiver in this process, to its end.
func engineHere(t *testing.T) string {
	t.Helper()
	addr := peers.FreeAddr()
	go func() { _ = serveMLLP(addr) }()
	require.NoError(t, peers.Until(t.Context(), "it listens", func() error {
		c, err := openClients(addr, 1, 1<<10)
		if err == nil {
			c.close()
		}
		return err
	}))
	return addr
}

func TestClients(t *testing.T) {
	addr := engineHere(t)
	for _, l := range mllpLoads {
		c, err := openClients(addr, min(l.clients, 64), l.size)
		require.NoError(t, err)
		require.NoError(t, c.run(20*time.Millisecond, 100*time.Millisecond), l.name())
		require.Greater(t, c.answered, len(c.all), l.name())
		require.Positive(t, c.within, l.name())
		require.Zero(t, c.waiting, "%s: nothing is left behind", l.name())
		c.close()
	}
}

func TestPace(t *testing.T) {
	c, err := openClients(engineHere(t), 8, 1<<10)
	require.NoError(t, err)
	defer c.close()
	require.NoError(t, c.walk(1000))
	defer c.stand()
	require.NoError(t, c.run(100*time.Millisecond, 500*time.Millisecond))
	require.InDelta(t, 500, len(c.took), 2, "what is due is sent, on a busy machine, too")
	require.InDelta(t, 600, c.answered, 3)
}

// A client takes no answer for another one's.
func TestClientsCompareAnswers(t *testing.T) {
	c, err := openClients(engineHere(t), 1, 1<<10)
	require.NoError(t, err)
	defer c.close()
	for _, one := range c.all {
		require.NoError(t, c.begin(one, time.Now()))
		one.want[ackAgainAt] = '9'
	}
	for err = nil; err == nil; {
		events, waited := c.poll.wait()
		require.NoError(t, waited)
		for _, e := range events {
			err = errors.Join(err, c.event(e))
		}
	}
	require.ErrorIs(t, err, errOtherAnswer)
}

// The load shares the processors with what it measures.
func TestClientsAllocateNothing(t *testing.T) {
	addr := engineHere(t)
	for name, perSecond := range map[string]float64{"as fast as answers come": 0, "at a pace": 5000} {
		c, err := openClients(addr, 16, 1<<10)
		require.NoError(t, err)
		if perSecond > 0 {
			require.NoError(t, c.walk(perSecond))
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		require.NoError(t, c.run(0, 200*time.Millisecond))
		runtime.ReadMemStats(&after)
		require.Less(t, after.Mallocs-before.Mallocs, uint64(100+c.answered/10), "%s: %d messages", name, c.answered)
		c.stand()
		c.close()
	}
}

// A message that waits for its turn is as late as it was due.
func TestPaceCountsFromWhenDue(t *testing.T) {
	c, err := openClients(engineHere(t), 1, 1<<10)
	require.NoError(t, err)
	defer c.close()
	require.NoError(t, c.walk(1e6)) // more than one client can
	defer c.stand()
	require.NoError(t, c.run(0, 2*time.Millisecond))
	require.InDelta(t, 2000, len(c.took), 2, "all were due in time")
	require.Greater(t, slices.Max(c.took), 2*time.Millisecond)
}

func TestHalf(t *testing.T) {
	base := &fed{took: []time.Duration{1e6, 2e6}}
	s := &fed{took: []time.Duration{5e6, 3e6}, within: 2, time: time.Second / 2}
	got, err := half(s, base)
	require.NoError(t, err)
	require.Equal(t, map[string]float64{rowHalf: 4, rowHalf50: 3, rowHalf99: 5, rowHalfBase: 2, rowHalfAdd: 3}, got)
	_, err = half(&fed{}, base)
	require.Error(t, err)
	_, err = half(s, &fed{err: errOtherAnswer})
	require.ErrorIs(t, err, errOtherAnswer)
}

func TestMessageTables(t *testing.T) {
	b := &bench{figures: figures{}}
	b.figures.add(haproxy, map[string]float64{crowded.rate(): 20000, rowHalfAdd: 0.25})
	b.figures.add(messages, map[string]float64{crowded.rate(): 15000, rowHalfAdd: 0.5})
	require.Contains(t, b.mllpTable(), "| 64 clients, 1 KB (messages per second) | – | 20000 | – | 15000 | – |")
	require.Contains(t, b.mllpRatios(), "| 15000 | ≥ 45,000 on 2 processors | 0.75 |  |  |")
	require.Contains(t, b.mllpRatios(), "| 0.50 | ≤ 1 ms |  |  |  |")
	require.NotContains(t, b.mllpTable(), rowSender)
}

// Neither the warm-up counts nor what is answered when the time is over; but what was due in time does, be it late.
func TestWhatCounts(t *testing.T) {
	from := time.Now().Add(-time.Minute)
	until := from.Add(10 * time.Second)
	for name, tt := range map[string]struct {
		begun, answered time.Duration // after from
		within, timed   int
	}{
		"in the warm-up":          {-2 * time.Second, -time.Second, 0, 0},
		"begun in the warm-up":    {-time.Second, time.Second, 1, 0},
		"in time":                 {0, time.Second, 1, 1},
		"answered behind the end": {9 * time.Second, 10 * time.Second, 0, 1},
		"all behind the end":      {10 * time.Second, 11 * time.Second, 0, 0},
	} {
		c := &clients{from: from, until: until, waiting: 1, paced: &pace{ring: make([]*client, 1), next: until}}
		require.NoError(t, c.done(&client{begun: from.Add(tt.begun)}, from.Add(tt.answered)))
		require.Equal(t, tt.within, c.within, name)
		require.Len(t, c.took, tt.timed, name)
		require.Equal(t, 1, c.answered, name)
		require.Zero(t, c.waiting, name)
	}
}
