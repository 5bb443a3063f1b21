package main

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// helpWidth is how wide the flags of a probe are set where there is no terminal.
const helpWidth = 120

// probeUsage writes the usage of `gantry probe` and of its kinds: many flags, so they are grouped, those of the kind
// first, in the order of the reference.
func probeUsage(s *surroundings, f *probeFlags) func(*cobra.Command) error {
	return func(cmd *cobra.Command) error {
		width := helpWidth
		if columns, _, ok := s.size(); ok {
			width = max(min(columns, helpWidth), 60)
		}
		var b strings.Builder
		fmt.Fprintf(&b, "Usage:\n  %s\n", cmd.UseLine())
		if cmd.HasAvailableSubCommands() {
			b.WriteString("\nKinds:\n")
			for _, c := range cmd.Commands() {
				fmt.Fprintf(&b, "  %-*s %s\n", cmd.Commands()[0].NamePadding(), c.Name(), c.Short)
			}
		}
		if cmd.Example != "" {
			fmt.Fprintf(&b, "\nExamples:\n%s\n", cmd.Example)
		}
		if own := ownFlags(cmd, f); own.HasFlags() {
			writeGroup(&b, "Flags of "+cmd.Name(), own, width)
		}
		for _, g := range f.groups {
			writeGroup(&b, g.title, g.set, width)
		}
		_, err := fmt.Fprint(cmd.OutOrStderr(), b.String())
		return err
	}
}

func writeGroup(b *strings.Builder, title string, set *pflag.FlagSet, width int) {
	fmt.Fprintf(b, "\n%s:\n%s", title, set.FlagUsagesWrapped(width))
}

// ownFlags are a command's flags without the shared ones and --help.
func ownFlags(cmd *cobra.Command, f *probeFlags) *pflag.FlagSet {
	own := newFlagSet()
	cmd.LocalFlags().VisitAll(func(flag *pflag.Flag) {
		if flag.Name != "help" && !f.shares(flag.Name) {
			own.AddFlag(flag)
		}
	})
	return own
}

// shares reports whether a flag is one of all kinds.
func (f *probeFlags) shares(name string) bool {
	for _, g := range f.groups {
		if g.set.Lookup(name) != nil {
			return true
		}
	}
	return false
}

// fold breaks a paragraph into lines of at most width characters.
func fold(text string, width int) string {
	var b strings.Builder
	column := 0
	for _, word := range strings.Fields(text) {
		switch n := utf8.RuneCountInString(word); {
		case column == 0:
			column = n
		case column+1+n > width:
			b.WriteByte('\n')
			column = n
		default:
			b.WriteByte(' ')
			column += 1 + n
		}
		b.WriteString(word)
	}
	return b.String()
}
