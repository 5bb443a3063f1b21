package mllpgate

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"gantry/balancing"
)

// asking is a message with MSH-15 and MSH-16.
func asking(id, accept, application string) string {
	return `MSH|^~\&|RIS|HOSPITAL|ENGINE|HOSPITAL|20260101||ADT^A08^ADT_A01|` + id + `|P|2.5|||` + accept + "|" + application + "\r"
}

func one(set *Settings) { set.LinksPerServer = 1 }

// A connection found dead takes what was outstanding on it along.
func TestDeadConnectionWithMessagesOutstanding(t *testing.T) {
	s := newScene(t, func(set *Settings) {
		byPatient(set)
		set.LinksPerServer, set.Pipelining = 1, 2
	})
	s.down(1)
	a, b := s.client(), s.client()
	s.send(a, "1", "P1")
	s.connect()
	s.dead[s.links[0].Link] = true
	s.send(b, "2", "P2")
	require.Equal(t, WhyUnknown, s.ended[a], "nobody answers it any more")
	s.connect()
	s.answer("2", "AA")
	require.Equal(t, []string{"AA 2"}, s.answers[b])
	s.calm()
}

// A message that was sent before a reload may be sent again after it: by the routes of then.
func TestReloadWithFewerRoutesWhileAMessageIsOut(t *testing.T) {
	pattern, err := ParsePattern("RIS")
	require.NoError(t, err)
	s := newScene(t, func(set *Settings) { set.OnUnknownOutcome = Resend })
	two := *s.set
	two.Rules = Rules{{SendingApplication: Patterns{"OTHER"}}, {SendingApplication: Patterns{pattern}}}
	two.Routes = []Route{s.set.Routes[0], s.set.Routes[0], s.set.Routes[0]}
	s.router.Configure(&two, s.now)
	c := s.client()
	s.send(c, "1", "")
	s.connect()
	s.router.Configure(s.set, s.now)
	l := s.at("1")
	l.closed = true
	s.router.Lost(l.Link, s.now)
	s.connect()
	s.answer("1", "AA")
	require.Equal(t, []string{"AA 1"}, s.answers[c])
	s.calm()
}

// Senders that count from 1 have the same control ids. An answer that comes late must not be taken
// for that of the next one's message.
func TestSameControlIDs(t *testing.T) {
	tests := []struct {
		name          string
		first, second string
		before        func(*scene) // what happens to the first
	}{
		{"application answer to come", asking("1", "AL", "AL"), msg("1", ""), func(s *scene) { s.answer("1", "CA"); s.wait(s.set.AckTimeout) }},
		{"nobody knows whether it is answered", asking("1", "ER", ""), msg("1", ""), func(s *scene) { s.wait(maybeWait + TickEvery) }},
		{"answered though it asks for none", asking("1", "NE", "NE"), msg("1", ""), func(*scene) {}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newScene(t, one)
			s.down(1)
			a, b := s.client(), s.client()
			s.sendRaw(a, tt.first)
			s.connect()
			tt.before(s)
			s.sendRaw(b, tt.second)
			s.connect()
			require.NotSame(t, s.links[0], s.at("1"), "on a connection of its own")
			require.Len(t, s.links, 2)
			require.True(t, s.links[0].closed, "no more connections than allowed")
			s.answer("1", "AA")
			require.Equal(t, []string{"AA 1"}, s.answers[b])
			s.calm()
		})
	}
	t.Run("both outstanding", func(t *testing.T) {
		s := newScene(t, func(set *Settings) { set.LinksPerServer, set.Pipelining = 1, 4 })
		s.down(1)
		a, b, c := s.client(), s.client(), s.client()
		s.send(a, "1", "")
		s.send(b, "1", "")
		s.send(c, "2", "")
		s.connect()
		require.Equal(t, []string{"1"}, s.links[0].sent)
		s.answer("1", "AA")
		require.Equal(t, []string{"1", "1", "2"}, s.links[0].sent)
		s.answer("1", "AE")
		s.answer("2", "AA")
		require.Equal(t, []string{"AA 1"}, s.answers[a])
		require.Equal(t, []string{"AE 1"}, s.answers[b])
		s.calm()
	})
}

// An application answer that follows an accept acknowledgement is not the next message's, however
// loose the match is.
func TestLooseAndLater(t *testing.T) {
	s := newScene(t, func(set *Settings) { set.Loose = true })
	s.down(1)
	a, b := s.client(), s.client()
	s.sendRaw(a, asking("1", "AL", "AL"))
	s.connect()
	s.answer("1", "CA")
	s.send(b, "2", "")
	s.connect()
	require.NotSame(t, s.links[0], s.at("2"), "not where another one's answer is to come")
	s.router.Frame(s.links[0].Link, ack("AA", "1"), s.now)
	require.Equal(t, []string{"CA 1", "AA 1"}, s.answers[a])
	require.Empty(t, s.answers[b])
	s.answer("2", "AA")
	s.calm()
}

// An application answer does not overtake its own accept acknowledgement, which waits for the
// answers to what came before.
func TestApplicationAnswerWaitsForItsAcceptAcknowledgement(t *testing.T) {
	s := newScene(t, byPatient)
	c := s.client()
	s.send(c, "1", "P1")
	s.sendRaw(c, asking("2", "AL", "AL")+"PID|1||P2^^^SIM\r")
	s.connect()
	l := s.at("2")
	s.answer("2", "CA")
	s.router.Frame(l.Link, ack("AA", "2"), s.now)
	require.Empty(t, s.answers[c])
	s.answer("1", "AA")
	require.Equal(t, []string{"AA 1", "CA 2", "AA 2"}, s.answers[c])
	s.calm()
}

// A sender with a full queue does not keep others from the only place.
func TestWhoCrowdsIsServedInTurn(t *testing.T) {
	s := newScene(t, one)
	s.down(1)
	a, b := s.client(), s.client()
	s.send(a, "1", "")
	s.send(a, "2", "")
	s.send(b, "3", "")
	s.connect()
	s.answer("1", "AA")
	require.True(t, s.sent("3"), "it has its turn before the second one's")
	s.answer("3", "AA")
	s.answer("2", "AA")
	s.calm()
}

// Messages of routes with the same server have it in the order in which they came.
func TestRoutesAreServedInTurn(t *testing.T) {
	s := newScene(t, func(set *Settings) {
		one(set)
		set.Rules = Rules{{SendingApplication: Patterns{"RIS"}}}
		set.Routes = []Route{set.Routes[0], set.Routes[0]}
	})
	s.down(1)
	clients := []*Client{s.client(), s.client(), s.client()}
	s.send(clients[0], "1", "")
	s.sendRaw(clients[1], strings.Replace(msg("2", ""), "RIS", "LAB", 1))
	s.send(clients[2], "3", "")
	s.connect()
	s.answer("1", "AA")
	require.True(t, s.sent("2"))
	s.answer("2", "AA")
	s.answer("3", "AA")
	s.calm()
}

// Keyed messages queue at their server; one without a key still has its turn there.
func TestKeylessMessageIsNotStarved(t *testing.T) {
	s := newScene(t, func(set *Settings) { one(set); byPatient(set) })
	s.down(1)
	for i := range 3 {
		s.send(s.client(), fmt.Sprint(i), fmt.Sprint("P", i))
	}
	keyless := s.client()
	s.send(keyless, "K", "")
	s.connect()
	for i := range 3 {
		s.send(s.client(), fmt.Sprint(10+i), fmt.Sprint("P", 10+i))
		s.answer(fmt.Sprint(i), "AA")
	}
	require.True(t, s.sent("K"), "those that came after it do not go before it")
	s.answer("K", "AA")
	for i := range 3 {
		s.answer(fmt.Sprint(10+i), "AA")
	}
	s.calm()
}

// One that waits for a certain server does not stand in the way of those that any will do for.
func TestCrowdBehindARetriedMessage(t *testing.T) {
	verdict, err := ParseRefusal("AR-207")
	require.NoError(t, err)
	s := newScene(t, func(set *Settings) {
		one(set)
		set.RetryOn, set.OnUnknownOutcome = []Verdict{verdict}, Resend
	})
	a, b, c, d := s.client(), s.client(), s.client(), s.client()
	s.send(a, "1", "")
	s.send(b, "2", "")
	s.connect()
	l := s.at("1")
	l.closed = true
	s.router.Lost(l.Link, s.now) // 1 is to go elsewhere now, where 2 stands
	s.send(c, "3", "")
	s.connect()
	s.send(d, "4", "")
	require.True(t, s.sent("3"))
	require.False(t, s.sent("1"))
	s.answer("3", "AA")
	require.True(t, s.sent("4"), "it need not wait for the place that 1 waits for")
	s.answer("2", "AA")
	s.answer("1", "AA")
	s.answer("4", "AA")
	s.calm()
}

// With no server that can be used, a full one that drains does not prolong the wait.
func TestHoldBesideADrainingServer(t *testing.T) {
	s := newScene(t, one)
	a, b := s.client(), s.client()
	s.send(a, "1", "")
	s.connect()
	s.servers[0].SetAdmin(balancing.Drain)
	s.router.Changed(s.now)
	s.down(1)
	s.send(b, "2", "")
	s.wait(s.set.Hold + TickEvery)
	require.Equal(t, WhyNoServer, s.ended[b])
	s.answer("1", "AA")
	s.calm()
}

// A server that refuses connections is not asked for every message.
func TestRefusingServerIsNotStormed(t *testing.T) {
	s := newScene(t, nil)
	dials := 0
	for i := range 100 {
		c := s.client()
		s.send(c, fmt.Sprint(i), "")
		for _, l := range s.links {
			if l.Server == s.servers[0] && !l.gone {
				dials++
				s.router.Dialed(l.Link, errRefused, s.now)
			}
		}
		s.connect()
		s.answer(fmt.Sprint(i), "AA")
	}
	require.Equal(t, 1, dials, "in no time")
	s.wait(time.Second)
	s.send(s.client(), "again", "")
	require.Same(t, s.servers[0], s.links[len(s.links)-1].Server)
	s.connect()
	s.answer("again", "AA")
	s.calm()
}

// A receiver of one connection only has no places beyond that one.
func TestServerOfOneConnection(t *testing.T) {
	s := newScene(t, nil)
	for _, id := range []string{"1", "2", "3"} {
		s.send(s.client(), id, "")
	}
	s.connect()
	second := s.links[2] // to the first server
	require.Same(t, s.servers[0], second.Server)
	s.at("3")
	// From now on it takes no more.
	s.send(s.client(), "4", "")
	s.send(s.client(), "5", "")
	for _, l := range s.links {
		if !l.ready && l.Server == s.servers[0] {
			s.router.Dialed(l.Link, errRefused, s.now)
		}
	}
	s.connect()
	n := 0
	for _, l := range s.links {
		n += len(l.out)
	}
	for _, id := range []string{"6", "7"} {
		s.send(s.client(), id, "")
		s.connect()
		require.True(t, s.sent(id), "the other server has places")
	}
	for range 20 {
		for _, l := range s.links {
			for len(l.out) > 0 {
				s.answer(string(l.out[0].env.ControlID), "AA")
			}
		}
	}
	s.calm()
}

// A server that closes after each answer gets one message for each connection, however many it
// may have outstanding.
func TestOnceWithPipelining(t *testing.T) {
	s := newScene(t, func(set *Settings) { one(set); set.Pipelining = 4 })
	s.down(1)
	s.send(s.client(), "1", "")
	s.connect()
	s.answer("1", "AA")
	s.links[0].closed = true
	s.router.Lost(s.links[0].Link, s.now)
	s.wait(10 * time.Second) // it is not forgotten
	s.send(s.client(), "2", "")
	s.send(s.client(), "3", "")
	s.connect()
	require.Equal(t, []string{"2"}, s.links[1].sent)
	s.answer("2", "AA")
	s.connect()
	require.Equal(t, []string{"2"}, s.links[1].sent)
	s.answer("3", "AA")
	s.calm()
}

// When a resting connection turns out to be open still, there are no more than allowed.
func TestRestingConnectionBeyondTheLimit(t *testing.T) {
	s := newScene(t, one)
	s.down(1)
	s.send(s.client(), "1", "")
	s.connect()
	s.answer("1", "AA")
	s.links[0].closed = true
	s.router.Lost(s.links[0].Link, s.now)
	s.send(s.client(), "2", "")
	s.connect()
	s.answer("2", "AA")
	s.send(s.client(), "3", "")
	s.connect()
	s.wait(2 * restTime)
	require.True(t, s.links[1].closed)
	s.answer("3", "AA")
	s.calm()
}

// Fewer connections after a reload: those beyond are closed as they become idle.
func TestReloadWithFewerConnections(t *testing.T) {
	s := newScene(t, nil)
	s.down(1)
	for i := range 4 {
		s.send(s.client(), fmt.Sprint(i), "")
	}
	s.connect()
	s.answer("0", "AA")
	set := *s.set
	set.LinksPerServer = 2
	s.router.Configure(&set, s.now)
	open := func() (n int) {
		for _, l := range s.links {
			if !l.closed {
				n++
			}
		}
		return n
	}
	require.Equal(t, 3, open())
	s.answer("1", "AA")
	require.Equal(t, 2, open())
	s.answer("2", "AA")
	s.answer("3", "AA")
	require.Equal(t, 2, open())
	s.calm()
}

// A batch of which some messages are answered is not sent again.
func TestHalfAnsweredBatchIsNotResent(t *testing.T) {
	s := newScene(t, func(set *Settings) { set.AnswerEach, set.OnUnknownOutcome = true, Resend })
	c := s.client()
	s.sendRaw(c, "BHS|^~\\&|RIS|HOSPITAL|ENGINE|HOSPITAL|20260101||||B1\r"+msg("1", "")+msg("2", ""))
	s.connect()
	l := s.links[0]
	s.router.Frame(l.Link, ack("AA", "1"), s.now)
	l.closed = true
	s.router.Lost(l.Link, s.now)
	require.Equal(t, []string{"AA 1"}, s.answers[c])
	require.Equal(t, WhyUnknown, s.ended[c])
	s.calm()
}

// What one server said before does not tell what became of a message at the next.
func TestRefusedThenUnknown(t *testing.T) {
	verdict, err := ParseRefusal("AR-207")
	require.NoError(t, err)
	s := newScene(t, func(set *Settings) { set.RetryOn, set.OnUnknownOutcome = []Verdict{verdict}, Resend })
	c := s.client()
	s.send(c, "1", "")
	s.connect()
	first := s.at("1").Server
	s.answer("1", "AR", internalError)
	s.connect()
	l := s.at("1")
	for i, server := range s.servers {
		if server == first {
			s.down(i)
		}
	}
	l.closed = true
	s.router.Lost(l.Link, s.now)
	require.Empty(t, s.answers[c], "it is not refused: the second server may have it")
	s.wait(time.Second)
	s.connect()
	s.answer("1", "AA")
	require.Equal(t, []string{"AA 1"}, s.answers[c])
	s.calm()
}

// A refused message is not taken to another server for a client that has left.
func TestRefusedWithoutClient(t *testing.T) {
	verdict, err := ParseRefusal("AR-207")
	require.NoError(t, err)
	s := newScene(t, func(set *Settings) { set.RetryOn = []Verdict{verdict} })
	c := s.client()
	s.send(c, "1", "")
	s.connect()
	s.router.Gone(c, s.now)
	s.answer("1", "AR", internalError)
	require.Len(t, s.links, 1)
	require.Equal(t, []string{"1 AR A"}, s.told)
	s.calm()
}

// A reject that cannot be told closes the connection: its sender would wait for ever.
func TestRejectThatCannotBeTold(t *testing.T) {
	verdict, err := ParseReject("AR-200")
	require.NoError(t, err)
	s := newScene(t, func(set *Settings) { set.Routes[0].Reject = &verdict })
	c := s.client()
	s.sendRaw(c, strings.Replace(msg("1", ""), "RIS", strings.Repeat("R", MaxNAK), 1))
	require.Equal(t, WhyRejected, s.ended[c])
	s.calm()
}

// A drained server's connection stays open for the application answer that is due on it.
func TestDrainWaitsForAnApplicationAnswer(t *testing.T) {
	s := newScene(t, nil)
	c := s.client()
	s.sendRaw(c, asking("1", "AL", "AL"))
	s.connect()
	s.answer("1", "CA")
	s.servers[0].SetAdmin(balancing.Drain)
	s.router.Changed(s.now)
	require.False(t, s.links[0].closed)
	s.router.Frame(s.links[0].Link, ack("AA", "1"), s.now)
	require.Equal(t, []string{"CA 1", "AA 1"}, s.answers[c])
	s.wait(2 * time.Second)
	require.True(t, s.links[0].closed)
	s.calm()
}

// What is open to a stopped gateway is ended after the World knows it.
func TestOpenWhileDraining(t *testing.T) {
	s := newScene(t, nil)
	s.router.Drain(s.now)
	c := s.client()
	require.NotContains(t, s.ended, c)
	s.router.Tick(s.now)
	require.Equal(t, WhyDrained, s.ended[c])
	require.Zero(t, s.router.Clients())
}

// A server that takes a message in part only and reads no further is given up, also where
// nothing is outstanding any more.
func TestServerThatReadsNoFurther(t *testing.T) {
	s := newScene(t, one)
	s.down(1)
	s.stuff = true
	s.send(s.client(), "1", "")
	s.connect()
	s.answer("1", "AR")
	s.stuff = false
	s.send(s.client(), "2", "")
	s.wait(s.set.AckTimeout + TickEvery)
	require.True(t, s.links[0].closed)
	s.connect()
	s.answer("2", "AA")
	s.calm()
}

// Thousands of messages with one key end in no time when the first one does.
func TestManyEndTogether(t *testing.T) {
	s := newScene(t, func(set *Settings) { byPatient(set); set.Memory = 1 << 30 })
	for i := range 100 {
		c := s.client()
		for j := range 100 {
			s.send(c, fmt.Sprint(i, "-", j), "P1")
		}
	}
	s.connect()
	begin := processorTime(t)
	s.router.Lost(s.links[0].Link, s.now)
	require.Less(t, processorTime(t)-begin, time.Second)
	require.Len(t, s.ended, 100)
	s.calm()
}

// processorTime is what this process has taken so far: others may be busy, too.
func processorTime(t *testing.T) time.Duration {
	var used unix.Rusage
	require.NoError(t, unix.Getrusage(unix.RUSAGE_SELF, &used))
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// A sender that gave up waiting closes its connection, which looks like half-closing it, and sends
// again on a new one.
func TestDuplicateOfAHalfClosedClient(t *testing.T) {
	guarded := func(set *Settings) { set.Guard = GuardSettings{For: time.Minute, Entries: 10, Memory: 1 << 20} }
	t.Run("under way", func(t *testing.T) {
		s := newScene(t, guarded)
		c, again := s.client(), s.client()
		s.send(c, "1", "")
		s.connect()
		s.router.Finished(c, s.now)
		s.send(again, "1", "")
		s.connect()
		s.answer("1", "AA")
		require.Equal(t, []string{"AA 1"}, s.answers[again])
		require.Equal(t, []string{"AA 1"}, s.answers[c], "perhaps it does read")
		require.Len(t, s.links[0].sent, 1)
		require.Equal(t, []string{"1 duplicate -", "1 AA A"}, s.told)
		s.calm()
	})
	t.Run("answered, while another of its messages is not", func(t *testing.T) {
		s := newScene(t, guarded)
		c, again := s.client(), s.client()
		s.send(c, "1", "")
		s.send(c, "2", "")
		s.connect()
		s.router.Finished(c, s.now)
		s.answer("1", "AA")
		s.send(again, "1", "")
		require.Equal(t, []string{"AA 1"}, s.answers[again])
		s.connect()
		s.answer("2", "AA")
		s.calm()
	})
	t.Run("not sent yet, and its first client leaves", func(t *testing.T) {
		s := newScene(t, func(set *Settings) { guarded(set); one(set) })
		s.down(1)
		other, c, again := s.client(), s.client(), s.client()
		s.send(other, "0", "")
		s.send(c, "1", "")
		s.send(again, "1", "")
		s.connect()
		s.router.Gone(c, s.now)
		s.answer("0", "AA")
		s.answer("1", "AA")
		require.Equal(t, []string{"AA 1"}, s.answers[again])
		require.Equal(t, []string{"0", "1"}, s.links[0].sent)
		s.calm()
	})
	t.Run("its connection goes while that of the second waits", func(t *testing.T) {
		s := newScene(t, guarded)
		c, again := s.client(), s.client()
		s.send(c, "1", "")
		s.send(again, "1", "")
		s.connect()
		l := s.links[0]
		l.closed = true
		s.router.Lost(l.Link, s.now)
		require.Equal(t, WhyUnknown, s.ended[c])
		require.Equal(t, WhyUnknown, s.ended[again])
		s.calm()
	})
}

// What the gateway said itself is no answer to keep: no server has the message.
func TestOwnAnswersAreNotStored(t *testing.T) {
	s := newScene(t, func(set *Settings) {
		set.Guard = GuardSettings{For: time.Minute, Entries: 10, Memory: 1 << 20}
		set.Hold, set.OnNoServer = 0, NakAE
	})
	s.down(0)
	s.down(1)
	c := s.client()
	s.send(c, "1", "")
	require.Equal(t, []string{"AE 1"}, s.answers[c])
	s.router.Gone(c, s.now)
	s.up(0)
	again := s.client()
	s.send(again, "1", "")
	s.connect()
	s.answer("1", "AA")
	require.Equal(t, []string{"AA 1"}, s.answers[again])
	s.calm()
}

// The guard is bounded also where its answers are asked for again and again.
func TestGuardIsBounded(t *testing.T) {
	s := newScene(t, func(set *Settings) {
		set.Guard = GuardSettings{For: time.Hour, Entries: 10, Memory: 1 << 10}
	})
	s.down(1)
	for i := range 2000 {
		c := s.client()
		s.send(c, fmt.Sprint(i%2), "")
		s.connect()
		if id := fmt.Sprint(i % 2); s.sent(id) {
			s.answer(id, "AA")
		}
		s.router.Gone(c, s.now)
	}
	require.LessOrEqual(t, len(s.router.guard.order), 2*10+minAged)
	require.LessOrEqual(t, s.router.guard.bytes+s.router.guard.recent, 1<<10)
	for range 100 { // of clients that stay
		c := s.router.Open(netip.MustParseAddrPort("10.0.0.9:1"), 1, s.now)
		s.send(c, fmt.Sprint("stays", s.router.received), "")
		s.connect()
		s.answer(fmt.Sprint("stays", s.router.received-1), "AA")
	}
	require.LessOrEqual(t, s.router.guard.bytes+s.router.guard.recent, 1<<10)
	s.calm()
}

// A server that accepts connections and closes them before anything is sent is no better than one
// that refuses them.
func TestServerThatAcceptsAndCloses(t *testing.T) {
	s := newScene(t, nil)
	c := s.client()
	s.send(c, "1", "")
	bad := s.links[0].Server
	dials := 0
	for i := 0; i < len(s.links) && i < 100; i++ {
		l := s.links[i]
		if l.Server == bad {
			dials++
			s.dead[l.Link] = true
		}
		s.router.Dialed(l.Link, nil, s.now)
	}
	require.Equal(t, 1, dials)
	s.answer("1", "AA")
	require.Equal(t, []string{"AA 1"}, s.answers[c])
	s.calm()
}

// A receiver of one connection that refused a second one is asked again when the first is over.
func TestServerOfOneConnectionGetsTheNext(t *testing.T) {
	s := newScene(t, byPatient)
	s.send(s.client(), "1", "P1")
	s.send(s.client(), "2", "P2")
	s.connect()
	first := s.at("1")
	s.send(s.client(), "3", "P3")
	l := s.links[len(s.links)-1]
	require.Same(t, first.Server, l.Server)
	s.router.Dialed(l.Link, errRefused, s.now)
	s.dead[first.Link] = true
	s.answer("1", "AA")
	s.connect()
	require.Same(t, first.Server, s.at("3").Server)
	s.answer("2", "AA")
	s.answer("3", "AA")
	s.calm()
}
