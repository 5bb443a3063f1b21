package peers

import (
	"context"
)

// StartSimulatedHL7 starts `gantry simulate mllp --record` as a process of its own, which can be killed and frozen, and
// returns when it listens. The record goes on over any number of such processes, one after the other. Their log, a line a
// message, is thrown away.
func StartSimulatedHL7(ctx context.Context, program, addr, record string) (*Receiver, error) {
	p, err := Start(Command{Name: "simulate mllp", Path: "/bin/sh",
		Args: []string{"-c", `exec "$0" simulate mllp --listen "$1" --record "$2" 2>/dev/null`, program, addr, record}})
	if err != nil {
		return nil, err
	}
	return &Receiver{p, addr}, untilReady(ctx, p, accepts(addr))
}
