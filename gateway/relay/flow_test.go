package relay_test

import (
	"bytes"
	"crypto/sha256"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"gantry/gateway/relay"
)

func TestBytesGoBothWaysAndFirstGoesFirst(t *testing.T) {
	r := newRelay(t, relay.Options{})
	addr, accept := listen(t)
	h := handler(addr)
	client := adopt(t, r, h, relay.Limits{}, "hello ")
	_, err := client.Write([]byte("server"))
	require.NoError(t, err)
	server := accept()
	buf := make([]byte, 12)
	_, err = io.ReadFull(server, buf)
	require.NoError(t, err)
	require.Equal(t, "hello server", string(buf))
	_, err = server.Write([]byte("hello client"))
	require.NoError(t, err)
	_, err = io.ReadFull(client, buf)
	require.NoError(t, err)
	require.Equal(t, "hello client", string(buf))
	require.NoError(t, client.Close())
	require.NoError(t, server.Close())
	res := h.wait(t)
	require.Equal(t, relay.Closed, res.End)
	require.Equal(t, [2]int64{12, 12}, [2]int64{res.In, res.Out})
	require.Equal(t, [2]int64{12, 12}, [2]int64{h.in, h.out})
}

// Every mode of moving bytes must move exactly the bytes that came.
func TestBulkArrivesWhole(t *testing.T) {
	for _, tt := range []struct {
		name  string
		pipes int
		size  int
		chunk int
	}{
		{"copied", -1, 20 << 20, 256 << 10},
		{"spliced", 0, 64 << 20, 1 << 20},
		{"one pipe for two ways", 1, 32 << 20, 1 << 20},
		{"small writes", 0, 2 << 20, 1000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRelay(t, relay.Options{MaxPipes: tt.pipes})
			client, server, h := pair(t, r, relay.Limits{})
			var wg sync.WaitGroup
			wg.Go(func() { exchange(t, client, 1, 2, tt.size, tt.chunk) })
			wg.Go(func() { exchange(t, server, 2, 1, tt.size, tt.chunk) })
			wg.Wait()
			res := h.wait(t)
			require.Equal(t, relay.Closed, res.End)
			require.Equal(t, [2]int64{int64(tt.size), int64(tt.size)}, [2]int64{res.In, res.Out})
		})
	}
}

// exchange sends size bytes of one stream, then FIN, while it checks that the
// other stream arrives whole.
func exchange(t testing.TB, c *net.TCPConn, send, expect uint64, size, chunk int) {
	t.Helper()
	var wg sync.WaitGroup
	wg.Go(func() {
		src := io.LimitReader(stream(send), int64(size))
		_, err := io.CopyBuffer(struct{ io.Writer }{c}, src, make([]byte, chunk))
		if err == nil {
			err = c.CloseWrite()
		}
		if err != nil {
			t.Errorf("sending: %v", err)
		}
	})
	got, want := sha256.New(), sha256.New()
	n, err := io.Copy(got, c)
	if err != nil || n != int64(size) {
		t.Errorf("received %d of %d bytes: %v", n, size, err)
	}
	_, _ = io.CopyN(want, stream(expect), int64(size))
	if !bytes.Equal(got.Sum(nil), want.Sum(nil)) {
		t.Error("other bytes arrived than were sent")
	}
	wg.Wait()
}

// stream is an endless reproducible byte stream.
func stream(seed uint64) io.Reader {
	return rand.NewChaCha8([32]byte{byte(seed)})
}

func TestHalfCloseAnswerArrives(t *testing.T) {
	r := newRelay(t, relay.Options{})
	client, server, h := pair(t, r, relay.Limits{})
	_, err := client.Write([]byte("question"))
	require.NoError(t, err)
	require.NoError(t, client.CloseWrite())
	got, err := io.ReadAll(server)
	require.NoError(t, err)
	require.Equal(t, "question", string(got))
	_, err = server.Write([]byte("answer"))
	require.NoError(t, err)
	require.NoError(t, server.Close())
	got, err = io.ReadAll(client)
	require.NoError(t, err)
	require.Equal(t, "answer", string(got))
	require.Equal(t, relay.Closed, h.wait(t).End)
}

func TestResetIsPassedOn(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  relay.End
		pick func(client, server *net.TCPConn) (resets, sees *net.TCPConn)
	}{
		{"by the server", relay.ServerReset, func(c, s *net.TCPConn) (*net.TCPConn, *net.TCPConn) { return s, c }},
		{"by the client", relay.ClientReset, func(c, s *net.TCPConn) (*net.TCPConn, *net.TCPConn) { return c, s }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRelay(t, relay.Options{})
			client, server, h := pair(t, r, relay.Limits{})
			resets, sees := tt.pick(client, server)
			_, err := resets.Write([]byte("last words"))
			require.NoError(t, err)
			words := make([]byte, 10)
			_, err = io.ReadFull(sees, words)
			require.NoError(t, err)
			require.NoError(t, resets.SetLinger(0))
			require.NoError(t, resets.Close())
			_, err = sees.Read(words)
			require.True(t, isReset(err), "got %v", err)
			require.Equal(t, tt.end, h.wait(t).End)
		})
	}
}

// A reset must get through even while the other side takes no bytes.
func TestResetGetsPastAStalledReader(t *testing.T) {
	r := newRelay(t, relay.Options{})
	client, server, h := pair(t, r, relay.Limits{})
	require.NoError(t, server.SetWriteDeadline(time.Now().Add(500*time.Millisecond)))
	_, err := server.Write(make([]byte, 64<<20)) // until every buffer on the way is full
	require.Error(t, err)
	require.NoError(t, server.SetLinger(0))
	require.NoError(t, server.Close())
	require.Equal(t, relay.ServerReset, h.wait(t).End)
	_, err = io.Copy(io.Discard, client)
	require.True(t, isReset(err), "got %v", err)
}

func TestServerThatAnswersEarlyAndHangsUp(t *testing.T) {
	r := newRelay(t, relay.Options{})
	client, server, h := pair(t, r, relay.Limits{})
	_, err := server.Write([]byte("too large"))
	require.NoError(t, err)
	require.NoError(t, server.Close())
	got := make([]byte, 9)
	_, err = io.ReadFull(client, got)
	require.NoError(t, err)
	require.Equal(t, "too large", string(got))
	for err == nil { // the client goes on until it is told
		_, err = client.Write(make([]byte, 64<<10))
	}
	require.True(t, isReset(err), "got %v", err)
	require.Contains(t, []relay.End{relay.Closed, relay.ServerReset}, h.wait(t).End)
}

func TestFailedDialGoesToTheNextServer(t *testing.T) {
	r := newRelay(t, relay.Options{})
	addr, accept := listen(t)
	h := handler(unused(t), unused(t), addr)
	client := adopt(t, r, h, relay.Limits{Connect: patience}, "to the third")
	server := accept()
	got := make([]byte, 12)
	_, err := io.ReadFull(server, got)
	require.NoError(t, err)
	require.Equal(t, "to the third", string(got))
	_, dials := h.seen()
	require.Len(t, dials, 3)
	require.ErrorIs(t, dials[0], unix.ECONNREFUSED)
	require.ErrorIs(t, dials[1], unix.ECONNREFUSED)
	require.NoError(t, dials[2])
	require.NoError(t, client.Close())
	require.NoError(t, server.Close())
	h.wait(t)
}

func TestDialTimeout(t *testing.T) {
	r := newRelay(t, relay.Options{})
	h := handler(fullBacklog(t))
	h.answer = []byte("nobody")
	client := adopt(t, r, h, relay.Limits{Connect: 50 * time.Millisecond}, "")
	got, err := io.ReadAll(client)
	require.NoError(t, err)
	require.Equal(t, "nobody", string(got))
	_, dials := h.seen()
	require.ErrorIs(t, dials[0], relay.ErrConnectTimeout)
	require.NoError(t, client.Close())
	require.Equal(t, relay.Refused, h.wait(t).End)
}

// fullBacklog returns an address whose accept queue is full: further SYNs are
// dropped by the kernel.
func fullBacklog(t testing.TB) netip.AddrPort {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = unix.Close(fd) })
	require.NoError(t, unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	require.NoError(t, unix.Listen(fd, 0))
	sa, err := unix.Getsockname(fd)
	require.NoError(t, err)
	addr := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(sa.(*unix.SockaddrInet4).Port))
	for range 4 {
		c, err := net.DialTimeout("tcp4", addr.String(), 100*time.Millisecond)
		if err != nil {
			return addr
		}
		t.Cleanup(func() { _ = c.Close() })
	}
	t.Fatal("the accept queue does not fill")
	return addr
}

func TestRefuse(t *testing.T) {
	for _, tt := range []struct{ name, answer string }{
		{"with an answer", "go away"},
		{"in silence", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRelay(t, relay.Options{})
			h := handler()
			h.answer = []byte(tt.answer)
			client := adopt(t, r, h, relay.Limits{}, "")
			got, err := io.ReadAll(client)
			require.NoError(t, err)
			require.Equal(t, tt.answer, string(got))
			require.NoError(t, client.Close())
			require.Equal(t, relay.Refused, h.wait(t).End)
		})
	}
}

func TestRefusedClientThatNeverClosesIsClosed(t *testing.T) {
	r := newRelay(t, relay.Options{})
	h := handler()
	h.answer = []byte("go away")
	adopt(t, r, h, relay.Limits{}, "")
	res := h.wait(t)
	require.Equal(t, relay.Refused, res.End)
	require.GreaterOrEqual(t, res.Took, relay.PartLinger)
}

func TestIdleLimits(t *testing.T) {
	for _, tt := range []struct {
		name   string
		limits relay.Limits
		end    relay.End
	}{
		{"client", relay.Limits{ClientIdle: 60 * time.Millisecond, ServerIdle: time.Hour}, relay.ClientIdle},
		{"server", relay.Limits{ClientIdle: time.Hour, ServerIdle: 60 * time.Millisecond}, relay.ServerIdle},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRelay(t, relay.Options{})
			client, server, h := pair(t, r, tt.limits)
			res := h.wait(t)
			require.Equal(t, tt.end, res.End)
			require.GreaterOrEqual(t, res.Took, 60*time.Millisecond)
			for _, c := range []net.Conn{client, server} {
				_, err := c.Read(make([]byte, 1))
				require.Equal(t, io.EOF, err)
			}
		})
	}
}

// The idle clock restarts with every byte.
func TestIdleLimitIsMovedByTraffic(t *testing.T) {
	r := newRelay(t, relay.Options{})
	client, server, h := pair(t, r, relay.Limits{ClientIdle: 400 * time.Millisecond, ServerIdle: 400 * time.Millisecond})
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	b := make([]byte, 1)
	for range 14 { // 700 ms
		<-tick.C
		_, err := client.Write(b)
		require.NoError(t, err)
		_, err = io.ReadFull(server, b)
		require.NoError(t, err)
	}
	require.GreaterOrEqual(t, h.wait(t).Took, 700*time.Millisecond)
}

func TestAbortResetsBothSides(t *testing.T) {
	r := newRelay(t, relay.Options{})
	client, server, h := pair(t, r, relay.Limits{})
	_, err := client.Write([]byte("x"))
	require.NoError(t, err)
	_, err = io.ReadFull(server, make([]byte, 1))
	require.NoError(t, err)
	flow, _ := h.seen()
	flow.Abort("server-down")
	require.Equal(t, relay.End("server-down"), h.wait(t).End)
	for _, c := range []net.Conn{client, server} {
		_, err := c.Read(make([]byte, 1))
		require.True(t, isReset(err), "got %v", err)
	}
	flow.Abort("again") // after the end: nothing
}

func TestClientThatLeavesDuringTheDial(t *testing.T) {
	r := newRelay(t, relay.Options{})
	h := handler(fullBacklog(t))
	client := adopt(t, r, h, relay.Limits{Connect: time.Hour}, "")
	require.NoError(t, client.SetLinger(0))
	require.NoError(t, client.Close())
	require.Equal(t, relay.ClientReset, h.wait(t).End)
}

func TestPanicCostsOneFlow(t *testing.T) {
	panics := make(chan any, 1)
	r := newRelay(t, relay.Options{Loops: 1, OnPanic: func(v any, _ []byte) { panics <- v }})
	client, server, h := pair(t, r, relay.Limits{})
	bad := handler()
	bad.onBegin = func(*relay.Flow) { panic("ouch") }
	adopt(t, r, bad, relay.Limits{}, "")
	require.Equal(t, "ouch", <-panics)
	require.Equal(t, relay.InternalError, bad.wait(t).End)
	_, err := client.Write([]byte("still here"))
	require.NoError(t, err)
	_, err = io.ReadFull(server, make([]byte, 10))
	require.NoError(t, err)
	require.NoError(t, client.Close())
	require.NoError(t, server.Close())
	require.Equal(t, relay.Closed, h.wait(t).End)
}

func TestHandlerThatDecidesNothing(t *testing.T) {
	r := newRelay(t, relay.Options{})
	h := handler()
	h.onBegin = func(*relay.Flow) {}
	adopt(t, r, h, relay.Limits{}, "")
	require.Equal(t, relay.InternalError, h.wait(t).End)
}

func TestCloseEndsEverything(t *testing.T) {
	r, err := relay.New(relay.Options{})
	require.NoError(t, err)
	client, server, h := pair(t, r, relay.Limits{})
	_, err = client.Write([]byte("x"))
	require.NoError(t, err)
	_, err = io.ReadFull(server, make([]byte, 1))
	require.NoError(t, err)
	r.Close()
	require.Equal(t, relay.Stopped, h.wait(t).End)
	late := handler()
	adopt(t, r, late, relay.Limits{}, "")
	require.Equal(t, relay.Stopped, late.wait(t).End)
}

// A slow reader slows its sender and costs the relay one pipe at most.
func TestBackPressure(t *testing.T) {
	r := newRelay(t, relay.Options{})
	client, server, h := pair(t, r, relay.Limits{})
	sent := make(chan int64, 1)
	go func() {
		n, _ := io.Copy(server, io.LimitReader(stream(3), 64<<20))
		sent <- n
		_ = server.Close()
	}()
	got := sha256.New()
	_, err := io.CopyN(got, client, 1<<20)
	require.NoError(t, err)
	select {
	case n := <-sent:
		t.Fatalf("%d bytes went out although the client took 1 MiB", n)
	default:
	}
	_, err = io.Copy(got, client)
	require.NoError(t, err)
	want := sha256.New()
	_, _ = io.CopyN(want, stream(3), 64<<20)
	require.Equal(t, want.Sum(nil), got.Sum(nil))
	require.NoError(t, client.Close())
	require.Equal(t, int64(64<<20), h.wait(t).Out)
}

// A peer that writes head and body apart, with Nagle's algorithm on, holds the
// body until the head is acknowledged; a kernel takes 40 ms for that. The relay
// acknowledges at once, also when the peer was a single-segment talker before.
func TestHeadAndBodyWrittenApartDoNotWait(t *testing.T) {
	const turns, stall = 30, 40 * time.Millisecond
	for _, tt := range []struct {
		name   string
		before int // turns of one segment each
	}{{"from the start", 0}, {"after a steady conversation", 100}} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRelay(t, relay.Options{})
			client, server, _ := pair(t, r, relay.Limits{})
			require.NoError(t, client.SetNoDelay(false))
			go func() {
				buf := make([]byte, 24)
				for range tt.before + turns {
					if _, err := io.ReadFull(server, buf); err != nil {
						return
					}
					_, _ = server.Write(buf)
				}
			}()
			buf := make([]byte, 24)
			for range tt.before {
				_, err := client.Write(buf)
				require.NoError(t, err)
				_, err = io.ReadFull(client, buf)
				require.NoError(t, err)
			}
			start := time.Now()
			for range turns {
				_, err := client.Write(buf[:12])
				require.NoError(t, err)
				_, err = client.Write(buf[12:])
				require.NoError(t, err)
				_, err = io.ReadFull(client, buf)
				require.NoError(t, err)
			}
			require.Less(t, time.Since(start), turns*stall/2, "the peer waited for delayed acknowledgements")
		})
	}
}
