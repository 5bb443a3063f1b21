package main

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"gantry/fixtures/fault"
	"gantry/fixtures/hl7"
	"gantry/fixtures/hl7/ledger"
)

const aboutSimulateMLLP = `Play an HL7 version 2 receiver over MLLP: every message is acknowledged with AA, or CA where it asks for that, and
dropped. A batch gets one answer, to its first message.

--record writes a line of JSON for each message before it is answered: when, from whom, its type, control id and
checksum, whether it is kept and what is answered; of messages that "gantry send mllp" made also the made-up patient and
the number among that patient's messages. Nothing else of a message is written. A message that cannot be recorded is
refused with AR and error 207. What is in the file stays. "gantry send mllp --judge" compares records.

A turn, for --fault-rate and --fault-after, is a message.`

// maxMessageFlag bounds --max-message, as the gateway's max_message is bounded.
const maxMessageFlag = 256 << 20

// receiverFlags are those of `gantry simulate mllp` alone.
type receiverFlags struct{ record, maxMessage string }

func (f *receiverFlags) add(set *pflag.FlagSet) {
	set.StringVar(&f.record, "record", "", "write a line about each message to `FILE` before it is answered")
	set.StringVar(&f.maxMessage, "max-message", "16MiB", "close connections with messages of more than `SIZE`, to 256MiB")
}

// options are those that the flags are about.
func (f *receiverFlags) options() (o hl7.Options, record *ledger.Writer, err error) {
	most, err := fault.Size(f.maxMessage)
	if err != nil || most > maxMessageFlag || most > math.MaxInt {
		return o, nil, badUsage("--max-message: %q is not a size from 1 to 256MiB", f.maxMessage)
	}
	o.MaxMessage = int(most)
	if f.record == "" {
		return o, nil, nil
	}
	if record, err = ledger.RecordReceived(f.record); err != nil {
		return o, nil, badUsage("--record: %s", err)
	}
	o.Record = record.Receive
	return o, record, nil
}

// recording is a receiver and its record.
type recording struct {
	*hl7.Receiver
	record *ledger.Writer
}

// Close ends the record behind the last message.
func (r *recording) Close() {
	r.Receiver.Close()
	if r.record != nil {
		_ = r.record.Close()
		r.record = nil
	}
}

func newSimulateMLLP(s *surroundings) *cobra.Command {
	flags := &receiverFlags{}
	cmd := &cobra.Command{
		Use:   "mllp",
		Short: "Play an HL7 receiver over MLLP",
		Example: `  gantry simulate mllp --listen :2575
  gantry simulate mllp --listen :2576 --record receiver-b.jsonl
  gantry simulate mllp --fault error=207
  gantry simulate mllp --fault close --fault-rate 10%`,
	}
	sim := simulation[hl7.Faults]{
		table: hl7.FaultTable,
		when:  func(f *hl7.Faults) *fault.When { return &f.When },
		start: func(o *simulated, f hl7.Faults) (simulatedServer[hl7.Faults], error) {
			return startReceiver(o, flags, f)
		},
		about: func(simulatedServer[hl7.Faults]) []any { return nil },
		totals: func(server simulatedServer[hl7.Faults]) []any {
			c := server.(*recording).Counters()
			return []any{"connections", c.Connections, "messages", c.Messages, "accepted", c.Accepted, "malformed", c.Malformed, "bytes_in", c.Bytes}
		},
	}
	sim.command(s, cmd, "2575", aboutSimulateMLLP)
	flags.add(cmd.Flags())
	cmd.SetUsageTemplate(strings.ReplaceAll(cmd.UsageTemplate(), ".FlagUsages", fmt.Sprintf(".FlagUsagesWrapped %d", helpWidth)))
	return cmd
}

func startReceiver(o *simulated, flags *receiverFlags, f hl7.Faults) (simulatedServer[hl7.Faults], error) {
	identity, err := o.tls.identity(o.listen)
	if err != nil {
		return nil, err
	}
	options, record, err := flags.options()
	if err != nil {
		return nil, err
	}
	options.Listen, options.Identity, options.Faults = o.listen, identity, f
	options.OnExchange = func(x hl7.Exchange) { logMessage(o.log, x) }
	r, err := hl7.Start(options)
	if err != nil {
		return nil, err
	}
	return &recording{r, record}, nil
}

func logMessage(log *slog.Logger, x hl7.Exchange) {
	level, what := slog.LevelInfo, "message"
	attrs := []any{"client", x.Client}
	switch {
	case x.RecordError != nil:
		level, what = slog.LevelError, "message not recorded, and refused"
		attrs = append(attrs, "err", x.RecordError)
	case x.MessageType == "" && x.ControlID == "":
		what = "connection"
		if x.Note == "no message" {
			level = slog.LevelDebug
		}
	}
	if x.MessageType != "" || x.ControlID != "" {
		attrs = append(attrs, "message_type", x.MessageType, "control_id", x.ControlID, "bytes_in", x.Bytes)
	}
	for _, a := range []struct{ key, value string }{{"ack", x.Ack}, {"error", x.Error}, {"note", x.Note}} {
		if a.value != "" {
			attrs = append(attrs, a.key, a.value)
		}
	}
	log.Log(context.Background(), level, what, append(attrs, "took", rounded(x.Took), "faulty", x.Faulty)...)
}
