package admin

import (
	"bytes"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestToken(t *testing.T) {
	tests := []struct {
		name, path, authorization string
		want                      int
	}{
		{"right", "/api/v1/status", "Bearer s3cret", 200},
		{"scheme in any case", "/api/v1/status", "bearer s3cret", 200},
		{"none", "/api/v1/status", "", 401},
		{"wrong", "/api/v1/status", "Bearer s3cres", 401},
		{"a beginning", "/api/v1/status", "Bearer s3c", 401},
		{"another scheme", "/api/v1/status", "Basic s3cret", 401},
		{"no scheme", "/api/v1/status", "s3cret", 401},
		{"index is locked", "/", "", 401},
		{"events are locked", "/api/v1/events", "", 401},
		{"health is open", "/healthz", "", 200},
		{"readiness is open", "/readyz", "", 200},
		{"metrics are open", "/metrics", "", 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := options(newFake())
			o.Token = "s3cret"
			x := exchange{method: "GET", path: tt.path, host: "gantry.hospital.example:9440"}
			if tt.authorization != "" {
				x.header = map[string]string{"Authorization": tt.authorization}
			}
			w := x.do(t, o)
			require.Equal(t, tt.want, w.StatusCode)
			if tt.want == 401 {
				require.Contains(t, w.Header.Get("WWW-Authenticate"), "Bearer")
				requireError(t, w, 401, "unauthorized", "this call needs the token of admin.token, as Authorization: Bearer TOKEN")
			}
		})
	}
}

// TestTokenBeforeBody: a stranger learns nothing of the API's inside, and changes nothing.
func TestTokenBeforeBody(t *testing.T) {
	c := newFake()
	o := options(c)
	o.Token = "s3cret"
	x := exchange{method: "PUT", path: "/api/v1/services/DICOM/servers/PACS2", body: `{"weight":7}`, header: asJSON}
	require.Equal(t, 401, x.do(t, o).StatusCode)
	require.Nil(t, c.change.Weight)
}

func TestForeignHost(t *testing.T) {
	tests := []struct {
		name, host string
		want       int
	}{
		{"IPv4 and port", "127.0.0.1:9440", 200},
		{"IPv4", "10.1.2.3", 200},
		{"IPv6 and port", "[::1]:9440", 200},
		{"IPv6", "[::1]", 200},
		{"localhost", "localhost:9440", 200},
		{"localhost in capitals", "LOCALHOST", 200},
		{"a name that may point anywhere", "attacker.example:9440", 403},
		{"a name that looks local", "localhost.attacker.example", 403},
		{"a name that looks like an address", "127.0.0.1.nip.example", 403},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := exchange{method: "GET", path: "/api/v1/status", host: tt.host}.do(t, options(newFake()))
			require.Equal(t, tt.want, w.StatusCode)
		})
	}
	require.True(t, localName(""), "an HTTP/1.0 checker sends no Host")
}

func TestCrossSiteRequests(t *testing.T) {
	tests := []struct {
		name         string
		method, path string
		header       map[string]string
		want         int
	}{
		{"a command", "POST", "/api/v1/reload", nil, 200},
		{"our own page", "POST", "/api/v1/reload", map[string]string{"Sec-Fetch-Site": "same-origin"}, 200},
		{"typed into the address bar", "POST", "/api/v1/reload", map[string]string{"Sec-Fetch-Site": "none"}, 200},
		{"another site", "POST", "/api/v1/reload", map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		{"a sister site", "POST", "/api/v1/reload", map[string]string{"Sec-Fetch-Site": "same-site"}, 403},
		{"an older browser, another site", "POST", "/api/v1/reload", map[string]string{"Origin": "https://attacker.example"}, 403},
		{"an older browser, our page", "POST", "/api/v1/reload", map[string]string{"Origin": "http://127.0.0.1:9440"}, 200},
		{"a sandboxed frame", "POST", "/api/v1/reload", map[string]string{"Origin": "null"}, 403},
		{"a change from another site", "PUT", "/api/v1/services/DICOM/servers/PACS2", map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		{"reading is the browser's business", "GET", "/api/v1/status", map[string]string{"Sec-Fetch-Site": "cross-site"}, 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := exchange{method: tt.method, path: tt.path, header: tt.header}.do(t, options(newFake()))
			require.Equal(t, tt.want, w.StatusCode)
			require.Empty(t, w.Header.Get("Access-Control-Allow-Origin"), "no other site may read an answer")
		})
	}
}

// TestRefusalsAreLoggedOnce: a scanner must not fill the log, and the token never stands in it.
func TestRefusalsAreLoggedOnce(t *testing.T) {
	var log bytes.Buffer
	g := newGuard("s3cret", slog.New(slog.NewTextHandler(&log, nil)))
	a := &api{control: newFake(), gatherer: options(nil).Gatherer, log: g.log}
	mux := a.mux(g)
	for range 100 {
		w := exchange{method: "GET", path: "/api/v1/status", header: map[string]string{"Authorization": "Bearer hunter2"}}.through(t, mux)
		require.Equal(t, 401, w.StatusCode)
	}
	require.Equal(t, 1, bytes.Count(log.Bytes(), []byte("admin request refused")))
	require.NotContains(t, log.String(), "hunter2")
	require.NotContains(t, log.String(), "s3cret")
}
