package tlscheck

import (
	"context"
	"crypto/tls"
	"net"
	"time"

	"gantry/negotiate"
)

// ConfirmWait is how long a server's reaction to the end of the handshake is waited for. One that
// closes, as nearly all do when the client closes, ends the wait; one that says nothing at all has
// not refused anything.
const ConfirmWait = 2 * time.Second

// probe is one configured question. It is not changed after it was built.
type probe struct{ days int }

var _ negotiate.Prober = (*probe)(nil)

// secure is what is asked of the connection; *tls.Conn has it.
type secure interface {
	net.Conn
	ConnectionState() tls.ConnectionState
	CloseWrite() error
}

// Negotiate judges the connection that was made.
func (p *probe) Negotiate(ctx context.Context, conn net.Conn) error {
	negotiate.Enter(ctx, negotiate.StageAsk)
	s, ok := negotiate.Underlying[secure](conn)
	if !ok {
		return &negotiate.Fault{Stage: negotiate.StageAsk, Reason: negotiate.ReasonInternal,
			Sentence: "this check has a bug: it was given a connection without TLS; please report it"}
	}
	state := s.ConnectionState()
	if state.Version >= tls.VersionTLS13 && negotiate.ClientCertificateAsked(ctx) {
		if fault := confirmed(ctx, s); fault != nil {
			return fault
		}
	}
	if fault := p.validity(state, time.Now()); fault != nil {
		negotiate.Degrade(ctx, fault)
	}
	return nil
}

// confirmed waits until the server has shown that it takes the client for good, or the wait is over.
// Only an alert says that it does not: it may answer, close, reset or be silent as it likes.
func confirmed(ctx context.Context, conn secure) *negotiate.Fault {
	_ = conn.CloseWrite() // a failure shows in the read
	negotiate.ReadWithin(ctx, conn, ConfirmWait)
	n, err := conn.Read(make([]byte, 1))
	if n > 0 || err == nil {
		return nil
	}
	fault := negotiate.Lost(negotiate.StageAsk, err, negotiate.Words{})
	switch fault.Reason {
	case negotiate.ReasonHandshake, negotiate.ReasonCertificate:
		return fault
	}
	return nil
}
