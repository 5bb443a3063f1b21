package conformance

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// serve is a TCP server in the test's process: each connection is handed to handle in a goroutine of its
// own and closed afterwards. It ends with the test.
func serve(t *testing.T, handle func(*net.TCPConn)) (addr string) {
	t.Helper()
	return serveOn(t, "127.0.0.1:0", handle)
}

// serveOn is serve on a chosen address.
func serveOn(t *testing.T, listen string, handle func(*net.TCPConn)) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", listen)
	require.NoError(t, err)
	var open sync.Map
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			open.Store(c, true)
			all.Go(func() {
				defer open.Delete(c)
				defer c.Close()
				handle(c.(*net.TCPConn))
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		open.Range(func(c, _ any) bool { c.(net.Conn).Close(); return true })
		all.Wait()
	})
	return l.Addr().String()
}

// echo returns every byte.
func echo(c *net.TCPConn) { _, _ = io.Copy(c, c) }

// dial connects through the middle; every later wait on the connection is bounded.
func dial(t *testing.T, addr string) *net.TCPConn {
	t.Helper()
	c, err := net.DialTimeout("tcp", addr, 10*time.Second)
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	require.NoError(t, c.SetDeadline(time.Now().Add(time.Minute)))
	return c.(*net.TCPConn)
}

// exchange sends a few bytes to an echo server and reads them back.
func exchange(c net.Conn) error {
	if _, err := c.Write([]byte("ping")); err != nil {
		return err
	}
	_, err := io.ReadFull(c, make([]byte, 4))
	return err
}

// exchangeBack is the server's side of one exchange.
func exchangeBack(c net.Conn) error {
	word := make([]byte, 4)
	if _, err := io.ReadFull(c, word); err != nil {
		return err
	}
	_, err := c.Write(word)
	return err
}

// pace calls step each hundredth of a second until it returns false: a slow peer is slow on purpose.
func pace(step func() bool) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		if !step() {
			return
		}
	}
}

// dialQuick is dial for clients that expect to be refused: every wait is two seconds at most.
func dialQuick(addr string) (net.Conn, error) {
	c, err := net.DialTimeout("tcp", addr, 2*time.Second)
	if err != nil {
		return nil, err
	}
	return c, c.SetDeadline(time.Now().Add(2 * time.Second))
}
