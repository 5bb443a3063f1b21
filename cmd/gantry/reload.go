package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"gantry/gateway/admin"
)

func newReload(s *surroundings) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "reload",
		Short: "Ask a running gateway to read its configuration again",
		Long: `Ask a running gateway to read its configuration file again and print what changed. Running sessions stay as they
are. With any problem nothing changes, every problem is printed, and the exit code is 2.`,
		Args: cobra.NoArgs,
	}
	flags := addGatewayFlags(cmd)
	cmd.RunE = work(func(cmd *cobra.Command, _ []string) error {
		c, err := flags.client()
		if err != nil {
			return err
		}
		defer c.Close()
		d, err := c.Reload(cmd.Context())
		if err != nil {
			return err
		}
		printReloaded(s.out, d)
		return nil
	})
	return cmd
}

func printReloaded(w io.Writer, d admin.Reloaded) {
	if !d.Changed {
		fmt.Fprintf(w, "nothing changed: the configuration in force is still %s\n", short(d.Hash))
		return
	}
	fmt.Fprintf(w, "configuration %s is in force\n", short(d.Hash))
	printDifference(w, "service", d.Services)
	printDifference(w, "server", d.Servers)
	printDifference(w, "listener", d.Listeners)
}

func printDifference(w io.Writer, kind string, d admin.Difference) {
	for _, part := range []struct {
		word  string
		names []string
	}{{"added", d.Added}, {"removed", d.Removed}, {"changed", d.Changed}} {
		for _, name := range part.names {
			fmt.Fprintf(w, "  %-8s %-8s %s\n", part.word, kind, printable(name))
		}
	}
}
