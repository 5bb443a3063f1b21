package negotiate

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRunTLS(t *testing.T) {
	good, pool := certificate(t, nil)
	expired, expiredPool := certificate(t, func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2021, 2, 3, 0, 0, 0, 0, time.UTC)
	})
	early, earlyPool := certificate(t, func(c *x509.Certificate) {
		c.NotBefore = time.Now().AddDate(1, 0, 0)
		c.NotAfter = c.NotBefore.AddDate(1, 0, 0)
	})
	named, namedPool := certificate(t, func(c *x509.Certificate) {
		c.IPAddresses, c.DNSNames = nil, []string{"a.example", "b.example", "c.example", "d.example"}
	})
	serve := func(config *tls.Config) func(net.Conn) {
		return func(c net.Conn) {
			s := tls.Server(c, config)
			if s.Handshake() == nil {
				_, _ = s.Write([]byte("x"))
				silent(s)
			}
			_ = s.Close()
		}
	}
	read := proberFunc(func(ctx context.Context, conn net.Conn) error {
		Enter(ctx, StageAsk)
		_, err := conn.Read(make([]byte, 1))
		return err
	})
	says := func(words string) func(net.Conn) {
		return func(c net.Conn) { _, _ = c.Read(make([]byte, 1<<14)); _, _ = io.WriteString(c, words) }
	}
	tests := []struct {
		name     string
		peer     func(net.Conn)
		config   *tls.Config
		stage    Stage
		reason   Reason
		sentence string
	}{
		{"good, host from the address", serve(&tls.Config{Certificates: []tls.Certificate{good}}), &tls.Config{RootCAs: pool}, "", "", ""},
		{"not verified", serve(&tls.Config{Certificates: []tls.Certificate{expired}}), &tls.Config{InsecureSkipVerify: true}, "", "", ""},
		{"unknown authority", serve(&tls.Config{Certificates: []tls.Certificate{good}}), &tls.Config{RootCAs: x509.NewCertPool()},
			StageTLS, ReasonCertificate, "signed by an authority that gantry does not know: put that authority's certificate into tls.ca_file"},
		{"expired", serve(&tls.Config{Certificates: []tls.Certificate{expired}}), &tls.Config{RootCAs: expiredPool},
			StageTLS, ReasonCertificate, "its certificate expired on 2021-02-03: renew it on the server"},
		{"not yet valid", serve(&tls.Config{Certificates: []tls.Certificate{early}}), &tls.Config{RootCAs: earlyPool},
			StageTLS, ReasonCertificate, "check the clocks of both machines"},
		{"other names", serve(&tls.Config{Certificates: []tls.Certificate{named}}), &tls.Config{RootCAs: namedPool, ServerName: "pacs"},
			StageTLS, ReasonCertificate, "not valid for pacs but for a.example, b.example, c.example, others: set tls.server_name"},
		{"no names", serve(&tls.Config{Certificates: []tls.Certificate{good}}), &tls.Config{RootCAs: pool, ServerName: "pacs"},
			StageTLS, ReasonCertificate, "not valid for pacs but for 127.0.0.1:"},
		{"client certificate wanted, refused at the first read", serve(&tls.Config{Certificates: []tls.Certificate{good}, ClientAuth: tls.RequireAnyClientCert}),
			&tls.Config{RootCAs: pool}, StageAsk, ReasonHandshake, "refuses the TLS handshake (certificate required): it wants a client certificate"},
		{"other version", serve(&tls.Config{Certificates: []tls.Certificate{good}, MaxVersion: tls.VersionTLS12}),
			&tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS13}, StageTLS, ReasonHandshake, "it speaks only TLS versions that gantry does not offer"},
		{"plain HTTP", says("HTTP/1.1 400 Bad Request\r\n\r\n"), &tls.Config{}, StageTLS, ReasonHandshake, "answers in plain HTTP where TLS was expected"},
		{"something else", says("220 hello there\r\n"), &tls.Config{}, StageTLS, ReasonHandshake, "does not speak TLS on this port"},
		{"closes", says(""), &tls.Config{}, StageTLS, ReasonClosed, "closes the connection during the TLS handshake"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := Run(t.Context(), Check{Address: at(listen(t, tt.peer)), TLS: tt.config, Prober: read})
			if tt.reason == "" {
				require.Nil(t, r.Fault)
				require.Equal(t, []Stage{StageConnect, StageTLS, StageAsk}, stagesOf(r))
				return
			}
			require.NotNil(t, r.Fault)
			require.Equal(t, tt.stage, r.Fault.Stage, r.Fault)
			require.Equal(t, tt.reason, r.Fault.Reason, r.Fault)
			require.Contains(t, r.Fault.Sentence, tt.sentence)
		})
	}
}

// TestRefusedClientCertificateByWrite: the server's alert waits to be read when the write fails
// because it has hung up. Which of the two comes first is chance; the words must not be.
func TestRefusedClientCertificateByWrite(t *testing.T) {
	good, pool := certificate(t, nil)
	refuse := &tls.Config{Certificates: []tls.Certificate{good}, ClientAuth: tls.RequireAnyClientCert}
	hungUp := make(chan struct{}, 1)
	addr := listen(t, func(c net.Conn) {
		_ = tls.Server(c, refuse).Handshake()
		_ = c.(*net.TCPConn).SetLinger(0) // the hardest way to hang up
		_ = c.Close()
		hungUp <- struct{}{}
	})
	words := Words{Reset: "resets", Closed: "closes"}
	probe := proberFunc(func(ctx context.Context, conn net.Conn) error {
		Enter(ctx, StageOpen)
		<-hungUp
		for { // the first write may still go into the socket's buffer
			if _, err := conn.Write([]byte("request")); err != nil {
				return LostWrite(StageOpen, conn, err, words)
			}
		}
	})
	for range 50 {
		r := Run(t.Context(), Check{Address: at(addr), TLS: &tls.Config{RootCAs: pool}, Prober: probe})
		require.Equal(t, ReasonHandshake, r.Fault.Reason, r.Fault)
		require.Contains(t, r.Fault.Sentence, "wants a client certificate")
	}
}
