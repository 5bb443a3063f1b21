package httpcheck

import (
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gantry/negotiate"
)

// switched answers an upgrade to a WebSocket; accept replaces the right answer to the key.
func switched(accept string) step {
	return func(s *script) {
		key := regexp.MustCompile(`Sec-WebSocket-Key: (\S+)`).FindStringSubmatch(s.requests[len(s.requests)-1])
		if accept == "" {
			accept = acceptOf(key[1])
		}
		say("HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + accept + "\r\n\r\n")(s)
	}
}

// goodbye reads the close frame and answers it.
func goodbye(s *script) {
	frame := make([]byte, 8)
	_, _ = io.ReadFull(s.reader, frame)
	s.requests = append(s.requests, string(frame))
	say("\x88\x02\x03\xe8")(s)
}

func TestAcceptOfKey(t *testing.T) {
	// The example of RFC 6455 section 1.3.
	require.Equal(t, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", acceptOf("dGhlIHNhbXBsZSBub25jZQ=="))
}

func TestUpgrade(t *testing.T) {
	ws := Settings{Path: "/socket", Method: "GET", ExpectStatus: []int{200}, Upgrade: "websocket"}
	result, requests := run(t, ws, viewer, recv, switched(""), goodbye)
	require.Nil(t, result.Words())
	require.Equal(t, negotiate.StageClose, result.Stages[2].Stage)
	for _, line := range []string{"GET /socket HTTP/1.1", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"} {
		require.Contains(t, strings.Split(requests[0], "\r\n"), line)
	}
	require.Equal(t, "\x88\x82\x00\x00\x00\x00\x03\xe8", requests[1], "a masked close frame with code 1000")

	result, _ = run(t, ws, viewer, recv, switched(""), func(s *script) { silent(s) })
	require.Nil(t, result.Words(), "a server that says no goodbye is no worse for it")
	require.Equal(t, closeWait, result.Duration)
}

func TestNotUpgraded(t *testing.T) {
	ws := Settings{Path: "/socket", Upgrade: "websocket"}
	tests := []struct {
		name     string
		answer   step
		reason   negotiate.Reason
		sentence string
	}{
		{"blocked", page("400 Bad Request", html, "no"), negotiate.ReasonBadStatus,
			"answers 400 Bad Request for /socket instead of opening a WebSocket: a proxy in between does not pass upgrades on, or the path is wrong"},
		{"a page", page("200 OK", html, "no"), negotiate.ReasonBadStatus,
			"answers 200 OK for /socket instead of opening a WebSocket: a proxy in between does not pass upgrades on, or the path is wrong"},
		{"origin refused", page("403 Forbidden", html, "no"), negotiate.ReasonBadStatus,
			"answers 403 Forbidden for /socket: the WebSocket needs a login, or another Origin; set one in headers"},
		{"404", page("404 Not Found", html, "no"), negotiate.ReasonBadStatus,
			"answers 404 Not Found for /socket: the application is not deployed, or the path is wrong"},
		{"502", page("502 Bad Gateway", html, "no"), negotiate.ReasonBadStatus,
			"answers 502 Bad Gateway for /socket: what stands behind it is down"},
		{"login", redirect("302 Found", "/login"), negotiate.ReasonRedirected,
			"redirects to http://10.12.1.170:8080/login, probably a login page: set path to a page that needs no login"},
		{"another client's answer", switched("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), negotiate.ReasonMismatch,
			"answers another client's request for a WebSocket: a cache or proxy in front of it is broken"},
		{"another protocol", say("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n"), negotiate.ReasonMismatch,
			"switches protocols, but not to a WebSocket: something in between is broken"},
		{"closes", func(*script) {}, negotiate.ReasonClosed,
			"closes the connection without an answer to GET /socket: it may expect HTTPS, or its own log may say why"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			result, _ := run(t, ws, viewer, recv, tt.answer)
			require.NotNil(t, result.Fault)
			require.Equal(t, tt.sentence, result.Fault.Sentence)
			require.Equal(t, tt.reason, result.Fault.Reason)
		})
	}
}

func TestUpgradeSettings(t *testing.T) {
	tests := []struct {
		name     string
		settings Settings
		want     string
	}{
		{"defaults", Settings{Path: "/", Method: "GET", ExpectStatus: []int{200}, Upgrade: "websocket"}, ""},
		{"another protocol", Settings{Path: "/", Upgrade: "h2c"}, `upgrade: "h2c"; write websocket, or leave it out`},
		{"HEAD", Settings{Path: "/", Method: "HEAD", Upgrade: "websocket"}, `method: "HEAD"; use GET: a WebSocket opens with nothing else`},
		{"page", Settings{Path: "/", ExpectBody: "x", Upgrade: "websocket"}, `upgrade: "websocket"; remove expect_body, expect_body_regex and follow_redirects: a WebSocket has no page; use a second check for it`},
		{"status", Settings{Path: "/", ExpectStatus: []int{101}, Upgrade: "websocket"}, `expect_status: [101]; remove it: a WebSocket opens with 101`},
		{"Expect", Settings{Path: "/", Headers: map[string]string{"expect": "100-continue"}}, `headers.expect: "expect"; remove it: there is no body whose sending could wait; the kinds xds-registry and xds-repository have expect_continue`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			tt.settings.Validate(func(key, value, want string) {
				if tt.name != "status" || key == "expect_status" {
					got += key + ": " + value + "; " + want
				}
			})
			require.Equal(t, tt.want, got)
		})
	}
}

// TestTranscript: what a check says and hears, without what stands in the page.
func TestTranscript(t *testing.T) {
	p := proberOf(t, Settings{Path: "/"}, viewer).(negotiate.Narrator)
	told := p.Narrate([]negotiate.Chunk{
		{Sent: true, Data: []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n")},
		{Data: []byte("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\n\"SECRET\"")},
	})
	require.Len(t, told, 3)
	require.Equal(t, "body, 8 bytes of application/json", told[2].Title)
	require.Empty(t, told[2].Bytes)
	require.Equal(t, 8, told[2].More)
}

// TestTwoSteps: a viewer that lists studies but cannot deliver images is found by two checks of
// one server, of which the second wants an object with content.
func TestTwoSteps(t *testing.T) {
	list := Settings{Path: "/dicom-web/studies?limit=1", ExpectBodyRegex: `^\[`}
	image := Settings{Path: "/wado?requestType=WADO&objectUID=2.25.1", ExpectBody: "DICM"}
	part10 := strings.Repeat("\x00", 128) + "DICM"
	verdicts := func(s Settings, answer step) negotiate.Reason {
		result, _ := run(t, s, viewer, recv, answer)
		if result.Fault != nil {
			return result.Fault.Reason
		}
		return ""
	}
	require.Empty(t, verdicts(list, page("200 OK", "application/dicom+json", "[]")))
	require.Empty(t, verdicts(image, page("200 OK", "application/dicom", part10)))
	require.Equal(t, negotiate.ReasonBadStatus, verdicts(list, page("502 Bad Gateway", html, "")), "a page from a static server, the API down")
	require.Equal(t, negotiate.ReasonBadStatus, verdicts(image, page("500 Error", html, "")), "studies listed, images not delivered")
	require.Equal(t, negotiate.ReasonMismatch, verdicts(image, page("200 OK", "application/dicom", "")), "images of 0 bytes")
}
