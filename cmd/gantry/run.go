package main

import (
	"context"
	"log/slog"
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"

	"gantry/gateway/admin"
	"gantry/gateway/config"
)

// process is what `run` needs of a gateway; *gateway.Gateway is one (see wire.go). Tests have their own.
type process interface {
	Start(ctx context.Context) error
	Reload(ctx context.Context) (admin.Reloaded, error)
	Stop(ctx context.Context) error
	Ready() error
	AdminAddr() string
	Config() *config.Config
}

// gatewayOptions are what `run` gives to a gateway.
type gatewayOptions struct {
	ConfigFile string
	Version    string
	Logger     *slog.Logger
}

func newRun(s *surroundings) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "run --config FILE",
		Short: "Run the gateway in the foreground",
		Long: `Run the gateway in the foreground; log lines go to standard error.

    SIGHUP           read the configuration file again; with any problem nothing changes
    SIGTERM, SIGINT  close the listeners, let the sessions finish (at most timeouts.drain), stop;
                     a second one stops at once, a third kills the process

Under systemd (Type=notify) readiness, reloads, stopping and a watchdog are told to the service manager. With a bad
configuration every problem is printed and the exit code is 2.`,
		Example: "  gantry run --config /etc/gantry/gantry.yaml",
		Args:    cobra.NoArgs,
	}
	file := cmd.Flags().StringP("config", "c", "", "configuration `FILE` (YAML)")
	_ = cmd.MarkFlagRequired("config")
	_ = cmd.MarkFlagFilename("config", "yaml", "yml")
	cmd.RunE = work(func(cmd *cobra.Command, _ []string) error {
		thriftyMemory()
		return runGateway(cmd.Context(), s, *file)
	})
	return cmd
}

// gcPercent is how much a gateway's heap may grow between collections, in percent. What it carries is not on the heap, so
// the collector has little to do, and half of Go's own default halves what the garbage of a large scrape leaves behind.
const gcPercent = 50

// thriftyMemory leaves the person's own word, GOGC, alone.
func thriftyMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
}

// runGateway reads the log settings first, because the gateway needs its logger before it reads the rest.
func runGateway(ctx context.Context, s *surroundings, file string) error {
	c, _, err := config.Load(file)
	if err != nil {
		return err
	}
	level := &liveLevel{}
	level.follow(func() string { return c.Log.Level })
	lines := s.err
	if s.logTo != nil {
		queue, flush := s.logTo(s.err)
		defer flush()
		lines = queue
	}
	log := newLogger(lines, c.Log.Format, level)
	gw, err := s.open(gatewayOptions{ConfigFile: file, Version: buildInfo().version, Logger: log})
	if err != nil {
		return err
	}
	level.follow(func() string { return gw.Config().Log.Level })
	return (&life{surroundings: s, gw: gw, log: log}).run(ctx)
}
