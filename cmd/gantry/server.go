package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"gantry/gateway/admin"
)

func newServer(s *surroundings) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "server COMMAND SERVICE/SERVER",
		Short: "Change a server's administrative state or weight in a running gateway",
		Long: `Change a server's administrative state or weight in a running gateway. A reload keeps both, but for a weight that
the file itself changes; after a restart every server is ready and has the weight of the file.`,
		Example: `  gantry server drain DICOM-Modalities/DICOM1
  gantry server weight DICOM-Modalities/DICOM2 50`,
		RunE: needsVerb,
	}
	flags := addGatewayFlags(cmd)
	for _, v := range serverVerbs {
		cmd.AddCommand(newServerVerb(s, flags, v))
	}
	cmd.AddCommand(newServerWeight(s, flags))
	return cmd
}

// serverVerb is an administrative state as a command.
type serverVerb struct{ word, short string }

var serverVerbs = []serverVerb{
	{admin.AdminReady, "Let a server take sessions again"},
	{admin.AdminDrain, "Let a server's sessions finish and give it no new ones"},
	{admin.AdminMaint, "As drain, and stop checking the server"},
}

func newServerVerb(s *surroundings, flags *gatewayFlags, v serverVerb) *cobra.Command {
	return &cobra.Command{
		Use:               v.word + " SERVICE/SERVER",
		Short:             v.short,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: flags.completeServer,
		RunE: work(func(cmd *cobra.Command, args []string) error {
			return changeServer(s, flags, cmd, args[0], admin.ServerChange{Admin: &v.word})
		}),
	}
}

func newServerWeight(s *surroundings, flags *gatewayFlags) *cobra.Command {
	return &cobra.Command{
		Use:               "weight SERVICE/SERVER WEIGHT",
		Short:             fmt.Sprintf("Set a server's share of new sessions, %d to %d", admin.MinWeight, admin.MaxWeight),
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: flags.completeServer,
		RunE: work(func(cmd *cobra.Command, args []string) error {
			weight, err := strconv.Atoi(args[1])
			if err != nil || weight < admin.MinWeight || weight > admin.MaxWeight {
				return badUsage("%q is not a weight; use %d to %d", args[1], admin.MinWeight, admin.MaxWeight)
			}
			return changeServer(s, flags, cmd, args[0], admin.ServerChange{Weight: &weight})
		}),
	}
}

// changeServer asks for the change and says how the server stands afterwards.
func changeServer(s *surroundings, flags *gatewayFlags, cmd *cobra.Command, name string, change admin.ServerChange) error {
	service, server, err := splitServer(name)
	if err != nil {
		return err
	}
	c, err := flags.client()
	if err != nil {
		return err
	}
	defer c.Close()
	now, err := c.SetServer(cmd.Context(), service, server, change)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%s/%s: %s, weight %d, %s active\n", service, server, describe(now), now.Weight, count(int(now.Active), "session"))
	return nil
}

// describe is the state in words: "ready" says nothing about health, so both are said when they differ.
func describe(s admin.ServerStatus) string {
	if s.Admin == s.State {
		return s.State
	}
	return s.Admin + ", " + s.State
}

func splitServer(name string) (service, server string, err error) {
	service, server, ok := strings.Cut(name, "/")
	if !ok || service == "" || server == "" || strings.Contains(server, "/") {
		return "", "", badUsage("%q does not name a server; write SERVICE/SERVER, as `gantry status` shows them", name)
	}
	return service, server, nil
}

// completeServer offers the servers of the running gateway to the shell; without a gateway it offers nothing.
func (f *gatewayFlags) completeServer(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	c, err := f.client()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	defer c.Close()
	status, err := c.Status(cmd.Context())
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, v := range status.Services {
		for _, r := range v.Servers {
			names = append(names, v.Name+"/"+r.Name+"\t"+r.State)
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
