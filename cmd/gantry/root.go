package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// newRoot is the command tree. A new command is a file with a constructor and a line here.
func newRoot(s *surroundings) *cobra.Command {
	root := &cobra.Command{
		Use:   "gantry",
		Short: "A load balancer that speaks DICOM and HL7",
		Long: `Gantry is a load balancer for medical imaging and clinical systems. It stands between clients (modalities, RIS,
HIS, viewers) and servers (archives, interface engines, registries), and judges the servers by speaking their protocol.

Exit codes: 0 ok, 1 failed, 2 bad usage or bad configuration; gantry probe has its own.`,
		Version:       buildInfo().version,
		SilenceErrors: true, // report says them, with the exit code that fits
		SilenceUsage:  true,
		// No Args: cobra's own check of an unknown command finds similar ones.
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.CompletionOptions.DisableDefaultCmd = true // ours refuses an unknown shell
	root.SetVersionTemplate("gantry {{.Version}}\n")
	root.SetOut(s.out)
	root.SetErr(s.err)
	root.AddCommand(
		newRun(s),
		newCheckConfig(s),
		newDemo(s),
		newProbe(s),
		newAssociate(s),
		newSimulate(s),
		newSend(s),
		newStatus(s),
		newChecks(s),
		newServer(s),
		newReload(s),
		newVersion(s),
		newCompletion(s),
	)
	return root
}

// needsVerb is the body of a command that only groups others: without one of them it is bad usage, not help and success.
func needsVerb(cmd *cobra.Command, args []string) error {
	var verbs []string
	for _, c := range cmd.Commands() {
		verbs = append(verbs, c.Name())
	}
	if len(args) == 0 {
		return badUsage("%q needs one of its commands: %s", cmd.CommandPath(), strings.Join(verbs, ", "))
	}
	return badUsage("unknown command %q for %q; there is %s", args[0], cmd.CommandPath(), strings.Join(verbs, ", "))
}

// words is a flag that takes one of a few words.
type words struct {
	value   string
	allowed []string
}

// outputFlag adds --output text|json to a command.
func outputFlag(cmd *cobra.Command) *words {
	w := &words{value: "text", allowed: []string{"text", "json"}}
	cmd.Flags().VarP(w, "output", "o", "form of the output: text or json")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(w.allowed, cobra.ShellCompDirectiveNoFileComp))
	return w
}

func (w *words) String() string { return w.value }

// Type is what --help shows as the flag's argument.
func (w *words) Type() string { return "FORM" }

// Set refuses everything but the allowed words.
func (w *words) Set(value string) error {
	for _, a := range w.allowed {
		if a == value {
			w.value = value
			return nil
		}
	}
	return fmt.Errorf("use %s", strings.Join(w.allowed, " or "))
}
