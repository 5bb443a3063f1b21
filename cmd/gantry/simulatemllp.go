package main

import (
	"context"
	"log/slog"

	"github.com/spf13/cobra"

	"gantry/fixtures/fault"
	"gantry/fixtures/hl7"
)

const aboutSimulateMLLP = `Play an HL7 version 2 receiver over MLLP: every message is acknowledged with AA, or CA where it asks for that, and
dropped.

A turn, for --fault-rate and --fault-after, is a message.`

func newSimulateMLLP(s *surroundings) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "mllp",
		Short: "Play an HL7 receiver over MLLP",
		Example: `  gantry simulate mllp --listen :2575
  gantry simulate mllp --fault error=207
  gantry simulate mllp --fault close --fault-rate 10%`,
	}
	sim := simulation[hl7.Faults]{
		table: hl7.FaultTable,
		when:  func(f *hl7.Faults) *fault.When { return &f.When },
		start: func(o *simulated, f hl7.Faults) (simulatedServer[hl7.Faults], error) {
			identity, err := o.tls.identity(o.listen)
			if err != nil {
				return nil, err
			}
			return hl7.Start(hl7.Options{Listen: o.listen, Identity: identity, Faults: f,
				OnExchange: func(x hl7.Exchange) { logMessage(o.log, x) }})
		},
		about: func(simulatedServer[hl7.Faults]) []any { return nil },
		totals: func(server simulatedServer[hl7.Faults]) []any {
			c := server.(*hl7.Receiver).Counters()
			return []any{"connections", c.Connections, "messages", c.Messages, "accepted", c.Accepted, "malformed", c.Malformed, "bytes_in", c.Bytes}
		},
	}
	return sim.command(s, cmd, "2575", aboutSimulateMLLP)
}

func logMessage(log *slog.Logger, x hl7.Exchange) {
	level, what := slog.LevelInfo, "message"
	attrs := []any{"client", x.Client}
	if x.MessageType == "" && x.ControlID == "" {
		what = "connection"
		if x.Note == "no message" {
			level = slog.LevelDebug
		}
	} else {
		attrs = append(attrs, "message_type", x.MessageType, "control_id", x.ControlID, "bytes_in", x.Bytes)
	}
	for _, a := range []struct{ key, value string }{{"ack", x.Ack}, {"error", x.Error}, {"note", x.Note}} {
		if a.value != "" {
			attrs = append(attrs, a.key, a.value)
		}
	}
	log.Log(context.Background(), level, what, append(attrs, "took", rounded(x.Took), "faulty", x.Faulty)...)
}
