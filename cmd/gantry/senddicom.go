package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"gantry/fixtures/sender"
)

const aboutSendDICOM = `Store DICOM files by C-STORE, or objects made for the purpose, or ask for C-ECHOs.

Files go as they are, in their own transfer syntax; nothing is converted. What is found in a folder and is no DICOM
file is left out. Each SOP class and transfer syntax is a presentation context of its own; more than 128 go over
several associations. --generate makes images of a patient ZZ-GANTRY-SEND that nobody has: each with a UID of its own,
all in one study; in a compressed transfer syntax the pixels are filler that no viewer can show.

An object is stored when its C-STORE was answered with a success or a warning; everything else is lost. What stands
behind an object that broke its association goes on a new one. --retry sends what was lost again, after all others.
Ctrl-C lets no more objects begin; those under way have two seconds.

Response times go from the first byte of a request to its whole answer, association times from connecting to the
answered request.

Exit codes: 0 everything was stored, 1 something was lost, 2 bad usage.`

func newSendDICOM(s *surroundings) *cobra.Command {
	flags := newSendFlags()
	cmd := &cobra.Command{
		Use:   "dicom HOST:PORT [FILE|DIR]...",
		Short: "Store DICOM files or generated objects, or ask for C-ECHOs",
		Long:  aboutSendDICOM,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return badUsage("HOST:PORT is missing")
			}
			return nil
		},
		Example: `  gantry send dicom 10.12.1.100:104 --called-ae VNA --calling-ae CT1 study/
  gantry send dicom 10.12.1.100:104 --generate 1000 --size 512KiB --concurrency 20 --per-association 10
  gantry send dicom 10.12.1.100:104 --echo 5000 --per-association 1 --output json`,
	}
	flags.add(cmd)
	cmd.SetUsageTemplate(strings.ReplaceAll(cmd.UsageTemplate(), ".FlagUsages", fmt.Sprintf(".FlagUsagesWrapped %d", helpWidth)))
	cmd.RunE = work(func(cmd *cobra.Command, args []string) error {
		o, err := flags.options(s, args[0])
		if err != nil {
			return err
		}
		w, err := flags.work(args[1:])
		if err != nil {
			return err
		}
		return s.sendDICOM(cmd.Context(), flags, args[0], o, w)
	})
	return cmd
}

// sendDICOM does the work, and ends with the exit code that tells of losses.
func (s *surroundings) sendDICOM(ctx context.Context, flags *sendFlags, target string, o sender.Options, w sender.Work) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	job := sender.Start(ctx, o, w)
	line := progress{s: s}
	s.attend(job, cancel, func() { line.show(dicomProgress(job.Progress(), flags.noun())) })
	line.clear()
	r := job.Wait()
	summary := sendSummary{Report: &r, target: target, noun: flags.noun()}
	if f, ok := w.(*sender.Files); ok {
		summary.skipped, summary.damaged = f.Skipped, len(f.Damaged)
	}
	var err error
	if flags.output.value == "json" {
		err = printJSON(s.out, summary.json())
	} else {
		_, err = fmt.Fprint(s.out, summary.text(s.coloured()))
	}
	if err == nil {
		err = flags.listFailed(w, &r)
	}
	if err == nil && !summary.complete() {
		err = saidError{exitFailed}
	}
	return err
}
