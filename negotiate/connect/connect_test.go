package connect

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gantry/negotiate"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestClosesPolitely checks that the server sees an end of stream and no reset.
func TestClosesPolitely(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	seen := make(chan error, 1)
	go func() {
		conn, err := l.Accept()
		if err == nil {
			_, err = io.Copy(io.Discard, conn)
			conn.Close()
		}
		seen <- err
	}()
	var s Settings
	s.Validate(func(key, got, want string) { t.Errorf("%s: %s, %s", key, got, want) })
	prober, err := s.Prober(negotiate.Target{})
	require.NoError(t, err)
	r := negotiate.Run(t.Context(), negotiate.Check{Prober: prober,
		Address: func() (string, error) { return l.Addr().String(), nil }})
	require.Nil(t, r.Fault)
	require.NoError(t, <-seen)
}

// TestTellsOfTLS: what TLS agreed on is all the conversation that there is.
func TestTellsOfTLS(t *testing.T) {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	r := negotiate.Run(negotiate.WithTranscript(t.Context()), negotiate.Check{
		Address: func() (string, error) { return server.Listener.Addr().String(), nil },
		TLS:     server.Client().Transport.(*http.Transport).TLSClientConfig})
	require.Nil(t, r.Fault)
	require.Len(t, r.Transcript, 1)
	require.Contains(t, r.Transcript[0].Title, "TLS 1.3")
}
