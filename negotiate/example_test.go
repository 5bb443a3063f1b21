package negotiate_test

import (
	"bufio"
	"context"
	"fmt"
	"net"

	"gantry/negotiate"
)

// greeting is a probe for servers that speak first.
type greeting struct{}

func (greeting) Negotiate(ctx context.Context, conn net.Conn) error {
	negotiate.Enter(ctx, negotiate.StageOpen)
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return negotiate.Lost(negotiate.StageOpen, err, negotiate.Words{
			Silent: "accepts TCP but does not greet within " + negotiate.Within(ctx) + ": process hung",
		})
	}
	if line != "220 ready\n" {
		return &negotiate.Fault{Stage: negotiate.StageOpen, Reason: negotiate.ReasonMismatch,
			Peer: negotiate.PeerWords(line), Sentence: "greets, but is not ready"}
	}
	return nil
}

// A probe is a type with one method; the connection is opened, bounded and closed around it.
func ExampleRun() {
	result := negotiate.Run(context.Background(), negotiate.Check{
		Address: func() (string, error) { return "10.0.0.1:25", nil },
		Prober:  greeting{},
		Dial: func(context.Context, string) (net.Conn, error) { // a server for this example
			here, there := net.Pipe()
			go func() { fmt.Fprintln(there, "421 closing") }()
			return here, nil
		},
	})
	fmt.Println(result.OK(), result.Fault.Stage, result.Fault.Reason)
	fmt.Println(result.Fault)
	// Output:
	// false open mismatch
	// greets, but is not ready
}
