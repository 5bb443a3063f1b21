package relay_test

import (
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"gantry/gateway/relay"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clerk is a DeskOwner that remembers.
type clerk struct {
	onTick  func(d *relay.Desk)
	onEnded func(d *relay.Desk, why relay.End)
	ended   chan relay.End
}

func newClerk() *clerk { return &clerk{ended: make(chan relay.End, 4)} }

func (c *clerk) Tick(d *relay.Desk) {
	if c.onTick != nil {
		c.onTick(d)
	}
}

func (c *clerk) Ended(d *relay.Desk, why relay.End) {
	c.ended <- why
	if c.onEnded != nil {
		c.onEnded(d, why)
	}
}

// ear is a LinkHandler that notes what it is told, and then does what the test
// wants.
type ear struct {
	heard      chan note
	onDialed   func(l *relay.Link, err error)
	onReceived func(l *relay.Link, b []byte)
	onFinished func(l *relay.Link)
	onLost     func(l *relay.Link)
	onFlushed  func(l *relay.Link)
}

// note is one call: dialed, received, finished, lost or flushed.
type note struct {
	what string
	text string
	err  error
}

func newEar() *ear { return &ear{heard: make(chan note, 1000)} }

func (e *ear) Dialed(l *relay.Link, _ time.Duration, err error) {
	e.heard <- note{what: "dialed", err: err}
	if e.onDialed != nil {
		e.onDialed(l, err)
	}
}

func (e *ear) Received(l *relay.Link, b []byte) {
	e.heard <- note{what: "received", text: string(b)}
	if e.onReceived != nil {
		e.onReceived(l, b)
	}
}

func (e *ear) Finished(l *relay.Link) {
	e.heard <- note{what: "finished"}
	if e.onFinished != nil {
		e.onFinished(l)
	}
}

func (e *ear) Lost(l *relay.Link, err error) {
	e.heard <- note{what: "lost", err: err}
	if e.onLost != nil {
		e.onLost(l)
	}
}

func (e *ear) Flushed(l *relay.Link) {
	e.heard <- note{what: "flushed"}
	if e.onFlushed != nil {
		e.onFlushed(l)
	}
}

// next waits for the next call.
func (e *ear) next(t testing.TB) note {
	t.Helper()
	select {
	case n := <-e.heard:
		return n
	case <-time.After(patience):
		t.Fatal("nothing was told")
		return note{}
	}
}

// hears waits for a call of that kind.
func (e *ear) hears(t testing.TB, what string) note {
	t.Helper()
	n := e.next(t)
	require.Equal(t, what, n.what, "told: %+v", n)
	return n
}

// receives waits for that text, in whatever pieces.
func (e *ear) receives(t testing.TB, text string) {
	t.Helper()
	got := ""
	for len(got) < len(text) {
		got += e.hears(t, "received").text
	}
	require.Equal(t, text, got)
}

// silent requires that nothing more was told, as of now, after a turn of the loop.
func (e *ear) silent(t testing.TB, d *relay.Desk) {
	t.Helper()
	at(t, d, func() {})
	require.Empty(t, e.heard)
}

// at runs f on the desk's loop.
func at(t testing.TB, d *relay.Desk, f func()) {
	t.Helper()
	done := make(chan struct{})
	require.True(t, d.Post(func() { defer close(done); f() }))
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatal("the loop hangs")
	}
}

// newDesk opens a relay of one loop with a desk.
func newDesk(t testing.TB) (*relay.Desk, *clerk) {
	t.Helper()
	c := newClerk()
	return newRelay(t, relay.Options{Loops: 1}).NewDesk(c), c
}

// socket makes a connection; fd is its far end, for Desk.Adopt.
func socket(t testing.TB) (near *net.TCPConn, fd int) {
	t.Helper()
	addr, accept := listen(t)
	near, err := net.DialTCP("tcp4", nil, net.TCPAddrFromAddrPort(addr))
	require.NoError(t, err)
	t.Cleanup(func() { _ = near.Close() })
	require.NoError(t, near.SetDeadline(time.Now().Add(patience)))
	far := accept()
	raw, err := far.SyscallConn()
	require.NoError(t, err)
	require.NoError(t, raw.Control(func(u uintptr) { fd, err = unix.FcntlInt(u, unix.F_DUPFD_CLOEXEC, 0) }))
	require.NoError(t, err)
	require.NoError(t, far.Close())
	return near, fd
}

// link adopts one end of a new connection and returns the other.
func link(t testing.TB, d *relay.Desk, h relay.LinkHandler) (*net.TCPConn, *relay.Link) {
	t.Helper()
	near, fd := socket(t)
	var l *relay.Link
	at(t, d, func() { l = d.Adopt(fd, h) })
	return near, l
}

// dial has the desk dial.
func dial(t testing.TB, d *relay.Desk, addr netip.AddrPort, within time.Duration, h relay.LinkHandler) (l *relay.Link) {
	t.Helper()
	at(t, d, func() { l = d.Dial(addr, within, h) })
	return l
}

func TestPostedFunctionsRunInOrderAndNoneAfterTheEnd(t *testing.T) {
	d, c := newDesk(t)
	var order []int
	for i := range 1000 {
		require.True(t, d.Post(func() { order = append(order, i) }))
	}
	at(t, d, func() {
		require.Len(t, order, 1000)
		require.IsIncreasing(t, order)
	})
	at(t, d, d.Close)
	require.False(t, d.Post(func() { t.Error("it ran") }))
	require.Empty(t, c.ended, "Close tells nobody")
}

// What was taken runs, so that a descriptor in its hands is closed.
func TestPostedBeforeTheEndRunsAfterIt(t *testing.T) {
	d, _ := newDesk(t)
	near, fd := socket(t)
	done := make(chan struct{})
	at(t, d, func() {
		require.True(t, d.Post(func() {
			defer close(done)
			l := d.Adopt(fd, newEar())
			_, err := l.Write([]byte("x"))
			require.ErrorIs(t, err, net.ErrClosed)
			require.Zero(t, d.Links())
			require.Zero(t, d.Dial(netip.AddrPort{}, 0, newEar()).Pending())
		}))
		d.Close()
	})
	<-done
	require.Empty(t, rest(t, near))
}

func TestNowIsTheTurnsTime(t *testing.T) {
	d, _ := newDesk(t)
	before := time.Now()
	at(t, d, func() {
		require.WithinRange(t, d.Now(), before, time.Now())
		require.Contains(t, fmt.Sprint(d.Now()), " m=", "it must be monotonic")
		require.Equal(t, d.Now(), d.Now())
	})
}

func TestTicks(t *testing.T) {
	d, c := newDesk(t)
	ticks := make(chan time.Time, 1000)
	c.onTick = func(d *relay.Desk) { ticks <- d.Now() }
	start := time.Now()
	at(t, d, func() { d.TickEvery(20 * time.Millisecond) })
	for i := range 5 {
		at := <-ticks
		require.GreaterOrEqual(t, at.Sub(start), time.Duration(i+1)*20*time.Millisecond-time.Millisecond)
	}
	at(t, d, func() { d.TickEvery(0) })
	for len(ticks) > 0 {
		<-ticks
	}
	require.Never(t, func() bool { return len(ticks) > 0 }, 100*time.Millisecond, 10*time.Millisecond)
}

// A loop that was held up does not make up for the ticks it missed, and setting
// the same time again and again does not put the tick off.
func TestTicksDoNotStormAndAreNotPutOff(t *testing.T) {
	const every = 10 * time.Millisecond
	d, c := newDesk(t)
	ticks := 0
	c.onTick = func(*relay.Desk) { ticks++ }
	at(t, d, func() { d.TickEvery(every); time.Sleep(30 * every) })
	before := 0
	at(t, d, func() { before = ticks })
	require.LessOrEqual(t, before, 3)
	require.Eventually(t, func() bool {
		after := 0
		at(t, d, func() { d.TickEvery(every); after = ticks })
		return after >= before+3
	}, patience, time.Millisecond)
}

func TestCloseOfTheRelayEndsDesks(t *testing.T) {
	r, err := relay.New(relay.Options{})
	require.NoError(t, err)
	c, e := newClerk(), newEar()
	d := r.NewDesk(c)
	other, lazy := newClerk(), newClerk()
	r.NewDesk(other)
	near, _ := link(t, d, e)
	c.onEnded = func(d *relay.Desk, _ relay.End) {
		if d.Links() != 0 || d.Post(func() {}) {
			t.Error("Ended came before all was closed")
		}
	}
	r.Close()
	require.Equal(t, relay.Stopped, <-c.ended)
	require.Equal(t, relay.Stopped, <-other.ended)
	require.Empty(t, rest(t, near))
	require.Empty(t, e.heard, "the handler of a link is not told")
	require.False(t, r.NewDesk(lazy).Post(func() {}))
	require.Equal(t, relay.Stopped, <-lazy.ended)
}

// A loop does not end while it still has a desk to take in.
func TestDesksOpenedWhileTheRelayIsClosedAreEnded(t *testing.T) {
	for range 50 {
		r, err := relay.New(relay.Options{Loops: 2})
		require.NoError(t, err)
		clerks := make(chan *clerk, 8)
		go func() {
			for range cap(clerks) {
				c := newClerk()
				r.NewDesk(c)
				clerks <- c
			}
		}()
		r.Close()
		for range cap(clerks) {
			require.Equal(t, relay.Stopped, <-(<-clerks).ended)
		}
	}
}

func TestPanicCostsOneDesk(t *testing.T) {
	for _, tt := range []struct {
		name  string
		strew func(t *testing.T, d *relay.Desk, c *clerk)
	}{
		{"posted", func(_ *testing.T, d *relay.Desk, _ *clerk) { d.Post(func() { panic("ouch") }) }},
		{"tick", func(t *testing.T, d *relay.Desk, c *clerk) {
			at(t, d, func() {
				c.onTick = func(*relay.Desk) { panic("ouch") }
				d.TickEvery(time.Millisecond)
			})
		}},
		{"handler", func(t *testing.T, d *relay.Desk, _ *clerk) {
			e := newEar()
			e.onReceived = func(*relay.Link, []byte) { panic("ouch") }
			near, _ := link(t, d, e)
			write(t, near, "x")
		}},
		{"dial", func(t *testing.T, d *relay.Desk, _ *clerk) {
			e := newEar()
			e.onDialed = func(*relay.Link, error) { panic("ouch") }
			addr := unused(t)
			at(t, d, func() { d.Dial(addr, time.Hour, e) })
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			panics := make(chan any, 4)
			r := newRelay(t, relay.Options{Loops: 1, OnPanic: func(v any, _ []byte) { panics <- v }})
			c, e, neighbour := newClerk(), newEar(), newEar()
			c.onEnded = func(*relay.Desk, relay.End) { panic("again") }
			d, other := r.NewDesk(c), r.NewDesk(newClerk())
			near, _ := link(t, d, e)
			beside, _ := link(t, other, neighbour)
			client, server, h := pair(t, r, relay.Limits{})
			tt.strew(t, d, c)
			require.Equal(t, relay.InternalError, <-c.ended)
			require.Equal(t, "ouch", <-panics)
			require.Equal(t, "again", <-panics)
			require.Empty(t, rest(t, near))
			require.Empty(t, e.heard, "no more calls")
			require.False(t, d.Post(func() {}))
			write(t, beside, "hello")
			neighbour.receives(t, "hello")
			write(t, client, "flows go on")
			require.Equal(t, "flows go on", read(t, server, 11))
			require.NoError(t, client.Close())
			require.NoError(t, server.Close())
			h.wait(t)
		})
	}
}

// netipMust reads an address.
func netipMust(text string) netip.AddrPort { return netip.MustParseAddrPort(text) }
