package httptalk

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gantry/negotiate"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func lines(s ...string) string { return strings.Join(s, "\r\n") }

// titles of a conversation, with the side that spoke.
func titles(told []negotiate.Passage) (all []string) {
	for _, p := range told {
		side := "< "
		if p.Sent {
			side = "> "
		}
		all = append(all, side+p.Title)
	}
	return all
}

func TestNarrate(t *testing.T) {
	get := negotiate.Chunk{Sent: true, Data: []byte("GET /a?token=x HTTP/1.1\r\n\r\n")}
	const getTold = "> HTTP request GET /a, head of 27 bytes"
	got := func(words string) negotiate.Chunk {
		return negotiate.Chunk{At: time.Second, Data: []byte(words)}
	}
	tests := []struct {
		name   string
		chunks []negotiate.Chunk
		want   []string
	}{
		{"nothing", nil, nil},
		{"page", []negotiate.Chunk{get, got("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi")},
			[]string{getTold, "< HTTP answer 200 OK, head of 63 bytes", "< body, 2 bytes of text/html"}},
		{"page in pieces", []negotiate.Chunk{get, got("HTTP/1.1 200 OK\r\n"), got("\r\nh"), got("i")},
			[]string{getTold, "< HTTP answer 200 OK, head of 19 bytes", "< body, 2 bytes"}},
		{"chunks, two answers", []negotiate.Chunk{get, got("HTTP/1.1 302 Found\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n1\r\n!\r\n0\r\n\r\n"), get, got("HTTP/1.1 204 No\r\n\r\n")},
			[]string{getTold, "< HTTP answer 302 Found, head of 50 bytes", "< body, 3 bytes", getTold, "< HTTP answer 204 No Content, head of 19 bytes"}},
		{"interim answer", []negotiate.Chunk{get, got("HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")},
			[]string{getTold, "< HTTP answer 103 Early Hints, head of 22 bytes", "< HTTP answer 200 OK, head of 38 bytes", "< body, 1 byte"}},
		{"answer to HEAD", []negotiate.Chunk{{Sent: true, Data: []byte("HEAD / HTTP/1.1\r\n\r\n")}, got("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")},
			[]string{"> HTTP request HEAD /, head of 19 bytes", "< HTTP answer 200 OK, head of 38 bytes"}},
		{"another protocol takes over", []negotiate.Chunk{get, got("HTTP/1.1 101 Switching\r\n\r\n\x88\x00"), {Sent: true, Data: []byte("\x88\x82")}},
			[]string{getTold, "< HTTP answer 101 Switching Protocols, head of 26 bytes", "< WebSocket close, 2 bytes", "> WebSocket close, 2 bytes"}},
		{"it looks like HTTP, and is not", []negotiate.Chunk{get, got("HTTP/1.1 101 Switching\r\n\r\nHTTP/1.1 200 OK\r\n\r\n")},
			[]string{getTold, "< HTTP answer 101 Switching Protocols, head of 26 bytes", "< 19 bytes, not HTTP"}},
		{"body after 100 Continue", []negotiate.Chunk{
			{Sent: true, Data: []byte("POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")}, got("HTTP/1.1 100 Continue\r\n\r\n"),
			{Sent: true, Data: []byte("hi")}, got("HTTP/1.1 200 OK\r\n\r\n")},
			[]string{"> HTTP request POST /, head of 60 bytes", "< HTTP answer 100 Continue, head of 25 bytes", "> body, 2 bytes", "< HTTP answer 200 OK, head of 19 bytes"}},
		{"not HTTP", []negotiate.Chunk{get, got("220 mail ready\r\n\r\n")}, []string{getTold, "< 18 bytes, not HTTP"}},
		{"head without end", []negotiate.Chunk{get, got("HTTP/1.1 200 OK\r\nX: y")}, []string{getTold, "< 21 bytes, not HTTP"}},
		{"more than was kept", []negotiate.Chunk{get, {Lost: 9}}, []string{getTold, "< more bytes"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { require.Equal(t, tt.want, titles(Narrate(tt.chunks, nil))) })
	}
}

// TestHeadIsMasked: values are shown only of header fields that are known to be harmless.
func TestHeadIsMasked(t *testing.T) {
	tests := []struct {
		name, in, want string
		sent           bool
	}{
		{"request", lines("GET /a/b?PatientID=SECRET HTTP/1.1", "Host: x:80", "Authorization: Basic SECRET", "Cookie: SECRET", "X-Api-Key:SECRET", "", ""),
			lines("GET /a/b?**************** HTTP/1.1", "Host: x:80", "Authorization: ************", "Cookie: ******", "X-Api-Key:******", "", ""), true},
		{"answer", lines("HTTP/1.1 200 OK", "SERVER: nginx", "Set-Cookie: SECRET", "Content-Disposition: SECRET.dcm", "", ""),
			lines("HTTP/1.1 200 OK", "SERVER: nginx", "Set-Cookie: ******", "Content-Disposition: **********", "", ""), false},
		{"addresses", lines("HTTP/1.1 302 Found", "Location: http://user:SECRET@x/y?z=SECRET", "", ""),
			lines("HTTP/1.1 302 Found", "Location: http://***********@x/y?********", "", ""), false},
		{"folded lines", lines("HTTP/1.1 200 OK", "X-Name: SECRET", " SECRET", "Server: a", " b", "", ""),
			lines("HTTP/1.1 200 OK", "X-Name: ******", "*******", "Server: a", "**", "", ""), false},
		{"words of the server itself", lines("HTTP/1.1 500 SECRET^ZZ not found", "", ""), lines("HTTP/1.1 500 *******************", "", ""), false},
		{"a version that is none", lines("HTTP/1.SECRET 200 OK", "", ""), lines("********************", "", ""), false},
		{"a session in a path", lines("GET /a;jsessionid=SECRET HTTP/1.1", "", ""), lines("GET /a;***************** HTTP/1.1", "", ""), true},
		{"a file's name in its type", lines("HTTP/1.1 200 OK", `Content-Type: application/pdf; name="SECRET;x=y.pdf"; charset=utf-8`, "", ""),
			lines("HTTP/1.1 200 OK", `Content-Type: application/pdf;`+strings.Repeat("*", 22)+`; charset=utf-8`, "", ""), false},
		{"a type that is none", lines("HTTP/1.1 200 OK", "Content-Type: SECRET", "", ""), lines("HTTP/1.1 200 OK", "Content-Type: ******", "", ""), false},
		{"a name that is none", lines("HTTP/1.1 200 OK", "SECRET ZZ: b", "", ""), lines("HTTP/1.1 200 OK", "************", "", ""), false},
		{"no field", lines("HTTP/1.1 200 OK", "SECRET", "", ""), lines("HTTP/1.1 200 OK", "******", "", ""), false},
		{"control characters", "HTTP/1.1 200 O\x1b[2J\xff\nServer: a\x00\n\n", "HTTP/1.1 200 ******\nServer: a*\n\n", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			told := Narrate([]negotiate.Chunk{{Sent: tt.sent, Data: []byte(tt.in)}}, nil)
			require.Equal(t, tt.want, string(told[0].Bytes))
			require.True(t, told[0].Text)
			require.NotContains(t, told[0].Title, "SECRET")
		})
	}
}

// TestMiddleOfAPage: what follows a page that was shorter than announced, or in broken chunks, may be
// about a patient.
func TestMiddleOfAPage(t *testing.T) {
	for _, page := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n<p>SECRET^ZZ",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxx\r\nSECRET^ZZ\r\n",
		"HTTP/1.1 200 OK\r\nContent-Type: application/pdf; name=SECRET.pdf\r\n\r\nSECRET",
	} {
		for _, p := range Narrate([]negotiate.Chunk{{Data: []byte(page)}}, nil) {
			require.NotContains(t, p.Title+string(p.Bytes), "SECRET")
		}
	}
}

func TestUnknownIsCut(t *testing.T) {
	told := Narrate([]negotiate.Chunk{{Data: []byte(strings.Repeat("x", 100)), Lost: 5}}, nil)
	require.Len(t, told[0].Bytes, negotiate.Shown)
	require.Equal(t, 100-negotiate.Shown+5, told[0].More)
}

// FuzzNarrate: no panic, and of what is no head at most the beginning is shown.
func FuzzNarrate(f *testing.F) {
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"), []byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"))
	f.Add([]byte("HEAD /?a=b#c HTTP/1.0\n\n"), []byte("HTTP/1.1 101 x\r\nLocation: //a@b?c\r\n d\r\n\r\n\x00"))
	f.Fuzz(func(t *testing.T, sent, got []byte) {
		for _, p := range Narrate([]negotiate.Chunk{{Sent: true, Data: sent}, {Data: got}}, nil) {
			require.GreaterOrEqual(t, p.More, 0)
			if !p.Text {
				require.LessOrEqual(t, len(p.Bytes), negotiate.Shown)
			}
		}
	})
}
