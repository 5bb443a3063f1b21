package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"gantry/fixtures/feed"
	"gantry/fixtures/hl7/ledger"
)

const aboutSendMLLP = `Send HL7 version 2 messages over MLLP: those of files, or made ones, and tell what became of each.

A file has one message or many: in frames of MLLP, which go as they are, or as text, in which each message begins with
MSH and the ends of lines become CR. From FHS to FTS, or BHS to BTS, is a batch and goes whole. What is found in a
folder and has no HL7 in it is left out. --generate makes messages about patients ZZ-GANTRY-… that nobody has, each with
a control id of its own, and with a number in a segment ZGT by which records can be judged.

A message is done when it was answered with AA or CA, or the commit byte 06, and MSA-2 is its MSH-10; or when it was
sent and asks for no answer (MSH-15 and MSH-16). Refused is what has another answer of its own, and lost what has none.
An answer that is not the one of the message whose turn it is is wrong: the connection is closed. What had no answer
when a connection ended goes first on the next one, unchanged and in its order; the message in front is lost when it
has had --retries more attempts. Ctrl-C lets no more messages begin; those on their way have two seconds.

--record writes down what was sent and what became of it, as "gantry simulate mllp --record" does what came.
--received compares with such records when all is sent, and --judge compares records alone, of any number of senders
and receivers: every accepted message is kept by a receiver, none oftener than it was sent, those of each patient in
their order, no byte changed, and nothing kept that nobody sent.

Response times go from the first byte of a message to its whole answer.

Exit codes: 0 everything was accepted, and records agree, 1 something was lost, refused, or answered wrongly, or
records do not agree, 2 bad usage.`

func newSendMLLP(s *surroundings) *cobra.Command {
	flags := &mllpFlags{tls: newSendTLS()}
	cmd := &cobra.Command{
		Use:   "mllp HOST:PORT [FILE|DIR]...",
		Short: "Send HL7 messages of files, or generated ones",
		Long:  aboutSendMLLP,
		Example: `  gantry send mllp 10.12.1.120:2575 messages.hl7
  gantry send mllp 10.12.1.120:2575 --generate 10000 --patients 200 --concurrency 16 --retries 5 --record sent.jsonl
  gantry send mllp 10.12.1.120:2575 --generate 1000 --types ADT^A08,ORU^R01 --size 64KiB --pipeline 8 --output json
  gantry send mllp --judge sent.jsonl receiver-*.jsonl`,
	}
	flags.add(cmd)
	cmd.SetUsageTemplate(strings.ReplaceAll(cmd.UsageTemplate(), ".FlagUsages", fmt.Sprintf(".FlagUsagesWrapped %d", helpWidth)))
	cmd.RunE = work(func(cmd *cobra.Command, args []string) error {
		if flags.judge {
			return s.judgeRecords(flags, args)
		}
		if len(args) == 0 {
			return badUsage("HOST:PORT is missing")
		}
		return s.sendMLLP(cmd.Context(), flags, args[0], args[1:])
	})
	return cmd
}

// sendMLLP does the work, and ends with the exit code that tells of losses.
func (s *surroundings) sendMLLP(ctx context.Context, flags *mllpFlags, target string, paths []string) error {
	o, err := flags.options(s, target)
	if err != nil {
		return err
	}
	w, err := flags.work(paths)
	if err != nil {
		return err
	}
	summary := mllpSummary{target: target}
	if g, ok := w.(*feed.Generated); ok {
		summary.run = g.Run()
	}
	book, record, err := flags.recorders(&o, summary.run)
	if err != nil {
		return err
	}
	r := s.feed(ctx, o, w)
	summary.Report = &r
	if f, ok := w.(*feed.Files); ok {
		summary.skipped, summary.damaged = f.Skipped, len(f.Damaged)
	}
	if record != nil {
		err = record.Close()
	}
	if err == nil && book != nil {
		summary.judged, err = compared(book, flags.received)
	}
	if said := s.print(flags, &summary); err == nil {
		err = said
	}
	if err == nil {
		err = flags.listFailed(w, &r)
	}
	if err == nil && !summary.complete() {
		err = saidError{exitFailed}
	}
	return err
}

// feed runs the job, and shows how far it is.
func (s *surroundings) feed(ctx context.Context, o feed.Options, w feed.Work) feed.Report {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	job := feed.Start(ctx, o, w)
	line := progress{s: s}
	s.attend(job, cancel, func() { line.show(mllpProgress(job.Progress())) })
	line.clear()
	return job.Wait()
}

// print gives the summary in the form that was asked for.
func (s *surroundings) print(flags *mllpFlags, summary interface {
	text(colours bool) string
	json() any
}) error {
	if flags.output.value == "json" {
		return printJSON(s.out, summary.json())
	}
	_, err := fmt.Fprint(s.out, summary.text(s.coloured()))
	return err
}

// judgeRecords compares records, and sends nothing.
func (s *surroundings) judgeRecords(flags *mllpFlags, paths []string) error {
	if err := flags.judgeAlone(paths); err != nil {
		return err
	}
	report, err := compared(ledger.New(ledger.Options{MayResend: flags.mayResend}), paths)
	if err != nil {
		return badUsage("%s", err)
	}
	if report.Messages == 0 {
		return badUsage("no sender's record among them that has a message in it")
	}
	if err := s.print(flags, &judgement{report}); err != nil {
		return err
	}
	if !report.OK() {
		return saidError{exitFailed}
	}
	return nil
}

// compared reads records into a ledger.
func compared(book *ledger.Ledger, paths []string) (*ledger.Report, error) {
	for _, path := range paths {
		file, err := os.Open(path)
		if err == nil {
			err = book.Load(strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)), file)
			file.Close()
			if err != nil {
				err = fmt.Errorf("%s: %w", path, err)
			}
		}
		if err != nil {
			return nil, err
		}
	}
	r := book.Judge()
	return &r, nil
}
