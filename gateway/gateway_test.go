package gateway_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"gantry/gateway"
	"gantry/gateway/admin"
)

// patience bounds every wait of these tests; none of them relies on it.
const patience = 20 * time.Second

// named is a server that greets with its name and then echoes.
type named struct {
	name string
	addr string
	l    net.Listener
	mu   sync.Mutex
	open map[net.Conn]bool
}

func serve(t testing.TB, name string) *named {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &named{name: name, addr: l.Addr().String(), l: l, open: map[net.Conn]bool{}}
	t.Cleanup(s.stop)
	go s.accept(l)
	return s
}

func (s *named) accept(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.open[c] = true
		s.mu.Unlock()
		go func() {
			defer c.Close()
			_, _ = fmt.Fprintln(c, s.name)
			_, _ = io.Copy(c, c)
		}()
	}
}

// stop closes the listener and every connection.
func (s *named) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.l.Close()
	for c := range s.open {
		_ = c.Close()
	}
}

// house is a running gateway with its file.
type house struct {
	*gateway.Gateway
	t        testing.TB
	file     string
	registry *prometheus.Registry
}

// freePort returns an address that nobody else uses: on a loopback address of
// its own, since a port of 127.0.0.1 that is free now may be a client's the
// next moment.
func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", fmt.Sprintf("127.%d.%d.%d:0", 10+rand.IntN(200), rand.IntN(250), 1+rand.IntN(250)))
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

// header is put before every test's services.
const header = "admin: {listen: '127.0.0.1:0'}\n"

func write(t testing.TB, file, services string) {
	t.Helper()
	require.NoError(t, os.WriteFile(file, []byte(header+services), 0o600))
}

func start(t testing.TB, services string) *house {
	t.Helper()
	return startLogged(t, services, slog.New(slog.DiscardHandler))
}

func startLogged(t testing.TB, services string, log *slog.Logger) *house {
	t.Helper()
	h := &house{t: t, file: filepath.Join(t.TempDir(), "gantry.yaml"), registry: prometheus.NewRegistry()}
	write(t, h.file, services)
	var err error
	h.Gateway, err = gateway.New(gateway.Options{ConfigFile: h.file, Version: "test", Logger: log, Registry: h.registry})
	require.NoError(t, err)
	require.NoError(t, h.Start(context.Background()))
	t.Cleanup(func() {
		over, cancel := context.WithCancel(context.Background())
		cancel()
		_ = h.Stop(over)
	})
	return h
}

func (h *house) reload(services string) (admin.Reloaded, error) {
	h.t.Helper()
	write(h.t, h.file, services)
	return h.Reload(context.Background())
}

// await waits until a server is in the state.
func (h *house) await(service, server, state string) {
	h.t.Helper()
	require.Eventually(h.t, func() bool { return h.server(service, server).State == state }, patience, 2*time.Millisecond,
		"%s/%s did not become %s", service, server, state)
}

func (h *house) server(service, server string) admin.ServerStatus {
	h.t.Helper()
	for _, s := range h.Status().Services {
		for _, v := range s.Servers {
			if s.Name == service && v.Name == server {
				return v
			}
		}
	}
	h.t.Fatalf("no %s/%s", service, server)
	return admin.ServerStatus{}
}

// client is a connection through the gateway.
type client struct {
	*net.TCPConn
	r *bufio.Reader
}

func dial(t testing.TB, addr string) *client { return dialFrom(t, "127.0.0.1", addr) }

func dialFrom(t testing.TB, source, addr string) *client {
	t.Helper()
	d := net.Dialer{Timeout: patience, LocalAddr: &net.TCPAddr{IP: net.ParseIP(source)}}
	c, err := d.Dial("tcp", addr)
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	require.NoError(t, c.SetDeadline(time.Now().Add(patience)))
	return &client{c.(*net.TCPConn), bufio.NewReader(c)}
}

// greeting returns the name of the server that was reached.
func (c *client) greeting(t testing.TB) string {
	t.Helper()
	line, err := c.r.ReadString('\n')
	require.NoError(t, err)
	return strings.TrimSpace(line)
}

// echo sends a word and expects it back.
func (c *client) echo(t testing.TB, word string) {
	t.Helper()
	_, err := io.WriteString(c, word)
	require.NoError(t, err)
	got := make([]byte, len(word))
	_, err = io.ReadFull(c.r, got)
	require.NoError(t, err)
	require.Equal(t, word, string(got))
}

// ended tells how the connection ended: "closed", "reset", or the error.
func (c *client) ended() string {
	_, err := io.Copy(io.Discard, c.r)
	switch {
	case err == nil:
		return "closed"
	case errors.Is(err, unix.ECONNRESET), errors.Is(err, unix.EPIPE):
		return "reset"
	}
	return err.Error()
}

// refused connects from a source that is turned away, and tells how. The reset
// can come before connect has returned.
func refused(t testing.TB, source, addr string) string {
	t.Helper()
	d := net.Dialer{Timeout: patience, LocalAddr: &net.TCPAddr{IP: net.ParseIP(source)}}
	c, err := d.Dial("tcp", addr)
	if errors.Is(err, unix.ECONNRESET) {
		return "reset"
	}
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.SetDeadline(time.Now().Add(patience)))
	return (&client{c.(*net.TCPConn), bufio.NewReader(c)}).ended()
}

// quickChecks judge in a moment, for tests that wait for judgements.
const quickChecks = "{type: connect, interval: 200ms, fast_interval: 100ms, timeout: 2s, rise: 1, fall: 1}"

func tcpService(listen string, more string, servers ...*named) string {
	var b strings.Builder
	fmt.Fprintf(&b, "services:\n- name: S\n  protocol: tcp\n  listen: ['%s']\n  checks: [%s]\n%s  servers:\n", listen, quickChecks, more)
	for _, s := range servers {
		fmt.Fprintf(&b, "  - {name: %s, address: '%s'}\n", s.name, s.addr)
	}
	return b.String()
}
