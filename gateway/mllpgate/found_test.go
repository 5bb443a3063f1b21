package mllpgate

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What the model found, one by one.

func TestPlaceOfALeavingClientIsPassedOn(t *testing.T) {
	s := newScene(t, one)
	s.down(1)
	a, b := s.client(), s.client()
	s.send(a, "1", "")
	s.send(b, "2", "")
	s.router.Gone(a, s.now)
	s.connect()
	require.True(t, s.sent("2"))
	s.answer("2", "AA")
	s.calm()
}

func TestSecondAcceptAcknowledgementIsNoApplicationAnswer(t *testing.T) {
	s := newScene(t, nil)
	c := s.client()
	s.sendRaw(c, asking("1", "AL", "AL"))
	s.connect()
	s.answer("1", "CA")
	s.router.Frame(s.links[0].Link, ack("CA", "1"), s.now)
	require.Equal(t, []string{"CA 1"}, s.answers[c])
	require.True(t, s.links[0].closed)
	s.calm()
}

func TestVeryLateAnswerIsNotTheNextOnes(t *testing.T) {
	s := newScene(t, func(set *Settings) { set.Loose = true })
	s.down(1)
	a, b := s.client(), s.client()
	s.sendRaw(a, asking("1", "NE", "NE"))
	s.connect()
	s.wait(2 * s.set.AckTimeout)
	s.send(b, "2", "")
	s.connect()
	require.NotSame(t, s.links[0], s.at("2"))
	s.router.Frame(s.links[0].Link, ack("AA", "1"), s.now)
	require.Empty(t, s.answers[b])
	s.answer("2", "AA")
	s.calm()
}

// One that asks for no answer may be answered all the same: not on a connection where that would
// be another one's application answer.
func TestUnaskedAnswerIsNoApplicationAnswer(t *testing.T) {
	s := newScene(t, one)
	s.down(1)
	a, b := s.client(), s.client()
	s.sendRaw(a, asking("1", "AL", "AL"))
	s.connect()
	s.answer("1", "CA")
	s.sendRaw(b, asking("1", "NE", "NE"))
	s.connect()
	require.Len(t, s.links, 1, "it waits for that answer")
	s.router.Frame(s.links[0].Link, ack("AA", "1"), s.now)
	require.Equal(t, []string{"CA 1", "AA 1"}, s.answers[a])
	s.connect()
	require.Len(t, s.links, 2)
	require.True(t, s.links[0].closed)
	s.calm()
}

func TestTurnsOutlastAReload(t *testing.T) {
	s := newScene(t, one)
	s.down(1)
	s.send(s.client(), "0", "")
	ids := []string{"1", "2", "3", "4", "5", "6"}
	for _, id := range ids {
		s.send(s.client(), id, "")
	}
	s.router.Configure(s.set, s.now)
	s.connect()
	s.answer("0", "AA")
	for _, id := range ids {
		require.True(t, s.sent(id), id)
		s.answer(id, "AA")
	}
	s.calm()
}

// A connection that rests, and of whose last message a part is still to go, is closed once.
func TestRestingAndStuffed(t *testing.T) {
	s := newScene(t, one)
	s.down(1)
	s.send(s.client(), "1", "")
	s.connect()
	s.answer("1", "AA")
	s.links[0].closed = true
	s.router.Lost(s.links[0].Link, s.now)
	s.stuff = true
	s.send(s.client(), "2", "")
	s.connect()
	s.answer("2", "AA")
	s.stuff = false
	s.send(s.client(), "3", "")
	s.connect()
	s.now = s.now.Add(s.set.AckTimeout + time.Second)
	s.router.Tick(s.now)
	require.True(t, s.links[1].closed)
}
