package relay_test

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"gantry/gateway/relay"
)

// echo writes back what it receives.
type echo struct{}

func (echo) Dialed(*relay.Link, time.Duration, error) {}
func (echo) Lost(*relay.Link, error)                  {}
func (echo) Flushed(*relay.Link)                      {}
func (echo) Finished(l *relay.Link)                   { l.Part() }

func (echo) Received(l *relay.Link, b []byte) {
	if _, err := l.Write(b); err != nil {
		l.Close()
	}
}

// twins are connected sockets without Go's memory for them: fd is for Adopt.
func twins(t testing.TB) (near, fd int) {
	t.Helper()
	p, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	return p[0], p[1]
}

// idleLinks opens links and tells what one of them takes of the heap, in bytes.
func idleLinks(t testing.TB, d *relay.Desk, n int) (near []int, each float64) {
	t.Helper()
	near, far := make([]int, n), make([]int, n)
	for i := range n {
		near[i], far[i] = twins(t)
	}
	h := echo{}
	before := heap()
	at(t, d, func() {
		for _, fd := range far {
			d.Adopt(fd, h)
		}
	})
	return near, float64(int64(heap())-int64(before)) / float64(n)
}

func TestManyLinks(t *testing.T) {
	const links, most = 2000, 300 // and bytes of each
	d, _ := newDesk(t)
	near, each := idleLinks(t, d, links)
	require.Less(t, each, float64(most))
	at(t, d, func() { require.Equal(t, links, d.Links()) })
	text := []byte("hello")
	for _, fd := range near {
		_, err := unix.Write(fd, text)
		require.NoError(t, err)
	}
	buf := make([]byte, 10)
	for _, fd := range near {
		n := 0
		require.Eventually(t, func() bool { n, _ = unix.Read(fd, buf); return n > 0 }, patience, time.Millisecond)
		require.Equal(t, text, buf[:n])
		require.NoError(t, unix.Close(fd))
	}
	require.Eventually(t, func() bool { n := -1; at(t, d, func() { n = d.Links() }); return n == 0 }, patience, time.Millisecond)
}

// A link that keeps delivering lets others have their turn.
func TestLinkThatKeepsDeliveringGivesWay(t *testing.T) {
	d, _ := newDesk(t)
	loud, soft := newEar(), newEar()
	nearLoud, fdLoud := socket(t)
	nearSoft, fdSoft := socket(t)
	require.NoError(t, unix.SetsockoptInt(fdLoud, unix.SOL_SOCKET, unix.SO_RCVBUF, 1<<20))
	chunk := make([]byte, relay.ReadSize)
	bytes, most := 0, 0
	loud.onReceived = func(_ *relay.Link, b []byte) {
		if bytes += len(b); bytes < 8*relay.LinkTurn {
			_, _ = nearLoud.Write(chunk[:len(b)]) // as much as there is room for again
		}
	}
	soft.onReceived = func(*relay.Link, []byte) { most = bytes }
	at(t, d, func() {
		d.Adopt(fdLoud, loud)
		d.Adopt(fdSoft, soft)
		_, err := nearLoud.Write(append(chunk, chunk...))
		require.NoError(t, err)
		write(t, nearSoft, "me too")
	})
	soft.receives(t, "me too")
	require.Eventually(t, func() bool { n := 0; at(t, d, func() { n = bytes }); return n >= 8*relay.LinkTurn }, patience, time.Millisecond)
	at(t, d, func() { require.LessOrEqual(t, most, relay.LinkTurn+relay.ReadSize) })
}

func TestKeepAliveOfADialledLink(t *testing.T) {
	d, _ := newDesk(t)
	e := newEar()
	addr, accept := listen(t)
	l := dial(t, d, addr, patience, e)
	accept()
	e.hears(t, "dialed")
	at(t, d, func() {
		for option, want := range map[int]int{unix.TCP_KEEPIDLE: relay.KeepIdle, unix.TCP_KEEPINTVL: relay.KeepInterval, unix.TCP_KEEPCNT: relay.KeepCount, unix.TCP_NODELAY: 1} {
			got, err := unix.GetsockoptInt(l.FD(), unix.IPPROTO_TCP, option)
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
		on, err := unix.GetsockoptInt(l.FD(), unix.SOL_SOCKET, unix.SO_KEEPALIVE)
		require.NoError(t, err)
		require.Equal(t, 1, on)
	})
}

// BenchmarkIdleLinks tells the memory of a link that is silent.
func BenchmarkIdleLinks(b *testing.B) {
	listen(b)
	for b.Loop() {
		d, _ := newDesk(b)
		near, each := idleLinks(b, d, 2000)
		b.ReportMetric(each, "B/link")
		at(b, d, d.Close)
		for _, fd := range near {
			require.NoError(b, unix.Close(fd))
		}
	}
}

// BenchmarkDeskPingPong is a message to a desk that echoes it, and back.
func BenchmarkDeskPingPong(b *testing.B) {
	d := benchRelay(b).NewDesk(newClerk())
	var clients []*net.TCPConn
	for range benchLinks {
		client, _ := link(b, d, echo{})
		clients = append(clients, client)
	}
	converse(b, clients)
}

// passOn passes messages on to a link of its own, as a router does.
type passOn struct {
	*ear
	to *relay.Link
}

func (p *passOn) Received(_ *relay.Link, b []byte) { _, _ = p.to.Write(b) }

// BenchmarkDeskRoute is BenchmarkFlowPingPong through a desk: a message to a
// server that echoes it, and back.
func BenchmarkDeskRoute(b *testing.B) {
	d := benchRelay(b).NewDesk(newClerk())
	addr, accept := listen(b)
	var clients []*net.TCPConn
	for range benchLinks {
		up, down := &passOn{ear: newEar()}, &passOn{ear: newEar()}
		client, l := link(b, d, up)
		up.to, down.to = dial(b, d, addr, patience, down), l
		server := accept()
		down.hears(b, "dialed")
		clients = append(clients, client)
		go func() { _, _ = io.Copy(struct{ io.Writer }{server}, struct{ io.Reader }{server}) }()
	}
	converse(b, clients)
}
