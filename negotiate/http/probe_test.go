package httpcheck

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gantry/negotiate"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var viewer = negotiate.Target{Service: "VIEWER", Server: "VIEWER1", Host: "10.12.1.170", Port: 8080, Version: "1.2.3"}

func proberOf(t testing.TB, s Settings, target negotiate.Target) negotiate.Prober {
	t.Helper()
	s.Validate(func(key, got, want string) { t.Errorf("%s: %s; %s", key, got, want) })
	p, err := s.Prober(target)
	require.NoError(t, err)
	return p
}

// step is one thing that a scripted server does.
type step func(*script)

type script struct {
	conn     net.Conn
	reader   *bufio.Reader
	requests []string
}

// recv reads one request head.
func recv(s *script) {
	var b strings.Builder
	for {
		line, err := s.reader.ReadString('\n')
		b.WriteString(line)
		if err != nil || line == "\r\n" {
			s.requests = append(s.requests, b.String())
			return
		}
	}
}

func say(words string) step { return func(s *script) { _, _ = io.WriteString(s.conn, words) } }

// page is a complete answer.
func page(status, kind, text string) step {
	return say(fmt.Sprintf("HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", status, kind, len(text), text))
}

func redirect(status, location string) step {
	return say("HTTP/1.1 " + status + "\r\nLocation: " + location + "\r\nContent-Length: 0\r\n\r\n")
}

// silent reads on and says nothing until the other side is gone.
func silent(s *script) { _, _ = io.Copy(io.Discard, s.reader) }

// drip sends one byte a second.
func drip(words string) step {
	return func(s *script) {
		for i := range words {
			time.Sleep(time.Second)
			if _, err := io.WriteString(s.conn, words[i:i+1]); err != nil {
				return
			}
		}
	}
}

// endless sends the same words until nobody reads any more.
func endless(words string) step {
	return func(s *script) {
		for {
			if _, err := io.WriteString(s.conn, words); err != nil {
				return
			}
		}
	}
}

// run plays the steps against one check, in fake time, and returns what each side saw.
func run(t *testing.T, settings Settings, target negotiate.Target, steps ...step) (result negotiate.Result, requests []string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		played := make(chan *script, 1)
		result = negotiate.Run(t.Context(), negotiate.Check{
			Address: func() (string, error) { return "10.12.1.170:8080", nil },
			Prober:  proberOf(t, settings, target),
			Dial: func(context.Context, string) (net.Conn, error) {
				here, there := net.Pipe()
				go func() {
					s := &script{conn: there, reader: bufio.NewReader(there)}
					for _, do := range steps {
						do(s)
					}
					there.Close()
					played <- s
				}()
				return here, nil
			},
		})
		requests = (<-played).requests
	})
	return result, requests
}

const html, text = "text/html; charset=utf-8", "text/plain"

func TestHealthy(t *testing.T) {
	tests := []struct {
		name     string
		settings Settings
		steps    []step
	}{
		{"status alone", Settings{Path: "/"}, []step{recv, page("200 OK", html, "hello")}},
		{"any listed status", Settings{Path: "/", ExpectStatus: []int{200, 204, 401}}, []step{recv, page("401 Unauthorized", text, "")}},
		{"a redirect that is expected", Settings{Path: "/", ExpectStatus: []int{302}}, []step{recv, redirect("302 Found", "/login")}},
		{"text", Settings{Path: "/", ExpectBody: "Viewer"}, []step{recv, page("200 OK", html, "<h1>The Viewer</h1>")}},
		{"pattern", Settings{Path: "/", ExpectBodyRegex: `version \d+\.\d+`}, []step{recv, page("200 OK", text, "version 3.14")}},
		{"text and pattern", Settings{Path: "/", ExpectBody: "tail", ExpectBodyRegex: "^head"}, []step{recv, page("200 OK", text, "head and tail")}},
		{"HEAD", Settings{Path: "/", Method: "HEAD"}, []step{recv, say("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n")}},
		{"chunks, text across the seam", Settings{Path: "/", ExpectBody: "Viewer"},
			[]step{recv, say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nVie\r\n"), say("4\r\nwer!\r\n0\r\n\r\n")}},
		{"interim answers", Settings{Path: "/"}, []step{recv, say("HTTP/1.1 103 Early Hints\r\n\r\n"), page("200 OK", text, "x")}},
		{"HTTP/1.0 without a length", Settings{Path: "/", ExpectBody: "x"}, []step{recv, say("HTTP/1.0 200 OK\r\n\r\nx")}},
		{"byte by byte, in time", Settings{Path: "/"}, []step{recv, say("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"), drip("abcd")}},
		{"longer than what is read", Settings{Path: "/", ExpectBody: "first"},
			[]step{recv, say("HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\nfirst"), endless(strings.Repeat("x", 4096))}},
		{"redirects followed", Settings{Path: "/", FollowRedirects: true, ExpectBody: "Viewer"}, []step{
			recv, redirect("302 Found", "/app"), recv, redirect("307 Temporary Redirect", "http://10.12.1.170:8080/app/?a=b"),
			recv, page("200 OK", html, "Viewer")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			result, _ := run(t, tt.settings, viewer, tt.steps...)
			require.Nil(t, result.Fault)
			require.Equal(t, negotiate.StageAsk, result.Stages[1].Stage)
		})
	}
}

func TestUnhealthy(t *testing.T) {
	plain := Settings{Path: "/login"}
	ask := Settings{Path: "/login", ExpectBody: "Viewer"}
	follow := Settings{Path: "/", FollowRedirects: true}
	hop := []step{recv, redirect("302 Found", "/again")}
	circle := func() (steps []step) {
		for range MaxRedirects + 1 {
			steps = append(steps, hop...)
		}
		return steps
	}
	tests := []struct {
		name     string
		settings Settings
		steps    []step
		reason   negotiate.Reason
		peer     string
		sentence string
	}{
		{"silent", plain, []step{recv, silent}, negotiate.ReasonTimeout, "",
			"accepts the connection but does not answer GET /login within 5 s: process hung, overloaded, or waiting for something behind it"},
		{"reads nothing", plain, []step{func(*script) { time.Sleep(time.Minute) }}, negotiate.ReasonTimeout, "",
			"accepts the connection but does not answer GET /login within 5 s: process hung, overloaded, or waiting for something behind it"},
		{"drips its header", plain, []step{recv, drip("HTTP/1.1 200 OK\r\nServer: slow\r\n")}, negotiate.ReasonTimeout, "",
			"answers too slowly: only the beginning of its answer came within 5 s"},
		{"drips its body", plain, []step{recv, say("HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n"), drip(strings.Repeat("x", 90))}, negotiate.ReasonTimeout, "200 OK",
			"does not finish its answer (200 OK) within 5 s: very slow, or hung in the middle"},
		{"never ends its body", ask, []step{recv, say("HTTP/1.1 200 OK\r\n\r\nViewer"), silent}, negotiate.ReasonTimeout, "200 OK",
			"does not finish its answer (200 OK) within 5 s: very slow, or hung in the middle"},
		{"closes", plain, []step{recv}, negotiate.ReasonClosed, "",
			"closes the connection without an answer to GET /login: it may expect HTTPS, or its own log may say why"},
		{"closes before the request", plain, nil, negotiate.ReasonClosed, "",
			"closes the connection without an answer to GET /login: it may expect HTTPS, or its own log may say why"},
		{"header cut off", plain, []step{recv, say("HTTP/1.1 200 OK\r\nServer: x")}, negotiate.ReasonClosed, "",
			"closes the connection in the middle of its header"},
		{"body cut off", plain, []step{recv, say("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n1234")}, negotiate.ReasonClosed, "200 OK",
			"breaks off in the middle of its answer (200 OK): the body is shorter than announced"},
		{"chunks cut off", ask, []step{recv, say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nViewer\r\n")}, negotiate.ReasonClosed, "200 OK",
			"breaks off in the middle of its answer (200 OK): the body is shorter than announced"},
		{"cut off while a pattern is searched", Settings{Path: "/", ExpectBodyRegex: "x"}, []step{recv, say("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n1234")}, negotiate.ReasonClosed, "200 OK",
			"breaks off in the middle of its answer (200 OK): the body is shorter than announced"},
		{"broken chunks", plain, []step{recv, say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")}, negotiate.ReasonMalformed, "200 OK",
			"answers 200 OK, but the body is not valid HTTP"},
		{"speaks TLS", plain, []step{recv, say("\x15\x03\x01\x00\x02\x02\x46")}, negotiate.ReasonMalformed, "",
			"answers in TLS: this port expects HTTPS; set scheme: https"},
		{"speaks something else", plain, []step{recv, say("220 mail ready\r\n")}, negotiate.ReasonMalformed, "",
			"answers, but not in HTTP: the port belongs to another service"},
		{"nonsense that begins well", plain, []step{recv, say("HELLO to PATIENT^INVENTED\r\n\r\n")}, negotiate.ReasonMalformed, "",
			"answers, but not in valid HTTP: the port belongs to another service, or something in between is broken"},
		{"endless header", plain, []step{recv, say("HTTP/1.1 200 OK\r\n"), endless("X-Junk: yes\r\n")}, negotiate.ReasonOversized, "",
			"sends a header of more than 64 KiB"},
		{"interim answers without end", plain, []step{recv, endless("HTTP/1.1 102 Processing\r\n\r\n")}, negotiate.ReasonMalformed, "102 Processing",
			"answers 102 Processing again and again instead of a page"},

		{"400 to plain HTTP on a TLS port", plain, []step{recv, page("400 Bad Request", html, "The plain HTTP request was sent to HTTPS port")}, negotiate.ReasonBadStatus, "400 Bad Request",
			"answers 400 Bad Request for /login: this port expects HTTPS; set scheme: https"},
		{"400", plain, []step{recv, page("400 Bad Request", html, "no")}, negotiate.ReasonBadStatus, "400 Bad Request",
			"answers 400 Bad Request for /login: it may need its own name; set host"},
		{"403", plain, []step{recv, page("403 Forbidden", html, "no")}, negotiate.ReasonBadStatus, "403 Forbidden",
			"answers 403 Forbidden for /login: the page needs a login; choose another, or accept this answer with expect_status"},
		{"404, the query is not shown", Settings{Path: "/app?token=secret"}, []step{recv, page("404 Not Found", html, "no")}, negotiate.ReasonBadStatus, "404 Not Found",
			"answers 404 Not Found for /app: the application is not deployed, or the path is wrong"},
		{"502", plain, []step{recv, page("502 Bad Gateway", html, "no")}, negotiate.ReasonBadStatus, "502 Bad Gateway",
			"answers 502 Bad Gateway for /login: what stands behind it is down"},
		{"503", plain, []step{recv, page("503 Busy\x1b[2J", html, "no")}, negotiate.ReasonBadStatus, "503 Service Unavailable",
			"answers 503 Service Unavailable for /login: starting, stopping, under maintenance or overloaded"},
		{"500", plain, []step{recv, page("500 Internal Server Error", html, "no")}, negotiate.ReasonBadStatus, "500 Internal Server Error",
			"answers 500 Internal Server Error for /login: the application fails; its own log says why"},
		{"another good status", Settings{Path: "/", ExpectStatus: []int{200, 201, 206}}, []step{recv, say("HTTP/1.1 204 No Content\r\n\r\n")}, negotiate.ReasonBadStatus, "204 No Content",
			"answers 204 No Content for /; expected 200, 201 or 206"},

		{"200 with a login form", ask, []step{recv, page("200 OK", html, `<form><input name=pw type="PassWord"></form>`)}, negotiate.ReasonMismatch, "200 OK",
			`answers 200 OK, but "Viewer" is not in the page: it shows a login form instead`},
		{"200 with a maintenance page", ask, []step{recv, page("200 OK", html, "<h1>Back soon</h1>")}, negotiate.ReasonMismatch, "200 OK",
			`answers 200 OK, but "Viewer" is not in the page: a login or maintenance page, or the page has changed`},
		{"200 with other data", ask, []step{recv, page("200 OK", "application/json", "{}")}, negotiate.ReasonMismatch, "200 OK",
			`answers 200 OK, but "Viewer" is not in the page`},
		{"200 with nothing", ask, []step{recv, page("200 OK", html, "")}, negotiate.ReasonMismatch, "200 OK",
			"answers 200 OK, but with nothing in it (0 bytes): what should fill the page fails"},
		{"pattern missed", Settings{Path: "/", ExpectBodyRegex: `^\d+$`}, []step{recv, page("200 OK", text, "no number")}, negotiate.ReasonMismatch, "200 OK",
			`answers 200 OK, but nothing in the page matches "^\\d+$"`},
		{"compressed unasked", ask, []step{recv, say("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nxyz")}, negotiate.ReasonMismatch, "200 OK",
			`answers 200 OK, but "Viewer" is not in the page: the body is compressed (gzip) although plain text was asked for`},
		{"an encoding of its own", ask, []step{recv, say("HTTP/1.1 200 OK\r\nContent-Encoding: DOE^JOHN\r\nContent-Length: 3\r\n\r\nxyz")}, negotiate.ReasonMismatch, "200 OK",
			`answers 200 OK, but "Viewer" is not in the page: the body is encoded although plain text was asked for`},
		{"too far behind", ask, []step{recv, say("HTTP/1.1 200 OK\r\n\r\n"), say(strings.Repeat("x", MaxBody)), say("Viewer")}, negotiate.ReasonMismatch, "200 OK",
			`answers 200 OK, but "Viewer" is not in the page (first 1 MiB)`},

		{"redirect to a login page", plain, []step{recv, redirect("302 Found", "https://idp.example/realms/x/login?SAMLRequest=secret")}, negotiate.ReasonRedirected, "302 Found",
			"redirects to https://idp.example/realms/x/login, probably a login page: set path to a page that needs no login"},
		{"redirect to HTTPS", plain, []step{recv, redirect("301 Moved Permanently", "https://10.12.1.170/app")}, negotiate.ReasonRedirected, "301 Moved Permanently",
			"sends plain HTTP on to https://10.12.1.170/app: set scheme: https, and its port"},
		{"redirect on the same server", plain, []step{recv, redirect("308 Permanent Redirect", "/app/?id=1")}, negotiate.ReasonRedirected, "308 Permanent Redirect",
			"redirects to http://10.12.1.170:8080/app/: set path to it, or follow_redirects: true"},
		{"redirect to another server", follow, []step{recv, redirect("303 See Other", "http://user:pw@other.example/app")}, negotiate.ReasonRedirected, "303 See Other",
			"redirects to http://other.example/app, another server: a login or maintenance page, or a virtual host that needs the key host"},
		{"redirect to nowhere", plain, []step{recv, say("HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n")}, negotiate.ReasonRedirected, "302 Found",
			"redirects to http://10.12.1.170:8080/login, probably a login page: set path to a page that needs no login"},
		{"redirect to nonsense", plain, []step{recv, redirect("302 Found", "http://[bad")}, negotiate.ReasonRedirected, "302 Found",
			"answers 302 Found without saying where to go"},
		{"redirects in a circle", follow, circle(), negotiate.ReasonRedirected, "302 Found",
			"redirects in a circle, at last to http://10.12.1.170:8080/again"},
		{"redirects and closes", follow, []step{recv, say("HTTP/1.1 302 Found\r\nLocation: /app\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")}, negotiate.ReasonRedirected, "302 Found",
			"redirects to http://10.12.1.170:8080/app and closes the connection, so that it cannot be followed: set path to it"},
		{"breaks after a redirect", follow, hop, negotiate.ReasonClosed, "",
			"closes the connection without an answer to GET /again: it may expect HTTPS, or its own log may say why"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			result, _ := run(t, tt.settings, viewer, tt.steps...)
			require.NotNil(t, result.Fault)
			require.Equal(t, tt.sentence, result.Fault.Sentence)
			require.Equal(t, tt.reason, result.Fault.Reason)
			require.Equal(t, tt.peer, result.Fault.Peer)
			require.Equal(t, negotiate.StageAsk, result.Fault.Stage)
			require.LessOrEqual(t, result.Duration, negotiate.DefaultTimeout)
		})
	}
}

func TestRequestOnTheWire(t *testing.T) {
	ok := []step{recv, page("200 OK", text, "")}
	tests := []struct {
		name     string
		settings Settings
		target   negotiate.Target
		want     []string
	}{
		{"plain", Settings{Path: "/"}, viewer, []string{"GET / HTTP/1.1", "Host: 10.12.1.170:8080", "User-Agent: gantry/1.2.3",
			"Connection: close", "Accept: */*", "Accept-Encoding: identity"}},
		{"everything", Settings{Path: "/a/b?c=d", Method: "HEAD", Host: "viewer.example", Headers: map[string]string{"x-probe": "yes", "user-agent": "other"}},
			viewer, []string{"HEAD /a/b?c=d HTTP/1.1", "Host: viewer.example", "User-Agent: other", "Connection: close",
				"Accept: */*", "Accept-Encoding: identity", "X-Probe: yes"}},
		{"port of the scheme, IPv6, no version", Settings{Path: "/"}, negotiate.Target{Host: "2001:db8::1", Port: 443, Secure: true},
			[]string{"GET / HTTP/1.1", "Host: [2001:db8::1]", "User-Agent: gantry", "Connection: close", "Accept: */*", "Accept-Encoding: identity"}},
		{"connection kept for redirects", Settings{Path: "/", FollowRedirects: true}, viewer,
			[]string{"GET / HTTP/1.1", "Host: 10.12.1.170:8080", "User-Agent: gantry/1.2.3", "Accept: */*", "Accept-Encoding: identity"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			result, requests := run(t, tt.settings, tt.target, ok...)
			require.Nil(t, result.Fault)
			require.Len(t, requests, 1)
			require.ElementsMatch(t, tt.want, strings.Split(strings.TrimSpace(requests[0]), "\r\n"))
		})
	}
}

// TestRealServer goes through net/http's own server, plain, with TLS, and with the two mixed up.
func TestRealServer(t *testing.T) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/old" {
			http.Redirect(w, r, "/login", http.StatusFound)
			return
		}
		fmt.Fprintf(w, "<title>Viewer</title> %s", r.Host)
	})
	plain, secure := httptest.NewServer(handler), httptest.NewUnstartedServer(handler)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // it will be spoken to in plain HTTP
	secure.StartTLS()
	defer plain.Close()
	defer secure.Close()
	check := func(t *testing.T, server *httptest.Server, tls bool, s Settings) negotiate.Result {
		address := server.Listener.Addr().String()
		at := netip.MustParseAddrPort(address)
		c := negotiate.Check{
			Address: func() (string, error) { return address, nil },
			Prober:  proberOf(t, s, negotiate.Target{Host: at.Addr().String(), Port: int(at.Port()), Secure: tls}),
		}
		if tls {
			c.TLS = secure.Client().Transport.(*http.Transport).TLSClientConfig
		}
		return negotiate.Run(t.Context(), c)
	}
	s := Settings{Path: "/login", ExpectBody: "Viewer"}
	require.Nil(t, check(t, plain, false, s).Fault)
	require.Nil(t, check(t, secure, true, s).Fault)
	require.Nil(t, check(t, secure, true, Settings{Path: "/old", FollowRedirects: true, ExpectBody: "Viewer"}).Fault)
	require.Equal(t, negotiate.ReasonRedirected, check(t, plain, false, Settings{Path: "/old"}).Fault.Reason)
	require.Equal(t, "answers in plain HTTP where TLS was expected: use the server's HTTPS port, or check without TLS",
		check(t, plain, true, s).Fault.Sentence)
	require.Equal(t, "answers 400 Bad Request for /login: this port expects HTTPS; set scheme: https",
		check(t, secure, false, s).Fault.Sentence)
}

// FuzzAnswer: whatever a server sends, the check ends with a verdict and without a panic.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"))
	f.Add([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nTrailer: x\r\n\r\n"))
	f.Add([]byte("HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n\r\nhi"))
	f.Add([]byte("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 404\r\n\r\n"))
	f.Add([]byte("\x15\x03\x01\x00\x02\x02\x46"))
	p := proberOf(f, Settings{Path: "/", FollowRedirects: true, ExpectBody: "hi", ExpectBodyRegex: "h."}, viewer)
	f.Fuzz(func(t *testing.T, answer []byte) {
		r := negotiate.Run(t.Context(), negotiate.Check{
			Address: func() (string, error) { return "a:1", nil }, Prober: p,
			Dial: func(context.Context, string) (net.Conn, error) { return &canned{answer: answer}, nil },
		})
		if r.Fault != nil {
			require.NotEqual(t, negotiate.ReasonInternal, r.Fault.Reason, r.Fault.Err)
			require.NotEmpty(t, r.Fault.Sentence)
		}
	})
}

// canned is a connection with all answers ready.
type canned struct {
	net.Conn
	answer []byte
}

func (c *canned) Read(b []byte) (int, error) {
	if len(c.answer) == 0 {
		return 0, io.EOF
	}
	n := copy(b, c.answer)
	c.answer = c.answer[n:]
	return n, nil
}
func (c *canned) Write(b []byte) (int, error)     { return len(b), nil }
func (c *canned) SetDeadline(time.Time) error     { return nil }
func (c *canned) SetReadDeadline(time.Time) error { return nil }
func (c *canned) Close() error                    { return nil }
