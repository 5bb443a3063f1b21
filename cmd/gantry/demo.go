package main

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gantry/fixtures/hospital"
	"gantry/gateway/admin"
)

// demoOptions are the flags of `gantry demo`, and what only tests change.
type demoOptions struct {
	duration    time.Duration // 0 = until interrupted
	noTraffic   bool
	printConfig bool
	admin       string

	anyPorts bool // no well-known ports, so that demonstrations do not meet
	haste    float64
	checks   demoChecks
	timing   hospital.Timing
	talk     time.Duration // between two lines about the traffic, when piped
}

// demoDefaults is what a newcomer sees: a failure after a few seconds, found in two or three.
func demoDefaults() demoOptions {
	return demoOptions{
		admin:  strings.TrimPrefix(admin.DefaultURL, "http://"),
		haste:  1,
		checks: demoChecks{Interval: "1s", Timeout: "1s", Fast: "250ms", SlowStart: "5s"},
		timing: hospital.Timing{First: 8 * time.Second, Every: 20 * time.Second, For: 10 * time.Second},
		talk:   5 * time.Second,
	}
}

func newDemo(s *surroundings) *cobra.Command {
	o := demoDefaults()
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show the gateway at work in a small simulated hospital",
		Long: `Show the gateway at work in a small simulated hospital: three PACS, three HL7 receivers, two XDS registries and two
HTTPS viewers, the gateway in front of them, and modest traffic, everything in this process and on loopback. It needs
no configuration and no other software. Now and then a server stops or hangs, and recovers: watch its work move to the
others and back. All names and contents are invented.

On a terminal the picture is drawn anew each second; into a pipe, events are written as lines. Ctrl-C ends it with a
summary of what became of every operation. Exit code 1 when the demonstration could not start, or when an operation
was answered wrongly.`,
		Example: `  gantry demo
  gantry demo --duration 1m | tee demo.txt
  gantry demo --print-config > gantry.yaml && gantry check-config gantry.yaml`,
		Args: cobra.NoArgs,
	}
	cmd.Flags().DurationVar(&o.duration, "duration", o.duration, "end after this long, such as 1m; 0 = when interrupted")
	cmd.Flags().BoolVar(&o.noTraffic, "no-traffic", o.noTraffic, "servers and failures only; bring your own clients")
	cmd.Flags().BoolVar(&o.printConfig, "print-config", o.printConfig, "print the configuration that it would use, and end")
	cmd.Flags().StringVar(&o.admin, "admin", o.admin, "loopback `IP:PORT` of the API and the metrics; when busy, a free port is taken")
	cmd.RunE = work(func(cmd *cobra.Command, _ []string) error {
		return runDemo(cmd.Context(), s, o)
	})
	return cmd
}

// validate finds what cobra could not.
func (o demoOptions) validate() error {
	if o.duration < 0 {
		return badUsage("--duration: %s is negative", o.duration)
	}
	addr, err := netip.ParseAddrPort(o.admin)
	if err != nil || !addr.Addr().IsLoopback() {
		return badUsage("--admin: %q is not IP:PORT of loopback; write it like 127.0.0.1:9440", o.admin)
	}
	return nil
}

// runDemo opens the hospital and shows it. Everything that was opened is closed in the end, whatever happens.
func runDemo(ctx context.Context, s *surroundings, o demoOptions) error {
	if err := o.validate(); err != nil {
		return err
	}
	h, err := hospital.Open()
	if err != nil {
		return err
	}
	defer h.Close()
	if o.printConfig {
		return printDemoConfig(s, h, o)
	}
	d := &demo{surroundings: s, demoOptions: o, hospital: h}
	if err := d.open(ctx); err != nil {
		return err
	}
	err = d.play(ctx)
	d.close()
	if err != nil {
		return err
	}
	return d.summarize()
}

func printDemoConfig(s *surroundings, h *hospital.Hospital, o demoOptions) error {
	c, err := newDemoConfig(h, o)
	if err != nil {
		return err
	}
	if c.AdminBusy != nil {
		fmt.Fprintf(s.err, "API and metrics are at http://%s, %s\n", c.Admin, c.notAt(o.admin))
	}
	_, err = io.WriteString(s.out, c.yaml())
	return err
}
