package mllpgate

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/balancing"
)

// A server that is merely busy is waited for: one that serves only when no better one can is not asked.
func TestBusyServerIsNoReasonForAWorseOne(t *testing.T) {
	for _, tt := range []struct {
		name    string
		pool    balancing.PoolOptions
		prepare func(worse *balancing.Server, now time.Time)
	}{
		{name: "backup"},
		{name: "second of failover", pool: balancing.PoolOptions{Distribution: balancing.Failover}},
		{name: "down, in a panic", pool: balancing.PoolOptions{Panic: true},
			prepare: func(s *balancing.Server, now time.Time) { s.SetHealth(balancing.Down, now) }},
		{name: "ejected", prepare: func(s *balancing.Server, now time.Time) { s.SetAside(balancing.Ejected, now) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newScene(t, one)
			tt.pool.Members = []balancing.Member{{Server: s.servers[0]}, {Server: s.servers[1], Backup: tt.name == "backup"}}
			if tt.prepare != nil {
				tt.prepare(s.servers[1], s.now)
			}
			s.set.Routes[0].Pool = balancing.NewPool(tt.pool)
			a, b := s.client(), s.client()
			s.send(a, "1", "")
			s.send(b, "2", "")
			s.connect()
			s.wait(time.Second)
			require.Same(t, s.servers[0], s.at("1").Server)
			require.False(t, s.sent("2"))
			s.answer("1", "AA")
			require.Same(t, s.servers[0], s.at("2").Server)
			s.answer("2", "AA")

			s.send(a, "3", "")
			s.send(b, "4", "")
			s.down(0) // before 4 was sent
			s.connect()
			if tt.name == "backup" || tt.pool.Distribution == balancing.Failover {
				require.Same(t, s.servers[1], s.at("4").Server, "no better one is left")
			}
		})
	}
}

// A refusal is passed on when no other server can be asked, and not when the other one is only busy.
func TestRefusalWhileTheOtherServerIsBusy(t *testing.T) {
	busy := func(t *testing.T) (s *scene, a, b *Client) {
		s = newScene(t, func(set *Settings) { set.LinksPerServer, set.RetryOn = 1, []Verdict{{"AR", "207"}} })
		a, b = s.client(), s.client()
		s.send(a, "1", "")
		s.send(b, "2", "")
		s.connect()
		require.NotSame(t, s.at("1").Server, s.at("2").Server)
		s.answer("1", "AR", internalError)
		require.Empty(t, s.answers[a])
		return s, a, b
	}
	t.Run("it answers", func(t *testing.T) {
		s, a, b := busy(t)
		s.answer("2", "AA")
		s.answer("1", "AA")
		require.Equal(t, []string{"AA 1"}, s.answers[a])
		require.Equal(t, []string{"AA 2"}, s.answers[b])
		require.Equal(t, 1, s.noticed(TroubleRetry))
		s.calm()
	})
	t.Run("it goes down", func(t *testing.T) {
		s, a, _ := busy(t)
		s.down(1)
		require.Equal(t, []string{"AR 1"}, s.answers[a])
		s.answer("2", "AA")
		s.calm()
	})
	t.Run("it was down before", func(t *testing.T) {
		s := newScene(t, func(set *Settings) { set.RetryOn = []Verdict{{"AR", "207"}} })
		s.down(1)
		a := s.client()
		s.send(a, "1", "")
		s.connect()
		s.answer("1", "AR", internalError)
		require.Equal(t, []string{"AR 1"}, s.answers[a])
		require.Zero(t, s.noticed(TroubleRetry), "nobody else was asked")
		s.calm()
	})
	t.Run("its client leaves", func(t *testing.T) {
		s, a, _ := busy(t)
		s.router.Gone(a, s.now)
		require.Equal(t, []string{"1 AR"}, []string{s.told[0][:4]})
		s.answer("2", "AA")
		s.calm()
	})
}

// noticed is how often that was told.
func (s *scene) noticed(what Trouble) (n int) {
	for _, told := range s.notices {
		if told.Trouble == what {
			n++
		}
	}
	return n
}

// Memory is a bound over all clients: there is one message more at most.
func TestMemoryOverManyClients(t *testing.T) {
	s := newScene(t, func(set *Settings) { set.Memory, set.ClientPipelines = 1<<20, 16 })
	s.down(0)
	s.down(1)
	big := "OBX|" + strings.Repeat("X", 300<<10) + "\r"
	var clients []*Client
	taken := 0
	for i := range 100 {
		c := s.client()
		clients = append(clients, c)
		if !s.router.Full(c) {
			s.sendRaw(c, msg(fmt.Sprint(i), "")+big)
			taken++
		}
	}
	require.Equal(t, 4, taken)
	for _, c := range clients[taken:] {
		require.True(t, s.paused[c])
	}
	s.set.OnNoServer = Close
	s.wait(s.set.Hold + time.Second)
	require.Zero(t, s.router.bytes)
	for _, c := range clients[taken:] {
		require.False(t, s.paused[c], "there is room again")
	}
	s.calm()
}

// A message that was sent, and is to be sent again, ends as one that was sent.
func TestResendWithoutAServer(t *testing.T) {
	for _, policy := range []Policy{Close, NakAR} {
		s := newScene(t, func(set *Settings) {
			set.OnUnknownOutcome, set.OnNoServer, set.Hold, set.ClientPipelines = Resend, policy, time.Second, 4
		})
		s.down(1)
		c := s.client()
		s.send(c, "1", "")
		s.connect()
		l := s.at("1")
		l.closed = true
		s.router.Lost(l.Link, s.now)
		s.down(0)
		s.wait(2 * time.Second)
		require.Equal(t, []string{"1 unknown A"}, s.told)
		require.Empty(t, s.answers[c])
		require.Equal(t, WhyUnknown, s.ended[c])
		s.calm()
	}
}

// Hold is counted anew once a server was there in between.
func TestHoldBeginsAnew(t *testing.T) {
	s := newScene(t, func(set *Settings) { one(set); set.Hold = 5 * time.Second; set.AckTimeout = time.Minute })
	s.down(1)
	s.down(0)
	a, b := s.client(), s.client()
	s.send(a, "1", "")
	s.send(b, "2", "")
	s.wait(time.Second)
	s.up(0)
	s.connect()
	require.True(t, s.sent("1"))
	s.wait(10 * time.Second) // 2 waits for a place
	s.down(0)
	s.wait(4 * time.Second)
	require.Empty(t, s.ended)
	s.wait(2 * time.Second)
	require.Equal(t, WhyNoServer, s.ended[b])
	s.answer("1", "AA")
	s.calm()
}

// The time for an answer begins when the last byte has left; a server that reads on, however slowly, is waited for.
func TestTimeoutOfALongWrite(t *testing.T) {
	begin := func(t *testing.T) (*scene, *Client) {
		s := newScene(t, nil)
		s.down(1)
		c := s.client()
		s.stuff, s.pending = true, 1<<20
		s.send(c, "1", "")
		s.connect()
		for range 3 {
			s.wait(s.set.AckTimeout - time.Second)
			require.True(t, s.sent("1"))
			s.pending -= 1000
		}
		return s, c
	}
	t.Run("answered", func(t *testing.T) {
		s, c := begin(t)
		s.router.Flushed(s.at("1").Link, s.now)
		s.wait(s.set.AckTimeout - time.Second)
		s.answer("1", "AA")
		require.Equal(t, []string{"AA 1"}, s.answers[c])
		s.calm()
	})
	t.Run("not answered", func(t *testing.T) {
		s, c := begin(t)
		s.router.Flushed(s.at("1").Link, s.now)
		s.wait(s.set.AckTimeout + time.Second)
		require.Equal(t, WhyUnknown, s.ended[c])
		s.calm()
	})
	t.Run("reads no further", func(t *testing.T) {
		s, c := begin(t)
		s.wait(s.set.AckTimeout + time.Second)
		require.Equal(t, WhyUnknown, s.ended[c])
		s.calm()
	})
}

// Where keys and what is remembered decide nothing, source-hash goes by the address.
func TestSourceHash(t *testing.T) {
	s := newScene(t, nil)
	s.set.Routes[0].Pool = balancing.NewPool(balancing.PoolOptions{Members: members(s.servers), Algorithm: balancing.SourceHash})
	at := map[string]string{}
	servers := map[string]bool{}
	for round := range 2 {
		for i := range 20 {
			id := fmt.Sprintf("%d-%d", round, i)
			c := s.clientFrom(fmt.Sprintf("10.0.1.%d", i))
			s.send(c, id, "")
			s.connect()
			name := s.at(id).Server.Name()
			servers[name] = true
			if round > 0 {
				require.Equal(t, at[fmt.Sprint(i)], name)
			}
			at[fmt.Sprint(i)] = name
			s.answer(id, "AA")
		}
	}
	require.Len(t, servers, 2)
	s.calm()
}
