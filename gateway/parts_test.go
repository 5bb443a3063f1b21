package gateway

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"gantry/balancing"
	"gantry/gateway/admin"
	"gantry/gateway/config"
	"gantry/gateway/relay"
)

func TestDivide(t *testing.T) {
	for _, tt := range []struct{ limit, listeners, connections int }{
		{256, 2, 81},
		{1024, 2, 417},
		{20_000, 4, 9_676},
		{1 << 20, 100, 523_724},
	} {
		t.Run(fmt.Sprint(tt.limit), func(t *testing.T) {
			s, err := divide(tt.limit, tt.listeners)
			require.NoError(t, err)
			require.Equal(t, tt.connections, s.connections)
			used := 2*s.connections + 2*s.pipes + s.checks + s.admin + descriptorsBase + descriptorsPort*tt.listeners
			require.Less(t, used, tt.limit, "gnet stops when descriptors run out")
		})
	}
	_, err := divide(64, 1)
	require.EqualError(t, err, "the limit on open files is too small: 64 are allowed, at least 121 are needed; raise it (LimitNOFILE, ulimit -n)")
}

func TestBudget(t *testing.T) {
	b := newBudget(2)
	require.True(t, b.acquire())
	require.True(t, b.acquire())
	require.False(t, b.acquire())
	empty := b.empty()
	b.release()
	select {
	case <-empty:
		t.Fatal("one is left")
	default:
	}
	b.release()
	<-empty
	<-b.empty()
}

func TestEventRing(t *testing.T) {
	r := newEventRing(3)
	require.Empty(t, r.newestFirst())
	for i := range 5 {
		r.add(admin.Event{Message: fmt.Sprint(i)})
	}
	var got []string
	for _, e := range r.newestFirst() {
		got = append(got, e.Message)
	}
	require.Equal(t, []string{"4", "3", "2"}, got)
}

func TestVIPCountsSources(t *testing.T) {
	v := newVIP()
	a, b := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")
	limits := config.Limits{Connections: 3, ConnectionsPerSource: 2}
	for _, tt := range []struct {
		source netip.Addr
		want   refusal
		ok     bool
	}{{a, 0, true}, {a, 0, true}, {a, refusedSource, false}, {b, 0, true}, {b, refusedConnections, false}} {
		why, ok := v.enter(limits, tt.source)
		require.Equal(t, tt.ok, ok)
		require.Equal(t, tt.want, why)
	}
	v.leave(a, true)
	v.leave(a, true)
	v.leave(b, true)
	require.Zero(t, v.active.Load())
	require.Empty(t, v.sources, "nothing is kept of clients that left")
}

func TestFailureOf(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want balancing.Failure
	}{
		{unix.ECONNREFUSED, balancing.Refused},
		{relay.ErrConnectTimeout, balancing.Timeout},
		{unix.ETIMEDOUT, balancing.Timeout},
		{unix.EHOSTUNREACH, balancing.Unreachable},
		{unix.ENETUNREACH, balancing.Unreachable},
		{unix.ECONNRESET, balancing.Reset},
		{unix.EMFILE, balancing.Local},
		{unix.EADDRNOTAVAIL, balancing.Local},
		{unix.EPROTO, balancing.Other},
	} {
		t.Run(tt.err.Error(), func(t *testing.T) { require.Equal(t, tt.want, failureOf(tt.err)) })
	}
}
