package relay

import (
	"fmt"
	"net/netip"
	"runtime"
	"sync/atomic"
	"time"
)

const (
	// ReadSize is how many bytes one read takes at most, and so how many a
	// stalled direction holds in memory.
	ReadSize = 64 << 10
	// PipeSize is the capacity asked for a splice pipe, in bytes. The kernel
	// gives unprivileged users 64 MiB of pipes in all by default: DefaultMaxPipes of
	// this size.
	PipeSize = 512 << 10
	// DefaultMaxPipes bounds the pipes of one Relay; each costs two
	// descriptors. A flow that gets none is copied instead.
	DefaultMaxPipes = 128
	// PartLinger is how long a peer may take to read the gateway's own last
	// words and close, in the place of the ARTIM timer of PS3.8 9.1.5.
	PartLinger = 2 * time.Second
)

// Options shape a Relay. The zero value is useful.
type Options struct {
	// Loops is the number of event loops; 0 means one a processor (GOMAXPROCS).
	Loops int
	// MaxPipes bounds the splice pipes in existence; 0 means DefaultMaxPipes,
	// negative none: every byte is copied.
	MaxPipes int
	// OnPanic is told of a panic in a Handler or in the relay itself. The flow
	// it struck is aborted, the loop goes on. Nil ignores it.
	OnPanic func(value any, stack []byte)
}

// Relay owns the loops. Make one with New; Close ends it.
type Relay struct {
	loops []*loop
	next  atomic.Uint32
	pipes *pipePool
}

// New opens the loops and starts them. It fails only when the kernel gives no
// more descriptors (three a loop).
func New(o Options) (*Relay, error) {
	if o.Loops <= 0 {
		o.Loops = runtime.GOMAXPROCS(0)
	}
	if o.MaxPipes == 0 {
		o.MaxPipes = DefaultMaxPipes
	}
	r := &Relay{pipes: newPipePool(o.MaxPipes)}
	for range o.Loops {
		l, err := newLoop(r, o.OnPanic)
		if err != nil {
			r.Close()
			return nil, fmt.Errorf("opening a relay loop: %w", err)
		}
		r.loops = append(r.loops, l)
		go l.run()
	}
	return r, nil
}

// Close aborts every flow, waits until each Handler had its Done, and gives the
// descriptors back. Adopt after Close closes the client at once.
func (r *Relay) Close() {
	for _, l := range r.loops {
		l.stop()
	}
	for _, l := range r.loops {
		<-l.stopped
	}
	r.pipes.close()
}

// Limits bound one flow. A zero limit is none.
type Limits struct {
	// Connect is how long one dial may take.
	Connect time.Duration
	// Answer is how long a server may take to answer First, for a Reader.
	Answer time.Duration
	// ClientIdle and ServerIdle are how long no byte may move on that side.
	ClientIdle, ServerIdle time.Duration
}

// Config describes a client connection handed to the relay.
type Config struct {
	// Client is the descriptor of a connected, non-blocking TCP socket. The
	// relay owns it from the call of Adopt on.
	Client int
	// First holds the bytes already read from the client; they go to the
	// server before all others. The relay keeps the slice.
	First []byte
	// Limits bound the flow.
	Limits Limits
	// Handler decides and is told. One that is a Reader reads along as well.
	Handler Handler
}

// Handler is the flow's owner. Its methods are called on the flow's loop, one
// at a time, and must not block.
type Handler interface {
	// Begin is the first call. It must call Dial, Refuse or Reset on f; a Reader
	// may call Park too.
	Begin(f *Flow)
	// Dialed tells how a dial ended. After an error it must call Dial with
	// another address, Refuse or Abort; without, relaying starts when it
	// returns.
	Dialed(f *Flow, addr netip.AddrPort, took time.Duration, err error)
	// Moved tells how many bytes reached the server (in) and the client (out)
	// since the last call.
	Moved(in, out int64)
	// Done is the last call: both sockets are closed.
	Done(f *Flow, r Result)
}

// End says how a flow ended. The values are a closed set, fit for a label.
type End string

// The ends of a flow.
const (
	Closed        End = "closed"         // both sides sent FIN and got each other's bytes
	ClientReset   End = "client-reset"   // the client reset the connection, or vanished
	ServerReset   End = "server-reset"   // the server reset the connection, or vanished
	ClientClosed  End = "client-closed"  // the client ended its side where the Reader wants it no more
	ServerClosed  End = "server-closed"  // the server did
	ClientIdle    End = "client-idle"    // no byte on the client's side for Limits.ClientIdle
	ServerIdle    End = "server-idle"    // no byte on the server's side for Limits.ServerIdle
	Refused       End = "refused"        // answered by the gateway itself
	InternalError End = "internal-error" // a panic, told to Options.OnPanic, or no memory to watch a socket
	Stopped       End = "stopped"        // Relay.Close
)

// Result is the sum of a flow.
type Result struct {
	// End is how it ended: one of the constants, or the reason given to Abort.
	End End
	// In and Out are the payload bytes that were written to the server and to
	// the client. The answer of Refuse is not counted.
	In, Out int64
	// Took is the time from Adopt to the end.
	Took time.Duration
}

// Adopt hands a client over to one of the loops, which calls cfg.Handler.Begin
// soon. It may be called from any goroutine and does not block.
func (r *Relay) Adopt(cfg Config) *Flow {
	l := r.loops[int(r.next.Add(1))%len(r.loops)]
	f := newFlow(l, cfg)
	l.post(message{flow: f, kind: adopt})
	return f
}

// Flows returns the number of live flows.
func (r *Relay) Flows() int {
	n := 0
	for _, l := range r.loops {
		n += int(l.live.Load())
	}
	return n
}
