package main

import (
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// shells are those whose completion scripts cobra can write and that run where gantry does.
var shells = map[string]func(root *cobra.Command, w io.Writer) error{
	"bash": func(root *cobra.Command, w io.Writer) error { return root.GenBashCompletionV2(w, true) },
	"fish": func(root *cobra.Command, w io.Writer) error { return root.GenFishCompletion(w, true) },
	"zsh":  func(root *cobra.Command, w io.Writer) error { return root.GenZshCompletion(w) },
}

func newCompletion(s *surroundings) *cobra.Command {
	var names []string
	for name := range shells {
		names = append(names, name)
	}
	slices.Sort(names)
	return &cobra.Command{
		Use:   "completion " + strings.Join(names, "|"),
		Short: "Print the completion script of a shell",
		Long: `Print the completion script of a shell. It completes commands and flags, and for "gantry server" the names of
the running gateway's servers.`,
		Example: `  source <(gantry completion bash)
  gantry completion bash > /etc/bash_completion.d/gantry
  gantry completion zsh > "${fpath[1]}/_gantry"
  gantry completion fish > ~/.config/fish/completions/gantry.fish`,
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		ValidArgs: names,
		RunE: work(func(cmd *cobra.Command, args []string) error {
			return shells[args[0]](cmd.Root(), s.out)
		}),
	}
}
