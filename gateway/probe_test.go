package gateway_test

import (
	"context"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gantry/gateway/admin"
)

func TestHistoryOfChecks(t *testing.T) {
	a := serve(t, "A")
	h := start(t, tcpService(freePort(t), "", a))
	h.await("S", "A", "up")
	a.stop()
	h.await("S", "A", "down")
	checks, err := h.History("S", "A")
	require.NoError(t, err)
	require.Len(t, checks, 1)
	require.Equal(t, "down", checks[0].State)
	require.Equal(t, admin.OutcomePassed, checks[0].Recent[0].Outcome)
	last := checks[0].Failures[len(checks[0].Failures)-1]
	require.Equal(t, "refused", last.Reason)
	require.Contains(t, last.Message, "nothing listens on "+a.addr)
	require.Equal(t, "connect", last.Stages[0].Stage)

	var missing *admin.NotFoundError
	_, err = h.History("S", "B")
	require.ErrorAs(t, err, &missing)
}

func TestCheckOnce(t *testing.T) {
	a := serve(t, "A")
	h := start(t, strings.ReplaceAll(tcpService(freePort(t), "", a), quickChecks,
		"{type: http, name: page, interval: 1h, timeout: 2s}"))
	h.await("S", "A", "down") // it greets, and is no web server
	before, err := h.History("S", "A")
	require.NoError(t, err)
	r, err := h.CheckOnce(context.Background(), "S", "A", "page", true)
	require.NoError(t, err)
	require.Equal(t, admin.OutcomeFailed, r.Outcome)
	require.Empty(t, r.State, "one result is no judgement")
	require.NotEmpty(t, r.Transcript)
	require.True(t, r.Transcript[0].Sent)
	after, err := h.History("S", "A")
	require.NoError(t, err)
	require.Equal(t, before, after, "it counts toward nothing")

	_, err = h.CheckOnce(context.Background(), "S", "A", "pages", false)
	require.EqualError(t, err, `no check of S/A is called "pages"; there is page`)
}

func TestProbeOfAnyTarget(t *testing.T) {
	a, stranger := serve(t, "A"), serve(t, "B")
	listen := freePort(t)
	h := start(t, tcpService(listen, "", a))
	_, port, _ := net.SplitHostPort(listen)
	for _, tt := range []struct{ name, target, outcome, reason string }{
		{"a server of the service", a.addr, admin.OutcomePassed, ""},
		{"one that is not", stranger.addr, admin.OutcomePassed, ""},
		{"nobody", "127.0.0.1:1", admin.OutcomeFailed, "refused"},
		{"without a port: the one that the service listens on", strings.TrimSuffix(listen, ":"+port), admin.OutcomePassed, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rs, err := h.Probe(context.Background(), "S", tt.target)
			require.NoError(t, err)
			require.Len(t, rs, 1)
			require.Equal(t, tt.outcome, rs[0].Outcome)
			require.Equal(t, tt.reason, rs[0].Reason)
		})
	}
	var invalid *admin.InvalidError
	for _, target := range []string{"", "http://x/", "x:0", "x:99999", "a b", "10.1.1.300"} {
		_, err := h.Probe(context.Background(), "S", target)
		require.ErrorAs(t, err, &invalid, target)
	}
	_, err := h.Probe(context.Background(), "T", "a:1")
	require.EqualError(t, err, `no service is called "T"; there is S`)
}
