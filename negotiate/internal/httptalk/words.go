package httptalk

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"gantry/negotiate"
)

// lost explains a connection that broke before the status line and header were complete.
func (t *Talk) lost(err error) *negotiate.Fault {
	asked := t.request.Method + " " + ShownPath(t.request.URL)
	w := negotiate.Words{
		Silent: "accepts the connection but does not answer " + asked + " within " + negotiate.Within(t.ctx) +
			": process hung, overloaded, or waiting for something behind it",
		Closed: "closes the connection without an answer to " + asked + t.tlsHint(),
		Reset:  "resets the connection without an answer to " + asked + t.tlsHint(),
	}
	if t.wire.N > 0 && t.wire.N < t.limit { // a part of the answer has come
		w = negotiate.Words{
			Silent: "answers too slowly: only the beginning of its answer came within " + negotiate.Within(t.ctx),
			Closed: "closes the connection in the middle of its header",
			Reset:  "resets the connection in the middle of its header",
		}
	}
	return negotiate.Lost(negotiate.StageAsk, err, w)
}

// tlsHint: many servers close without a word when they are spoken to in plain text.
func (t *Talk) tlsHint() string {
	if t.secure {
		return ": its own log may say why"
	}
	return ": it may expect HTTPS, or its own log may say why"
}

// badHead explains a status line or header that could not be read. What net/http has to say
// is no help: it quotes what it stumbled over, and takes half a line for a bad one.
func (t *Talk) badHead() *negotiate.Fault {
	switch {
	case t.wire.N <= 0:
		return t.Fault(negotiate.ReasonOversized, fmt.Sprintf("sends a header of more than %d KiB", MaxHead>>10))
	case t.source.err != nil:
		return t.lost(t.source.err)
	default:
		return t.Fault(negotiate.ReasonMalformed, "answers, but not in valid HTTP: the port belongs to another service, or something in between is broken")
	}
}

// Broken explains a body that could not be read to its end.
func (t *Talk) Broken() *negotiate.Fault {
	if t.source.err == nil {
		return t.Fault(negotiate.ReasonMalformed, "answers "+t.Status()+", but the body is not valid HTTP")
	}
	fault := negotiate.Lost(negotiate.StageAsk, t.source.err, negotiate.Words{
		Silent: "does not finish its answer (" + t.Status() + ") within " + negotiate.Within(t.ctx) + ": very slow, or hung in the middle",
		Closed: "breaks off in the middle of its answer (" + t.Status() + "): the body is shorter than announced",
		Reset:  "resets the connection in the middle of its answer (" + t.Status() + ")",
	})
	fault.Peer = t.Status()
	return fault
}

// Failure explains the statuses that mean the same to whoever asks; ok is false for others.
func (t *Talk) Failure() (sentence string, ok bool) {
	code := t.Response.StatusCode
	said := t.Said()
	switch {
	case code == http.StatusNotFound:
		return said + ": the application is not deployed, or the path is wrong", true
	case code == http.StatusBadGateway, code == http.StatusGatewayTimeout:
		return said + ": what stands behind it is down", true
	case code == http.StatusServiceUnavailable:
		return said + ": starting, stopping, under maintenance or overloaded", true
	case code >= 500:
		return said + ": the application fails; its own log says why", true
	}
	return "", false
}

// CertificateRefused explains a refusal by a server that asked for a client certificate: many take
// any or none in the handshake and refuse it in HTTP (nginx with 400, IIS with 403). ok is false
// for other answers.
func (t *Talk) CertificateRefused() (sentence string, ok bool) {
	code := t.Response.StatusCode
	if !t.secure || code != http.StatusBadRequest && code != http.StatusForbidden || !negotiate.ClientCertificateAsked(t.ctx) {
		return "", false
	}
	return t.Said() + ": it asked for a client certificate, and may not accept that of tls.cert_file, or none", true
}

// Said is how a sentence about a status begins: "answers 404 Not Found for /login".
func (t *Talk) Said() string { return "answers " + t.Status() + " for " + ShownPath(t.request.URL) }

// Redirects reports a status that sends elsewhere.
func Redirects(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// loginWords are parts of an address that give a login page away.
var loginWords = regexp.MustCompile(`(?i)log-?[io]n|sign-?in|sso|auth|saml|idp|adfs|keycloak|account`)

// LooksLikeLogin guesses from an address whether it is that of a login page.
func LooksLikeLogin(address string) bool { return loginWords.MatchString(address) }

// Shown is an address without its query, its user and the parameters in its path, such as
// ";jsessionid=…": they may hold tokens.
func Shown(to *url.URL) string {
	return negotiate.PeerWords(to.Scheme + "://" + to.Host + ShownPath(to))
}

// ShownPath is the path of an address up to its first parameter.
func ShownPath(to *url.URL) string {
	path, _, _ := strings.Cut(to.EscapedPath(), ";")
	return path
}
