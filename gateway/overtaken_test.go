package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/balancing"
	"gantry/gateway/config"
	"gantry/negotiate"
)

// TestReloadOvertakesAJudgement: a reload can be the first to see that a check has turned. What
// follows from it (here the count of changes; the end of sessions with on_down: close) happens
// all the same, and once.
func TestReloadOvertakesAJudgement(t *testing.T) {
	g, s := smallGateway(slog.New(slog.DiscardHandler))
	b := s.backends[0]
	turned, overtaken := make(chan struct{}), make(chan struct{})
	judged := make(chan struct{})
	g.super = negotiate.NewSupervisor(negotiate.Options{OnChange: func(k negotiate.Key, from, to negotiate.State, r negotiate.Result) {
		close(turned)
		<-overtaken
		g.judged(k, from, to, r)
		close(judged)
	}})
	goOn := sync.OnceFunc(func() { close(overtaken) })
	defer g.super.Close()
	defer goOn()
	g.plan.Load().checks = []assignment{{
		key:     negotiate.Key{Service: "DICOM", Server: "DICOM1", Check: "echo"},
		backend: b, check: negotiate.Check{
			Address:  func() (string, error) { return "nobody:1", nil },
			Dial:     func(context.Context, string) (net.Conn, error) { return nil, errors.New("no way") },
			Interval: time.Hour, Fall: 1,
		},
	}}
	g.reconcile()
	g.super.CheckNow("DICOM", "DICOM1")
	<-turned
	g.reconcile()
	require.Equal(t, balancing.Down, b.server.Health())
	require.EqualValues(t, 1, b.changes.Load())
	goOn()
	<-judged
	require.EqualValues(t, 1, b.changes.Load())
}

// TestReloadTakesAFailingCheckAway: the server comes up by that, as by a check that passes.
func TestReloadTakesAFailingCheckAway(t *testing.T) {
	s := config.Service{Flapping: config.Flapping{Hold: time.Minute, MaxHold: time.Minute, Forgive: time.Hour}}
	b := judgedBackend(s)
	b.found("echo", negotiate.Up, three)
	for range 2 {
		b.found("find", negotiate.Up, three)
		b.found("find", negotiate.Down, three)
	}
	b.release(three.Add(time.Hour))
	v := b.commit(&s, config.Server{Checks: []config.Check{{Name: "echo"}}}, three)
	require.Equal(t, balancing.Down, v.from)
	require.Equal(t, balancing.Up, v.to)
	require.Equal(t, time.Minute, v.held)
}
