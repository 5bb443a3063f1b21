package mllpgate

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// With a loose match no message goes where an answer to an earlier one may still come.
func TestLooseAndSilence(t *testing.T) {
	for _, ask := range [][2]string{{"ER", "NE"}, {"NE", "NE"}} {
		t.Run(ask[0], func(t *testing.T) {
			s := newScene(t, func(set *Settings) { one(set); set.Loose = true })
			s.down(1)
			a, b := s.client(), s.client()
			s.sendRaw(a, asking("1", ask[0], ask[1]))
			s.connect()
			if ask[0] == "ER" {
				s.wait(maybeWait + TickEvery)
			}
			s.send(b, "2", "")
			s.connect()
			for s.links[1].ready == false {
				s.wait(time.Second)
				s.connect()
			}
			require.True(t, s.links[0].closed)
			require.Same(t, s.links[1], s.at("2"))
			s.answer("2", "AA")
			require.Equal(t, []string{"AA 2"}, s.answers[b])
			s.calm()
		})
	}
}

// An answer that comes twice is not that of another message with the same MSH-10.
func TestAnswerThatComesTwice(t *testing.T) {
	s := newScene(t, one)
	s.down(1)
	a, b := s.client(), s.client()
	s.send(a, "1", "")
	s.connect()
	first := s.at("1")
	s.answer("1", "AA")
	s.send(a, "1", "") // the same bytes: whichever answer is true
	require.Same(t, first, s.at("1"))
	s.answer("1", "AA")
	s.send(b, "1", "P1")
	s.connect()
	require.NotSame(t, first, s.at("1"))
	require.True(t, first.closed)
	s.answer("1", "AE")
	require.Equal(t, []string{"AE 1"}, s.answers[b])
	s.calm()
}

// However many messages come in between, application answers find their sender.
func TestManyApplicationAnswers(t *testing.T) {
	const n = 500
	s := newScene(t, func(set *Settings) { one(set); set.ClientPipelines = 4 })
	s.down(1)
	c := s.client()
	for i := range n {
		s.sendRaw(c, asking(fmt.Sprint(i), "AL", "AL"))
		s.connect()
		s.answer(fmt.Sprint(i), "CA")
	}
	for i := range n {
		s.router.Frame(s.links[0].Link, ack("AA", fmt.Sprint(i)), s.now)
	}
	require.Len(t, s.answers[c], 2*n)
	require.Empty(t, s.notices)
	require.False(t, s.links[0].closed)
	require.Zero(t, c.due)
	s.calm()
}

// A connection of which too much is to be remembered is used no more, and closed when nothing is owed on it.
func TestTooManyApplicationAnswers(t *testing.T) {
	s := newScene(t, func(set *Settings) { one(set) })
	s.down(1)
	c := s.client()
	for i := range maxLater {
		s.sendRaw(c, asking(fmt.Sprint(i), "AL", "AL"))
		s.connect()
		s.answer(fmt.Sprint(i), "CA")
	}
	s.send(c, "last", "")
	s.connect()
	require.False(t, s.sent("last"))
	s.router.Frame(s.links[0].Link, ack("AA", "7"), s.now)
	require.Same(t, s.links[0], s.at("last"), "there is room")
	s.answer("last", "AA")
	s.sendRaw(c, asking("more", "AL", "AL"))
	s.answer("more", "CA")
	s.send(c, "end", "")
	s.wait(s.set.AckTimeout + time.Second) // nobody waits for these answers any more
	s.connect()
	require.True(t, s.links[0].closed)
	require.Same(t, s.links[1], s.at("end"))
	s.answer("end", "AA")
	s.calm()
}

// Answers to messages that ask for none are nobody's, however many there were.
func TestManyMessagesWithoutAnswers(t *testing.T) {
	s := newScene(t, one)
	s.down(1)
	a, b := s.client(), s.client()
	for i := range 100 {
		s.sendRaw(a, asking(fmt.Sprint(i), "NE", "NE"))
		s.connect()
	}
	s.send(b, "1", "")
	s.connect()
	require.NotSame(t, s.links[0], s.at("1"))
	require.True(t, s.links[0].closed)
	s.answer("1", "AA")
	s.calm()
}

// A client that has ended its side, or is asked to go, is closed behind the application answer that it asked for.
func TestApplicationAnswerBehindTheEnd(t *testing.T) {
	for name, end := range map[string]func(s *scene, c *Client){
		"its FIN": func(s *scene, c *Client) { s.router.Finished(c, s.now) },
		"a drain": func(s *scene, _ *Client) { s.router.Drain(s.now) },
	} {
		begin := func(t *testing.T) (*scene, *Client, *fakeLink) {
			s := newScene(t, nil)
			s.down(1)
			c := s.client()
			s.sendRaw(c, asking("1", "AL", "AL"))
			s.connect()
			l := s.at("1")
			end(s, c)
			s.answer("1", "CA")
			require.NotContains(t, s.ended, c)
			return s, c, l
		}
		t.Run(name+" and it comes", func(t *testing.T) {
			s, c, l := begin(t)
			s.router.Frame(l.Link, ack("AA", "1"), s.now)
			require.Equal(t, []string{"CA 1", "AA 1"}, s.answers[c])
			require.Contains(t, s.ended, c)
			s.calm()
		})
		t.Run(name+" and it does not come", func(t *testing.T) {
			s, c, _ := begin(t)
			require.True(t, s.router.Busy())
			s.wait(s.set.AckTimeout + time.Second)
			require.Contains(t, s.ended, c)
			s.calm()
		})
		t.Run(name+" and it cannot come", func(t *testing.T) {
			s, c, l := begin(t)
			l.closed = true
			s.router.Lost(l.Link, s.now)
			require.Contains(t, s.ended, c)
			s.calm()
		})
	}
}

// What was not sent is not said to be with a receiver.
func TestNAKsOfWhatStoodBehind(t *testing.T) {
	s := newScene(t, func(set *Settings) { set.OnUnknownOutcome, set.ClientPipelines = NakAE, 4 })
	s.down(1)
	c := s.client()
	w := &hearer{scene: s}
	s.router.world = w
	s.send(c, "1", "")
	s.send(c, "2", "")
	s.connect()
	l := s.at("1")
	l.closed = true
	s.router.Lost(l.Link, s.now)
	require.Len(t, w.frames, 2)
	require.Contains(t, w.frames[0], textUnknown)
	require.Contains(t, w.frames[1], textBehind)
	s.calm()
}

// hearer keeps what is answered, whole.
type hearer struct {
	*scene
	frames []string
}

func (h *hearer) Answer(c *Client, frames []byte) {
	h.frames = append(h.frames, string(frames))
	h.scene.Answer(c, frames)
}

func TestRejectedByARouteWithoutAnAnswer(t *testing.T) {
	s := newScene(t, func(set *Settings) {
		set.Routes = append([]Route{{Reject: &Verdict{"AR", "200"}}}, set.Routes...)
		set.Rules = Rules{{}}
	})
	c := s.client()
	s.sendRaw(c, asking("1", "NE", "NE"))
	require.Equal(t, []string{"1 rejected -"}, s.told)
	require.Empty(t, s.answers[c])
	s.calm()
}

func TestCutIsNotTheServersDoing(t *testing.T) {
	s := newScene(t, nil)
	s.down(1)
	c := s.client()
	s.send(c, "1", "")
	s.connect()
	s.router.Cut(s.servers[0], s.now)
	require.Equal(t, WhyUnknown, s.ended[c])
	require.Equal(t, 1, s.noticed(TroubleCut))
	require.Zero(t, s.noticed(TroubleLost))
	s.calm()
}
