package httpcheck

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gantry/negotiate"
)

func TestValidate(t *testing.T) {
	tests := []struct {
		name     string
		settings Settings
		want     []string
	}{
		{"good", Settings{Path: "/login?lang=en", Method: "GET", Host: "viewer.example:8443", ExpectStatus: []int{200, 599}, ExpectBodyRegex: "a.*b"}, nil},
		{"relative path", Settings{Path: "login"}, []string{`path: "login"; write a path such as "/login?lang=en": it begins with / and has no blanks and no #`}},
		{"path with a blank", Settings{Path: "/a b"}, []string{`path: "/a b"; write a path such as "/login?lang=en": it begins with / and has no blanks and no #`}},
		{"whole address", Settings{Path: "http://x/y"}, []string{`path: "http://x/y"; write a path such as "/login?lang=en": it begins with / and has no blanks and no #`}},
		{"method", Settings{Path: "/", Method: "POST"}, []string{`method: "POST"; write GET or HEAD: other methods may change something`}},
		{"host", Settings{Path: "/", Host: "http://x"}, []string{`host: "http://x"; write a host name, with :port if needed, such as "viewer.example"`}},
		{"header of our own", Settings{Path: "/", Headers: map[string]string{"host": "x"}}, []string{`headers.host: "host"; remove it: use the key host`}},
		{"header name", Settings{Path: "/", Headers: map[string]string{"a b": "x"}}, []string{`headers.a b: "a b"; a header name is letters, digits and hyphens`}},
		{"header value", Settings{Path: "/", Headers: map[string]string{"a": "x\r\nb: c"}}, []string{`headers.a: control characters; a header value is one line of text`}},
		{"status", Settings{Path: "/", ExpectStatus: []int{200, 99}}, []string{`expect_status[1]: 99; write final status codes, 200 to 599`}},
		{"pattern", Settings{Path: "/", ExpectBodyRegex: "a("}, []string{"expect_body_regex: \"a(\"; write a regular expression: missing closing ): `a(`"}},
		{"body of a HEAD", Settings{Path: "/", Method: "HEAD", ExpectBody: "x"}, []string{`method: "HEAD"; use GET: the answer to HEAD has no body to look into`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			tt.settings.Validate(func(key, value, want string) { got = append(got, key+": "+value+"; "+want) })
			require.Equal(t, tt.want, got)
		})
	}
}

func TestProberRefusesWhatValidateRefuses(t *testing.T) {
	for _, s := range []Settings{{Path: "login"}, {ExpectBodyRegex: "a("}} {
		_, err := s.Prober(negotiate.Target{})
		require.Error(t, err)
	}
	require.True(t, (&Settings{Scheme: "https"}).Secure())
	require.False(t, (&Settings{Scheme: "http"}).Secure())
}

func TestCodes(t *testing.T) {
	require.Equal(t, "200", codes([]int{200}))
	require.Equal(t, "200 or 204", codes([]int{200, 204}))
	require.Equal(t, "200, 204 or 301", codes([]int{200, 204, 301}))
}

func TestFinder(t *testing.T) {
	const haystack = "aaabaaacaaabaaad Needle end"
	for _, want := range []string{"a", "aaac", "aaad", "Needle", "end", "baaad N", "x", "aaaa", haystack, haystack + "!"} {
		for size := 1; size <= len(haystack); size++ {
			f := finder{want: []byte(want)}
			for rest := haystack; rest != ""; {
				n := min(size, len(rest))
				f.look([]byte(rest[:n]))
				rest = rest[n:]
			}
			require.Equal(t, want != "x" && want != "aaaa" && want != haystack+"!", f.found, "%q in pieces of %d", want, size)
		}
	}
	fold := finder{want: []byte("needle"), fold: true}
	fold.look([]byte("NEE"))
	fold.look([]byte("dle"))
	require.True(t, fold.found)
}
