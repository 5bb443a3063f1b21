package gallery

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

// withoutImages is a viewer that has pages and lists, and for each image an answer without content.
func withoutImages(status int) peer {
	return peer{start: func(t *testing.T) string {
		mux := http.NewServeMux()
		mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "Viewer") })
		mux.HandleFunc("/wado", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/dicom")
			w.WriteHeader(status)
		})
		s := httptest.NewUnstartedServer(mux)
		pair, err := tls.LoadX509KeyPair(files.real(t, "server.pem"), files.real(t, "server-key.pem"))
		require.NoError(t, err)
		s.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
		s.Config.ErrorLog = nobody
		s.StartTLS()
		t.Cleanup(s.Close)
		return s.Listener.Addr().String()
	}}
}

// impatient is a proxy in front of a server that does not know Expect: 100-continue: it waits for the body.
func impatient(t *testing.T, behind string) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		to, err := net.Dial("tcp", behind)
		if err != nil {
			return
		}
		defer to.Close()
		r.Header.Del("Expect")
		r.Body = io.NopCloser(io.LimitReader(buffered, r.ContentLength))
		if r.Write(to) == nil {
			_, _ = io.Copy(conn, to)
		}
	}))
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}
