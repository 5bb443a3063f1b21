package httpcheck

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"

	"gantry/negotiate"
	"gantry/negotiate/internal/httptalk"
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
	Upgrade         string            `yaml:"upgrade" enum:"websocket" doc:"Ask for a WebSocket under path and close it at once, in place of reading a page: status 101 is healthy."`
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

func (s *Settings) validateRequest(report func(key, got, want string)) {
	httptalk.ValidatePath(s.Path, report)
	httptalk.ValidateHost(s.Host, report)
	if s.Method != "" && s.Method != http.MethodGet && s.Method != http.MethodHead {
		report("method", quoted(s.Method), "write GET or HEAD: other methods may change something")
	}
}

// ownHeaders are written by the check itself.
var ownHeaders = map[string]string{
	"Host":              "use the key host",
	"Connection":        "the check says itself whether the connection is kept",
	"Content-Length":    "the check sends no body",
	"Transfer-Encoding": "the check sends no body",
	"Accept-Encoding":   "the check reads plain text only",
	"Expect":            "there is no body whose sending could wait; the kinds xds-registry and xds-repository have expect_continue",
	"Upgrade":           "use the key upgrade",
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
	s.validateUpgrade(report)
}

// validateUpgrade: an opened WebSocket has no page.
func (s *Settings) validateUpgrade(report func(key, got, want string)) {
	switch {
	case s.Upgrade == "":
	case s.Upgrade != "websocket":
		report("upgrade", quoted(s.Upgrade), "write websocket, or leave it out")
	case s.Method == http.MethodHead:
		report("method", quoted(s.Method), "use GET: a WebSocket opens with nothing else")
	case s.ExpectBody != "" || s.ExpectBodyRegex != "" || s.FollowRedirects:
		report("upgrade", quoted(s.Upgrade), "remove expect_body, expect_body_regex and follow_redirects: a WebSocket has no page; use a second check for it")
	case len(s.ExpectStatus) > 0 && !slices.Equal(s.ExpectStatus, []int{http.StatusOK}):
		report("expect_status", fmt.Sprint(s.ExpectStatus), "remove it: a WebSocket opens with 101")
	}
}

func quoted(s string) string { return strconv.Quote(s) }

// Prober builds the probe for one server.
func (s *Settings) Prober(t negotiate.Target) (negotiate.Prober, error) {
	p := &probe{
		settings: *s, server: t.Server, secure: t.Secure || s.Secure(),
		host: s.Host, agent: httptalk.Agent(t),
	}
	p.settings.ExpectStatus = slices.Clone(s.ExpectStatus)
	if len(p.settings.ExpectStatus) == 0 {
		p.settings.ExpectStatus = []int{http.StatusOK}
	}
	if p.host == "" {
		p.host = httptalk.HostHeader(t, p.secure)
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

func orDefault(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
