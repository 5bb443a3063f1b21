package relay

import (
	"io"
	"net"
	"sync/atomic"
)

// Beneath is put between TCP and TLS, as in tls.Server(relay.Beneath(c), config),
// for a connection that will be given to Carry. It lets Carry tell a stream that was
// ended, by close_notify, from one that broke off at the end of a record: to both
// crypto/tls says io.EOF (RFC 8446, 6.1, demands an error).
func Beneath(conn net.Conn) net.Conn { return &beneath{Conn: conn} }

type beneath struct {
	net.Conn
	ended atomic.Bool // TCP was read to its end; TLS never reads on behind close_notify
}

// Read notes the end.
func (b *beneath) Read(p []byte) (int, error) {
	n, err := b.Conn.Read(p)
	if err == io.EOF {
		b.ended.Store(true)
	}
	return n, err
}

// NetConn is the connection itself.
func (b *beneath) NetConn() net.Conn { return b.Conn }
