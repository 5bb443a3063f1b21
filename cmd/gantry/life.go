package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"syscall"
	"time"
)

const (
	// reloadTimeout bounds a reload by signal. It is below half of the unit's WatchdogSec: no sign of life is given
	// while a reload runs.
	reloadTimeout = 10 * time.Second
	// abortGrace is how long the gateway may take after the second signal to give everything back.
	abortGrace = 5 * time.Second
	// extendEvery and extendBy: while sessions drain, the service manager is asked for more time again and again, so
	// that timeouts.drain holds and not the unit's TimeoutStopSec.
	extendEvery = 10 * time.Second
	extendBy    = 30 * time.Second
)

// life is the running of a gateway as a process, from start to exit code.
type life struct {
	*surroundings
	gw      process
	log     *slog.Logger
	arrived <-chan os.Signal
}

// run starts the gateway, does what the signals say, and returns when it has stopped. The end of ctx is as a SIGTERM.
func (l *life) run(ctx context.Context) error {
	arrived, release := l.signals(syscall.SIGHUP, syscall.SIGTERM, syscall.SIGINT)
	defer release()
	l.arrived = arrived
	if err := l.gw.Start(ctx); err != nil {
		return err
	}
	l.log.Info("ready", "admin", "http://"+l.gw.AdminAddr())
	l.notify(notifyReady("serving " + count(len(l.gw.Config().Services), "service")))
	l.serve(ctx)
	return l.stop(release)
}

// serve handles signals and gives signs of life until the gateway is to stop.
func (l *life) serve(ctx context.Context) {
	alive, quiet := l.heartbeat()
	defer quiet()
	for {
		select {
		case <-ctx.Done():
			return
		case s := <-l.arrived:
			if isStop(s) {
				return
			}
			l.reload(ctx)
		case <-alive:
			l.signOfLife()
		}
	}
}

// heartbeat ticks twice in each watchdog interval, as sd_watchdog_enabled(3) advises; never without a watchdog.
func (l *life) heartbeat() (ticks <-chan time.Time, stop func()) {
	interval := l.watchdog()
	if interval <= 0 {
		return nil, func() {}
	}
	t := time.NewTicker(interval / 2)
	return t.C, t.Stop
}

// signOfLife is given only while the gateway serves: one that does not is better restarted.
func (l *life) signOfLife() {
	if err := l.gw.Ready(); err != nil {
		l.log.Error("the gateway is not ready; no sign of life for the service manager", "err", err)
		return
	}
	l.notify(notifyWatchdog)
}

// reload answers SIGHUP. The gateway logs the outcome, as for a reload asked for by the API. Added here are the
// problems, which an API caller reads in the answer but a person who sent a signal can only find in the log; and the
// service manager, which must hear READY again in either case.
func (l *life) reload(ctx context.Context) {
	l.notify(notifyReloading())
	ctx, cancel := context.WithTimeout(withSignal(ctx), reloadTimeout)
	defer cancel()
	if _, err := l.gw.Reload(ctx); err != nil {
		l.notify(notifyReady("the last reload was refused; the older configuration stays in force"))
		return
	}
	l.notify(notifyReady("serving " + count(len(l.gw.Config().Services), "service")))
}

// stop lets the sessions finish. The second signal ends the waiting, and from then on a third has its usual effect and
// kills the process.
func (l *life) stop(release func()) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	l.notify(notifyStopping + "\n" + notifyExtend(extendBy))
	done := make(chan error, 1)
	go func() { done <- l.gw.Stop(ctx) }()
	more := time.NewTicker(extendEvery)
	defer more.Stop()
	for {
		select {
		case err := <-done:
			return err
		case <-more.C:
			l.notify(notifyWatchdog + "\n" + notifyExtend(extendBy))
		case s := <-l.arrived:
			if !isStop(s) {
				l.log.Warn("a stopping gateway takes no reload")
				continue
			}
			release()
			cancel()
			return l.abort(done)
		}
	}
}

// abort waits a moment for a gateway that was told to stop at once. Cut sessions are what was asked for: no error.
func (l *life) abort(done <-chan error) error {
	l.log.Warn("stopping at once after a second signal")
	grace := time.NewTimer(abortGrace)
	defer grace.Stop()
	select {
	case err := <-done:
		if errors.Is(err, context.Canceled) {
			return nil
		}
		return err
	case <-grace.C:
		return fmt.Errorf("the gateway did not stop within %s", abortGrace)
	}
}
