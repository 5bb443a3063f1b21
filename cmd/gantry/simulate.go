package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"gantry/fixtures/fault"
	"gantry/fixtures/secure"
)

func newSimulate(s *surroundings) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "simulate PROTOCOL",
		Short: "Play a server for integration work, with faults on request",
		Long: `Play a server that clients and gateways can be tried against before, or instead of, the real one. It does its work
properly, or fails in one of the ways that real servers are known for: see --help of each protocol for its faults.

Standard error has a line for each conversation, without anything about a patient, and a summary at the end. SIGUSR1
turns the faults off and on again; Ctrl-C or SIGTERM ends it. All studies, worklist items, documents and pages that it
has are made up, but for what dicom is given in folders; of what it is sent it keeps little, in memory only, unless
dicom is told to keep objects.`,
		Example: `  gantry simulate dicom --listen 127.0.0.1:11112
  gantry simulate mllp --listen :2575 --fault slow=10s --fault-rate 5%`,
		RunE: needsVerb,
	}
	cmd.AddCommand(newSimulateDICOM(s), newSimulateMLLP(s), newSimulateXDS(s), newSimulateHTTP(s))
	return cmd
}

// simulation is what one protocol's command knows of its server; F are its faults.
type simulation[F any] struct {
	table fault.Table[F]
	when  func(*F) *fault.When
	// start runs the server with what the flags say, and faults as they are given.
	start func(*simulated, F) (simulatedServer[F], error)
	// about adds to the line that says where it listens.
	about func(simulatedServer[F]) []any
	// totals are for the summary.
	totals func(simulatedServer[F]) []any
}

// simulatedServer is what all simulated servers have in common.
type simulatedServer[F any] interface {
	Addr() string
	SetFaults(F)
	Close()
}

// simulated are the flags of all protocols, and the log.
type simulated struct {
	listen  string
	words   []string // --fault
	rate    string
	after   int
	log     *slog.Logger
	format  *words
	verbose bool
	tls     tlsFlags
}

// command makes the command of a protocol. about is put in front of the list of faults.
func (sim simulation[F]) command(s *surroundings, cmd *cobra.Command, port string, about string) *cobra.Command {
	o := &simulated{format: &words{value: "text", allowed: []string{"text", "json"}}}
	cmd.Args = cobra.NoArgs
	cmd.Long = about + "\n\nFaults:\n\n" + faultList(sim.table.Entries())
	o.flags(cmd.Flags(), net.JoinHostPort("127.0.0.1", port))
	_ = cmd.RegisterFlagCompletionFunc("fault", cobra.FixedCompletions(faultNames(sim.table.Entries()), cobra.ShellCompDirectiveNoFileComp))
	cmd.RunE = work(func(cmd *cobra.Command, _ []string) error {
		faults, err := sim.faults(o)
		if err != nil {
			return err
		}
		return sim.run(cmd.Context(), s, o, faults)
	})
	return cmd
}

func (o *simulated) flags(f *pflag.FlagSet, listen string) {
	f.SortFlags = false
	f.StringVar(&o.listen, "listen", listen, "`HOST:PORT` to listen on; port 0 takes a free one")
	f.StringArrayVar(&o.words, "fault", nil, "`NAME[=VALUE]` of a fault; may be given several times")
	f.StringVar(&o.rate, "fault-rate", "", "let only a `SHARE` of the turns go wrong, such as 10%, evenly spread")
	f.IntVar(&o.after, "fault-after", 0, "let the first `N` turns go right")
	o.tls.add(f)
	f.Var(o.format, "log-format", "form of the log lines: text or json")
	f.VarP(o.format, "output", "o", "the same as --log-format")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "log connections too that bring nothing, such as port checks")
}

// faults reads the flags that are about faults.
func (sim simulation[F]) faults(o *simulated) (f F, err error) {
	if f, err = sim.table.Parse(o.words); err != nil {
		return f, badUsage("--fault: %s", err)
	}
	when := sim.when(&f)
	if o.rate != "" {
		if when.Percent, err = fault.Percent(o.rate); err != nil {
			return f, badUsage("--fault-rate: %s", err)
		}
	}
	if when.After = o.after; o.after < 0 {
		return f, badUsage("--fault-after: %d is negative", o.after)
	}
	for _, word := range o.words {
		if secure.Shows(word) && !o.tls.wanted() {
			return f, badUsage("--fault: fault %q shows with TLS only: give --tls as well", word)
		}
	}
	if *when != (fault.When{}) && !o.faulty() {
		return f, badUsage("flapping, --fault-rate and --fault-after say when a --fault holds: name one as well")
	}
	return f, nil
}

// faulty tells whether there is a fault beside flapping, which is none.
func (o *simulated) faulty() bool {
	for _, word := range o.words {
		if name, _, _ := strings.Cut(word, "="); name != "flapping" {
			return true
		}
	}
	return false
}

// run plays the server until it is interrupted.
func (sim simulation[F]) run(ctx context.Context, s *surroundings, o *simulated, faults F) error {
	arrived, release := s.signals(os.Interrupt, syscall.SIGTERM, syscall.SIGUSR1)
	defer release()
	level := slog.LevelInfo
	if o.verbose {
		level = slog.LevelDebug
	}
	lines, flush := s.err, func() {}
	if s.logTo != nil {
		lines, flush = s.logTo(s.err)
	}
	defer flush()
	o.log = newLogger(lines, o.format.value, level)
	server, err := sim.start(o, faults)
	if err != nil {
		return err
	}
	defer server.Close()
	o.log.Info("listening", append([]any{"address", server.Addr(), "faults", o.named()}, sim.about(server)...)...)
	sim.serve(ctx, arrived, o, server, faults)
	server.Close()
	o.log.Info("stopped", sim.totals(server)...)
	return nil
}

// serve does what the signals say until one of them ends it.
func (sim simulation[F]) serve(ctx context.Context, arrived <-chan os.Signal, o *simulated, server simulatedServer[F], faults F) {
	for on := true; ; {
		select {
		case <-ctx.Done():
			return
		case signal := <-arrived:
			if isStop(signal) {
				return
			}
			on = !on
			now, word := faults, o.named()
			if !on {
				var none F
				now, word = none, "none"
			}
			server.SetFaults(now)
			o.log.Info("faults changed", "faults", word)
		}
	}
}

// named are the faults as they were asked for.
func (o *simulated) named() string {
	if len(o.words) == 0 {
		return "none"
	}
	named := strings.Join(o.words, " ")
	if o.rate != "" {
		named += fmt.Sprintf(" (%s of the turns)", o.rate)
	}
	if o.after > 0 {
		named += fmt.Sprintf(" (after %s)", count(o.after, "turn"))
	}
	return named
}
