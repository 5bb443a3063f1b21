package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"gantry/gateway/config"
	"gantry/negotiate"
	"gantry/negotiate/dicomassociate"
)

func newAssociate(s *surroundings) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "associate TARGET",
		Short: "Find out which SOP classes and transfer syntaxes a DICOM server accepts",
		Long: `Propose SOP classes, each in one transfer syntax after the other, and show what the server makes of them: what a
modality would be told, before the modality is there. Nothing is stored and nothing is searched; each association is
released as it should be. An association has room for 128 proposals, so many of them take several associations, one
after the other.

What is proposed: the profiles (a modality of that sort, see --list), the SOP classes of --sop-class, or both; without
any of them all modalities together. The profile all is every SOP class that Gantry has a name for, in many associations.
--transfer-syntax takes the place of those that a profile has; SOP classes by themselves are proposed in Implicit and
Explicit VR Little Endian. Names are the keywords of PS3.6, UIDs are taken too, private ones included.

In the matrix ● is accepted, 1 to 4 are the results of PS3.8 table 9-18: 1 and 2 without a reason, 3 the SOP class is not
supported, 4 the transfer syntax is not.

--compare asks a second server the same and shows only where the two differ: nodes of one pool should not.

Exit codes: 0 each SOP class is accepted in at least one transfer syntax (and with --compare: the servers do not
differ), 1 not so, or the association was rejected, or there is no such server, 2 bad usage.`,
		Example: `  gantry associate 10.12.1.110:104 --called-ae VNA --profile ct
  gantry associate 10.12.1.110:104 --called-ae VNA --sop-class CTImageStorage --transfer-syntax JPEG2000Lossless,RLELossless
  gantry associate 10.12.1.110:104 --called-ae VNA --compare 10.12.1.111:104
  gantry associate --list --profile us`,
	}
	f := addAssociateFlags(s, cmd)
	cmd.Args = func(_ *cobra.Command, args []string) error {
		switch {
		case *f.list && len(args) > 0:
			return badUsage("--list needs no TARGET; it asks nobody")
		case !*f.list && len(args) == 0:
			return badUsage("TARGET is missing; write HOST:PORT")
		case len(args) > 1:
			return badUsage("one TARGET at a time, and no more; got %s; a second one stands behind --compare", strings.Join(args, " "))
		}
		return nil
	}
	cmd.RunE = work(func(cmd *cobra.Command, args []string) error {
		if *f.list {
			return listProfiles(s, f)
		}
		a, err := newAssociating(s, args[0], f)
		if err != nil {
			return err
		}
		return a.run(cmd.Context())
	})
	return cmd
}

// associating is one command `gantry associate`: a survey of one server or of two, and how to show what it found.
type associating struct {
	*surroundings
	surveys []surveyOf // one, or two to be compared
	verbose int
	json    bool
}

// surveyOf is a survey with its target as it was typed.
type surveyOf struct {
	target string
	dicomassociate.Survey
}

// surveyed is a survey that was made.
type surveyed struct {
	target string
	dicomassociate.Result
}

func newAssociating(s *surroundings, target string, f *associateFlags) (*associating, error) {
	question, err := f.question()
	if err != nil {
		return nil, err
	}
	given := map[string][]string{}
	f.keys.given(given)
	c, problems := config.NewCheck("dicom-associate", given, config.Options{Getenv: func(name string) (string, bool) { v := s.getenv(name); return v, v != "" }})
	if len(problems) > 0 {
		return nil, badFlags(problems)
	}
	a := &associating{surroundings: s, verbose: *f.verbose, json: f.output.value == "json"}
	targets := []string{target}
	if *f.compare != "" {
		targets = append(targets, *f.compare)
	}
	for _, text := range targets {
		t, err := parseTarget(text, kindHelp{port: dicomPort})
		if err != nil {
			return nil, err
		}
		survey, err := newSurvey(c, t, f, question)
		if err != nil {
			return nil, badUsage("%s", err)
		}
		a.surveys = append(a.surveys, surveyOf{text, survey})
	}
	return a, nil
}

func newSurvey(c config.Check, t target, f *associateFlags, q dicomassociate.Question) (dicomassociate.Survey, error) {
	secure, err := c.TLS.Client()
	if err != nil {
		return dicomassociate.Survey{}, err
	}
	titles := c.Settings.(*dicomassociate.Settings)
	address := t.address()
	return dicomassociate.Survey{
		Question: q, CalledAE: titles.CalledAE, CallingAE: titles.CallingAE, Pause: *f.pause, KeepGoing: *f.keepGoing,
		Target: negotiate.Target{Host: t.host, Port: t.port, Secure: secure != nil, Version: buildInfo().version},
		Check:  negotiate.Check{Address: func() (string, error) { return address, nil }, TLS: secure, Timeout: c.Timeout},
	}, nil
}

// run makes the surveys, one after the other, and ends with the exit code that tells what they found.
func (a *associating) run(ctx context.Context) error {
	ctx, stop := a.interruptible(ctx)
	defer stop()
	if a.verbose > 0 {
		ctx = negotiate.WithTranscript(ctx)
	}
	var found []surveyed
	for _, s := range a.surveys {
		found = append(found, surveyed{s.target, s.Run(ctx)})
	}
	show, good := a.shown(found)
	if err := show(); err != nil {
		return err
	}
	if !good {
		return saidError{exitFailed}
	}
	return nil
}

// shown chooses the form of the output, and tells whether all is as it should be.
func (a *associating) shown(found []surveyed) (show func() error, good bool) {
	if len(found) == 1 {
		good = found[0].Verdict() == dicomassociate.AllAccepted
		if a.json {
			return func() error { return printJSON(a.out, a.report(found[0])) }, good
		}
		return a.print(a.text(found[0])), good
	}
	c := compare(found[0], found[1])
	if a.json {
		return func() error { return printJSON(a.out, a.compareReport(c)) }, c.same()
	}
	return a.print(a.compareText(c)), c.same()
}

func (a *associating) print(text string) func() error {
	return func() error {
		_, err := fmt.Fprint(a.out, text)
		return err
	}
}

// interruptible ends with the person's own Ctrl-C.
func (s *surroundings) interruptible(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	arrived, release := s.signals(os.Interrupt, syscall.SIGTERM)
	go func() {
		select {
		case <-arrived:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(); release() }
}
