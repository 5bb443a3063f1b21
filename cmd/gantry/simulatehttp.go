package main

import (
	"log/slog"

	"github.com/spf13/cobra"

	"gantry/fixtures/fault"
	"gantry/fixtures/viewer"
)

const aboutSimulateHTTP = `Play an image viewer: a login page at /login, a list of one made-up study at /studies (QIDO-RS), a WebSocket at
/socket. Plain HTTP, or HTTPS with --tls.

A turn, for --fault-rate and --fault-after, is a request.`

func newSimulateHTTP(s *surroundings) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "http",
		Short: "Play an image viewer over HTTP or HTTPS",
		Example: `  gantry simulate http --listen 127.0.0.1:8443 --tls
  gantry simulate http --fault status=503 --fault flapping=10`,
	}
	sim := simulation[viewer.Faults]{
		table: viewer.FaultTable,
		when:  func(f *viewer.Faults) *fault.When { return &f.When },
		start: func(o *simulated, f viewer.Faults) (simulatedServer[viewer.Faults], error) {
			identity, err := o.tls.identity(o.listen)
			if err != nil {
				return nil, err
			}
			return viewer.Start(viewer.Options{Listen: o.listen, Name: "SIMULATED", Plain: identity == nil, Identity: identity, Faults: f,
				OnRequest: func(x viewer.Exchange) { logRequest(o.log, x) }})
		},
		about: func(server simulatedServer[viewer.Faults]) []any {
			return []any{"url", server.(*viewer.Server).URL() + "/login"}
		},
		totals: func(server simulatedServer[viewer.Faults]) []any {
			c := server.(*viewer.Server).Counters()
			return []any{"connections", c.Connections, "requests", c.Requests}
		},
	}
	return sim.command(s, cmd, "8080", aboutSimulateHTTP)
}

func logRequest(log *slog.Logger, x viewer.Exchange) {
	attrs := []any{"client", x.Client, "method", x.Method, "route", x.Route}
	if x.Status != 0 {
		attrs = append(attrs, "http_status", x.Status)
	} else {
		attrs = append(attrs, "note", "no answer")
	}
	log.Info("request", append(attrs, "took", rounded(x.Took), "faulty", x.Faulty)...)
}
