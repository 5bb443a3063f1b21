package mllpgate

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/balancing"
)

var errRefused = errors.New("connection refused")

func TestOneMessage(t *testing.T) {
	s := newScene(t, nil)
	c := s.client()
	s.send(c, "1", "P1")
	require.Len(t, s.links, 1, "a connection is opened when it is needed")
	s.connect()
	require.Equal(t, msg("1", "P1"), s.links[0].raw[0], "not a byte is changed")
	s.answer("1", "AA")
	require.Equal(t, []string{"AA 1"}, s.answers[c])
	require.Equal(t, []string{"1 AA A"}, s.told)
	s.send(c, "2", "P1")
	require.Equal(t, []string{"1"}, s.links[0].sent, "the other server's turn")
	s.connect()
	s.answer("2", "AE")
	require.Equal(t, []string{"AA 1", "AE 2"}, s.answers[c], "AE is the sender's business")
	s.calm()
}

// Without order_by the messages of a connection go one after the other.
func TestConnectionKeepsItsOrder(t *testing.T) {
	s := newScene(t, nil)
	a, b := s.client(), s.client()
	s.send(a, "1", "P1")
	s.send(a, "2", "P2")
	s.send(b, "3", "P1")
	s.connect()
	require.True(t, s.sent("1"))
	require.False(t, s.sent("2"))
	require.True(t, s.sent("3"), "another connection does not wait")
	s.answer("1", "AA")
	s.connect()
	require.True(t, s.sent("2"))
	s.answer("3", "AA")
	s.answer("2", "AA")
	require.Equal(t, []string{"AA 1", "AA 2"}, s.answers[a])
	s.calm()
}

func TestKeys(t *testing.T) {
	s := newScene(t, byPatient)
	a, b := s.client(), s.client()
	s.send(a, "1", "P1")
	s.send(a, "2", "P2")
	s.send(a, "3", "P1")
	s.send(b, "4", "P1")
	s.connect()
	require.True(t, s.sent("2"), "another patient need not wait")
	require.False(t, s.sent("3"))
	require.False(t, s.sent("4"), "equal keys follow each other over all connections")
	s.answer("2", "AA")
	require.Empty(t, s.answers[a], "answers come in the client's order")
	first := s.at("1").Server
	s.answer("1", "AA")
	require.Equal(t, []string{"AA 1", "AA 2"}, s.answers[a])
	s.connect()
	require.Same(t, first, s.at("3").Server, "and go to one server")
	require.False(t, s.sent("4"))
	s.answer("3", "AA")
	require.Same(t, first, s.at("4").Server)
	s.answer("4", "AA")
	s.calm()
}

// A message without the key waits for all before it in its connection, and all behind it wait for it.
func TestKeylessMessageIsABarrier(t *testing.T) {
	s := newScene(t, byPatient)
	c := s.client()
	s.send(c, "1", "P1")
	s.send(c, "2", "")
	s.send(c, "3", "P3")
	s.connect()
	require.True(t, s.sent("1"))
	require.False(t, s.sent("2"))
	require.False(t, s.sent("3"))
	s.answer("1", "AA")
	s.connect()
	require.True(t, s.sent("2"))
	require.False(t, s.sent("3"))
	s.answer("2", "AA")
	s.connect()
	s.answer("3", "AA")
	s.calm()
}

// A merge holds the keys of both patients.
func TestMergeHoldsBothPatients(t *testing.T) {
	s := newScene(t, byPatient)
	a, b := s.client(), s.client()
	s.send(a, "1", "OLD")
	s.connect()
	merge := `MSH|^~\&|RIS|HOSPITAL|ENGINE|HOSPITAL|20260101||ADT^A40^ADT_A39|2|P|2.5` + "\rPID|1||NEW^^^SIM\rMRG|OLD^^^SIM\r"
	s.sendRaw(b, merge)
	s.connect()
	require.False(t, s.sent("2"), "the prior patient's message is under way")
	s.send(a, "3", "NEW")
	s.send(a, "4", "OLD")
	s.answer("1", "AA")
	s.connect()
	require.True(t, s.sent("2"))
	require.False(t, s.sent("3"))
	require.False(t, s.sent("4"))
	s.answer("2", "AA")
	s.connect()
	require.True(t, s.sent("3"))
	require.True(t, s.sent("4"))
	s.answer("3", "AA")
	s.answer("4", "AA")
	s.calm()
}

// A server with all its connections taken gets no more; messages without a key go elsewhere, and
// wait when there is no place at all.
func TestPlaces(t *testing.T) {
	s := newScene(t, func(set *Settings) { set.LinksPerServer = 1 })
	var clients []*Client
	for _, id := range []string{"1", "2", "3", "4"} {
		c := s.client()
		clients = append(clients, c)
		s.send(c, id, "")
	}
	s.connect()
	require.Len(t, s.links, 2)
	require.True(t, s.sent("1"))
	require.True(t, s.sent("2"))
	s.answer("2", "AA")
	require.True(t, s.sent("3"), "first come, first served")
	require.Equal(t, []string{"2", "3"}, s.links[1].sent, "on the connection that is there")
	s.answer("3", "AA")
	s.answer("4", "AA")
	s.answer("1", "AA")
	for _, c := range clients {
		require.Len(t, s.answers[c], 1)
	}
	s.calm()
}

func TestPipelining(t *testing.T) {
	s := newScene(t, func(set *Settings) {
		byPatient(set)
		set.LinksPerServer, set.Pipelining = 1, 2
	})
	s.down(1)
	c := s.client()
	for i, id := range []string{"1", "2", "3"} {
		s.send(c, id, string(rune('P'+i)))
	}
	s.connect()
	require.Equal(t, []string{"1", "2"}, s.links[0].sent)
	s.answer("2", "AA")
	require.Equal(t, []string{"1", "2", "3"}, s.links[0].sent)
	require.Empty(t, s.answers[c])
	s.answer("1", "AA")
	s.answer("3", "AA")
	require.Equal(t, []string{"AA 1", "AA 2", "AA 3"}, s.answers[c])
	s.calm()
}

func TestDialFails(t *testing.T) {
	s := newScene(t, nil)
	c := s.client()
	s.send(c, "1", "")
	s.router.Dialed(s.links[0].Link, errRefused, s.now)
	require.Len(t, s.links, 2, "the other server, at once")
	require.NotSame(t, s.links[0].Server, s.links[1].Server)
	s.connect()
	s.answer("1", "AA")
	require.Equal(t, []string{"AA 1"}, s.answers[c])
	s.calm()
}

// A connection that was closed while it was idle is found out before a byte is written.
func TestStaleConnection(t *testing.T) {
	s := newScene(t, nil)
	s.down(1)
	c := s.client()
	s.send(c, "1", "")
	s.connect()
	s.answer("1", "AA")
	s.wait(2 * time.Second)
	s.dead[s.links[0].Link] = true
	s.send(c, "2", "")
	require.Len(t, s.links, 2)
	s.connect()
	require.Equal(t, []string{"2"}, s.links[1].sent)
	s.answer("2", "AA")
	s.calm()
}

// A server that closes its connection after each answer gets a new one for each message.
func TestServerThatClosesAfterEachAnswer(t *testing.T) {
	s := newScene(t, nil)
	s.down(1)
	c := s.client()
	s.send(c, "1", "")
	s.connect()
	s.answer("1", "AA")
	s.router.Lost(s.links[0].Link, s.now)
	s.send(c, "2", "")
	s.connect()
	s.answer("2", "AA")
	s.send(c, "3", "")
	require.Len(t, s.links, 3, "the second connection is not trusted")
	s.connect()
	s.answer("3", "AA")
	s.router.Lost(s.links[2].Link, s.now)
	s.wait(2 * time.Second)
	s.send(c, "4", "")
	require.Equal(t, []string{"2", "4"}, s.links[1].sent, "it kept that one: it has changed")
	s.answer("4", "AA")
	s.calm()
}

func TestHold(t *testing.T) {
	tests := []struct {
		name    string
		policy  Policy
		after   time.Duration // when a server comes back; 0 = never
		answers []string
		why     Why
		told    string
	}{
		{name: "a server comes back", after: 3 * time.Second, answers: []string{"AA 1"}, told: "1 AA A"},
		{name: "close", policy: Close, why: WhyNoServer, told: "1 closed -"},
		{name: "nak-ae", policy: NakAE, answers: []string{"AE 1"}, told: "1 nak -"},
		{name: "nak-ar", policy: NakAR, answers: []string{"AR 1"}, told: "1 nak -"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newScene(t, func(set *Settings) { set.OnNoServer = tt.policy })
			s.down(0)
			s.down(1)
			c := s.client()
			s.send(c, "1", "")
			require.Empty(t, s.links)
			if tt.after > 0 {
				s.wait(tt.after)
				s.up(0)
				s.connect()
				s.answer("1", "AA")
			} else {
				s.wait(s.set.Hold - TickEvery)
				require.Empty(t, s.told, "not before its time")
				s.wait(2 * TickEvery)
			}
			require.Equal(t, tt.answers, s.answers[c])
			require.Equal(t, tt.why, s.ended[c])
			require.Equal(t, []string{tt.told}, s.told)
			s.calm()
		})
	}
}

// Nobody overtakes: what waits behind a message that ends without an answer ends the same way.
func TestNothingIsSentBehindTheBackOfAFailure(t *testing.T) {
	s := newScene(t, func(set *Settings) {
		byPatient(set)
		set.OnUnknownOutcome = Close
	})
	a, b, other := s.client(), s.client(), s.client()
	s.send(a, "1", "P1")
	s.send(a, "2", "P1") // of its key and its connection
	s.send(b, "3", "P1") // of its key
	s.send(b, "4", "P2") // of the connection of one of its key: unsent, for 3 comes first... it is sent
	s.send(other, "5", "P3")
	s.connect()
	require.True(t, s.sent("4"))
	s.wait(s.set.AckTimeout / 2)
	s.answer("4", "AA")
	s.answer("5", "AA")
	s.wait(s.set.AckTimeout / 2)
	s.wait(TickEvery)
	require.Equal(t, WhyUnknown, s.ended[a])
	require.Equal(t, WhyUnknown, s.ended[b])
	require.NotContains(t, s.ended, other)
	require.Contains(t, s.told, "1 unknown A")
	require.Contains(t, s.told, "2 closed -")
	require.Contains(t, s.told, "3 closed -")
	require.False(t, s.sent("2"))
	require.True(t, slices.ContainsFunc(s.notices, func(n Notice) bool { return n.Trouble == TroubleTimeout }))
	s.calm()
}

func TestUnknownOutcome(t *testing.T) {
	tests := []struct {
		name    string
		policy  Policy
		answers []string
		why     Why
		sent    int
	}{
		{name: "close", policy: Close, why: WhyUnknown, sent: 1},
		{name: "nak-ae", policy: NakAE, answers: []string{"AE 1"}, sent: 1},
		{name: "resend", policy: Resend, answers: []string{"AA 1"}, sent: 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newScene(t, func(set *Settings) { set.OnUnknownOutcome = tt.policy })
			c := s.client()
			s.send(c, "1", "")
			s.connect()
			s.links[0].closed = true
			s.router.Lost(s.links[0].Link, s.now)
			s.connect()
			if s.sent("1") {
				require.NotSame(t, s.links[0].Server, s.at("1").Server, "another server, if there is one")
				s.answer("1", "AA")
			}
			require.Equal(t, tt.answers, s.answers[c])
			require.Equal(t, tt.why, s.ended[c])
			n := 0
			for _, l := range s.links {
				n += len(l.sent)
			}
			require.Equal(t, tt.sent, n)
			s.calm()
		})
	}
}

// A message that is sent again and again finds an end.
func TestResendEnds(t *testing.T) {
	s := newScene(t, func(set *Settings) { set.OnUnknownOutcome = Resend })
	c := s.client()
	s.send(c, "1", "")
	for range 10 {
		s.connect()
		if s.sent("1") {
			l := s.at("1")
			l.closed = true
			s.router.Lost(l.Link, s.now)
		}
		s.wait(time.Second)
	}
	require.Equal(t, WhyUnknown, s.ended[c])
	n := 0
	for _, l := range s.links {
		n += len(l.sent)
	}
	require.Equal(t, maxSends, n)
	s.calm()
}

func TestForeignAnswers(t *testing.T) {
	s := newScene(t, nil)
	s.down(1)
	c := s.client()
	s.send(c, "1", "")
	s.connect()
	l := s.links[0]
	for _, foreign := range [][]byte{ack("AA", "0"), ack("AA", ""), ack("AA", "11"), []byte("Service unavailable\r"), []byte("MSH|^~\\&|\rPID|1\r")} {
		s.router.Frame(l.Link, foreign, s.now)
	}
	require.Empty(t, s.answers[c], "no sender gets another message's answer")
	require.Len(t, s.notices, 5)
	require.False(t, l.closed, "its own answer may still come")
	s.answer("1", "AA")
	require.Equal(t, []string{"AA 1"}, s.answers[c])
	require.True(t, l.closed, "what comes next on this connection may be as wrong")

	s.send(c, "2", "")
	s.connect()
	s.answer("2", "AA")
	s.router.Frame(s.links[1].Link, ack("AA", "2"), s.now)
	require.True(t, s.links[1].closed, "an answer that nobody waits for")
	require.Equal(t, []string{"AA 1", "AA 2"}, s.answers[c])
	s.calm()
}

func TestLateAnswer(t *testing.T) {
	s := newScene(t, nil)
	s.down(1)
	c := s.client()
	s.send(c, "1", "")
	s.connect()
	s.wait(s.set.AckTimeout + TickEvery)
	require.True(t, s.links[0].closed, "never used again")
	require.Equal(t, WhyUnknown, s.ended[c])
	s.router.Frame(s.links[0].Link, ack("AA", "1"), s.now)
	require.Empty(t, s.answers[c])
	s.calm()
}

func TestLoose(t *testing.T) {
	s := newScene(t, func(set *Settings) { set.Loose = true })
	c := s.client()
	s.send(c, "1", "")
	s.connect()
	s.router.Frame(s.at("1").Link, ack("AA", ""), s.now)
	require.Equal(t, []string{"AA "}, s.answers[c])
	s.calm()
}

func TestRetryOn(t *testing.T) {
	verdict, err := ParseRefusal("AR-207")
	require.NoError(t, err)
	s := newScene(t, func(set *Settings) { set.RetryOn = []Verdict{verdict} })
	c := s.client()
	s.send(c, "1", "")
	s.connect()
	s.answer("1", "AR", internalError)
	s.connect()
	require.Empty(t, s.answers[c])
	s.answer("1", "AR", internalError)
	require.Equal(t, []string{"AR 1"}, s.answers[c], "the last one's words are passed on")
	s.send(c, "2", "")
	s.connect()
	s.answer("2", "AE", internalError)
	require.Equal(t, []string{"AR 1", "AE 2"}, s.answers[c], "AE is never tried elsewhere")
	s.calm()
}

// MSH-15 and MSH-16 say how many answers there will be.
func TestConditions(t *testing.T) {
	with := func(id, accept, application string) string {
		return `MSH|^~\&|RIS|HOSPITAL|ENGINE|HOSPITAL|20260101||ADT^A08^ADT_A01|` + id + `|P|2.5|||` + accept + "|" + application + "\r"
	}
	t.Run("none", func(t *testing.T) {
		s := newScene(t, nil)
		c := s.client()
		s.sendRaw(c, with("1", "NE", "NE"))
		s.sendRaw(c, with("2", "NE", "NE"))
		s.connect()
		s.connect()
		require.Equal(t, []string{"1 none A", "2 none B"}, s.told)
		require.Empty(t, s.answers[c])
		s.router.Frame(s.links[0].Link, ack("AA", "1"), s.now)
		require.Empty(t, s.answers[c], "an answer that nobody wants is dropped")
		require.Empty(t, s.notices)
		s.calm()
	})
	t.Run("none, and not all is written yet", func(t *testing.T) {
		s := newScene(t, nil)
		c := s.client()
		s.stuff = true
		s.sendRaw(c, with("1", "NE", "NE"))
		s.connect()
		require.Empty(t, s.told)
		s.router.Flushed(s.links[0].Link, s.now)
		require.Equal(t, []string{"1 none A"}, s.told)
		s.calm()
	})
	t.Run("accept now, application later", func(t *testing.T) {
		s := newScene(t, nil)
		c := s.client()
		s.sendRaw(c, with("1", "AL", "AL"))
		s.connect()
		l := s.links[0]
		s.answer("1", "CA")
		s.router.Frame(l.Link, ack("AA", "1"), s.now)
		require.Equal(t, []string{"CA 1", "AA 1"}, s.answers[c])
		require.False(t, l.closed)
		s.router.Frame(l.Link, ack("AA", "1"), s.now)
		require.True(t, l.closed, "once is enough")
		s.calm()
	})
	t.Run("on error only", func(t *testing.T) {
		s := newScene(t, nil)
		c := s.client()
		s.sendRaw(c, with("1", "ER", "NE"))
		s.connect()
		s.wait(maybeWait + TickEvery)
		require.Equal(t, []string{"1 none A"}, s.told)
		require.NotContains(t, s.ended, c, "silence is no failure")
		require.False(t, s.links[0].closed)
		s.calm()
	})
}

func TestCommitBytes(t *testing.T) {
	s := newScene(t, nil)
	s.down(1)
	c := s.client()
	s.send(c, "1", "")
	s.connect()
	l := s.links[0]
	s.router.Frame(l.Link, []byte{0x06}, s.now)
	require.Equal(t, []string{"06"}, s.answers[c])
	s.router.Frame(l.Link, ack("AA", "1"), s.now)
	require.Equal(t, []string{"06", "AA 1"}, s.answers[c])
	s.sendRaw(c, "\x06")
	require.Equal(t, "\x06", l.raw[1], "the client's own goes to who answered")
	s.send(c, "2", "")
	s.router.Frame(l.Link, []byte{0x15}, s.now)
	require.Equal(t, []string{"06", "AA 1", "15"}, s.answers[c])
	require.Equal(t, []string{"1 commit-ack A", "2 commit-nak A"}, s.told)
	s.calm()
}

func TestClientLeaves(t *testing.T) {
	s := newScene(t, nil)
	c := s.client()
	s.send(c, "1", "")
	s.send(c, "2", "")
	s.connect()
	s.router.Gone(c, s.now)
	require.Equal(t, []string{"2 withdrawn -"}, s.told, "what was not sent is forgotten")
	s.answer("1", "AA")
	require.Equal(t, []string{"2 withdrawn -", "1 AA A"}, s.told)
	require.False(t, s.links[0].closed, "the connection can be used on")
	s.calm()
}

func TestHalfClose(t *testing.T) {
	s := newScene(t, nil)
	c := s.client()
	s.send(c, "1", "")
	s.connect()
	s.router.Finished(c, s.now)
	require.NotContains(t, s.ended, c)
	s.answer("1", "AA")
	require.Equal(t, []string{"AA 1"}, s.answers[c])
	require.Equal(t, WhyFinished, s.ended[c])
	s.calm()
}

func TestDrainOfAServer(t *testing.T) {
	s := newScene(t, func(set *Settings) { set.LinksPerServer = 1; byPatient(set) })
	a, b := s.client(), s.client()
	s.send(a, "1", "P1")
	s.connect()
	first := s.at("1")
	s.servers[slices.Index(s.servers, first.Server)].SetAdmin(balancing.Drain)
	s.router.Changed(s.now)
	require.False(t, first.closed, "what is outstanding is not cut")
	s.send(b, "2", "P2")
	s.connect()
	require.NotSame(t, first.Server, s.at("2").Server)
	s.send(b, "3", "P1")
	s.answer("1", "AA")
	require.True(t, first.closed)
	s.answer("2", "AA")
	require.NotSame(t, first.Server, s.at("3").Server)
	s.answer("3", "AA")
	s.calm()
}

func TestStop(t *testing.T) {
	s := newScene(t, nil)
	a, idle := s.client(), s.client()
	s.send(a, "1", "")
	s.send(a, "2", "")
	s.connect()
	s.router.Drain(s.now)
	require.Equal(t, WhyDrained, s.ended[idle])
	require.True(t, s.paused[a])
	s.answer("1", "AA")
	s.connect()
	s.answer("2", "AA")
	require.Equal(t, []string{"AA 1", "AA 2"}, s.answers[a], "what was received is finished")
	require.Equal(t, WhyDrained, s.ended[a])
	require.Zero(t, s.router.Clients())
	s.calm()
}

func TestBackPressure(t *testing.T) {
	s := newScene(t, func(set *Settings) { set.ClientPipelines = 2 })
	c := s.client()
	s.send(c, "1", "")
	require.False(t, s.paused[c])
	s.send(c, "2", "")
	require.True(t, s.paused[c])
	s.connect()
	s.answer("1", "AA")
	require.False(t, s.paused[c])
	s.connect()
	s.answer("2", "AA")

	s.set.Memory = 50
	other := s.client()
	s.send(c, "3", "")
	require.True(t, s.paused[c], "memory is full")
	s.send(other, "4", "")
	s.connect()
	s.answer("3", "AA")
	s.connect()
	s.answer("4", "AA")
	require.False(t, s.paused[c])
	require.False(t, s.paused[other])
	s.calm()
}

func TestNotHL7(t *testing.T) {
	s := newScene(t, nil)
	c := s.client()
	s.send(c, "1", "")
	s.connect()
	require.Error(t, s.router.Message(c, []byte("HELLO"), s.now))
	require.NotContains(t, s.ended, c)
	s.answer("1", "AA")
	require.Equal(t, []string{"AA 1"}, s.answers[c])
	require.Equal(t, WhyMalformed, s.ended[c])
	s.calm()
}

func TestIdle(t *testing.T) {
	s := newScene(t, nil)
	c := s.client()
	s.send(c, "1", "")
	s.connect()
	s.answer("1", "AA")
	s.wait(s.set.LinkIdle + time.Second)
	require.True(t, s.links[0].closed)
	s.now = s.now.Add(s.set.ClientIdle)
	s.router.Tick(s.now)
	require.Equal(t, WhyIdle, s.ended[c])
	require.Zero(t, s.router.Clients())
}

func TestBatch(t *testing.T) {
	batch := "BHS|^~\\&|RIS|HOSPITAL|ENGINE|HOSPITAL|20260101||||B1\r" + msg("1", "P1") + msg("2", "P2") + "BTS|2\r"
	t.Run("one answer", func(t *testing.T) {
		s := newScene(t, nil)
		c := s.client()
		s.sendRaw(c, batch)
		s.connect()
		require.Equal(t, []string{batch}, s.links[0].raw, "it goes whole")
		s.router.Frame(s.links[0].Link, ack("AA", "B1"), s.now)
		require.Equal(t, []string{"AA B1"}, s.answers[c])
		s.calm()
	})
	t.Run("an answer for each message", func(t *testing.T) {
		s := newScene(t, func(set *Settings) { set.AnswerEach = true })
		c := s.client()
		s.sendRaw(c, batch)
		s.connect()
		s.router.Frame(s.links[0].Link, ack("AA", "1"), s.now)
		require.Equal(t, []string{"AA 1"}, s.answers[c])
		s.router.Frame(s.links[0].Link, ack("AE", "2"), s.now)
		require.Equal(t, []string{"AA 1", "AE 2"}, s.answers[c])
		s.calm()
	})
}

func TestDuplicates(t *testing.T) {
	guarded := func(set *Settings) { set.Guard = GuardSettings{For: time.Minute, Entries: 10, Memory: 1 << 20} }
	t.Run("answered after the client had left", func(t *testing.T) {
		s := newScene(t, guarded)
		c := s.client()
		s.send(c, "1", "")
		s.connect()
		s.router.Gone(c, s.now)
		s.answer("1", "AA")
		again := s.client()
		s.send(again, "1", "")
		require.Equal(t, []string{"AA 1"}, s.answers[again])
		require.Len(t, s.links[0].sent, 1, "delivered once")
		require.Equal(t, []string{"1 AA A", "1 duplicate -"}, s.told)
		s.send(again, "1", "")
		s.connect()
		s.answer("1", "AA")
		require.Len(t, s.answers[again], 2, "on purpose, it is delivered")
		s.calm()
	})
	t.Run("still under way", func(t *testing.T) {
		s := newScene(t, guarded)
		c := s.client()
		s.send(c, "1", "")
		s.connect()
		s.router.Gone(c, s.now)
		again := s.client()
		s.send(again, "1", "")
		s.connect()
		require.Empty(t, s.answers[again])
		s.answer("1", "AA")
		require.Equal(t, []string{"AA 1"}, s.answers[again])
		require.Len(t, s.links[0].sent, 1)
		s.calm()
	})
	t.Run("written, and reset before it was read", func(t *testing.T) {
		s := newScene(t, guarded)
		c := s.client()
		s.send(c, "1", "")
		s.connect()
		s.answer("1", "AA")
		s.router.Gone(c, s.now)
		again := s.client()
		s.send(again, "1", "")
		require.Equal(t, []string{"AA 1"}, s.answers[again])
		s.calm()
	})
	t.Run("other bytes under the same id", func(t *testing.T) {
		s := newScene(t, guarded)
		c := s.client()
		s.send(c, "1", "P1")
		s.connect()
		s.router.Gone(c, s.now)
		s.answer("1", "AA")
		again := s.client()
		s.send(again, "1", "P2")
		s.connect()
		require.True(t, s.sent("1"))
		s.answer("1", "AA")
		s.calm()
	})
	t.Run("forgotten in time", func(t *testing.T) {
		s := newScene(t, guarded)
		c := s.client()
		s.send(c, "1", "")
		s.connect()
		s.router.Gone(c, s.now)
		s.answer("1", "AA")
		s.wait(2 * time.Minute)
		require.Empty(t, s.router.guard.entries)
		require.Zero(t, s.router.guard.bytes)
	})
}

func TestReload(t *testing.T) {
	s := newScene(t, nil)
	s.down(0)
	s.down(1)
	c := s.client()
	s.send(c, "1", "")
	fresh := balancing.NewServer(balancing.ServerOptions{Name: "C"})
	fresh.SetHealth(balancing.Up, s.now)
	set := *s.set
	set.Routes = []Route{{Pool: s.pool(fresh)}}
	s.router.Configure(&set, s.now)
	s.connect()
	require.Same(t, fresh, s.at("1").Server, "what waits goes by the new rules")
	s.answer("1", "AA")
	require.Equal(t, []string{"AA 1"}, s.answers[c])
	s.calm()
}

func TestRejectedByARoute(t *testing.T) {
	verdict, err := ParseReject("AR-200")
	require.NoError(t, err)
	s := newScene(t, func(set *Settings) { set.Routes[0].Reject = &verdict })
	c := s.client()
	s.send(c, "1", "")
	require.Equal(t, []string{"AR 1"}, s.answers[c])
	require.Equal(t, []string{"1 nak -"}, s.told)
	s.calm()
}
