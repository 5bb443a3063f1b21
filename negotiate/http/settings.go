package httpcheck

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"

	"gantry/negotiate"
)

// Settings of the kind "http".
type Settings struct {
	Scheme          string            `yaml:"scheme" default:"http" enum:"http,https" doc:"https turns TLS on; the block tls then only adds to it."`
	Path            string            `yaml:"path" default:"/" doc:"What to ask for: path, and query if needed."`
	Method          string            `yaml:"method" default:"GET" enum:"GET,HEAD" doc:"Neither changes anything on a server that keeps to the standard."`
	Host            string            `yaml:"host" doc:"Host header. Absent: the server's address as the check uses it."`
	Headers         map[string]string `yaml:"headers" doc:"More headers to send. Values may appear in the server's log: no passwords here."`
	ExpectStatus    []int             `yaml:"expect_status" default:"200" doc:"Status codes of a healthy server, 200 to 599."`
	ExpectBody      string            `yaml:"expect_body" doc:"Text that must stand in the first 1 MiB of the body."`
	ExpectBodyRegex string            `yaml:"expect_body_regex" doc:"Regular expression (RE2) that must match in the first 1 MiB of the body."`
	FollowRedirects bool              `yaml:"follow_redirects" default:"false" doc:"Follow up to 5 redirects on the same server; one that leads to another host or scheme stays a failure."`
}

var _ negotiate.Settings = (*Settings)(nil)

// Secure reports whether the settings by themselves ask for TLS.
func (s *Settings) Secure() bool { return s.Scheme == "https" }

// Validate reports what cannot work.
func (s *Settings) Validate(report func(key, got, want string)) {
	s.validateRequest(report)
	s.validateHeaders(report)
	s.validateExpectations(report)
}

// validateRequest keeps to what can be sent as one line each: nothing may smuggle a second
// header or request onto the connection.
func (s *Settings) validateRequest(report func(key, got, want string)) {
	if _, err := url.ParseRequestURI(s.Path); err != nil || !strings.HasPrefix(s.Path, "/") || strings.ContainsAny(s.Path, "# \t\r\n") {
		report("path", quoted(s.Path), `write a path such as "/login?lang=en": it begins with / and has no blanks and no #`)
	}
	if s.Method != "" && s.Method != http.MethodGet && s.Method != http.MethodHead {
		report("method", quoted(s.Method), "write GET or HEAD: other methods may change something")
	}
	if s.Host != "" && (!httpguts.ValidHostHeader(s.Host) || strings.Contains(s.Host, "/")) {
		report("host", quoted(s.Host), `write a host name, with :port if needed, such as "viewer.example"`)
	}
}

// ownHeaders are written by the check itself.
var ownHeaders = map[string]string{
	"Host":              "use the key host",
	"Connection":        "the check says itself whether the connection is kept",
	"Content-Length":    "the check sends no body",
	"Transfer-Encoding": "the check sends no body",
	"Accept-Encoding":   "the check reads plain text only",
}

func (s *Settings) validateHeaders(report func(key, got, want string)) {
	for name, value := range s.Headers {
		key := "headers." + name
		switch why, own := ownHeaders[http.CanonicalHeaderKey(name)]; {
		case !httpguts.ValidHeaderFieldName(name):
			report(key, quoted(name), "a header name is letters, digits and hyphens")
		case own:
			report(key, quoted(name), "remove it: "+why)
		case !httpguts.ValidHeaderFieldValue(value):
			report(key, "control characters", "a header value is one line of text")
		}
	}
}

// validateExpectations finds expectations that no answer can meet.
func (s *Settings) validateExpectations(report func(key, got, want string)) {
	for i, code := range s.ExpectStatus {
		if code < 200 || code > 599 {
			report(fmt.Sprintf("expect_status[%d]", i), strconv.Itoa(code), "write final status codes, 200 to 599")
		}
	}
	if _, err := regexp.Compile(s.ExpectBodyRegex); err != nil {
		report("expect_body_regex", quoted(s.ExpectBodyRegex), "write a regular expression: "+strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	if s.Method == http.MethodHead && (s.ExpectBody != "" || s.ExpectBodyRegex != "") {
		report("method", quoted(s.Method), "use GET: the answer to HEAD has no body to look into")
	}
}

func quoted(s string) string { return strconv.Quote(s) }

// Prober builds the probe for one server.
func (s *Settings) Prober(t negotiate.Target) (negotiate.Prober, error) {
	p := &probe{
		settings: *s, server: t.Server, secure: t.Secure || s.Secure(),
		host: s.Host, agent: strings.TrimSuffix("gantry/"+t.Version, "/"),
	}
	p.settings.ExpectStatus = slices.Clone(s.ExpectStatus)
	if len(p.settings.ExpectStatus) == 0 {
		p.settings.ExpectStatus = []int{http.StatusOK}
	}
	if p.host == "" {
		p.host = hostHeader(t, p.secure)
	}
	if s.ExpectBodyRegex != "" {
		pattern, err := regexp.Compile(s.ExpectBodyRegex)
		if err != nil {
			return nil, fmt.Errorf("expect_body_regex: %w", err)
		}
		p.pattern = pattern
	}
	var err error
	p.page, err = url.ParseRequestURI(orDefault(s.Path, "/"))
	if err != nil {
		return nil, fmt.Errorf("path: %w", err)
	}
	return p, nil
}

// hostHeader is the address as a browser would write it: without the port that the scheme
// implies, with brackets around IPv6.
func hostHeader(t negotiate.Target, secure bool) string {
	implied := 80
	if secure {
		implied = 443
	}
	if t.Port != 0 && t.Port != implied {
		return net.JoinHostPort(t.Host, strconv.Itoa(t.Port))
	}
	if strings.Contains(t.Host, ":") {
		return "[" + t.Host + "]"
	}
	return t.Host
}

func orDefault(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
