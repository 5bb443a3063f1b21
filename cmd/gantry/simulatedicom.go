package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gantry/fixtures/fault"
	"gantry/fixtures/pacs"
)

const aboutSimulateDICOM = `Play a DICOM archive and worklist: C-ECHO, C-STORE of every storage class in every transfer syntax, C-FIND in Study
Root, Patient Root and modality worklist over a few made-up studies and items and over what was stored. Of an object
it keeps what queries ask for, of the last 10,000 objects; pixels are dropped. C-MOVE and C-GET are refused.

A turn, for --fault-rate and --fault-after, is an association.`

func newSimulateDICOM(s *surroundings) *cobra.Command {
	p := pacs.Options{Studies: 3, Worklist: 3}
	cmd := &cobra.Command{
		Use:   "dicom",
		Short: "Play a DICOM archive and worklist",
		Example: `  gantry simulate dicom --ae-title VNA
  gantry simulate dicom --listen :11112 --fault store-refused
  gantry simulate dicom --fault abort --fault flapping=5`,
	}
	sim := simulation[pacs.Faults]{
		table: pacs.FaultTable,
		when:  func(f *pacs.Faults) *fault.When { return &f.When },
		start: func(o *simulated, f pacs.Faults) (server simulatedServer[pacs.Faults], err error) {
			p.Listen, p.Faults = o.listen, f
			p.OnEnd = func(c pacs.Conversation) { logConversation(o.log, c) }
			if p.Identity, err = o.tls.identity(o.listen); err != nil {
				return nil, err
			}
			return pacs.Start(p)
		},
		about: func(simulatedServer[pacs.Faults]) []any { return nil },
		totals: func(server simulatedServer[pacs.Faults]) []any {
			c := server.(*pacs.Server).Counters()
			return []any{"connections", c.Connections, "associations", c.Associations, "rejected", c.Rejected, "aborted", c.Aborted,
				"echoes", c.Echoes, "finds", c.Finds, "matches", c.Matches, "objects", c.Objects, "bytes_in", c.Bytes}
		},
	}
	sim.command(s, cmd, "11112", aboutSimulateDICOM)
	f := cmd.Flags()
	f.StringSliceVar(&p.AETitles, "ae-title", nil, "called `AE` titles that it answers to; any without this flag")
	f.StringSliceVar(&p.CallingAETitles, "known-ae", nil, "calling `AE` titles that it knows; all without this flag")
	f.IntVar(&p.Studies, "studies", p.Studies, "number of made-up studies")
	f.IntVar(&p.Worklist, "worklist", p.Worklist, "number of made-up worklist items")
	f.BoolVar(&p.Strict, "strict", false, "refuse objects that are not what their C-STORE says, and queries without the keys of the levels above")
	check(cmd, func() error {
		if p.Studies < 0 || p.Worklist < 0 || p.Studies > maxMadeUp || p.Worklist > maxMadeUp {
			return badUsage("--studies and --worklist are from 0 to %d", maxMadeUp)
		}
		return nil
	})
	return cmd
}

// maxMadeUp bounds made-up studies and worklist items.
const maxMadeUp = 1000

// check puts a look at the flags in front of a command's work.
func check(cmd *cobra.Command, valid func() error) {
	rest := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := valid(); err != nil {
			return err
		}
		return rest(cmd, args)
	}
}

func logConversation(log *slog.Logger, c pacs.Conversation) {
	level, what := slog.LevelInfo, "association"
	attrs := []any{"client", c.Client}
	if c.CallingAE == "" && c.CalledAE == "" {
		what = "connection"
		if !c.Faulty {
			level = slog.LevelDebug
		}
	} else {
		attrs = append(attrs, "calling_ae", c.CallingAE, "called_ae", c.CalledAE,
			"contexts", fmt.Sprintf("%d/%d", c.Accepted, c.Contexts))
	}
	if len(c.Operations) > 0 {
		attrs = append(attrs, "operations", performed(c.Operations))
	}
	if c.Matches > 0 {
		attrs = append(attrs, "matches", c.Matches)
	}
	if c.Bytes > 0 {
		attrs = append(attrs, "bytes_in", c.Bytes)
	}
	log.Log(context.Background(), level, what, append(attrs, "end", c.End, "took", rounded(c.Took), "faulty", c.Faulty)...)
}

// performed gives "C-ECHO 0000 ×3, C-STORE A700, C-FIND unanswered".
func performed(operations []pacs.Performed) string {
	var parts []string
	for _, o := range operations {
		answer := "unanswered"
		if o.Answered {
			answer = fmt.Sprintf("%04X", o.Status)
		}
		if o.Count > 1 {
			answer += fmt.Sprintf(" ×%d", o.Count)
		}
		parts = append(parts, o.Command+" "+answer)
	}
	return strings.Join(parts, ", ")
}

// rounded is a duration without the digits that nobody reads.
func rounded(d time.Duration) time.Duration {
	if d < time.Millisecond {
		return d.Round(time.Microsecond)
	}
	return d.Round(100 * time.Microsecond)
}
