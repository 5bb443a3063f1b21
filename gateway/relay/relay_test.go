package relay_test

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"gantry/gateway/relay"
)

// patience bounds every wait of these tests; none of them relies on it.
const patience = 20 * time.Second

// plain is a Handler that dials the given addresses in turn and remembers.
type plain struct {
	addrs   []netip.AddrPort
	answer  []byte // for when no address is left
	onBegin func(f *relay.Flow)

	mu      sync.Mutex
	dials   []error
	in, out int64
	flow    *relay.Flow
	done    chan relay.Result
}

func handler(addrs ...netip.AddrPort) *plain {
	return &plain{addrs: addrs, done: make(chan relay.Result, 1)}
}

func (h *plain) Begin(f *relay.Flow) {
	h.mu.Lock()
	h.flow = f
	h.mu.Unlock()
	if h.onBegin != nil {
		h.onBegin(f)
		return
	}
	h.next(f)
}

func (h *plain) next(f *relay.Flow) {
	if len(h.addrs) == 0 {
		f.Refuse(h.answer)
		return
	}
	addr := h.addrs[0]
	h.addrs = h.addrs[1:]
	f.Dial(addr)
}

func (h *plain) Dialed(f *relay.Flow, _ netip.AddrPort, _ time.Duration, err error) {
	h.mu.Lock()
	h.dials = append(h.dials, err)
	h.mu.Unlock()
	if err != nil {
		h.next(f)
	}
}

func (h *plain) Moved(in, out int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.in += in
	h.out += out
}

func (h *plain) Done(_ *relay.Flow, r relay.Result) { h.done <- r }

// seen returns the flow and the outcomes of its dials so far.
func (h *plain) seen() (*relay.Flow, []error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.flow, h.dials
}

func (h *plain) wait(t testing.TB) relay.Result {
	t.Helper()
	select {
	case r := <-h.done:
		return r
	case <-time.After(patience):
		t.Fatal("the flow did not end")
		return relay.Result{}
	}
}

func newRelay(t testing.TB, o relay.Options) *relay.Relay {
	t.Helper()
	before := openFiles(t)
	r, err := relay.New(o)
	require.NoError(t, err)
	t.Cleanup(func() {
		r.Close()
		require.Zero(t, r.Flows())
		require.Equal(t, before, openFiles(t), "descriptors leaked")
	})
	return r
}

func openFiles(t testing.TB) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	return len(list)
}

// listen opens a loopback port and returns accepted connections one by one.
func listen(t testing.TB) (netip.AddrPort, func() *net.TCPConn) {
	t.Helper()
	l, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().(*net.TCPAddr).AddrPort(), func() *net.TCPConn {
		t.Helper()
		require.NoError(t, l.SetDeadline(time.Now().Add(patience)))
		c, err := l.AcceptTCP()
		require.NoError(t, err)
		t.Cleanup(func() { _ = c.Close() })
		require.NoError(t, c.SetDeadline(time.Now().Add(patience)))
		return c
	}
}

// unused returns an address where nobody listens.
func unused(t testing.TB) netip.AddrPort {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = unix.Close(fd) })
	require.NoError(t, unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	sa, err := unix.Getsockname(fd)
	require.NoError(t, err)
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(sa.(*unix.SockaddrInet4).Port))
}

// adopt makes a client connection and hands its far end to the relay.
func adopt(t testing.TB, r *relay.Relay, h relay.Handler, l relay.Limits, first string) *net.TCPConn {
	t.Helper()
	addr, accept := listen(t)
	c, err := net.DialTCP("tcp4", nil, net.TCPAddrFromAddrPort(addr))
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	require.NoError(t, c.SetDeadline(time.Now().Add(patience)))
	far := accept()
	raw, err := far.SyscallConn()
	require.NoError(t, err)
	var fd int
	require.NoError(t, raw.Control(func(u uintptr) { fd, err = unix.FcntlInt(u, unix.F_DUPFD_CLOEXEC, 0) }))
	require.NoError(t, err)
	require.NoError(t, far.Close())
	r.Adopt(relay.Config{Client: fd, First: []byte(first), Handler: h, Limits: l})
	return c
}

// pair sets a whole flow up: client and server ends, connected.
func pair(t testing.TB, r *relay.Relay, l relay.Limits) (client, server *net.TCPConn, h *plain) {
	t.Helper()
	addr, accept := listen(t)
	h = handler(addr)
	client = adopt(t, r, h, l, "")
	return client, accept(), h
}

func isReset(err error) bool { return errors.Is(err, unix.ECONNRESET) || errors.Is(err, unix.EPIPE) }
