package relay_test

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/gateway/relay"
)

// rouse has a link's handler called: received, finished, lost, flushed, dialed.
func rouse(t *testing.T, d *relay.Desk, e *ear, what string) {
	t.Helper()
	if what == "dialed" {
		addr, _ := listen(t)
		dial(t, d, addr, patience, e)
		return
	}
	near, l := link(t, d, e)
	switch what {
	case "received":
		write(t, near, strings.Repeat("x", 3*relay.ReadSize))
	case "finished":
		require.NoError(t, near.CloseWrite())
	case "lost":
		require.NoError(t, near.SetLinger(0))
		require.NoError(t, near.Close())
	case "flushed":
		at(t, d, func() {
			_, err := l.Write(make([]byte, 16<<20))
			require.NoError(t, err)
		})
		_, _ = io.CopyN(io.Discard, near, 16<<20) // a reset within Flushed overtakes the end
	}
}

// does has whichever method of e is called do f.
func (e *ear) does(f func(l *relay.Link)) {
	e.onDialed = func(l *relay.Link, _ error) { f(l) }
	e.onReceived = func(l *relay.Link, _ []byte) { f(l) }
	e.onFinished, e.onLost, e.onFlushed = f, f, f
}

var moments = []string{"dialed", "received", "finished", "lost", "flushed"}

// From within any method of a handler everything may be done, to that link and to
// others, and none is told anything afterwards.
func TestEndsFromWithinHandlers(t *testing.T) {
	for _, moment := range moments {
		for name, end := range map[string]func(d *relay.Desk, own, other *relay.Link){
			"close": func(_ *relay.Desk, own, other *relay.Link) { own.Close(); other.Close() },
			"reset": func(_ *relay.Desk, own, other *relay.Link) { other.Reset(); own.Reset() },
			"part":  func(_ *relay.Desk, own, other *relay.Link) { own.Part(); other.Part() },
			"desk":  func(d *relay.Desk, _, _ *relay.Link) { d.Close() },
		} {
			t.Run(moment+" "+name, func(t *testing.T) {
				r := newRelay(t, relay.Options{Loops: 1})
				d, watch := r.NewDesk(newClerk()), r.NewDesk(newClerk())
				e, beside := newEar(), newEar()
				near, other := link(t, d, beside)
				write(t, near, "x")
				beside.receives(t, "x")
				e.does(func(l *relay.Link) { end(d, l, other) })
				rouse(t, d, e, moment)
				e.hears(t, moment)
				e.silent(t, watch)
				beside.silent(t, watch)
				at(t, watch, func() { require.Zero(t, d.Links()) })
			})
		}
	}
}

// What one link received stays as it is while its handler ends another one that
// has bytes unread: they must not be read to where the first ones are.
func TestReceivedStaysWhileAnotherParts(t *testing.T) {
	d, _ := newDesk(t)
	quiet, e := newEar(), newEar()
	full, other := link(t, d, quiet)
	at(t, d, other.Pause)
	write(t, full, strings.Repeat("y", 1000))
	require.Eventually(t, func() bool { q := true; at(t, d, func() { q = other.Quiet() }); return !q }, patience, time.Millisecond)
	after := make(chan string, 1)
	e.onReceived = func(_ *relay.Link, b []byte) {
		other.Part()
		after <- string(b)
	}
	near, _ := link(t, d, e)
	write(t, near, "stays")
	require.Equal(t, "stays", <-after)
	require.Empty(t, rest(t, full))
}

func TestPanicInAnyMethod(t *testing.T) {
	for _, moment := range moments {
		t.Run(moment, func(t *testing.T) {
			r := newRelay(t, relay.Options{Loops: 1})
			c, e, beside := newClerk(), newEar(), newEar()
			d, other := r.NewDesk(c), r.NewDesk(newClerk())
			own, _ := link(t, d, newEar())
			near, _ := link(t, other, beside)
			e.does(func(*relay.Link) { panic("ouch") })
			rouse(t, d, e, moment)
			require.Equal(t, relay.InternalError, <-c.ended)
			require.Empty(t, rest(t, own), "all its links are closed")
			write(t, near, "others go on")
			beside.receives(t, "others go on")
			at(t, other, func() { require.Zero(t, d.Links()) })
		})
	}
}

// A handler adopts and dials within its methods; a link that it makes in the slot
// of one that is gone hears nothing of what that one's peer did in the same turn.
func TestStaleEventsMissTheNextLink(t *testing.T) {
	d, _ := newDesk(t)
	first, gone, fresh := newEar(), newEar(), newEar()
	near, _ := link(t, d, first)
	doomed, old := link(t, d, gone)
	_, fd := socket(t)
	made := make(chan struct{})
	first.onReceived = func(*relay.Link, []byte) {
		old.Close()
		d.Adopt(fd, fresh)
		close(made)
	}
	at(t, d, func() { // both events wait when the loop looks again
		write(t, near, "x")
		require.NoError(t, doomed.SetLinger(0))
		require.NoError(t, doomed.Close())
	})
	<-made
	first.hears(t, "received")
	fresh.silent(t, d)
	gone.silent(t, d)
}

// Thousands of links come and go in the same slots.
func TestLinksComeAndGo(t *testing.T) {
	d, _ := newDesk(t)
	before := openFiles(t)
	addr, accept := listen(t)
	for round := range 20 {
		var servers []*net.TCPConn
		for i := range 50 {
			e := newEar()
			e.onDialed = func(l *relay.Link, err error) {
				if _, werr := l.Write(fmt.Appendf(nil, "%02d", i)); err != nil || werr != nil {
					t.Error(err, werr)
				}
				if i%2 == 0 {
					l.Part()
				}
			}
			dial(t, d, addr, patience, e)
			servers = append(servers, accept())
		}
		for i, s := range servers {
			require.Equal(t, fmt.Sprintf("%02d", i), read(t, s, 2), "round %d", round)
			require.NoError(t, s.SetLinger(i%3-1))
			require.NoError(t, s.Close())
		}
		require.Eventually(t, func() bool { n := 0; at(t, d, func() { n = d.Links() }); return n <= 25*(round+1) }, patience, time.Millisecond)
	}
	at(t, d, d.Close)
	require.Eventually(t, func() bool { return openFiles(t) <= before+1 }, relay.PartLinger+patience, 10*time.Millisecond)
}
