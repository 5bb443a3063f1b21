package main

import (
	"context"
	"fmt"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"golang.org/x/sys/unix"

	"gantry/gateway/admin"
)

// The states told to the service manager, sd_notify(3).
const (
	notifyStopping = daemon.SdNotifyStopping
	notifyWatchdog = daemon.SdNotifyWatchdog
)

// notifyReady says that start or reload is over; the sentence is shown by systemctl status.
func notifyReady(sentence string) string {
	return daemon.SdNotifyReady + "\nSTATUS=" + sentence
}

// notifyReloading carries the monotonic time, which systemd 253 and later demand with Type=notify-reload in order to
// tell this reload's READY from an older one. Earlier ones ignore it.
func notifyReloading() string {
	var t unix.Timespec
	// CLOCK_MONOTONIC always exists on Linux; were it not so, 0 would only make systemd wait for the next READY.
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &t)
	return fmt.Sprintf("%s\nMONOTONIC_USEC=%d", daemon.SdNotifyReloading, t.Nano()/int64(time.Microsecond))
}

// notifyExtend asks for more time before the service manager takes the stop for failed.
func notifyExtend(d time.Duration) string {
	return fmt.Sprintf("EXTEND_TIMEOUT_USEC=%d", d.Microseconds())
}

// withSignal notes for the gateway's event who asked for a reload.
func withSignal(ctx context.Context) context.Context { return admin.WithActor(ctx, "signal") }
