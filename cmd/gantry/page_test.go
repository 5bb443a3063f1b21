package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"
)

const commandsPage = "../../docs/commands.md"

// TestCommandsPage keeps docs/commands.md what --help says. Write it anew with
//
//	go test ./cmd/gantry -run TestCommandsPage -update
func TestCommandsPage(t *testing.T) {
	got := page(newRoot(&newStage().surroundings))
	if *update {
		require.NoError(t, os.WriteFile(commandsPage, []byte(got), 0o644))
	}
	want, err := os.ReadFile(commandsPage)
	require.NoError(t, err)
	require.Equal(t, string(want), got, "docs/commands.md is stale; run: go test ./cmd/gantry -run TestCommandsPage -update")
}

// TestEveryCommandIsExplained: a command without a sentence would leave a hole in the page and in --help.
func TestEveryCommandIsExplained(t *testing.T) {
	walk(newRoot(&newStage().surroundings), func(c *cobra.Command) {
		require.NotEmpty(t, c.Short, c.CommandPath())
		require.False(t, strings.HasSuffix(c.Short, "."), "%s: one line without a full stop", c.CommandPath())
		c.LocalFlags().VisitAll(func(f *pflag.Flag) { require.NotEmpty(t, f.Usage, "%s --%s", c.CommandPath(), f.Name) })
	})
}

const pageHead = `<!-- Generated from the command tree; do not edit. See cmd/gantry/page_test.go. -->

# Commands

| exit code | meaning |
|---|---|
| 0 | ok |
| 1 | failed |
| 2 | bad usage or bad configuration |

` + "`gantry probe` has exit codes of its own: 0 healthy, 1 degraded, 2 unhealthy, 3 the check could not be made. Every command has `--help`" + `.

`

// page is the command tree as Markdown: a table of all commands, then a section each.
func page(root *cobra.Command) string {
	var b strings.Builder
	b.WriteString(pageHead + "| command | |\n|---|---|\n")
	var commands []*cobra.Command
	walk(root, func(c *cobra.Command) {
		if c.Runnable() && c != root {
			commands = append(commands, c)
			fmt.Fprintf(&b, "| [`%s`](#%s) | %s |\n", c.CommandPath(), strings.ReplaceAll(c.CommandPath(), " ", "-"), c.Short)
		}
	})
	for _, c := range commands {
		section(&b, c)
	}
	return b.String()
}

// walk visits the tree in the order of --help, without cobra's own help and completion machinery.
func walk(c *cobra.Command, visit func(*cobra.Command)) {
	visit(c)
	for _, child := range c.Commands() {
		if child.IsAvailableCommand() && child.Name() != "help" {
			walk(child, visit)
		}
	}
}

func section(b *strings.Builder, c *cobra.Command) {
	text := c.Long
	if text == "" {
		text = c.Short + "."
	}
	fmt.Fprintf(b, "\n## %s\n\n%s\n\n```\n%s\n", c.CommandPath(), text, c.UseLine())
	flags := pflag.NewFlagSet(c.Name(), pflag.ContinueOnError)
	sets := []*pflag.FlagSet{c.LocalFlags(), c.InheritedFlags()}
	if pageWidth(c) > 0 {
		flags.SortFlags = false // those of the keys stand in the order of the reference
	}
	if inProbe(c.Parent()) {
		sets = sets[:1] // the many that all kinds share are described once
	}
	for _, set := range sets {
		set.VisitAll(func(f *pflag.Flag) {
			if f.Name != "help" { // every command has it
				flags.AddFlag(f)
			}
		})
	}
	if usages := flags.FlagUsagesWrapped(pageWidth(c)); usages != "" {
		fmt.Fprintf(b, "\n%s", usages)
	}
	if inProbe(c.Parent()) {
		fmt.Fprintf(b, "\nand the flags of %s\n", c.Parent().CommandPath())
	}
	if c.Example != "" {
		fmt.Fprintf(b, "\nExamples:\n%s\n", c.Example)
	}
	b.WriteString("```\n")
}

// inProbe tells `gantry probe` and its kinds, whose flags are made from the keys of checks.
func inProbe(c *cobra.Command) bool {
	return c != nil && (c.Name() == "probe" || inProbe(c.Parent()))
}

// pageWidth is where flags are wrapped; 0 = not at all.
func pageWidth(c *cobra.Command) int {
	if inProbe(c) || c.Name() == "associate" {
		return helpWidth
	}
	return 0
}
