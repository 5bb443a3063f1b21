package admin

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve runs a handler on a free loopback port and returns a client for it.
func serve(t *testing.T, h http.Handler, token string) *Client {
	t.Helper()
	s := httptest.NewServer(h)
	c, err := NewClient(s.URL, token)
	require.NoError(t, err)
	t.Cleanup(func() { c.Close(); s.Close() })
	return c
}

func TestClientCalls(t *testing.T) {
	f := newFake()
	f.reloaded = Reloaded{Changed: true, Hash: "77aa", Listeners: Difference{Added: []string{"10.12.1.100:11112"}}}
	o := options(f)
	o.Token = "s3cret"
	c := serve(t, Handler(o), "s3cret")

	s, err := c.Status(t.Context())
	require.NoError(t, err)
	require.Equal(t, "0.1.0", s.Version)
	require.Equal(t, f.status.Services[0].Servers[1], s.Services[0].Servers[1])

	events, err := c.Events(t.Context())
	require.NoError(t, err)
	require.Equal(t, f.events, events)

	word, weight := AdminDrain, 7
	server, err := c.SetServer(t.Context(), "DICOM", "PACS 1", ServerChange{Admin: &word, Weight: &weight})
	require.NoError(t, err)
	require.Equal(t, "drain", server.State)
	require.Equal(t, 7, server.Weight)

	d, err := c.Reload(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"10.12.1.100:11112"}, d.Listeners.Added)
}

func TestClientShowsTheGatewaysWords(t *testing.T) {
	f := newFake()
	f.refusal = &ReloadError{Problems: []Problem{problem}}
	c := serve(t, Handler(options(f)), "")

	weight := 5
	_, err := c.SetServer(t.Context(), "HL8", "A/B", ServerChange{Weight: &weight})
	require.EqualError(t, err, `no service is called "HL8"; there is DICOM`)

	_, err = c.Reload(t.Context())
	var refused *Error
	require.ErrorAs(t, err, &refused)
	require.Equal(t, 422, refused.Status)
	require.Equal(t, []Problem{problem}, refused.Problems)
}

func TestClientErrors(t *testing.T) {
	answer := func(status int, body string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "http://127.0.0.1:1/elsewhere")
			w.WriteHeader(status)
			w.Write([]byte(body))
		})
	}
	locked := options(newFake())
	locked.Token = "s3cret"
	tests := []struct {
		name    string
		handler http.Handler
		token   string
		want    string // URL stands for the address
	}{
		{"no token", Handler(locked), "", "the gateway at URL asks for a token; use --token-file"},
		{"another token", Handler(locked), "no", "the gateway at URL does not take this token; compare --token-file with its admin.token"},
		{"a web server", answer(404, "<html>"), "", "what answers at URL is not a gantry: it says 404 Not Found; use --admin"},
		{"somebody else's API", answer(400, `{"error":"no"}`), "", "what answers at URL is not a gantry: it says 400 Bad Request; use --admin"},
		{"a redirect", answer(302, ""), "", "what answers at URL is not a gantry: it says 302 Found; use --admin"},
		{"a page", answer(200, "<html>"), "", "what answers at URL is not a gantry: invalid character '<' looking for beginning of value; use --admin"},
		{"a broken answer", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			w.Write([]byte("{"))
		}), "", "the answer of URL broke off: unexpected EOF"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := serve(t, tt.handler, tt.token)
			_, err := c.Status(t.Context())
			require.EqualError(t, err, strings.ReplaceAll(tt.want, "URL", c.URL()))
		})
	}
}

func TestClientWithoutGateway(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	closed := l.Addr().String()
	l.Close() // nothing listens there now

	c, err := NewClient(closed, "")
	require.NoError(t, err)
	_, err = c.Status(t.Context())
	require.EqualError(t, err, "no gateway answers at http://"+closed+": connection refused; is gantry running? use --admin")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = c.Status(ctx)
	require.ErrorIs(t, err, context.Canceled)
}

func TestClientAgainstPlainHTTP(t *testing.T) {
	s := httptest.NewServer(Handler(options(newFake())))
	defer s.Close()
	c, err := NewClient(strings.Replace(s.URL, "http:", "https:", 1), "")
	require.NoError(t, err)
	defer c.Close()
	_, err = c.Status(t.Context())
	require.EqualError(t, err, c.URL()+" does not speak TLS; use --admin with http://")
}

func TestClientAgainstAnUnknownCertificate(t *testing.T) {
	s := httptest.NewTLSServer(Handler(options(newFake())))
	s.Config.ErrorLog = nil
	defer s.Close()
	c, err := NewClient(s.URL, "")
	require.NoError(t, err)
	defer c.Close()
	_, err = c.Status(t.Context())
	require.ErrorContains(t, err, "the certificate of "+s.URL+" is not trusted: ")
}

func TestClientAddresses(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"as printed", "http://127.0.0.1:9440", "http://127.0.0.1:9440"},
		{"trailing slash", "http://127.0.0.1:9440/", "http://127.0.0.1:9440"},
		{"no scheme", "127.0.0.1:9440", "http://127.0.0.1:9440"},
		{"a name", "localhost:9440", "http://localhost:9440"},
		{"IPv6", "[::1]:9440", "http://[::1]:9440"},
		{"behind a path", "https://gw.example/gantry", "https://gw.example/gantry"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := NewClient(tt.in, "")
			require.NoError(t, err)
			require.Equal(t, tt.want, c.URL())
		})
	}
	for _, bad := range []string{"", "http://", "ftp://127.0.0.1", "http://a:b@127.0.0.1", "http://127.0.0.1/?x=1", "http://[::1"} {
		_, err := NewClient(bad, "")
		require.ErrorContains(t, err, "is not the address of a gateway; write it like http://127.0.0.1:9440", bad)
	}
}
