package relay_test

import (
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/gateway/relay"
)

// stone is a connection that says a word or two, and else nothing, and takes nothing,
// until it is closed.
type stone struct {
	net.Conn
	words  string
	end    error // behind the words; nil is silence
	fails  error // of a write; nil is silence
	closed chan struct{}
	close  func()
}

func newStone() *stone {
	s := &stone{closed: make(chan struct{})}
	s.close = sync.OnceFunc(func() { close(s.closed) })
	return s
}

func (s *stone) Read(b []byte) (int, error) {
	if n := copy(b, s.words); n > 0 {
		if s.words = s.words[n:]; s.words == "" {
			return n, s.end
		}
		return n, nil
	}
	if s.end != nil {
		return 0, s.end
	}
	<-s.closed
	return 0, net.ErrClosed
}

func (s *stone) Write([]byte) (int, error) {
	if s.fails != nil {
		return 0, s.fails
	}
	<-s.closed
	return 0, net.ErrClosed
}

func (s *stone) Close() error { s.close(); return nil }

// carryStone has it carried.
func carryStone(t testing.TB, s *stone, h relay.LinkHandler) (*peer, *relay.Desk, *relay.Link) {
	d, _ := newDesk(t)
	p := &peer{ended: make(chan struct{})}
	l := p.carried(t, d, s, h)
	t.Cleanup(func() { _ = s.Close(); d.Post(d.Close); p.over(t, patience) })
	return p, d, l
}

// A peer that does nothing at all holds nothing for longer than it is said.
func TestCarrierOutlivesItsLinkForATimeOnly(t *testing.T) {
	const soon = relay.CarryLinger / 2
	d, _ := newDesk(t)
	var all sync.WaitGroup
	for _, tt := range []struct {
		name   string
		size   int // of what is written
		end    func(l *relay.Link)
		atMost time.Duration
	}{
		{"close", 0, (*relay.Link).Close, relay.CarryLinger + soon},
		{"close behind bytes", 10, (*relay.Link).Close, relay.CarryLinger + soon},
		{"part", 0, (*relay.Link).Part, relay.PartLinger + relay.CarryLinger + soon},
		{"part behind bytes", 10, (*relay.Link).Part, relay.PartLinger + relay.CarryLinger + soon},
		{"part behind many", 4 << 20, (*relay.Link).Part, relay.PartLinger + relay.CarryLinger + soon},
		{"reset", 0, (*relay.Link).Reset, soon},
		{"reset behind bytes", 4 << 20, (*relay.Link).Reset, soon},
	} {
		e := newEar()
		p := &peer{ended: make(chan struct{})}
		l := p.carried(t, d, newStone(), e)
		at(t, d, func() {
			_, err := l.Write(make([]byte, tt.size))
			require.NoError(t, err)
			tt.end(l)
		})
		all.Go(func() {
			select {
			case <-p.ended:
			case <-time.After(tt.atMost):
				t.Errorf("%s: the carrier has not ended", tt.name)
				<-p.ended
			}
			if len(e.heard) > 0 {
				t.Errorf("%s: told %+v", tt.name, <-e.heard)
			}
		})
	}
	all.Wait()
}

// As long as the link is open a peer that takes nothing is waited for.
func TestOpenCarriedLinkWaitsForItsPeer(t *testing.T) {
	e := newEar()
	p, d, l := carryStone(t, newStone(), e)
	at(t, d, func() { _, _ = l.Write(make([]byte, 1<<20)) })
	select {
	case <-p.ended:
		t.Error("given up")
	case <-time.After(relay.CarryLinger + relay.CarryLinger/2):
	}
	e.silent(t, d)
}

// A write that fails does not cost what the peer had said before, and no end of it
// looks like one in order then.
func TestFailedWriteOfACarrier(t *testing.T) {
	answer := strings.Repeat("the answer ", 10000)
	for name, end := range map[string]error{"silence": nil, "an end": io.EOF, "an error": errors.New("ouch")} {
		t.Run(name, func(t *testing.T) {
			e := newEar()
			s := newStone()
			s.fails, s.words, s.end = errors.New("broken pipe"), answer, end
			held := make(chan struct{})
			d, _ := newDesk(t)
			p := &peer{ended: make(chan struct{})}
			l := p.carried(t, d, &slowStone{stone: s, held: held}, e)
			at(t, d, func() { _, _ = l.Write([]byte("question")) })
			require.Eventually(t, func() bool { n := 1; at(t, d, func() { n = l.Unsent() }); return n == 0 }, patience, time.Millisecond)
			time.Sleep(time.Millisecond) // the write fails, mostly before the answer is read
			close(held)
			e.receives(t, answer)
			require.Error(t, e.hears(t, "lost").err)
			p.over(t, patience)
			e.silent(t, d)
		})
	}
}

// slowStone says nothing before it may.
type slowStone struct {
	*stone
	held chan struct{}
}

func (s *slowStone) Read(b []byte) (int, error) {
	<-s.held
	return s.stone.Read(b)
}

// Behind the peer's end, too.
func TestFailedWriteBehindThePeersEnd(t *testing.T) {
	e := newEar()
	s := newStone()
	s.fails, s.words, s.end = errors.New("broken pipe"), "bye", io.EOF
	p, d, l := carryStone(t, s, e)
	e.receives(t, "bye")
	e.hears(t, "finished")
	at(t, d, func() { _, _ = l.Write([]byte("question")) })
	e.hears(t, "lost")
	p.over(t, patience)
}

// A peer that takes what Part left bit by bit gets all of it, and an end in order.
func TestPartOfACarriedLinkFromASlowReader(t *testing.T) {
	for _, how := range []kind{tls13, bare} {
		t.Run(how.name, func(t *testing.T) {
			d, _ := newDesk(t)
			p, l := carry(t, d, how, newEar())
			require.NoError(t, p.tcp.SetReadBuffer(64<<10))
			const size = 8 << 20
			at(t, d, func() {
				_, err := l.Write(make([]byte, size))
				require.NoError(t, err)
				l.Part()
			})
			got := 0
			for buf := make([]byte, 1<<20); got < size; {
				if got < 5<<20 {
					time.Sleep(relay.PartLinger / 4)
				}
				n, err := io.ReadFull(p, buf)
				got += n
				require.NoError(t, err, "after %d bytes", got)
			}
			require.Empty(t, rest(t, p))
		})
	}
}

// The end of the relay does not cut off what a carrier has.
func TestRelayClosesBeforeItsCarriers(t *testing.T) {
	r, err := relay.New(relay.Options{Loops: 1})
	require.NoError(t, err)
	d := r.NewDesk(newClerk())
	p, l := carry(t, d, tls13, newEar())
	idle, _ := carry(t, d, tls12, newEar())
	big := strings.Repeat("b", 1<<20)
	at(t, d, func() {
		_, err := l.Write([]byte(big))
		require.NoError(t, err)
		l.Part()
	})
	closed := make(chan struct{})
	go func() { defer close(closed); r.Close() }()
	require.True(t, big == rest(t, p))
	require.Empty(t, rest(t, idle), "and an end in order")
	<-closed
	p.over(t, relay.CarryLinger+patience)
	idle.over(t, relay.CarryLinger+patience)
}
