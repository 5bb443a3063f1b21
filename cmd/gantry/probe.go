package main

import (
	"strings"

	"github.com/spf13/cobra"

	"gantry/gateway/config"
)

// The exit codes of `gantry probe` are those of monitoring plugins: they tell the server's state, so bad usage needs
// another one than elsewhere.
const (
	probeHealthy   = 0
	probeDegraded  = 1
	probeUnhealthy = 2
	probeNotMade   = 3
)

// usageExit is the annotation of a command, and of those below it, whose bad usage has an exit code of its own.
const usageExit = "usage-exit"

func newProbe(s *surroundings) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "probe KIND TARGET",
		Short: "Check a server once, now, and say what is wrong with it",
		Long: `Check a server as the gateway would, once and now: how long each stage took, what was answered, and in one sentence what
is wrong and where to look. It needs no configuration and no running gateway. Each key of a check in the configuration
is a flag of the same name: called_ae is --called-ae, and ca_file of the block tls is --ca-file.

    connect   name resolution and the TCP connection
    tls       TLS handshake and certificate
    open      the protocol's own greeting, such as a DICOM association
    ask       the question and its answer
    close     the protocol's own farewell, such as a DICOM release

A list is a flag given several times, or values parted by commas. -v shows the conversation, byte by byte; fields of
patients and credentials are masked. With --count the check is repeated and summed up: a server that stands behind
another balancer, or that is overloaded, answers now well and now badly.

With --output json a single run is one object; with --count each run is an object on a line of its own, and a last
line is {"summary": {…}}. docs/checks.md describes the checks, the table and the JSON.

Exit codes: 0 healthy, 1 degraded, 2 unhealthy, 3 the check could not be made (bad usage, or this machine is at
fault). With --count it is the worst of all runs that could be made.`,
		Example: `  gantry probe dicom-echo 10.12.1.110:104 --called-ae VNA
  gantry probe http https://viewer.example/login --expect-body Viewer
  gantry probe connect 10.12.1.130:2575 --count 20 --output json`,
		Annotations: map[string]string{usageExit: "3"},
		RunE:        needsVerb,
	}
	cmd.Flags().SortFlags = false
	flags := addProbeFlags(cmd)
	cmd.SetUsageFunc(probeUsage(s, flags))
	for _, kind := range config.Kinds() {
		cmd.AddCommand(newProbeKind(s, kind, flags))
	}
	return cmd
}

// newProbeKind is the command of one kind of check. Its flags are made from the keys of the kind.
func newProbeKind(s *surroundings, kind string, common *probeFlags) *cobra.Command {
	about := aboutKind(kind)
	cmd := &cobra.Command{
		Use:     kind + " " + about.target,
		Short:   about.short,
		Long:    strings.TrimSpace(fold(strings.ReplaceAll(config.KindDoc(kind), "`", ""), helpWidth) + "\n\n" + about.long),
		Example: about.example,
		Args:    about.args(),
	}
	own := addKeyFlags(cmd.Flags(), config.KindKeys(kind))
	cmd.RunE = work(func(cmd *cobra.Command, args []string) error {
		p, err := newProbing(s, kind, args, own, common)
		if err != nil {
			return err
		}
		return p.run(cmd.Context())
	})
	return cmd
}
