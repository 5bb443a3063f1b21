package relay_test

import (
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/gateway/relay"
)

// rascal is a handler that does anything to any link of its desk from within any
// call, and holds what it is told against the promises. All of it runs on the loop.
type rascal struct {
	t       *testing.T
	desk    *relay.Desk
	dice    *rand.Rand
	servers []netip.AddrPort
	all     []*trace
}

// trace is what was done with one link, and told of it.
type trace struct {
	*rascal
	link     *relay.Link
	dialled  bool
	told     bool // Dialed
	paused   bool
	finished bool
	owed     bool
	over     bool
	inside   bool
}

func (r *rascal) dial(addr netip.AddrPort) {
	k := &trace{rascal: r, dialled: true, inside: true}
	k.link = r.desk.Dial(addr, time.Duration(1+r.dice.IntN(50))*time.Millisecond, k)
	k.inside = false
	r.all = append(r.all, k)
}

// check begins every call.
func (k *trace) check(what string, wrong bool) {
	if k.over || k.inside || wrong || k.dialled && !k.told && what != "dialed" {
		k.t.Errorf("%s was told of a link where it must not be: %+v", what, *k)
	}
}

// act does something to some link.
func (r *rascal) act() {
	k := r.all[r.dice.IntN(len(r.all))]
	if k.over {
		return
	}
	k.inside = true
	defer func() { k.inside = false }()
	switch r.dice.IntN(40) {
	case 0:
		k.over = true
		k.link.Close()
	case 1:
		k.over = true
		k.link.Reset()
	case 2:
		k.over = true
		k.link.Part()
	case 3, 4, 5:
		k.paused = true
		k.link.Pause()
	case 6, 7, 8, 9, 10, 11, 12:
		k.paused = false
		k.link.Resume()
	case 13:
		k.link.Quiet()
	case 14:
		r.dial(r.servers[r.dice.IntN(len(r.servers))])
	default:
		flushed, err := k.link.Write(make([]byte, 1<<r.dice.IntN(22)))
		k.owed = err == nil && !flushed || k.owed && err != nil
	}
}

func (k *trace) acts() {
	for range k.dice.IntN(3) {
		k.act()
	}
}

func (k *trace) Dialed(l *relay.Link, _ time.Duration, err error) {
	k.check("dialed", k.told || !k.dialled || l != k.link)
	k.told, k.over = true, err != nil
	k.acts()
}

func (k *trace) Received(_ *relay.Link, b []byte) {
	k.check("received", k.finished || k.paused || len(b) == 0)
	k.acts()
}

func (k *trace) Finished(*relay.Link) {
	k.check("finished", k.finished || k.paused)
	k.finished = true
	k.acts()
}

func (k *trace) Lost(l *relay.Link, err error) {
	k.check("lost", err == nil || l.FD() >= 0)
	k.over = true
	k.acts()
}

func (k *trace) Flushed(l *relay.Link) {
	k.check("flushed", !k.owed || l.Pending() > 0)
	k.owed = false
	k.acts()
}

// rude is a server, or a client, of any manners.
func rude(c net.Conn, seed uint64) {
	dice := rand.New(rand.NewPCG(seed, 1))
	buf := make([]byte, 1<<16)
	for {
		switch dice.IntN(30) {
		case 0:
			_ = c.(*net.TCPConn).SetLinger(0)
			_ = c.Close()
			return
		case 1:
			_ = c.(*net.TCPConn).CloseWrite()
			_, _ = io.Copy(io.Discard, c)
			_ = c.Close()
			return
		case 2, 3, 4, 5, 6, 7, 8, 9:
			_ = c.SetDeadline(time.Now().Add(5 * time.Millisecond))
			if _, err := c.Write(buf[:1+dice.IntN(len(buf)-1)]); errors.Is(err, net.ErrClosed) {
				return
			}
		default:
			_ = c.SetDeadline(time.Now().Add(time.Millisecond))
			_, _ = c.Read(buf[:1+dice.IntN(len(buf)-1)])
		}
	}
}

// Whatever is done from within whatever call, what is told stays as promised.
func TestAnythingInsideAnyCall(t *testing.T) {
	const turns = 400
	d, c := newDesk(t)
	good, accept := listen(t)
	r := &rascal{t: t, desk: d, dice: rand.New(rand.NewPCG(7, 7)), servers: []netip.AddrPort{good, good, good, unused(t), netipMust("255.255.255.255:1")}}
	stop := make(chan struct{})
	go func() {
		for seed := uint64(0); ; seed++ {
			select {
			case <-stop:
				return
			default:
				go rude(accept(), seed)
			}
		}
	}()
	for turn := range turns {
		near, fd := socket(t)
		go rude(near, uint64(turn)<<32)
		at(t, d, func() {
			k := &trace{rascal: r}
			k.link = d.Adopt(fd, k)
			r.all = append(r.all, k)
			for range 10 {
				r.act()
			}
		})
	}
	close(stop)
	last, err := net.Dial("tcp4", good.String())
	require.NoError(t, err)
	at(t, d, func() {
		open := 0
		for _, k := range r.all {
			if !k.over {
				open++
			}
		}
		require.Equal(t, open, d.Links())
		d.Close()
	})
	require.NoError(t, last.Close())
	require.Empty(t, c.ended)
}
