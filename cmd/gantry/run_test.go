package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/gateway/admin"
	"gantry/gateway/config"
)

// fakeGateway does as it is told.
type fakeGateway struct {
	startErr, reloadErr, readyErr error
	stopErr                       error
	sessions                      chan struct{} // Stop waits until it is closed; nil = none is left
	deaf                          bool          // Stop does not heed its context
	config                        *config.Config
	log                           *slog.Logger

	reloads []string // by whom
	cut     bool     // Stop's context ended
}

var _ process = (*fakeGateway)(nil)

func (g *fakeGateway) Start(context.Context) error { return g.startErr }
func (g *fakeGateway) Ready() error                { return g.readyErr }
func (g *fakeGateway) AdminAddr() string           { return "127.0.0.1:9440" }
func (g *fakeGateway) Config() *config.Config      { return g.config }

func (g *fakeGateway) Reload(ctx context.Context) (admin.Reloaded, error) {
	g.reloads = append(g.reloads, admin.Actor(ctx))
	return admin.Reloaded{}, g.reloadErr
}

func (g *fakeGateway) Stop(ctx context.Context) error {
	if g.sessions == nil {
		return g.stopErr
	}
	ended := ctx.Done()
	if g.deaf {
		ended = nil
	}
	select {
	case <-g.sessions:
		return g.stopErr
	case <-ended:
		g.cut = true
		return ctx.Err()
	}
}

// rehearsal runs `gantry run` with a fake gateway in a synctest bubble.
type rehearsal struct {
	*stage
	gw       *fakeGateway
	arrived  chan os.Signal
	released bool
	notified []string
	code     chan int
}

func rehearse(t *testing.T, gw *fakeGateway, watchdog time.Duration) *rehearsal {
	r := &rehearsal{stage: newStage(), gw: gw, arrived: make(chan os.Signal, 8), code: make(chan int, 1)}
	r.signals = func(...os.Signal) (<-chan os.Signal, func()) { return r.arrived, func() { r.released = true } }
	r.notify = func(state string) { r.notified = append(r.notified, state) }
	r.watchdog = func() time.Duration { return watchdog }
	r.open = func(o gatewayOptions) (process, error) {
		gw.log = o.Logger
		if gw.config == nil {
			gw.config = &config.Config{Services: make([]config.Service, 2)}
		}
		return gw, nil
	}
	go func() { r.code <- r.run(t, "run", "--config", "testdata/gantry.yaml") }()
	synctest.Wait()
	return r
}

// send delivers signals and waits until the program has done what it does about them.
func (r *rehearsal) send(signals ...os.Signal) {
	for _, s := range signals {
		r.arrived <- s
		synctest.Wait()
	}
}

// pass lets the bubble's time go by.
func (r *rehearsal) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func bubble(t *testing.T, name string, f func(t *testing.T)) {
	t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
}

func TestRunLife(t *testing.T) {
	bubble(t, "ready, then SIGTERM with no session left", func(t *testing.T) {
		r := rehearse(t, &fakeGateway{}, 0)
		require.Equal(t, []string{"READY=1\nSTATUS=serving 2 services"}, r.notified)
		r.send(syscall.SIGTERM)
		require.Equal(t, exitOK, <-r.code)
		require.Equal(t, "STOPPING=1\nEXTEND_TIMEOUT_USEC=30000000", r.notified[1])
		require.True(t, r.released)
	})
	bubble(t, "SIGINT drains as well", func(t *testing.T) {
		gw := &fakeGateway{sessions: make(chan struct{})}
		r := rehearse(t, gw, 0)
		r.send(syscall.SIGINT)
		require.Empty(t, r.code, "a session is running")
		close(gw.sessions)
		require.Equal(t, exitOK, <-r.code)
		require.False(t, gw.cut)
	})
	bubble(t, "a second signal stops at once", func(t *testing.T) {
		gw := &fakeGateway{sessions: make(chan struct{})}
		r := rehearse(t, gw, 0)
		r.send(syscall.SIGTERM)
		require.False(t, r.released)
		r.send(syscall.SIGTERM)
		require.Equal(t, exitOK, <-r.code)
		require.True(t, gw.cut)
		require.True(t, r.released, "a third signal kills")
	})
	bubble(t, "a gateway that does not stop is left", func(t *testing.T) {
		gw := &fakeGateway{sessions: make(chan struct{}), deaf: true}
		r := rehearse(t, gw, 0)
		r.send(syscall.SIGTERM, syscall.SIGINT)
		require.Equal(t, exitFailed, <-r.code)
		require.Contains(t, r.err.String(), "gantry: the gateway did not stop within 5s\n")
		close(gw.sessions)
	})
	bubble(t, "a stop that fails", func(t *testing.T) {
		r := rehearse(t, &fakeGateway{stopErr: errors.New("a listener would not close")}, 0)
		r.send(syscall.SIGTERM)
		require.Equal(t, exitFailed, <-r.code)
		require.Contains(t, r.err.String(), "gantry: a listener would not close\n")
	})
	bubble(t, "no reload while stopping", func(t *testing.T) {
		gw := &fakeGateway{sessions: make(chan struct{})}
		r := rehearse(t, gw, 0)
		r.send(syscall.SIGTERM, syscall.SIGHUP)
		require.Empty(t, gw.reloads)
		close(gw.sessions)
		require.Equal(t, exitOK, <-r.code)
	})
}

func TestRunReload(t *testing.T) {
	bubble(t, "SIGHUP", func(t *testing.T) {
		r := rehearse(t, &fakeGateway{}, 0)
		r.send(syscall.SIGHUP)
		require.Equal(t, []string{"signal"}, r.gw.reloads)
		require.Regexp(t, `^RELOADING=1\nMONOTONIC_USEC=[1-9]\d+$`, r.notified[1])
		require.Equal(t, "READY=1\nSTATUS=serving 2 services", r.notified[2])
		r.send(syscall.SIGTERM)
		require.Equal(t, exitOK, <-r.code)
	})
	bubble(t, "a refused file is said and life goes on", func(t *testing.T) {
		gw := &fakeGateway{reloadErr: &admin.ReloadError{Problems: []admin.Problem{
			{File: "gantry.yaml", Line: 3, Col: 5, Path: "services", Message: "missing"}}}}
		r := rehearse(t, gw, 0)
		r.send(syscall.SIGHUP, syscall.SIGHUP)
		require.Len(t, gw.reloads, 2)
		require.Equal(t, "READY=1\nSTATUS=the last reload was refused; the older configuration stays in force", r.notified[2])
		r.send(syscall.SIGTERM)
		require.Equal(t, exitOK, <-r.code)
	})
	bubble(t, "the log level follows", func(t *testing.T) {
		r := rehearse(t, &fakeGateway{config: &config.Config{Log: config.Log{Level: "error"}}}, 0)
		r.gw.log.Warn("one")
		r.gw.config = &config.Config{Log: config.Log{Level: "debug"}}
		r.gw.log.Debug("two")
		require.NotContains(t, r.err.String(), "one")
		require.Contains(t, r.err.String(), `"msg":"two"`, "JSON, as the file says")
		r.send(syscall.SIGTERM)
		require.Equal(t, exitOK, <-r.code)
	})
}

func TestRunWatchdog(t *testing.T) {
	count := func(r *rehearsal, state string) (n int) {
		for _, s := range r.notified {
			if strings.Contains(s, state) {
				n++
			}
		}
		return n
	}
	bubble(t, "twice each interval, while serving and while draining", func(t *testing.T) {
		gw := &fakeGateway{sessions: make(chan struct{})}
		r := rehearse(t, gw, 30*time.Second)
		r.pass(61 * time.Second)
		require.Equal(t, 4, count(r, "WATCHDOG=1"))
		r.send(syscall.SIGTERM)
		r.pass(31 * time.Second)
		require.Equal(t, 4+3, count(r, "WATCHDOG=1"))
		require.Equal(t, 1+3, count(r, "EXTEND_TIMEOUT_USEC=30000000"), "timeouts.drain decides, not the unit")
		close(gw.sessions)
		require.Equal(t, exitOK, <-r.code)
	})
	bubble(t, "not for a gateway that does not serve", func(t *testing.T) {
		r := rehearse(t, &fakeGateway{readyErr: errors.New("the listener of DICOM is gone")}, 30*time.Second)
		r.pass(61 * time.Second)
		require.Zero(t, count(r, "WATCHDOG=1"))
		require.Contains(t, r.err.String(), "the listener of DICOM is gone")
		r.send(syscall.SIGTERM)
		require.Equal(t, exitOK, <-r.code)
	})
}

func TestRunThatDoesNotStart(t *testing.T) {
	bubble(t, "a listener in use", func(t *testing.T) {
		r := rehearse(t, &fakeGateway{startErr: errors.New("service DICOM: cannot listen on 127.0.0.1:104: address already in use")}, 0)
		require.Equal(t, exitFailed, <-r.code)
		require.Equal(t, "gantry: service DICOM: cannot listen on 127.0.0.1:104: address already in use\n", r.err.String())
		require.Empty(t, r.notified, "the service manager never hears READY")
	})
	t.Run("a bad configuration", func(t *testing.T) {
		s := newStage()
		require.Equal(t, exitUsage, s.run(t, "run", "--config", "testdata/bad.yaml"))
		golden(t, "check-bad.txt", s.err.String())
		require.Empty(t, s.out.String())
	})
	t.Run("a file that is not there", func(t *testing.T) {
		s := newStage()
		require.Equal(t, exitUsage, s.run(t, "run", "--config", "testdata/none.yaml"))
		require.Contains(t, s.err.String(), "testdata/none.yaml: cannot read the file")
	})
	t.Run("a gateway that cannot be made", func(t *testing.T) {
		s := newStage()
		s.open = func(gatewayOptions) (process, error) { return nil, errors.New("no memory for pipes") }
		require.Equal(t, exitFailed, s.run(t, "run", "-c", "testdata/gantry.yaml"))
		require.Equal(t, "gantry: no memory for pipes\n", s.err.String())
	})
}

func TestLogForms(t *testing.T) {
	var level liveLevel
	for word, want := range map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn,
		"error": slog.LevelError} {
		level.follow(func() string { return word })
		require.Equal(t, want, level.Level())
	}
	require.Equal(t, slog.LevelInfo, (&liveLevel{}).Level())

	s := newStage()
	newLogger(&s.err, "text", &level).Error("a", "service", "HL7")
	require.Contains(t, s.err.String(), "msg=a service=HL7")
	s.err.Reset()
	newLogger(&s.err, "json", &level).Error("a", "service", "HL7")
	require.True(t, json.Valid(s.err.Bytes()))
}
