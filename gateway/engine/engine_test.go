package engine

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// patience bounds every wait of these tests; none of them relies on it.
const patience = 20 * time.Second

// given is what Ready was called with.
type given struct {
	conn  *Conn
	file  net.Conn
	first string
	err   error
}

// script is a Handler whose answers the test sets.
type script struct {
	expect  Expect
	refuse  error
	onOpen  func()
	ready   chan given
	lost    chan error
	opened  chan netip.AddrPort
	handled testing.TB
}

func newScript(t testing.TB, e Expect) *script {
	return &script{expect: e, ready: make(chan given, 64), lost: make(chan error, 64), opened: make(chan netip.AddrPort, 64), handled: t}
}

func (s *script) Open(c *Conn) (Expect, error) {
	if s.onOpen != nil {
		s.onOpen()
	}
	s.opened <- c.Source
	return s.expect, s.refuse
}

func (s *script) Ready(c *Conn, fd int, first []byte, err error) {
	f := os.NewFile(uintptr(fd), "client")
	file, fileErr := net.FileConn(f)
	_ = f.Close()
	if fileErr != nil {
		s.handled.Errorf("the descriptor is no connection: %v", fileErr)
		return
	}
	s.ready <- given{c, file, string(first), err}
}

func (s *script) Lost(_ *Conn, err error) { s.lost <- err }

func (s *script) waitReady(t testing.TB) given {
	t.Helper()
	select {
	case g := <-s.ready:
		t.Cleanup(func() { _ = g.file.Close() })
		require.NoError(t, g.file.SetDeadline(time.Now().Add(patience)))
		return g
	case err := <-s.lost:
		t.Fatalf("lost instead of ready: %v", err)
	case <-time.After(patience):
		t.Fatal("not ready")
	}
	return given{}
}

func (s *script) waitLost(t testing.TB) error {
	t.Helper()
	select {
	case err := <-s.lost:
		return err
	case g := <-s.ready:
		t.Fatalf("ready instead of lost, with %q", g.first)
	case <-time.After(patience):
		t.Fatal("not lost")
	}
	return nil
}

var loopback = netip.MustParseAddrPort("127.0.0.1:0")

func open(t testing.TB, h Handler) *Listener {
	t.Helper()
	l, err := Listen(loopback, Options{Handler: h, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(l.Close)
	return l
}

func dial(t testing.TB, l *Listener) *net.TCPConn {
	t.Helper()
	c, err := net.DialTimeout("tcp", l.Addr().String(), patience)
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	require.NoError(t, c.SetDeadline(time.Now().Add(patience)))
	return c.(*net.TCPConn)
}

// sized is a protocol whose first byte is the length of the unit; 0 is a
// mistake.
var errZero = errors.New("length 0")

func sized(within time.Duration) Expect {
	return Expect{Head: 1, Within: within, Length: func(head []byte) (int, error) {
		if head[0] == 0 {
			return 0, errZero
		}
		return int(head[0]), nil
	}}
}

func TestHandOverAtOnce(t *testing.T) {
	s := newScript(t, Expect{})
	l := open(t, s)
	c := dial(t, l)
	g := s.waitReady(t)
	require.Empty(t, g.first)
	require.Equal(t, c.LocalAddr().String(), g.conn.Source.String())
	require.Equal(t, l.Addr(), g.conn.Local)
	_, err := c.Write([]byte("later"))
	require.NoError(t, err)
	buf := make([]byte, 5)
	_, err = io.ReadFull(g.file, buf)
	require.NoError(t, err)
	require.Equal(t, "later", string(buf))
	l.Close() // a connection that was given away survives its listener
	_, err = g.file.Write([]byte("still"))
	require.NoError(t, err)
	_, err = io.ReadFull(c, buf)
	require.NoError(t, err)
	require.Equal(t, "still", string(buf))
}

func TestFirstUnit(t *testing.T) {
	for _, tt := range []struct {
		name   string
		writes []string
		first  string
		rest   string
		err    error
	}{
		{"in one piece", []string{"\x04abc"}, "\x04abc", "", nil},
		{"byte by byte", []string{"\x04", "a", "b", "c"}, "\x04abc", "", nil},
		{"with bytes behind it", []string{"\x04abcdef"}, "\x04abcdef", "", nil},
		{"and more later", []string{"\x02a", "xyz"}, "\x02a", "xyz", nil},
		{"malformed", []string{"\x00abc"}, "\x00abc", "", errZero},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newScript(t, sized(patience))
			c := dial(t, open(t, s))
			all := ""
			for _, w := range tt.writes {
				_, err := c.Write([]byte(w))
				require.NoError(t, err)
				all += w
			}
			g := s.waitReady(t)
			require.ErrorIs(t, g.err, tt.err)
			require.NoError(t, c.CloseWrite())
			rest, err := io.ReadAll(g.file)
			require.NoError(t, err)
			// How much came before the hand-over depends on timing; that all
			// of it arrives in order does not.
			require.Equal(t, all, g.first+string(rest))
			require.GreaterOrEqual(t, len(g.first), len(tt.first))
		})
	}
}

func TestLost(t *testing.T) {
	for _, tt := range []struct {
		name   string
		within time.Duration
		act    func(t *testing.T, c *net.TCPConn, l *Listener)
		want   error
	}{
		{"silent", 50 * time.Millisecond, func(*testing.T, *net.TCPConn, *Listener) {}, ErrHandshakeTimeout},
		{"incomplete", 50 * time.Millisecond, func(t *testing.T, c *net.TCPConn, _ *Listener) {
			_, err := c.Write([]byte("\x09abc"))
			require.NoError(t, err)
		}, ErrHandshakeTimeout},
		{"left politely", 0, func(t *testing.T, c *net.TCPConn, _ *Listener) { require.NoError(t, c.Close()) }, ErrClientClosed},
		{"left by a reset", 0, func(t *testing.T, c *net.TCPConn, _ *Listener) {
			require.NoError(t, c.SetLinger(0))
			require.NoError(t, c.Close())
		}, ErrClientClosed},
		{"left half way", 0, func(t *testing.T, c *net.TCPConn, _ *Listener) {
			_, err := c.Write([]byte("\x09abc"))
			require.NoError(t, err)
			require.NoError(t, c.Close())
		}, ErrClientClosed},
		{"listener closed", 0, func(_ *testing.T, _ *net.TCPConn, l *Listener) { l.Close() }, ErrStopped},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newScript(t, sized(tt.within))
			l := open(t, s)
			c := dial(t, l)
			<-s.opened
			tt.act(t, c, l)
			require.ErrorIs(t, s.waitLost(t), tt.want)
			require.Zero(t, pendingBytes.Load())
		})
	}
}

// The whole unit must be in within the time, not each byte of it.
func TestDripIsCut(t *testing.T) {
	s := newScript(t, sized(300*time.Millisecond))
	c := dial(t, open(t, s))
	_, err := c.Write([]byte{200})
	require.NoError(t, err)
	tick := time.NewTicker(40 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			_, _ = c.Write([]byte("x"))
		case err := <-s.lost:
			require.ErrorIs(t, err, ErrHandshakeTimeout)
			return
		}
	}
}

func TestRefusedIsReset(t *testing.T) {
	s := newScript(t, Expect{})
	s.refuse = errors.New("not today")
	c, err := net.DialTimeout("tcp", open(t, s).Addr().String(), patience)
	if err == nil { // else the reset was faster than the return of connect
		defer c.Close()
		require.NoError(t, c.SetDeadline(time.Now().Add(patience)))
		_, err = c.Read(make([]byte, 1))
	}
	require.ErrorIs(t, err, unix.ECONNRESET)
}

func TestUnspecifiedIPv6TakesIPv4Too(t *testing.T) {
	s := newScript(t, Expect{})
	l, err := Listen(netip.MustParseAddrPort("[::]:0"), Options{Handler: s, Logger: slog.New(slog.DiscardHandler)})
	if errors.Is(err, unix.EAFNOSUPPORT) {
		t.Skip("this machine has no IPv6")
	}
	require.NoError(t, err)
	t.Cleanup(l.Close)
	c, err := net.DialTimeout("tcp4", netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), l.Addr().Port()).String(), patience)
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	require.True(t, s.waitReady(t).conn.Source.Addr().Is4(), "shown as what it is")
	_, err = Listen(netip.AddrPortFrom(netip.MustParseAddr("0.0.0.0"), l.Addr().Port()), Options{Handler: s, Logger: slog.New(slog.DiscardHandler)})
	require.ErrorIs(t, err, unix.EADDRINUSE)
}

func TestPanicCostsOneConnection(t *testing.T) {
	s := newScript(t, Expect{})
	first := true
	s.onOpen = func() {
		if first {
			first = false
			panic("ouch")
		}
	}
	panics := make(chan any, 1)
	l, err := Listen(loopback, Options{Handler: s, Logger: slog.New(slog.DiscardHandler), OnPanic: func(v any) { panics <- v }})
	require.NoError(t, err)
	t.Cleanup(l.Close)
	c := dial(t, l)
	require.Equal(t, "ouch", <-panics)
	_, err = c.Read(make([]byte, 1))
	require.Error(t, err)
	dial(t, l)
	s.waitReady(t)
}

func TestMemoryOfUnfinishedUnitsIsBounded(t *testing.T) {
	expect := Expect{Head: 1, Length: func(head []byte) (int, error) { return int(head[0]) << 10, nil }}
	s := newScript(t, expect)
	l := open(t, s)
	pendingBytes.Add(MaxPending) // as if others held it all
	t.Cleanup(func() { require.Zero(t, pendingBytes.Add(-MaxPending)) })
	large := dial(t, l)
	_, err := large.Write(append([]byte{64}, make([]byte, 40<<10)...))
	require.NoError(t, err)
	require.ErrorIs(t, s.waitLost(t), ErrTooManyBytes)
	small := dial(t, l)
	_, err = small.Write(append([]byte{8}, make([]byte, 4<<10)...))
	require.NoError(t, err)
	_, err = small.Write(make([]byte, 4<<10))
	require.NoError(t, err)
	require.NoError(t, s.waitReady(t).err, "ordinary requests are not the ones to suffer")
}

func TestLargeUnitsCountUntilTheyAreReleased(t *testing.T) {
	s := newScript(t, Expect{Head: 1, Length: func([]byte) (int, error) { return 100 << 10, nil }})
	c := dial(t, open(t, s))
	_, err := c.Write(make([]byte, 100<<10))
	require.NoError(t, err)
	g := s.waitReady(t)
	require.Equal(t, int64(100<<10-FreePending), pendingBytes.Load())
	g.conn.Release()
	g.conn.Release()
	require.Zero(t, pendingBytes.Load())
}

func TestBesideAnotherOfOurs(t *testing.T) {
	s := newScript(t, Expect{})
	l := open(t, s)
	wide := netip.AddrPortFrom(netip.MustParseAddr("0.0.0.0"), l.Addr().Port())
	_, err := Listen(wide, Options{Handler: s, Logger: slog.New(slog.DiscardHandler)})
	require.ErrorIs(t, err, unix.EADDRINUSE)
	both, err := Listen(wide, Options{Handler: s, Logger: slog.New(slog.DiscardHandler), Beside: true})
	require.NoError(t, err)
	both.Close()
	dial(t, l)
	s.waitReady(t)
}

func TestAddressInUse(t *testing.T) {
	l := open(t, newScript(t, Expect{}))
	_, err := Listen(l.Addr(), Options{Handler: newScript(t, Expect{}), Logger: slog.New(slog.DiscardHandler)})
	require.ErrorIs(t, err, unix.EADDRINUSE)
	require.ErrorContains(t, err, "cannot listen on "+l.Addr().String())
	l.Close()
	again, err := Listen(l.Addr(), Options{Handler: newScript(t, Expect{}), Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	again.Close()
}

func TestUnknownAddress(t *testing.T) {
	_, err := Listen(netip.MustParseAddrPort("192.0.2.1:7"), Options{Handler: newScript(t, Expect{}), Logger: slog.New(slog.DiscardHandler)})
	require.ErrorIs(t, err, unix.EADDRNOTAVAIL)
	require.ErrorContains(t, err, "this machine has no such address")
}

func TestIPv6(t *testing.T) {
	s := newScript(t, Expect{})
	l, err := Listen(netip.MustParseAddrPort("[::1]:0"), Options{Handler: s, Logger: slog.New(slog.DiscardHandler)})
	if errors.Is(err, unix.EADDRNOTAVAIL) || errors.Is(err, unix.EAFNOSUPPORT) {
		t.Skip("this machine has no IPv6")
	}
	require.NoError(t, err)
	t.Cleanup(l.Close)
	dial(t, l)
	require.True(t, s.waitReady(t).conn.Source.Addr().Is6())
}

// gnet stops an engine whose accept fails. Ours is opened again, on the same
// port, and serves.
func TestComesBackAfterRunningOutOfDescriptors(t *testing.T) {
	s := newScript(t, Expect{})
	l := open(t, s)
	dial(t, l)
	s.waitReady(t) // everything lazy is open by now
	client, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	defer func() { _ = unix.Close(client) }()

	var was unix.Rlimit
	require.NoError(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &was))
	none := was
	none.Cur = 3 // no new descriptor can be had; the open ones go on
	require.NoError(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &none))
	restored := false
	restore := func() {
		if !restored {
			restored = true
			require.NoError(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &was))
		}
	}
	defer restore()
	before := l.engine.Load()
	require.NoError(t, unix.Connect(client, &unix.SockaddrInet4{Port: int(l.Addr().Port()), Addr: [4]byte{127, 0, 0, 1}}))
	require.Eventually(t, func() bool { return before.Validate() != nil }, patience, 5*time.Millisecond, "the engine did not stop")
	restore()
	require.Eventually(t, func() bool { return l.engine.Load() != before }, patience, 5*time.Millisecond, "the engine did not come back")
	dial(t, l)
	s.waitReady(t)
}
