package httpcheck

import (
	"net/url"
	"slices"
	"strings"

	"gantry/negotiate"
	"gantry/negotiate/internal/httptalk"
)

// redirected reports an answer that sends elsewhere, unless its status is an expected one.
func (t *talk) redirected() bool {
	code := t.Response.StatusCode
	return httptalk.Redirects(code) && !slices.Contains(t.settings.ExpectStatus, code)
}

// follow makes the page that the answer points to the next one, if that is wanted and
// possible on this connection; otherwise it says why the check ends here.
func (t *talk) follow(hops int) *negotiate.Fault {
	to, err := t.here().Parse(t.Response.Header.Get("Location"))
	if err != nil || to.Host == "" {
		return t.Fault(negotiate.ReasonRedirected, "answers "+t.Status()+" without saying where to go")
	}
	where := httptalk.Shown(to)
	switch {
	case t.sameServer(to) && t.settings.FollowRedirects && hops >= MaxRedirects:
		return t.Fault(negotiate.ReasonRedirected, "redirects in a circle, at last to "+where)
	case t.sameServer(to) && t.settings.FollowRedirects && (t.Response.Close || t.seen.cut):
		return t.Fault(negotiate.ReasonRedirected, "redirects to "+where+" and closes the connection, so that it cannot be followed: set path to it")
	case t.sameServer(to) && t.settings.FollowRedirects:
		t.page = to
		return nil
	}
	return t.Fault(negotiate.ReasonRedirected, t.redirectSentence(to))
}

// redirectSentence guesses why a server sends elsewhere, the most telling sign first.
func (t *talk) redirectSentence(to *url.URL) string {
	where := httptalk.Shown(to)
	switch {
	case httptalk.LooksLikeLogin(where):
		return "redirects to " + where + ", probably a login page: set path to a page that needs no login"
	case !t.secure && to.Scheme == "https" && sameHostName(to.Host, t.host):
		return "sends plain HTTP on to " + where + ": set scheme: https, and its port"
	case t.sameServer(to):
		return "redirects to " + where + ": set path to it, or follow_redirects: true"
	default:
		return "redirects to " + where + ", another server: a login or maintenance page, or a virtual host that needs the key host"
	}
}

// here is the address of the present page, which a Location may be relative to.
func (t *talk) here() *url.URL {
	base := *t.page
	base.Scheme, base.Host = t.scheme(), t.host
	return &base
}

func (t *talk) scheme() string { return httptalk.Scheme(t.secure) }

// sameServer reports whether an address can be asked for on this connection.
func (t *talk) sameServer(to *url.URL) bool {
	return to.Scheme == t.scheme() && strings.EqualFold(withPort(to.Host, to.Scheme), withPort(t.host, t.scheme()))
}

// withPort writes out the port that a scheme implies, so that addresses can be compared.
func withPort(host, scheme string) string {
	if u := (url.URL{Host: host}); u.Port() != "" {
		return host
	}
	if scheme == "https" {
		return host + ":443"
	}
	return host + ":80"
}

func sameHostName(a, b string) bool {
	return strings.EqualFold((&url.URL{Host: a}).Hostname(), (&url.URL{Host: b}).Hostname())
}
