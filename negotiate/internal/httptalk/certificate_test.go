package httptalk

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"gantry/negotiate"
)

// caller asks for / and fails with what CertificateRefused says.
type caller struct{}

func (caller) Negotiate(ctx context.Context, conn net.Conn) error {
	negotiate.Enter(ctx, negotiate.StageAsk)
	t := New(ctx, conn, true)
	r, err := http.NewRequest(http.MethodGet, "/", nil)
	if err != nil {
		return err
	}
	if fault := t.Ask(r); fault != nil {
		return fault
	}
	if sentence, ok := t.CertificateRefused(); ok {
		return t.Fault(negotiate.ReasonBadStatus, sentence)
	}
	return nil
}

// TestCertificateRefused: servers that ask for a client certificate in the handshake, and say what
// they think of it in HTTP.
func TestCertificateRefused(t *testing.T) {
	tests := []struct {
		name   string
		asks   tls.ClientAuthType
		status int
		want   string
	}{
		{"as nginx", tls.RequestClientCert, http.StatusBadRequest,
			"answers 400 Bad Request for /: it asked for a client certificate, and may not accept that of tls.cert_file, or none"},
		{"as IIS", tls.RequestClientCert, http.StatusForbidden,
			"answers 403 Forbidden for /: it asked for a client certificate, and may not accept that of tls.cert_file, or none"},
		{"another refusal", tls.RequestClientCert, http.StatusNotFound, ""},
		{"not asked for", tls.NoClientCert, http.StatusBadRequest, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(tt.status) }))
			server.TLS = &tls.Config{ClientAuth: tt.asks}
			server.StartTLS()
			defer server.Close()
			result := negotiate.Run(t.Context(), negotiate.Check{
				Address: func() (string, error) { return server.Listener.Addr().String(), nil },
				TLS:     server.Client().Transport.(*http.Transport).TLSClientConfig, Prober: caller{},
			})
			if tt.want == "" {
				require.Nil(t, result.Fault)
				return
			}
			require.NotNil(t, result.Fault)
			require.Equal(t, tt.want, result.Fault.Sentence)
		})
	}
}
