package main

import (
	"log/slog"

	"github.com/spf13/cobra"

	"gantry/fixtures/fault"
	"gantry/fixtures/xds"
)

const aboutSimulateXDS = `Play an XDS.b registry (ITI-18) at /services/registry and a repository (ITI-43, ITI-41) at /services/repository, on
one address. They know one made-up document, repository ` + xds.RepositoryUniqueID + ` and document ` + xds.DocumentUniqueID + `, and
take any that they are given, keeping none.

A turn, for --fault-rate and --fault-after, is a request.`

func newSimulateXDS(s *surroundings) *cobra.Command {
	role := &words{value: "both", allowed: []string{"both", "registry", "repository"}}
	cmd := &cobra.Command{
		Use:   "xds",
		Short: "Play an XDS registry and repository",
		Example: `  gantry simulate xds --listen :17035
  gantry simulate xds --fault busy --fault-rate 20%
  gantry simulate xds --tls --fault expired-certificate`,
	}
	sim := simulation[xds.Faults]{
		table: xds.FaultTable,
		when:  func(f *xds.Faults) *fault.When { return &f.When },
		start: func(o *simulated, f xds.Faults) (simulatedServer[xds.Faults], error) {
			identity, err := o.tls.identity(o.listen)
			if err != nil {
				return nil, err
			}
			actor := map[string]xds.Role{"both": xds.Both, "registry": xds.Registry, "repository": xds.Repository}[role.value]
			return xds.Start(xds.Options{Listen: o.listen, Role: actor, Name: "SIMULATED", Identity: identity, Faults: f,
				OnRequest: func(x xds.Exchange) { logTransaction(o.log, x) }})
		},
		about: func(server simulatedServer[xds.Faults]) []any {
			one := server.(*xds.Server)
			switch role.value {
			case "registry":
				return []any{"registry", one.URLOf(xds.Registry)}
			case "repository":
				return []any{"repository", one.URLOf(xds.Repository)}
			}
			return []any{"registry", one.URLOf(xds.Registry), "repository", one.URLOf(xds.Repository)}
		},
		totals: func(server simulatedServer[xds.Faults]) []any {
			c := server.(*xds.Server).Counters()
			return []any{"connections", c.Connections, "requests", c.Requests, "iti_18", c.Queries, "iti_43", c.Retrieves, "iti_41", c.Provides,
				"errors", c.Errors}
		},
	}
	sim.command(s, cmd, "17035", aboutSimulateXDS)
	cmd.Flags().Var(role, "role", "actor to play: both, registry or repository")
	return cmd
}

func logTransaction(log *slog.Logger, x xds.Exchange) {
	attrs := []any{"client", x.Client, "transaction", x.Transaction}
	if x.Status != 0 {
		attrs = append(attrs, "http_status", x.Status)
	} else {
		attrs = append(attrs, "note", "no answer")
	}
	if x.Code != "" {
		attrs = append(attrs, "code", x.Code)
	}
	log.Info("request", append(attrs, "found", x.Found, "took", rounded(x.Took), "faulty", x.Faulty)...)
}
