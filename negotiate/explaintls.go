package negotiate

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// tlsFault explains a handshake that failed.
func tlsFault(ctx context.Context, err error) *Fault {
	if isTLS(err) && !isTimeout(err) {
		return brokenTLS(StageTLS, err)
	}
	return Lost(StageTLS, err, Words{
		Silent: "accepts TCP but does not finish the TLS handshake within " + Within(ctx) +
			": the process hangs, or this port does not speak TLS",
		Closed: "closes the connection during the TLS handshake: this port may not speak TLS, or the server wants another TLS version",
		Reset:  "resets the connection during the TLS handshake: this port may not speak TLS, or the server wants another TLS version",
	})
}

// brokenTLS explains an error of crypto/tls itself, at whatever stage it shows.
func brokenTLS(s Stage, err error) *Fault {
	f := &Fault{Stage: s, Reason: ReasonHandshake, Err: err}
	var (
		record    tls.RecordHeaderError
		alert, ok = remoteAlert(err)
	)
	switch {
	case isCertificate(err):
		f.Reason, f.Sentence = ReasonCertificate, certificateSentence(err)
	case errors.As(err, &record):
		f.Sentence = notTLS(record)
	case ok:
		f.Peer = PeerWords("TLS alert: " + strings.TrimPrefix(alert.Error(), "tls: "))
		f.Sentence = alertSentence(alert)
	default:
		f.Sentence = "the TLS handshake fails: " + strings.TrimPrefix(rootCause(err), "tls: ")
	}
	return f
}

// notTLS names what answered instead, as far as five bytes tell.
func notTLS(record tls.RecordHeaderError) string {
	if bytes.HasPrefix(record.RecordHeader[:], []byte("HTTP")) {
		return "answers in plain HTTP where TLS was expected: use the server's HTTPS port, or check without TLS"
	}
	return "does not speak TLS on this port: use the server's TLS port, or check without TLS"
}

// TLS alert numbers, RFC 8446 section 6.
const (
	alertHandshakeFailure    = 40
	alertBadCertificate      = 42
	alertCertificateUnknown  = 46
	alertUnknownCA           = 48
	alertProtocolVersion     = 70
	alertUnrecognizedName    = 112
	alertCertificateRequired = 116
)

// remoteAlert finds the alert that the peer sent. crypto/tls keeps its type to itself outside
// QUIC, but gives it the same text as the exported one.
func remoteAlert(err error) (tls.AlertError, bool) {
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "remote error" {
		return 0, false
	}
	for n := range 256 {
		if alert := tls.AlertError(n); alert.Error() == op.Err.Error() {
			return alert, true
		}
	}
	return 0, false
}

// alertSentence says what usually makes a server send this alert.
func alertSentence(a tls.AlertError) string {
	said := "refuses the TLS handshake (" + strings.TrimPrefix(a.Error(), "tls: ") + ")"
	switch {
	case a == alertCertificateRequired:
		return said + ": it wants a client certificate; set tls.cert_file and tls.key_file"
	case a >= alertBadCertificate && a <= alertCertificateUnknown, a == alertUnknownCA:
		return said + ": it does not accept the client certificate, that of tls.cert_file or none; make the server trust it"
	case a == alertProtocolVersion:
		return said + ": it speaks only TLS versions that gantry does not offer; tls.min_version allows older ones"
	case a == alertUnrecognizedName:
		return said + ": it does not know that server name; check tls.server_name"
	case a == alertHandshakeFailure:
		return said + ": no common cipher, or it wants a client certificate"
	default:
		return said + ": its own log says why"
	}
}

// certificateSentence tells the three usual troubles apart: who signed, for whom, until when.
func certificateSentence(err error) string {
	var (
		authority x509.UnknownAuthorityError
		host      x509.HostnameError
		invalid   x509.CertificateInvalidError
	)
	switch {
	case errors.As(err, &host):
		return "its certificate is not valid for " + host.Host + " but for " + namesOf(host.Certificate) +
			": set tls.server_name to one of its names"
	case errors.As(err, &authority):
		return "its certificate is signed by an authority that gantry does not know: put that authority's" +
			" certificate into tls.ca_file, or set tls.verify: false"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired && invalid.Cert != nil:
		return validity(invalid.Cert)
	default:
		return "its certificate is not acceptable: " + strings.TrimPrefix(rootCause(err), "x509: ")
	}
}

// validity tells a certificate that is too old from one that is too young, which nearly
// always means a wrong clock.
func validity(c *x509.Certificate) string {
	if time.Now().Before(c.NotBefore) {
		return "its certificate is valid only from " + c.NotBefore.UTC().Format(time.DateOnly) +
			" on: check the clocks of both machines"
	}
	return "its certificate expired on " + c.NotAfter.UTC().Format(time.DateOnly) + ": renew it on the server (or check this machine's clock: here it is " + time.Now().UTC().Format(time.DateOnly) + ")"
}

// handshakeTold is what a TLS handshake agreed on, for a transcript. Certificates are public.
func handshakeTold(s tls.ConnectionState) Passage {
	p := Passage{Title: tls.VersionName(s.Version) + ", " + tls.CipherSuiteName(s.CipherSuite)}
	for i, c := range s.PeerCertificates {
		who := "certificate of the server"
		if i > 0 {
			who = "presented with it"
		}
		p.Notes = append(p.Notes, fmt.Sprintf("%s: %s, signed by %s, valid from %s to %s", who, PeerWords(c.Subject.String()),
			PeerWords(c.Issuer.String()), c.NotBefore.UTC().Format(time.DateOnly), c.NotAfter.UTC().Format(time.DateOnly)))
	}
	if len(s.PeerCertificates) > 0 {
		p.Notes = append(p.Notes, "SHA-256 of its certificate, as tls.fingerprint takes it: "+
			fmt.Sprintf("%x", sha256.Sum256(s.PeerCertificates[0].Raw)), "it is for "+namesOf(s.PeerCertificates[0]))
	}
	return p
}

// maxNames bounds the names quoted from a certificate.
const maxNames = 3

// namesOf lists whom a certificate is for, as a hint what to write into tls.server_name.
func namesOf(c *x509.Certificate) string {
	var names []string
	if c != nil {
		names = append(names, c.DNSNames...)
		for _, ip := range c.IPAddresses {
			names = append(names, ip.String())
		}
	}
	if len(names) == 0 {
		return "no host name at all"
	}
	if len(names) > maxNames {
		names = append(names[:maxNames:maxNames], "others")
	}
	return PeerWords(strings.Join(names, ", "))
}
