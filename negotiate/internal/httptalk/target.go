package httptalk

import (
	"net"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"

	"gantry/negotiate"
)

// ValidatePath reports a path that cannot be sent as part of one line: nothing may smuggle a
// second header or request onto the connection.
func ValidatePath(path string, report func(key, got, want string)) {
	if _, err := url.ParseRequestURI(path); err != nil || !strings.HasPrefix(path, "/") || strings.ContainsAny(path, "# \t\r\n") {
		report("path", strconv.Quote(path), `write a path such as "/login?lang=en": it begins with / and has no blanks and no #`)
	}
}

// ValidateHost reports a host that is none; empty stands for the server's address.
func ValidateHost(host string, report func(key, got, want string)) {
	if host != "" && (!httpguts.ValidHostHeader(host) || strings.Contains(host, "/")) {
		report("host", strconv.Quote(host), `write a host name, with :port if needed, such as "viewer.example"`)
	}
}

// HostHeader is the address as a browser would write it: without the port that the scheme
// implies, with brackets around IPv6.
func HostHeader(t negotiate.Target, secure bool) string {
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

// Agent is the User-Agent of all checks: "gantry/1.2.3".
func Agent(t negotiate.Target) string { return strings.TrimSuffix("gantry/"+t.Version, "/") }

// Scheme is the one of an address on a connection.
func Scheme(secure bool) string {
	if secure {
		return "https"
	}
	return "http"
}
