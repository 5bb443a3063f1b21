package httpcheck

import (
	"fmt"
	"net/http"
	"strings"

	"gantry/negotiate"
)

// lost explains a connection that broke before the status line and header were complete.
func (t *talk) lost(err error) *negotiate.Fault {
	asked := orDefault(t.settings.Method, http.MethodGet) + " " + t.page.EscapedPath()
	w := negotiate.Words{
		Silent: "accepts the connection but does not answer " + asked + " within " + negotiate.Within(t.ctx) +
			": process hung, overloaded, or waiting for something behind it",
		Closed: "closes the connection without an answer to " + asked + t.tlsHint(),
		Reset:  "resets the connection without an answer to " + asked + t.tlsHint(),
	}
	if t.wire.N > 0 && t.wire.N < MaxHead { // a part of the answer has come
		w = negotiate.Words{
			Silent: "answers too slowly: only the beginning of its answer came within " + negotiate.Within(t.ctx),
			Closed: "closes the connection in the middle of its header",
			Reset:  "resets the connection in the middle of its header",
		}
	}
	return negotiate.Lost(negotiate.StageAsk, err, w)
}

// tlsHint: many servers close without a word when they are spoken to in plain text.
func (t *talk) tlsHint() string {
	if t.secure {
		return ": its own log may say why"
	}
	return ": it may expect HTTPS, or its own log may say why"
}

// badHead explains a status line or header that could not be read. What net/http has to say
// is no help: it quotes what it stumbled over, and takes half a line for a bad one.
func (t *talk) badHead() *negotiate.Fault {
	switch {
	case t.wire.N <= 0:
		return t.fault(negotiate.ReasonOversized, fmt.Sprintf("sends a header of more than %d KiB", MaxHead>>10))
	case t.source.err != nil:
		return t.lost(t.source.err)
	default:
		return t.fault(negotiate.ReasonMalformed, "answers, but not in valid HTTP: the port belongs to another service, or something in between is broken")
	}
}

// statusSentence explains a status that is not among the expected ones.
func (t *talk) statusSentence() string {
	code, path := t.response.StatusCode, t.page.EscapedPath()
	said := "answers " + t.status() + " for " + path
	switch {
	case code == http.StatusBadRequest && !t.secure && t.seen.https.found:
		return said + ": this port expects HTTPS; set scheme: https"
	case code == http.StatusBadRequest:
		return said + ": it may need its own name; set host"
	case code == http.StatusUnauthorized, code == http.StatusForbidden:
		return said + ": the page needs a login; choose another, or accept this answer with expect_status"
	case code == http.StatusNotFound:
		return said + ": the application is not deployed, or the path is wrong"
	case code == http.StatusBadGateway, code == http.StatusGatewayTimeout:
		return said + ": what stands behind it is down"
	case code == http.StatusServiceUnavailable:
		return said + ": starting, stopping, under maintenance or overloaded"
	case code >= 500:
		return said + ": the application fails; its own log says why"
	}
	return said + "; expected " + codes(t.settings.ExpectStatus)
}

// codes writes "200", "200 or 204", "200, 204 or 301".
func codes(list []int) string {
	words := strings.Fields(strings.Trim(fmt.Sprint(list), "[]"))
	last := len(words) - 1
	if last == 0 {
		return words[0]
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// bodySentence explains a page that is not the expected one.
func (t *talk) bodySentence(wrong string) string {
	said := "answers " + t.status() + ", but " + wrong
	if t.seen.cut {
		said += fmt.Sprintf(" (first %d MiB)", MaxBody>>20)
	}
	html := strings.Contains(t.response.Header.Get("Content-Type"), "html")
	switch encoding := t.response.Header.Get("Content-Encoding"); {
	case encoding != "" && encoding != "identity":
		return said + ": the body is compressed (" + negotiate.PeerWords(encoding) + ") although plain text was asked for"
	case t.seen.password.found:
		return said + ": it shows a login form instead"
	case html:
		return said + ": a login or maintenance page, or the page has changed"
	default:
		return said
	}
}
