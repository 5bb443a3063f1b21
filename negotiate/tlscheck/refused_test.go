package tlscheck

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/negotiate"
)

// TestSentences are the ways in which a TLS server is up for TCP and of no use to clients, end to end.
func TestSentences(t *testing.T) {
	root := issue(t, nil, "root", 1000*aDay, nil)
	good := issue(t, root, "good", 400*aDay, nil)
	expired := issue(t, root, "expired", -aDay, func(c *x509.Certificate) { c.NotBefore = time.Now().Add(-9 * aDay) })
	early := issue(t, root, "early", 400*aDay, func(c *x509.Certificate) { c.NotBefore = time.Now().Add(2 * aDay) })
	named := issue(t, root, "named", 400*aDay, func(c *x509.Certificate) { c.IPAddresses, c.DNSNames = nil, []string{"pacs.example"} })
	stranger := issue(t, nil, "stranger", 400*aDay, nil)
	with := func(a *authority) *tls.Config { return &tls.Config{Certificates: []tls.Certificate{a.pair()}} }
	wants := func(a *authority, version uint16) *tls.Config {
		return &tls.Config{Certificates: []tls.Certificate{a.pair()}, MaxVersion: version,
			ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool(root)}
	}
	old := with(good)
	old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS10
	trusting, showing := &tls.Config{RootCAs: pool(root)}, func(a *authority) *tls.Config {
		return &tls.Config{RootCAs: pool(root), GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			pair := a.pair()
			return &pair, nil // also one that the server does not want
		}}
	}
	tests := []struct {
		name     string
		talk     func(net.Conn)
		client   *tls.Config
		stage    negotiate.Stage
		reason   negotiate.Reason
		sentence string
	}{
		{"27: expired", polite(with(expired)), trusting, "tls", "certificate", "its certificate expired on " + expired.cert.NotAfter.UTC().Format(time.DateOnly)},
		{"27: another authority", polite(with(stranger)), trusting, "tls", "certificate", "signed by an authority that gantry does not know"},
		{"not yet valid", polite(with(early)), trusting, "tls", "certificate", "its certificate is valid only from " + early.cert.NotBefore.UTC().Format(time.DateOnly) + " on: check the clocks"},
		{"other name", polite(with(named)), trusting, "tls", "certificate", "its certificate is not valid for 127.0.0.1 but for pacs.example: set tls.server_name"},
		{"28: plain port", func(c net.Conn) { _, _ = c.Read(make([]byte, 999)); _, _ = io.WriteString(c, "220 hello\r\n") }, trusting, "tls", "handshake", "does not speak TLS on this port"},
		{"28: plain HTTP port", func(c net.Conn) {
			_, _ = c.Read(make([]byte, 999))
			_, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n")
		}, trusting, "tls", "handshake", "answers in plain HTTP where TLS was expected"},
		{"old version only", polite(old), trusting, "tls", "handshake", "refuses the TLS handshake (protocol version not supported)"},
		{"55: certificate wanted, TLS 1.2", polite(wants(good, tls.VersionTLS12)), trusting, "tls", "handshake", "refuses the TLS handshake"},
		{"55: certificate wanted, TLS 1.3", polite(wants(good, tls.VersionTLS13)), trusting, "ask", "handshake", "refuses the TLS handshake (certificate required): it wants a client certificate"},
		{"55: certificate refused, TLS 1.2", polite(wants(good, tls.VersionTLS12)), showing(stranger), "tls", "handshake", "it does not accept the client certificate"},
		{"55: certificate refused, TLS 1.3", polite(wants(good, tls.VersionTLS13)), showing(stranger), "ask", "handshake", "it does not accept the client certificate"},
		{"certificate accepted, TLS 1.2", polite(wants(good, tls.VersionTLS12)), showing(good), "", "", ""},
		{"certificate accepted, TLS 1.3", polite(wants(good, tls.VersionTLS13)), showing(good), "", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			// Again and again, because what a refusal looks like may hang on who is faster.
			for range 10 {
				r := check(t, Settings{ExpiryDays: 14}, serve(t, tt.talk), tt.client)
				if tt.reason == "" {
					require.Nil(t, r.Words())
					require.Len(t, r.Transcript, 1, "what TLS agreed on, and nothing more")
					continue
				}
				require.NotNil(t, r.Fault)
				require.Equal(t, tt.stage, r.Fault.Stage)
				require.Equal(t, tt.reason, r.Fault.Reason)
				require.Contains(t, r.Fault.Sentence, tt.sentence)
			}
		})
	}
}

// TestDoesNotWaitForNothing: a server that closes when its client does ends the check.
func TestDoesNotWaitForNothing(t *testing.T) {
	cert := issue(t, nil, "server", 400*aDay, nil)
	address := serve(t, polite(&tls.Config{Certificates: []tls.Certificate{cert.pair()}}))
	fastest := time.Hour
	for range 10 {
		r := check(t, Settings{}, address, &tls.Config{RootCAs: pool(cert)})
		require.Nil(t, r.Words())
		fastest = min(fastest, r.Duration)
	}
	require.Less(t, fastest, ConfirmWait)
}

// TestOtherReactions: whatever a server does after the handshake, other than to refuse it, is its own affair.
func TestOtherReactions(t *testing.T) {
	cert := issue(t, nil, "server", 400*aDay, nil)
	config := &tls.Config{Certificates: []tls.Certificate{cert.pair()}}
	after := func(do func(net.Conn, *tls.Conn)) func(net.Conn) {
		return func(c net.Conn) {
			s := tls.Server(c, config)
			if s.Handshake() == nil {
				do(c, s)
			}
		}
	}
	for name, talk := range map[string]func(net.Conn){
		"speaks first": after(func(_ net.Conn, s *tls.Conn) {
			_, _ = io.WriteString(s, "220 hello\r\n")
			_, _ = io.Copy(io.Discard, s)
		}),
		"closes":       after(func(_ net.Conn, s *tls.Conn) { _ = s.Close() }),
		"drops TCP":    after(func(c net.Conn, _ *tls.Conn) { _ = c.Close() }),
		"resets":       after(func(c net.Conn, _ *tls.Conn) { _ = c.(*net.TCPConn).SetLinger(0) }),
		"never closes": after(func(c net.Conn, _ *tls.Conn) { _, _ = io.Copy(io.Discard, c) }),
	} {
		t.Run(name, func(t *testing.T) {
			r := check(t, Settings{ExpiryDays: 14}, serve(t, talk), &tls.Config{RootCAs: pool(cert)})
			require.Nil(t, r.Words())
			require.Less(t, r.Duration, ConfirmWait+2*time.Second)
		})
	}
}

// TestGallery30: a clock that jumped by years, here or there, looks like a bad certificate. The clock
// inside stands in the year 2000 at first.
func TestGallery30(t *testing.T) {
	root := issue(t, nil, "root", 1000*aDay, nil)
	for name, tt := range map[string]struct {
		jump     time.Duration
		sentence string
	}{
		"back":    {0, "on: check the clocks of both machines"},
		"forward": {100 * 365 * aDay, "its certificate expired on"},
	} {
		t.Run(name, func(t *testing.T) {
			// The server stays outside: its clock is right.
			address := serve(t, polite(&tls.Config{Certificates: []tls.Certificate{root.pair()}}))
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(tt.jump)
				prober, err := (&Settings{ExpiryDays: 14}).Prober(negotiate.Target{})
				require.NoError(t, err)
				r := negotiate.Run(t.Context(), negotiate.Check{Prober: prober, TLS: &tls.Config{RootCAs: pool(root)},
					Address: func() (string, error) { return address, nil }})
				require.NotNil(t, r.Fault)
				require.Equal(t, negotiate.ReasonCertificate, r.Fault.Reason)
				require.Contains(t, r.Fault.Sentence, tt.sentence)
			})
		})
	}
}
