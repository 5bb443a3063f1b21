package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"gantry/fixtures/fault"
	"gantry/fixtures/pacs"
)

const aboutSimulateDICOM = `Play a DICOM archive and worklist: C-ECHO, C-STORE of every storage class in every transfer syntax, C-FIND on every
level in Study Root and Patient Root, modality worklist, C-MOVE, C-GET and storage commitment.

It knows a few made-up studies and worklist items, what is in --folder, and what it was sent. Objects are discarded,
and of the last 10,000 it keeps what queries ask for; with --keep they become DICOM files, up to --keep-size in all,
and what finds no room is answered with A700. C-MOVE and C-GET send what is in a folder, kept or made up, in the transfer
syntax that it has. A destination of C-MOVE must be named by --move-destination. The result of a storage
commitment comes in the association of the request, or goes to where --commit-to says.

Standard error has two lines for each association: what was proposed, and what came of it.

A turn, for --fault-rate and --fault-after, is an association.`

func newSimulateDICOM(s *surroundings) *cobra.Command {
	flags := &archiveFlags{}
	cmd := &cobra.Command{
		Use:   "dicom",
		Short: "Play a DICOM archive and worklist",
		Example: `  gantry simulate dicom --called-ae VNA
  gantry simulate dicom --listen :11112 --keep received --keep-size 20GiB
  gantry simulate dicom --folder studies --move-destination CT1=10.12.3.7:104 --worklist list.yaml
  gantry simulate dicom --fault store-refused
  gantry simulate dicom --fault abort --fault flapping=5`,
	}
	sim := simulation[pacs.Faults]{
		table: pacs.FaultTable,
		when:  func(f *pacs.Faults) *fault.When { return &f.When },
		start: func(o *simulated, f pacs.Faults) (server simulatedServer[pacs.Faults], err error) {
			p := flags.options
			p.Listen, p.Faults = o.listen, f
			p.OnRequest = requestLogger(o.log)
			p.OnNote = noteLogger(o.log)
			p.OnEnd = func(c pacs.Conversation) { logConversation(o.log, c) }
			if p.Identity, err = o.tls.identity(o.listen); err != nil {
				return nil, err
			}
			return pacs.Start(p)
		},
		about:  aboutArchive,
		totals: archiveTotals,
	}
	sim.command(s, cmd, "11112", aboutSimulateDICOM)
	flags.add(cmd.Flags())
	cmd.SetUsageTemplate(strings.ReplaceAll(cmd.UsageTemplate(), ".FlagUsages", fmt.Sprintf(".FlagUsagesWrapped %d", helpWidth)))
	check(cmd, func() error { return flags.read(s.now()) })
	return cmd
}

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
