package relay_test

import (
	"crypto/tls"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"gantry/gateway/relay"
)

// record is a TLS record as it goes over the wire, half of it or all.
func (p *peer) record(t testing.TB, cut int) {
	t.Helper()
	_, err := p.tcp.Write([]byte("\x17\x03\x03\x00\x40" + strings.Repeat("?", 0x40))[:cut])
	require.NoError(t, err)
}

// Nothing but an end in order looks like one, and it comes behind the bytes before it.
func TestLossOfACarriedConnection(t *testing.T) {
	for _, tt := range []struct {
		name  string
		kinds []kind
		act   func(t testing.TB, p *peer)
	}{
		{"reset", kinds, func(t testing.TB, p *peer) { reset(t, p.tcp) }},
		{"broken off between records", kinds[:2], func(t testing.TB, p *peer) { p.breakOff(t) }},
		{"broken off and closed", kinds[:2], func(t testing.TB, p *peer) { require.NoError(t, p.tcp.Close()) }},
		{"broken off within a head", kinds[:2], func(t testing.TB, p *peer) { p.record(t, 3); p.breakOff(t) }},
		{"broken off within a record", kinds[:2], func(t testing.TB, p *peer) { p.record(t, 40); p.breakOff(t) }},
		{"a forged record", kinds[:2], func(t testing.TB, p *peer) { p.record(t, 5+0x40) }},
		{"no TLS", kinds[:2], func(t testing.TB, p *peer) { say(t, p.tcp, "GET / HTTP/1.0\r\n\r\n") }},
	} {
		for _, how := range tt.kinds {
			t.Run(tt.name+" "+how.name, func(t *testing.T) {
				d, _ := newDesk(t)
				e := newEar()
				e.onLost = func(*relay.Link) { require.Zero(t, d.Links()) }
				p, l := carry(t, d, how, e)
				at(t, d, func() { _, _ = l.Write([]byte("unanswered")) })
				require.Equal(t, "unanswered", readFrom(t, p, 10))
				say(t, p, "last words")
				tt.act(t, p)
				e.receives(t, "last words")
				require.ErrorIs(t, e.hears(t, "lost").err, unix.ECONNRESET)
				p.over(t, patience)
				e.silent(t, d)
			})
		}
	}
}

// crypto/tls says io.EOF of both: Beneath is what tells them apart.
func TestBreakOffWithoutBeneathLooksLikeAnEnd(t *testing.T) {
	d, _ := newDesk(t)
	e := newEar()
	addr, accept := listen(t)
	tcp := dialTCP(t, addr)
	id, err := identity()
	require.NoError(t, err)
	shaken := make(chan *tls.Conn, 1)
	go func() { shaken <- serverTLS(t, accept(), tls13) }()
	client := id.Client(tcp)
	require.NoError(t, client.Handshake())
	p := &peer{Conn: client, tcp: tcp, ended: make(chan struct{})}
	l := p.carried(t, d, <-shaken, e)
	p.breakOff(t)
	e.hears(t, "finished")
	at(t, d, l.Part)
	_ = rest(t, p)
	p.over(t, patience)
}

// The loss is an error for whoever reads, in whatever moment: a hang-up alone would be
// FIN to a read that comes before its event.
func TestLossIsAnErrorAndNoEnd(t *testing.T) {
	for i := range 300 {
		p, ours := secured(t, bare)
		fd, err := relay.Carry(ours, func() { close(p.ended) })
		require.NoError(t, err)
		if i%2 == 0 {
			_, err = unix.Write(fd, []byte("fetched"))
			require.NoError(t, err)
			require.Equal(t, "fetched", readFrom(t, p, 7))
		}
		lost := i%3 > 0
		say(t, p, "said before")
		if lost {
			reset(t, p.tcp)
		} else {
			p.finish(t)
		}
		got, err := drain(fd)
		require.Equal(t, "said before", got)
		require.Equal(t, lost, err != nil, "round %d: %v", i, err)
		require.NoError(t, unix.Close(fd))
		p.over(t, patience)
	}
}

// drain reads a descriptor of Carry to its end.
func drain(fd int) (got string, err error) {
	for buf := make([]byte, 1<<16); ; {
		switch n, err := unix.Read(fd, buf); {
		case n > 0:
			got += string(buf[:n])
		case err != unix.EAGAIN:
			return got, err
		default:
			time.Sleep(10 * time.Microsecond)
		}
	}
}

// A paused link is told at once, where not too much waits for it.
func TestLossOfAPausedCarriedLink(t *testing.T) {
	each(t, func(t *testing.T, how kind, d *relay.Desk) {
		e := newEar()
		p, l := carry(t, d, how, e)
		at(t, d, l.Pause)
		say(t, p, "unread")
		reset(t, p.tcp)
		e.hears(t, "lost")
		e.silent(t, d)
	})
}

// Reset, and Close with something unread, are no end in order.
func TestResetOfACarriedLink(t *testing.T) {
	for name, end := range map[string]func(t *testing.T, p *peer, d *relay.Desk, l *relay.Link){
		"reset": func(t *testing.T, _ *peer, d *relay.Desk, l *relay.Link) {
			at(t, d, l.Reset)
		},
		"unread": func(t *testing.T, p *peer, d *relay.Desk, l *relay.Link) {
			at(t, d, l.Pause)
			say(t, p, "unread")
			require.Eventually(t, func() bool { q := true; at(t, d, func() { q = l.Quiet() }); return !q }, patience, time.Millisecond)
			at(t, d, l.Close)
		},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, how kind, d *relay.Desk) {
				p, l := carry(t, d, how, newEar())
				end(t, p, d, l)
				_, err := io.ReadAll(p)
				require.Error(t, err)
				require.False(t, errors.Is(err, io.EOF))
				require.True(t, isReset(err), "got %v", err)
				p.over(t, relay.CarryLinger/2)
			})
		})
	}
}

// One that is written to just then hears no more than it was sent, and no end.
func TestResetInTheMidstOfWriting(t *testing.T) {
	each(t, func(t *testing.T, how kind, d *relay.Desk) {
		p, l := carry(t, d, how, newEar())
		at(t, d, func() {
			_, err := l.Write(make([]byte, 16<<20))
			require.NoError(t, err)
			l.Close() // bytes are pending
		})
		p.over(t, relay.CarryLinger/2) // the peer reads nothing
		n, err := io.Copy(io.Discard, p)
		require.True(t, isReset(err), "got %v after %d", err, n)
	})
}

// Other descriptors are not struck.
func TestResetOfOthers(t *testing.T) {
	d, _ := newDesk(t)
	p, l := carry(t, d, bare, newEar())
	near, fd := twins(t)
	relay.ResetOnClose(fd)
	relay.ResetOnClose(-1)
	relay.ResetOnClose(0)
	require.NoError(t, unix.Close(near))
	require.NoError(t, unix.Close(fd))
	at(t, d, l.Close)
	require.Empty(t, rest(t, p))
}
