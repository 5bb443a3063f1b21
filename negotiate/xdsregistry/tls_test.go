package xdsregistry

import (
	"crypto/tls"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"gantry/negotiate"
)

// TestClientCertificateNotTrusted: with TLS 1.3 the server's refusal arrives with the first read,
// after a handshake that went well on our side.
func TestClientCertificateNotTrusted(t *testing.T) {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS13}
	server.StartTLS()
	defer server.Close()
	address := server.Listener.Addr().String()
	s := Settings{Scheme: "https", Path: "/"}
	p, err := s.Prober(negotiate.Target{Server: "XDS1", Host: "127.0.0.1", Secure: true})
	require.NoError(t, err)
	result := negotiate.Run(t.Context(), negotiate.Check{
		Address: func() (string, error) { return address, nil }, Prober: p,
		TLS: server.Client().Transport.(*http.Transport).TLSClientConfig,
	})
	require.NotNil(t, result.Fault)
	require.Contains(t, []negotiate.Reason{negotiate.ReasonCertificate, negotiate.ReasonHandshake}, result.Fault.Reason, result.Fault.Sentence)
	t.Log(result.Fault.Sentence)
}
