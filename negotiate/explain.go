package negotiate

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"
)

// Words are the sentences of a Prober for a conversation that broke off, one for each way in
// which that happens. An empty one is replaced by a general one.
type Words struct {
	Silent string // the deadline passed; the sentence should say what was waited for
	Closed string // the peer closed the connection
	Reset  string // the peer tore it down
}

// Lost turns the error of a read or write into a Fault of the given stage: timeout, reset or
// closed, in the Prober's own words. TLS errors, which with TLS 1.3 may arrive with the first
// read (a refused client certificate), are named as such.
func Lost(s Stage, err error, w Words) *Fault {
	f := &Fault{Stage: s, Err: err}
	switch {
	case isTimeout(err):
		f.Reason, f.Sentence = ReasonTimeout, or(w.Silent, "does not answer in time: process hung or overloaded")
	case isReset(err):
		f.Reason, f.Sentence = ReasonReset, or(w.Reset, "tears the connection down in the middle of the conversation")
	case isTLS(err):
		return brokenTLS(s, err)
	case isClosed(err):
		f.Reason, f.Sentence = ReasonClosed, or(w.Closed, "closes the connection in the middle of the conversation")
	default:
		f.Reason, f.Sentence = ReasonMalformed, "the conversation failed: "+err.Error()
	}
	return f
}

// LostWrite is Lost for a write. A server that refuses a client certificate says so and hangs up;
// with TLS 1.3 that reaches us as a write that failed, while its alert waits to be read.
func LostWrite(s Stage, conn net.Conn, err error, w Words) *Fault {
	f := Lost(s, err, w)
	if f.Reason != ReasonReset && f.Reason != ReasonClosed {
		return f
	}
	_ = conn.SetReadDeadline(time.Now().Add(farewellTime))
	if _, alert := conn.Read(make([]byte, 1)); alert != nil && isTLS(alert) {
		return Lost(s, alert, w)
	}
	return f
}

// Seconds writes a duration as people say it: "5 s", "1.5 s", "300 ms".
func Seconds(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", d.Seconds()), ".0") + " s"
}

// faultOf turns what a Prober returned into a Fault; nil and a nil *Fault both mean healthy.
func faultOf(s Stage, err error) *Fault {
	var f *Fault
	switch {
	case err == nil:
		return nil
	case errors.As(err, &f):
		return f
	default:
		return Lost(s, err, Words{})
	}
}

// connectFault explains why no connection came about. An empty address means that the
// server's name could not be turned into one.
func connectFault(ctx context.Context, address string, err error) *Fault {
	f := &Fault{Stage: StageConnect, Err: err}
	host, _, splitErr := net.SplitHostPort(address)
	if splitErr != nil {
		host = address
	}
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns):
		f.Reason, f.Sentence = ReasonUnresolved, unresolved(dns)
	case address == "":
		f.Reason, f.Sentence = ReasonUnresolved, "the server's address is not known: "+err.Error()
	// Before the rest: some of these errors also call themselves timeouts.
	case isLocal(err):
		f.Reason, f.Sentence = ReasonLocal, "gantry could not check: "+rootCause(err)+
			" on this machine; this says nothing about the server"
	case errors.Is(err, syscall.ECONNREFUSED):
		f.Reason, f.Sentence = ReasonRefused, "nothing listens on "+address+
			" (connection refused): the service is stopped or the port is wrong"
	case isTimeout(err):
		f.Reason, f.Sentence = ReasonTimeout, "no answer from "+address+" within "+Within(ctx)+
			": the host is off, a firewall drops the packets, or the service accepts no more connections"
	case isUnreachable(err):
		f.Reason, f.Sentence = ReasonUnreachable, unreachable(host, err)
	case isReset(err), isClosed(err):
		f.Reason, f.Sentence = ReasonReset, address+" resets the connection at once:"+
			" a firewall or another load balancer stands in between and has nothing behind it"
	default:
		f.Reason, f.Sentence = ReasonUnreachable, "cannot connect to "+address+": "+rootCause(err)
	}
	return f
}

// unresolved tells a name that does not exist from a name server that does not answer.
func unresolved(dns *net.DNSError) string {
	if dns.IsNotFound {
		return "the name " + dns.Name + " has no address: check its spelling and the DNS entry"
	}
	return "the name " + dns.Name + " could not be resolved: the name server does not answer;" +
		" write the IP address to be independent of it"
}

// unreachable says which machine to look at: this one, or something on the way.
func unreachable(host string, err error) string {
	switch {
	case errors.Is(err, syscall.ENETUNREACH):
		return "this machine has no route to " + host + ": check its network configuration"
	case errors.Is(err, syscall.EPERM), errors.Is(err, syscall.EACCES):
		return "this machine's own firewall does not let gantry connect to " + host
	default:
		return "the network reports that " + host + " cannot be reached: the host is off, or a router or firewall on the way says no"
	}
}

// rootCause is the innermost error's text: the chain above it repeats the address.
func rootCause(err error) string {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err.Error()
		}
		err = next
	}
}

// isTimeout knows the deadline in all its forms: of a connection, of a context, and of the
// kernel that gives up by itself (ETIMEDOUT).
func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) ||
		errors.As(err, &t) && t.Timeout()
}

// isReset also takes EPIPE: writing to a peer that has reset before we read that it did.
func isReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNABORTED)
}

// isClosed includes ends of streams that net.Pipe and crypto/tls report in their own way.
func isClosed(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, io.ErrClosedPipe) || errors.Is(err, net.ErrClosed)
}

// isUnreachable includes EPERM and EACCES, which is how a local firewall rule says no: the
// data path would meet the same rule, so it does count against the server.
func isUnreachable(err error) bool {
	for _, errno := range []error{syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.EHOSTDOWN,
		syscall.ENETDOWN, syscall.EPERM, syscall.EACCES} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}

// isLocal recognises what this machine ran out of: descriptors, memory, or local ports
// (which connect(2) reports as EADDRNOTAVAIL).
func isLocal(err error) bool {
	for _, errno := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM,
		syscall.EADDRNOTAVAIL, syscall.EADDRINUSE} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}

// isTLS finds errors of crypto/tls, most of which have no type, only a prefix.
func isTLS(err error) bool {
	var record tls.RecordHeaderError
	return errors.As(err, &record) || isCertificate(err) || strings.HasPrefix(rootCause(err), "tls: ")
}

func isCertificate(err error) bool {
	var (
		verification *tls.CertificateVerificationError
		authority    x509.UnknownAuthorityError
		host         x509.HostnameError
		invalid      x509.CertificateInvalidError
	)
	return errors.As(err, &verification) || errors.As(err, &authority) ||
		errors.As(err, &host) || errors.As(err, &invalid)
}

func or(s, otherwise string) string {
	if s != "" {
		return s
	}
	return otherwise
}
