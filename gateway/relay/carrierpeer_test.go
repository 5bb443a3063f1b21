package relay_test

import (
	"crypto/tls"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/fixtures/secure"
	"gantry/gateway/relay"
)

// kind is what is carried.
type kind struct {
	name string
	tls  uint16 // its version; 0 for none
}

var (
	tls12, tls13, bare = kind{"TLS 1.2", tls.VersionTLS12}, kind{"TLS 1.3", tls.VersionTLS13}, kind{"TCP", 0}
	kinds              = []kind{tls12, tls13, bare}
)

// peer is the far end of a connection that is carried.
type peer struct {
	net.Conn
	tcp   *net.TCPConn
	ended chan struct{} // closed when the carrier has ended
}

var identity = sync.OnceValues(func() (*secure.Identity, error) { return secure.SelfSigned("ZZ-GANTRY") })

// secured makes a connection of that kind; ours is for Carry.
func secured(t testing.TB, how kind) (p *peer, ours net.Conn) {
	t.Helper()
	addr, accept := listen(t)
	tcp := dialTCP(t, addr)
	far := accept()
	require.NoError(t, far.SetDeadline(time.Time{}))
	p = &peer{Conn: tcp, tcp: tcp, ended: make(chan struct{})}
	if how.tls == 0 {
		return p, far
	}
	id, err := identity()
	require.NoError(t, err)
	client := id.Trusting()
	client.ServerName, client.MinVersion, client.MaxVersion = "127.0.0.1", how.tls, how.tls
	server := tls.Server(relay.Beneath(far), id.Config(func() secure.Faults { return secure.Faults{} }))
	shaken := make(chan error, 1)
	go func() { shaken <- server.Handshake() }()
	c := tls.Client(tcp, client)
	require.NoError(t, c.Handshake())
	require.NoError(t, <-shaken)
	p.Conn = c
	return p, server
}

func dialTCP(t testing.TB, addr netip.AddrPort) *net.TCPConn {
	t.Helper()
	c, err := net.DialTCP("tcp4", nil, net.TCPAddrFromAddrPort(addr))
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	require.NoError(t, c.SetDeadline(time.Now().Add(patience)))
	return c
}

// carry has a new connection carried to a link of the desk, and sees to it that the
// carrier ends.
func carry(t testing.TB, d *relay.Desk, how kind, h relay.LinkHandler) (*peer, *relay.Link) {
	t.Helper()
	p, ours := secured(t, how)
	l := p.carried(t, d, ours, h)
	t.Cleanup(func() {
		_ = p.tcp.SetLinger(0)
		_ = p.tcp.Close()
		d.Post(d.Close)
		p.over(t, patience)
	})
	return p, l
}

func (p *peer) carried(t testing.TB, d *relay.Desk, ours net.Conn, h relay.LinkHandler) (l *relay.Link) {
	t.Helper()
	fd, err := relay.Carry(ours, func() { close(p.ended) })
	require.NoError(t, err)
	at(t, d, func() { l = d.Adopt(fd, h) })
	return l
}

// over waits for the end of the carrier.
func (p *peer) over(t testing.TB, within time.Duration) {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(within):
		t.Error("the carrier has not ended")
	}
}

// finish ends the peer's side in order.
func (p *peer) finish(t testing.TB) {
	t.Helper()
	require.NoError(t, p.Conn.(interface{ CloseWrite() error }).CloseWrite())
}

// breakOff ends TCP, and not TLS.
func (p *peer) breakOff(t testing.TB) {
	t.Helper()
	require.NoError(t, p.tcp.CloseWrite())
}

// dialTLS does what a gateway does to reach a server over TLS.
func dialTLS(t testing.TB, d *relay.Desk, addr string, over func(net.Conn) *tls.Conn, h relay.LinkHandler, ended chan struct{}, linked chan<- *relay.Link) {
	tcp, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		t.Error(err)
		return
	}
	c := over(relay.Beneath(tcp))
	if err := c.Handshake(); err != nil {
		t.Error(err)
		return
	}
	fd, err := relay.Carry(c, func() { close(ended) })
	if err != nil {
		t.Error(err)
		return
	}
	d.Post(func() { linked <- d.Adopt(fd, h) })
}

// serverTLS is the other side of that.
func serverTLS(t testing.TB, tcp *net.TCPConn, how kind) *tls.Conn {
	t.Helper()
	id, err := identity()
	require.NoError(t, err)
	config := id.Config(func() secure.Faults { return secure.Faults{} })
	config.MaxVersion = how.tls
	c := tls.Server(tcp, config)
	require.NoError(t, c.Handshake())
	require.Equal(t, how.tls, c.ConnectionState().Version)
	return c
}
