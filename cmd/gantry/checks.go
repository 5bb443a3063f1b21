package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gantry/gateway/admin"
	"gantry/negotiate"
	"gantry/negotiate/transcript"
)

func newChecks(s *surroundings) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "checks SERVICE/SERVER",
		Short: "Show the last results of a server's checks in a running gateway, or make one now",
		Long: `Show what a running gateway remembers of the checks of one server: the last results, newest first, and earlier failures,
which are kept longer. With --run the gateway makes one of its checks at once, with the settings, from the address and
along the way that it uses itself; the result is shown and counts toward nothing. -v shows the conversation too;
fields of patients and credentials are masked.

With --run the exit code is 1 when the check fails.`,
		Example: `  gantry checks DICOM-Modalities/DICOM1
  gantry checks DICOM-Modalities/DICOM1 --run dicom-echo -v`,
		Args: cobra.ExactArgs(1),
	}
	flags := addGatewayFlags(cmd)
	cmd.ValidArgsFunction = flags.completeServer
	output := outputFlag(cmd)
	run := cmd.Flags().String("run", "", "make this `CHECK` now")
	verbose := cmd.Flags().BoolP("verbose", "v", false, "with --run: show the conversation")
	cmd.RunE = work(func(cmd *cobra.Command, args []string) error {
		service, server, err := splitServer(args[0])
		if err != nil {
			return err
		}
		if *verbose && *run == "" {
			return badUsage("-v goes with --run: the conversations of past checks are not kept")
		}
		c, err := flags.client()
		if err != nil {
			return err
		}
		defer c.Close()
		v := checksView{surroundings: s, client: c, service: service, server: server, json: output.value == "json"}
		if *run != "" {
			return v.run(cmd.Context(), *run, *verbose)
		}
		return v.history(cmd.Context())
	})
	return cmd
}

// checksView shows the checks of one server.
type checksView struct {
	*surroundings
	client          *admin.Client
	service, server string
	json            bool
}

func (v checksView) history(ctx context.Context) error {
	checks, err := v.client.History(ctx, v.service, v.server)
	if err != nil {
		return err
	}
	if v.json {
		return printJSON(v.out, struct {
			Checks []admin.CheckHistory `json:"checks"`
		}{checks})
	}
	var b strings.Builder
	for i, h := range checks {
		if i > 0 {
			b.WriteString("\n")
		}
		v.write(&b, h)
	}
	_, err = fmt.Fprint(v.out, b.String())
	return err
}

// write is one check: a heading, its last results, and the failures before them.
func (v checksView) write(b *strings.Builder, h admin.CheckHistory) {
	colours := v.coloured()
	since := ""
	if !h.Since.IsZero() {
		since = " for " + age(v.now().Sub(h.Since))
	}
	if n, limit, found := strings.Cut(h.Count, "/"); found && n != "0" {
		since += fmt.Sprintf(", %s of %s results in a row toward a change", n, limit)
	}
	name := h.Name
	if h.Type != h.Name {
		name += " (" + h.Type + ")"
	}
	fmt.Fprintf(b, "%s: %s%s\n", printable(name), stateCell(h.State).paint(colours), printable(since))
	if len(h.Recent) == 0 {
		b.WriteString(indent + "no result yet\n")
		return
	}
	earlier := slices.DeleteFunc(slices.Clone(h.Failures), func(r admin.CheckResult) bool { return !r.Start.Before(h.Recent[0].Start) })
	v.writeResults(b, h.Recent, colours)
	if len(earlier) > 0 {
		b.WriteString(indent + "earlier failures:\n")
		v.writeResults(b, earlier, colours)
	}
}

func (v checksView) writeResults(b *strings.Builder, rs []admin.CheckResult, colours bool) {
	g := &grid{indent: indent, columns: []column{{head: "TIME"}, {head: "TOOK", right: true}, {head: "OUTCOME"}, {head: "STAGES (ms)"}, {head: "RESULT"}}}
	for _, r := range slices.Backward(rs) {
		g.add(plainCell(v.clock(r.Start)), plainCell(millis(milliseconds(r.DurationMS))), outcomeCell(r.Outcome),
			plainCell(stagesText(r.Stages)), plainCell(printable(r.Message)))
	}
	for row := headRow; row < len(g.rows); row++ {
		b.WriteString(g.line(row, 0, colours) + "\n")
	}
}

// clock is the time of day, with the date when that is another one.
func (v checksView) clock(t time.Time) string {
	t = t.Local()
	if now := v.now().Local(); now.Year() != t.Year() || now.YearDay() != t.YearDay() {
		return t.Format(time.DateTime)
	}
	return t.Format(time.TimeOnly)
}

// stagesText is "connect 0.2, open 1.1, ask 0.4".
func stagesText(stages []admin.StageTime) string {
	parts := make([]string, len(stages))
	for i, s := range stages {
		parts[i] = fmt.Sprintf("%s %.1f", s.Stage, s.MS)
	}
	return strings.Join(parts, ", ")
}

func outcomeCell(outcome string) cell {
	colours := map[string]string{admin.OutcomePassed: green, admin.OutcomeDegraded: yellow, admin.OutcomeFailed: red,
		admin.OutcomeExcused: yellow, admin.OutcomeNotMade: yellow}
	return cell{text: printable(outcome), colour: colours[outcome]}
}

func milliseconds(ms float64) time.Duration { return time.Duration(ms * float64(time.Millisecond)) }

// run has the gateway make one check.
func (v checksView) run(ctx context.Context, check string, verbose bool) error {
	r, err := v.client.CheckOnce(ctx, v.service, v.server, check, verbose)
	if err != nil {
		return err
	}
	if v.json {
		err = printJSON(v.out, r)
	} else {
		_, err = fmt.Fprint(v.out, v.result(r))
	}
	if err == nil && (r.Outcome == admin.OutcomeFailed || r.Outcome == admin.OutcomeNotMade) {
		return saidError{exitFailed}
	}
	return err
}

func (v checksView) result(r admin.CheckResult) string {
	colours := v.coloured()
	var b strings.Builder
	for _, p := range r.Transcript {
		b.WriteString(passageText(passageFrom(p), 0, colours))
	}
	if len(r.Transcript) > 0 {
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "%s in %s (%s)", outcomeCell(r.Outcome).paint(colours), millis(milliseconds(r.DurationMS)), stagesText(r.Stages))
	if r.Message != r.Outcome {
		b.WriteString(": " + printable(r.Message))
	}
	b.WriteString("\n")
	if r.Peer != "" {
		fmt.Fprintf(&b, "  the server said: %s\n", printable(r.Peer))
	}
	return b.String()
}

// passageFrom is a passage as it was before it went over the API.
func passageFrom(p transcript.Passage) negotiate.Passage {
	o := negotiate.Passage{Sent: p.Sent, At: milliseconds(p.AtMS), Title: p.Title, Notes: p.Notes, More: p.More}
	if p.Hex != "" {
		o.Bytes, _ = hex.DecodeString(p.Hex)
	} else {
		o.Bytes, o.Text = []byte(p.Text), true
	}
	for _, m := range p.Masked {
		o.Masked = append(o.Masked, negotiate.Span{From: m[0], To: m[1]})
	}
	return o
}
