package main

import (
	"context"
	"os"
	"syscall"

	"github.com/spf13/cobra"
)

func newSend(s *surroundings) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "send PROTOCOL TARGET",
		Short: "Play a client, for tests and for load, and tell what got lost",
		Long: `Play a client that sends files, or generated input, once or often, and over one connection or many at a time. The
summary tells what the server answered, how fast, and what got lost. The exit code is 0 only when nothing did.`,
		Example: `  gantry send dicom 10.12.1.100:104 --called-ae VNA study/
  gantry send dicom 10.12.1.100:104 --generate 1000 --concurrency 20
  gantry send mllp 10.12.1.120:2575 --generate 1000 --patients 50 --concurrency 8`,
		RunE: needsVerb,
	}
	cmd.AddCommand(newSendDICOM(s), newSendMLLP(s))
	return cmd
}

// sending is a job of a command `gantry send`.
type sending interface {
	// Stop lets nothing more begin.
	Stop()
	Done() <-chan struct{}
}

// attend waits for a job: the first signal stops it, the second one ends it at once.
func (s *surroundings) attend(job sending, cancel context.CancelFunc, each func()) {
	arrived, release := s.signals(os.Interrupt, syscall.SIGTERM)
	defer release()
	tick, stop := s.ticker()
	defer stop()
	for stopped := false; ; {
		select {
		case <-job.Done():
			return
		case <-tick:
			each()
		case <-arrived:
			if stopped {
				cancel()
			}
			stopped = true
			job.Stop()
		}
	}
}
