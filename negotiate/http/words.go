package httpcheck

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// statusSentence explains a status that is not among the expected ones.
func (t *talk) statusSentence() string {
	if sentence, ok := t.CertificateRefused(); ok {
		return sentence
	}
	said := t.Said()
	switch code := t.Response.StatusCode; {
	case code == http.StatusBadRequest && !t.secure && t.seen.https.found:
		return said + ": this port expects HTTPS; set scheme: https"
	case code == http.StatusBadRequest:
		return said + ": it may need its own name; set host"
	case code == http.StatusUnauthorized, code == http.StatusForbidden:
		return said + ": the page needs a login; choose another, or accept this answer with expect_status"
	}
	if sentence, ok := t.Failure(); ok {
		return sentence
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
	if t.seen.empty {
		return "answers " + t.Status() + ", but with nothing in it (0 bytes): what should fill the page fails"
	}
	said := "answers " + t.Status() + ", but " + wrong
	if t.seen.cut {
		said += fmt.Sprintf(" (first %d MiB)", MaxBody>>20)
	}
	html := strings.Contains(t.Response.Header.Get("Content-Type"), "html")
	switch encoding := strings.ToLower(t.Response.Header.Get("Content-Encoding")); {
	case slices.Contains([]string{"gzip", "deflate", "br", "zstd"}, encoding):
		return said + ": the body is compressed (" + encoding + ") although plain text was asked for"
	case encoding != "" && encoding != "identity":
		return said + ": the body is encoded although plain text was asked for"
	case t.seen.password.found:
		return said + ": it shows a login form instead"
	case html:
		return said + ": a login or maintenance page, or the page has changed"
	default:
		return said
	}
}
