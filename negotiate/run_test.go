package negotiate

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func stagesOf(r Result) (names []Stage) {
	for _, s := range r.Stages {
		names = append(names, s.Stage)
	}
	return names
}

func TestRunConnectOnly(t *testing.T) {
	r := Run(t.Context(), Check{Address: at(listen(t, func(net.Conn) {}))})
	require.True(t, r.OK())
	require.Equal(t, []Stage{StageConnect}, stagesOf(r))
	require.Equal(t, Checking, r.State, "one result alone is no judgement")
	require.Positive(t, r.Duration)
}

func TestRunTimesStages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := Run(t.Context(), Check{
			Address: at("pacs:104"), Dial: piped(silent),
			Prober: proberFunc(func(ctx context.Context, conn net.Conn) error {
				Enter(ctx, StageOpen)
				time.Sleep(time.Second)
				Enter(ctx, StageAsk)
				time.Sleep(2 * time.Second)
				Enter(ctx, StageAsk) // the same stage again adds to it
				time.Sleep(time.Second)
				Warn(ctx, &Fault{Stage: StageClose, Reason: ReasonTimeout})
				require.Equal(t, "5 s", Within(ctx))
				return nil
			}),
		})
		require.True(t, r.OK())
		require.Equal(t, []StageTime{{StageConnect, 0}, {StageOpen, time.Second}, {StageAsk, 3 * time.Second}}, r.Stages)
		require.Equal(t, 4*time.Second, r.Duration)
		require.Equal(t, ReasonTimeout, r.Warning.Reason)
	})
}

// TestRunDeadline checks that one deadline bounds the whole check, whatever hangs.
func TestRunDeadline(t *testing.T) {
	hangingDial := func(ctx context.Context, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	read := proberFunc(func(ctx context.Context, conn net.Conn) error {
		Enter(ctx, StageAsk)
		_, err := conn.Read(make([]byte, 1))
		return err
	})
	write := proberFunc(func(ctx context.Context, conn net.Conn) error {
		Enter(ctx, StageOpen)
		_, err := conn.Write(make([]byte, 1))
		return err
	})
	long := proberFunc(func(ctx context.Context, conn net.Conn) error {
		ReadWithin(ctx, conn, time.Second)
		_, err := conn.Read(make([]byte, 1))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.NoError(t, ctx.Err(), "a shorter wait ends before the check")
		ReadWithin(ctx, conn, time.Hour)
		return read(ctx, conn)
	})
	tests := []struct {
		name  string
		check Check
		stage Stage
	}{
		{"dial hangs", Check{Dial: hangingDial}, StageConnect},
		{"TLS handshake hangs", Check{Dial: piped(silent), TLS: &tls.Config{}}, StageTLS},
		{"peer says nothing", Check{Dial: piped(silent), Prober: read}, StageAsk},
		{"peer reads nothing", Check{Dial: piped(func(c net.Conn) { time.Sleep(time.Minute) }), Prober: write}, StageOpen},
		{"a wait longer than the check is cut", Check{Dial: piped(silent), Prober: long}, StageAsk},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tt.check.Address, tt.check.Timeout = at("10.0.0.1:104"), 3*time.Second
				r := Run(t.Context(), tt.check)
				require.False(t, r.OK())
				require.Equal(t, tt.stage, r.Fault.Stage)
				require.Equal(t, ReasonTimeout, r.Fault.Reason)
				require.Equal(t, 3*time.Second, r.Duration)
				require.NotEmpty(t, r.Fault.Sentence)
				time.Sleep(time.Minute) // until the peer is gone
			})
		})
	}
}

func TestRunCanceled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		r := Run(ctx, Check{Address: at("a:1"), Dial: piped(silent), Prober: proberFunc(
			func(_ context.Context, conn net.Conn) error {
				_, err := conn.Read(make([]byte, 1))
				Farewell(conn, []byte("bye"))
				return err
			})})
		require.Equal(t, ReasonCanceled, r.Fault.Reason)
		require.False(t, r.Fault.Counts())
		require.Equal(t, time.Second, r.Duration)
	})
}

// TestFarewell checks that the last word arrives although the deadline has passed, and that
// a peer that does not read it costs no more than farewellTime.
func TestFarewell(t *testing.T) {
	tests := []struct {
		name     string
		peer     func(got chan<- string) func(net.Conn)
		want     string
		duration time.Duration
	}{
		{"heard", func(got chan<- string) func(net.Conn) {
			return func(c net.Conn) {
				b, _ := io.ReadAll(c)
				got <- string(b)
			}
		}, "abort", 2 * time.Second},
		{"not read", func(got chan<- string) func(net.Conn) {
			return func(net.Conn) {
				time.Sleep(time.Minute)
				got <- ""
			}
		}, "", 2*time.Second + farewellTime},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got := make(chan string, 1)
				r := Run(t.Context(), Check{Address: at("a:1"), Timeout: 2 * time.Second, Dial: piped(tt.peer(got)),
					Prober: proberFunc(func(_ context.Context, conn net.Conn) error {
						_, err := conn.Read(make([]byte, 1))
						Farewell(conn, []byte("abort"))
						return err
					})})
				require.Equal(t, ReasonTimeout, r.Fault.Reason)
				require.Equal(t, tt.duration, r.Duration)
				require.Equal(t, tt.want, <-got)
			})
		})
	}
}

func TestRunPanic(t *testing.T) {
	tests := []struct {
		name           string
		prober         proberFunc
		sentence       string
		leaksPeerBytes string
	}{
		{"runtime error", func(context.Context, net.Conn) error {
			var b []byte
			_ = b[len(b)+1]
			return nil
		}, "index out of range [1] with length 0", ""},
		{"any other value is not quoted", func(context.Context, net.Conn) error {
			panic("Invented^Patient")
		}, "panic of type string", "Invented"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			closed := make(chan struct{})
			r := Run(t.Context(), Check{Address: at("a:1"), Prober: tt.prober, Dial: piped(func(c net.Conn) {
				silent(c)
				close(closed)
			})})
			<-closed
			require.Equal(t, ReasonInternal, r.Fault.Reason)
			require.Equal(t, StageConnect, r.Fault.Stage)
			require.Contains(t, r.Fault.Sentence, tt.sentence)
			require.Contains(t, r.Fault.Err.Error(), "gantry/negotiate.TestRunPanic")
			if tt.leaksPeerBytes != "" {
				require.NotContains(t, r.Fault.Sentence+r.Fault.Err.Error(), tt.leaksPeerBytes)
			}
		})
	}
}

func TestRunProberErrors(t *testing.T) {
	own := &Fault{Stage: StageOpen, Reason: ReasonRejected, Sentence: "no"}
	var none *Fault
	tests := []struct {
		name   string
		err    error
		reason Reason
	}{
		{"healthy", nil, ""},
		{"a nil fault is healthy too", none, ""},
		{"own fault", own, ReasonRejected},
		{"wrapped fault", errors.Join(errors.New("x"), own), ReasonRejected},
		{"end of stream", io.EOF, ReasonClosed},
		{"reset", &net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ECONNRESET)}, ReasonReset},
		{"broken pipe", syscall.EPIPE, ReasonReset},
		{"anything else", errors.New("strange bytes"), ReasonMalformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := Run(t.Context(), Check{Address: at("a:1"), Dial: piped(silent), Prober: proberFunc(
				func(ctx context.Context, _ net.Conn) error {
					Enter(ctx, StageOpen)
					return tt.err
				})})
			if tt.reason == "" {
				require.Nil(t, r.Fault)
				return
			}
			require.Equal(t, tt.reason, r.Fault.Reason)
			require.Equal(t, StageOpen, r.Fault.Stage)
		})
	}
}

func TestRunConnectFaults(t *testing.T) {
	failing := func(err error) func(context.Context, string) (net.Conn, error) {
		return func(context.Context, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", err)}
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	closedPort := l.Addr().String()
	l.Close()
	tests := []struct {
		name     string
		check    Check
		reason   Reason
		sentence string
	}{
		{"refused by the kernel", Check{Address: at(closedPort)}, ReasonRefused,
			"nothing listens on " + closedPort + " (connection refused): the service is stopped or the port is wrong"},
		{"host unreachable", Check{Dial: failing(syscall.EHOSTUNREACH)}, ReasonUnreachable,
			"the network reports that 10.0.0.1 cannot be reached: the host is off, or a router or firewall on the way says no"},
		{"no route", Check{Dial: failing(syscall.ENETUNREACH)}, ReasonUnreachable,
			"this machine has no route to 10.0.0.1: check its network configuration"},
		{"own firewall", Check{Dial: failing(syscall.EPERM)}, ReasonUnreachable,
			"this machine's own firewall does not let gantry connect to 10.0.0.1"},
		{"kernel gives up", Check{Dial: failing(syscall.ETIMEDOUT)}, ReasonTimeout,
			"no answer from 10.0.0.1:104 within 5 s: the host is off, a firewall drops the packets, or the service accepts no more connections"},
		{"reset at once", Check{Dial: failing(syscall.ECONNRESET)}, ReasonReset,
			"10.0.0.1:104 resets the connection at once: a firewall or another load balancer stands in between and has nothing behind it"},
		{"no descriptors", Check{Dial: failing(syscall.EMFILE)}, ReasonLocal,
			"gantry could not check: too many open files on this machine; this says nothing about the server"},
		{"no local ports", Check{Dial: failing(syscall.EADDRNOTAVAIL)}, ReasonLocal,
			"gantry could not check: cannot assign requested address on this machine; this says nothing about the server"},
		{"unknown name", Check{Address: func() (string, error) {
			return "", &net.DNSError{Err: "no such host", Name: "pacs1", IsNotFound: true}
		}}, ReasonUnresolved, "the name pacs1 has no address: check its spelling and the DNS entry"},
		{"name server silent", Check{Dial: func(context.Context, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "i/o timeout", Name: "pacs1", IsTimeout: true}}
		}}, ReasonUnresolved, "the name pacs1 could not be resolved: the name server does not answer; write the IP address to be independent of it"},
		{"no address yet", Check{Address: func() (string, error) { return "", errors.New("never resolved") }},
			ReasonUnresolved, "the server's address is not known: never resolved"},
		{"something new", Check{Dial: failing(syscall.EPROTO)}, ReasonUnreachable, "cannot connect to 10.0.0.1:104: protocol error"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.check.Address == nil {
				tt.check.Address = at("10.0.0.1:104")
			}
			r := Run(t.Context(), tt.check)
			require.Equal(t, StageConnect, r.Fault.Stage)
			require.Equal(t, tt.reason, r.Fault.Reason)
			require.Equal(t, tt.sentence, r.Fault.Sentence)
			require.Equal(t, tt.reason != ReasonLocal, r.Fault.Counts())
			require.Equal(t, r.Fault.Sentence, r.Fault.Error())
		})
	}
}

// TestQuickAck sends an answer in two writes with Nagle's algorithm on, as DCMTK does: without
// quick acknowledgements the second one waits 40 ms for the delayed acknowledgement.
func TestQuickAck(t *testing.T) {
	address := listen(t, func(c net.Conn) {
		_ = c.(*net.TCPConn).SetNoDelay(false)
		for b := make([]byte, 4); ; {
			if _, err := io.ReadFull(c, b); err != nil {
				return
			}
			_, _ = c.Write(b[:2])
			_, _ = c.Write(b[2:])
		}
	})
	r := Run(t.Context(), Check{Address: at(address), Prober: proberFunc(func(ctx context.Context, conn net.Conn) error {
		Enter(ctx, StageAsk)
		for range 20 {
			if _, err := conn.Write([]byte("ping")); err != nil {
				return err
			}
			if _, err := io.ReadFull(conn, make([]byte, 4)); err != nil {
				return err
			}
		}
		return nil
	})})
	require.Nil(t, r.Fault)
	require.Less(t, r.Duration, 400*time.Millisecond, "20 rounds at 40 ms would be 800 ms")
}

func TestSeconds(t *testing.T) {
	for d, want := range map[time.Duration]string{
		5 * time.Second: "5 s", 1500 * time.Millisecond: "1.5 s", 300 * time.Millisecond: "300 ms", 2 * time.Minute: "120 s",
	} {
		require.Equal(t, want, Seconds(d))
	}
}

func TestPeerWords(t *testing.T) {
	require.Equal(t, "503 Busy..level=INFO msg=forged.[2J", PeerWords("503 Busy\r\nlevel=INFO msg=forged\x1b[2J"))
	require.Len(t, PeerWords(strings.Repeat("x", 1000)), MaxPeerWords)
}

func TestClosedSets(t *testing.T) {
	require.Len(t, Stages(), 5)
	require.Len(t, Reasons(), 20)
	Reasons()[0] = "changed"
	require.Equal(t, ReasonRefused, Reasons()[0])
	require.Equal(t, "ask: timeout", (&Fault{Stage: StageAsk, Reason: ReasonTimeout}).Error())
}

// TestOutsideRun checks that a Prober may be tried without a monitor.
func TestOutsideRun(t *testing.T) {
	Enter(t.Context(), StageAsk)
	Warn(t.Context(), nil)
	require.Equal(t, "its time", Within(t.Context()))
}

func BenchmarkRun(b *testing.B) {
	address := listen(b, func(c net.Conn) { _, _ = io.Copy(c, c) })
	check := Check{Address: at(address), Prober: proberFunc(func(_ context.Context, conn net.Conn) error {
		word := []byte("ping")
		if _, err := conn.Write(word); err != nil {
			return err
		}
		_, err := io.ReadFull(conn, word)
		return err
	})}
	b.ReportAllocs()
	for b.Loop() {
		if r := Run(b.Context(), check); !r.OK() {
			b.Fatal(r.Fault)
		}
	}
}
