package soaptalk

import (
	"net/http"
	"strings"

	"gantry/negotiate/internal/httptalk"
	"gantry/protocols/xds"
)

func htmlSentence(status string) string {
	return "answers " + status + ", but with an HTML page in place of SOAP: a login or maintenance page, or the application is not deployed under this path"
}

// redirectSentence: SOAP clients do not follow redirects of a POST.
func (t *talk) redirectSentence() string {
	to, err := t.Response.Request.URL.Parse(t.Response.Header.Get("Location"))
	if err != nil || t.Response.Header.Get("Location") == "" {
		return "answers " + t.Status() + " without saying where to go"
	}
	if to.Host == "" {
		to.Scheme, to.Host = httptalk.Scheme(t.secure), t.host
	}
	switch where := httptalk.Shown(to); {
	case httptalk.LooksLikeLogin(where):
		return "redirects to " + where + ", probably a login page: SOAP clients cannot log in there"
	case !t.secure && to.Scheme == "https":
		return "sends plain HTTP on to " + where + ": set scheme: https, and its port"
	default:
		return "redirects to " + where + ": SOAP clients do not follow; set path to it"
	}
}

// statusSentence explains a status that came without a SOAP fault.
func (t *talk) statusSentence() string {
	if sentence, ok := t.CertificateRefused(); ok {
		return sentence
	}
	said := t.Said()
	switch t.Response.StatusCode {
	case http.StatusBadRequest:
		if !t.secure && t.https {
			return said + ": this port expects HTTPS; set scheme: https"
		}
		return said + " before SOAP was reached: " + t.unusual("a proxy in between refuses it"+t.plainHint()+", or it needs its own name (host)")
	case http.StatusUnauthorized, http.StatusForbidden:
		return said + ": it asks for a login of HTTP or a client certificate, or refuses gantry's address; clients behind gantry come from that address too"
	case http.StatusMethodNotAllowed:
		return said + ": there is no SOAP service under this path"
	case http.StatusLengthRequired:
		return said + ": it refuses requests in chunks, as many SOAP clients send them; look at the proxy in front of it"
	case http.StatusUnsupportedMediaType:
		return said + ": it does not take " + t.sent() + "; the path leads to another service, or its SOAP stack is set up wrong"
	case http.StatusExpectationFailed:
		return said + ": it refuses Expect: 100-continue, which .NET and curl send; look at the proxy in front of it"
	}
	if sentence, ok := t.Failure(); ok {
		return sentence
	}
	return said + "; expected 200"
}

// plainHint: servers that expect TLS refuse plain HTTP with 400.
func (t *talk) plainHint() string {
	if t.secure {
		return ""
	}
	return ", it expects HTTPS"
}

// unusual names what the check was told to do beyond the usual, the likeliest cause.
func (t *talk) unusual(otherwise string) string {
	var asked []string
	if t.endpoint.Chunked {
		asked = append(asked, "requests in chunks")
	}
	if t.endpoint.ExpectContinue {
		asked = append(asked, "Expect: 100-continue")
	}
	if asked == nil {
		return otherwise
	}
	return "it may refuse " + strings.Join(asked, " or ") + ", as many SOAP clients send it"
}

func (t *talk) sent() string {
	if t.endpoint.Packed {
		return "MTOM packages with SOAP 1.2"
	}
	return "SOAP 1.2"
}

// groupSentence explains an error code that speaks against the server.
func (c *Caller) groupSentence(g xds.Group, code string) string {
	said := "reports " + shownCode(code)
	switch {
	case code == "XDSRegistryNotAvailable":
		return said + ": the repository cannot reach its registry; look at the registry and the way to it"
	case code == "XDSUnavailableCommunity":
		return said + ": a community behind it cannot be reached"
	case g == xds.GroupSick:
		return said + ": it has run out of memory, disk space or database connections"
	case g == xds.GroupCatchAll:
		return said + ": something behind it fails, often its database; the log of " + c.server +
			" says why. Where this is its normal answer, list it in expect_error"
	case g == xds.GroupWrite:
		return said + ", which belongs to submissions and not to this question: it mixes up answers, or its software is broken"
	default:
		return said + ", which the profile does not have: the log of " + c.server + " says why. Where this is its normal answer, list it in expect_error"
	}
}
