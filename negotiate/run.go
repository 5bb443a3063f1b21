package negotiate

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"runtime"
	"strings"
	"time"
)

// Run carries out one check now: connect, TLS, Negotiate and close under one deadline,
// Check.Timeout. It never panics; a Prober that does is a failed check. Result.State is
// left at Checking, because one result alone is no judgement.
func Run(ctx context.Context, c Check) Result {
	rec := newRecorder(boundOf(ctx, c))
	bounded, cancel := context.WithTimeout(context.WithValue(ctx, recorderKey{}, rec), rec.timeout)
	defer cancel()
	fault := attempt(bounded, c, rec)
	if fault == nil {
		rec.slow(c.MaxLatency)
	}
	if fault != nil && errors.Is(ctx.Err(), context.Canceled) {
		fault = &Fault{Stage: rec.stage(), Reason: ReasonCanceled, Sentence: "the check was called off", Err: ctx.Err()}
	}
	result := rec.result(fault)
	if rec.tap != nil {
		result.Transcript = rec.tap.told(c.Prober)
	}
	return result
}

// boundOf is the time that a check has: its own, unless its caller has less.
func boundOf(ctx context.Context, c Check) time.Duration {
	bound := c.timeout()
	if end, ok := ctx.Deadline(); ok {
		bound = max(min(bound, time.Until(end)), 0)
	}
	return bound
}

// slow notes an answer that took longer than it may.
func (r *recorder) slow(limit time.Duration) {
	if r.answered == 0 {
		r.answered = time.Since(r.start)
	}
	if limit <= 0 || r.answered <= limit || r.degraded != nil {
		return
	}
	r.degraded = &Fault{Stage: r.slowest(), Reason: ReasonSlow,
		Sentence: "answers correctly, but slowly: " + Seconds(r.answered) + " where max_latency is " + Seconds(limit)}
}

// attempt climbs the rungs; the connection is closed when it returns.
func attempt(ctx context.Context, c Check, rec *recorder) (fault *Fault) {
	defer func() {
		if p := recover(); p != nil {
			fault = panicked(rec.stage(), p)
		}
	}()
	if alone, ok := c.Prober.(Standalone); ok {
		rec.enter(StageAsk)
		return faultOf(StageAsk, alone.Negotiate(ctx, nil))
	}
	rec.enter(StageConnect)
	address, err := c.Address()
	if err != nil {
		return connectFault(ctx, "", err)
	}
	raw, err := dial(ctx, c, address)
	if err != nil {
		return connectFault(ctx, address, err)
	}
	defer func() { _ = raw.Close() }()
	if c.TLS == nil {
		return negotiate(ctx, c, raw, rec)
	}
	rec.enter(StageTLS)
	conn, err := secure(ctx, c.TLS, address, raw)
	if err != nil {
		return tlsFault(ctx, err)
	}
	defer hangUp(ctx, conn, raw)
	return negotiate(ctx, c, conn, rec)
}

// dial opens the connection by whatever means the check has.
func dial(ctx context.Context, c Check, address string) (net.Conn, error) {
	if c.Dial == nil {
		c.Dial = dialTCP
	}
	conn, err := c.Dial(ctx, address)
	if err != nil {
		return nil, err
	}
	return quickAck(conn), nil
}

// dialTCP leaves keep-alive out: no check lives long enough for its first probe, and it
// costs three system calls a connection. It must not bind: net.Dialer.DialTCP, faster at
// first sight, binds even a zero local address, so that each connection in TIME_WAIT takes a
// local port from all servers instead of one, and none is left within two minutes.
func dialTCP(ctx context.Context, address string) (net.Conn, error) {
	d := net.Dialer{KeepAlive: -1}
	return d.DialContext(ctx, "tcp", address)
}

// secure wraps raw in TLS. An empty server name becomes the host of the address: for a
// name it is sent and verified, for an IP address only verified.
func secure(ctx context.Context, config *tls.Config, address string, raw net.Conn) (*tls.Conn, error) {
	config = config.Clone()
	if config.ServerName == "" {
		config.ServerName, _, _ = net.SplitHostPort(address)
	}
	config.GetClientCertificate = noticed(ctx, config)
	conn := tls.Client(raw, config)
	return conn, conn.HandshakeContext(ctx)
}

// noticed chooses the client certificate as crypto/tls would by itself, and notes that the server
// asked for one.
func noticed(ctx context.Context, c *tls.Config) func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	choose := c.GetClientCertificate
	return func(info *tls.CertificateRequestInfo) (*tls.Certificate, error) {
		if r := recorderOf(ctx); r != nil {
			r.asked = true
		}
		if choose != nil {
			return choose(info)
		}
		for i := range c.Certificates {
			if info.SupportsCertificate(&c.Certificates[i]) == nil {
				return &c.Certificates[i], nil
			}
		}
		return &tls.Certificate{}, nil // none, which the server may accept
	}
}

// hangUp says goodbye in TLS, which may write; the end of ctx closes raw underneath, because
// crypto/tls by itself would grant that write five seconds more.
func hangUp(ctx context.Context, conn *tls.Conn, raw net.Conn) {
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() })
	defer stop()
	_ = conn.Close()
}

// negotiate lets the Prober talk. The end of ctx, for whatever reason, reaches it as an
// expired deadline on the connection.
func negotiate(ctx context.Context, c Check, conn net.Conn, rec *recorder) *Fault {
	if wantsTranscript(ctx) {
		rec.tap = &tap{Conn: conn, start: rec.start, begun: time.Since(rec.start)}
		conn = rec.tap
	}
	if c.Prober == nil {
		return nil
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(longAgo) })
	defer stop()
	err := c.Prober.Negotiate(ctx, conn)
	return faultOf(rec.stage(), err)
}

// longAgo as a deadline makes every read and write fail at once.
var longAgo = time.Unix(1, 0)

// ReadWithin bounds the next reads on conn by d from now, but never beyond the end of ctx.
// A Prober uses it for a wait that is shorter than the whole check.
func ReadWithin(ctx context.Context, conn net.Conn, d time.Duration) {
	end := time.Now().Add(d)
	if deadline, ok := ctx.Deadline(); ok && deadline.Before(end) {
		end = deadline
	}
	_ = conn.SetReadDeadline(end)
	// The end of ctx may have passed before the line above undid what it did.
	if ctx.Err() != nil {
		_ = conn.SetReadDeadline(longAgo)
	}
}

// farewellTime is how long a last word may take when the deadline has already passed. The
// socket buffer of a living connection takes it at once.
const farewellTime = 50 * time.Millisecond

// Farewell writes a last word, such as an A-ABORT that frees the peer's slot, even if the
// deadline of the check has passed. Nothing can be done about a failure, so none is reported.
func Farewell(conn net.Conn, word []byte) {
	_ = conn.SetWriteDeadline(time.Now().Add(farewellTime))
	_, _ = conn.Write(word)
}

// panicked describes a bug in a Prober. Only runtime errors are quoted: any other value
// might hold bytes that the peer sent.
func panicked(s Stage, p any) *Fault {
	what := fmt.Sprintf("panic of type %T", p)
	if err, ok := p.(runtime.Error); ok {
		what = err.Error()
	}
	return &Fault{
		Stage: s, Reason: ReasonInternal,
		Sentence: "this check has a bug and stopped (" + what + "): please report it; the server itself may be well",
		Err:      errors.New(what + panicSite()),
	}
}

// panicSite names the first function outside the runtime on the stack of a recovered panic.
func panicSite() string {
	var pcs [32]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs[:])])
	seenPanic := false
	for {
		frame, more := frames.Next()
		seenPanic = seenPanic || frame.Function == "runtime.gopanic"
		if seenPanic && !strings.HasPrefix(frame.Function, "runtime.") {
			return fmt.Sprintf(" at %s:%d", frame.Function, frame.Line)
		}
		if !more {
			return ""
		}
	}
}
