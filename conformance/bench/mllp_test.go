package main

import (
	"bytes"
	"errors"
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
		require.NoError(t, c.run(100*time.Millisecond), l.name())
		require.Greater(t, len(c.took), len(c.all), l.name())
		c.close()
	}
}

func TestPace(t *testing.T) {
	c, err := openClients(engineHere(t), 8, 1<<10)
	require.NoError(t, err)
	defer c.close()
	require.NoError(t, c.walk(1000))
	defer c.stand()
	require.NoError(t, c.run(500*time.Millisecond))
	require.LessOrEqual(t, len(c.took), 501)
	require.Greater(t, len(c.took), 250, "a busy machine may be late")
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
