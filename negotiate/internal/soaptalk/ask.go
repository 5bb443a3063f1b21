package soaptalk

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"gantry/negotiate"
	"gantry/negotiate/internal/httptalk"
	"gantry/protocols/xds"
)

// maxPage is how much of a page that is no SOAP is read, in bytes, so that the server may finish.
const maxPage = 1 << 20

// maxStart is how much of such a page is looked at, in bytes.
const maxStart = 4 << 10

// Question is a request and the element that its answer should hold.
type Question struct {
	xds.Request
	Answer string // local name, such as "AdhocQueryResponse"
}

// talk is one question on one connection.
type talk struct {
	*httptalk.Talk
	*Caller
	ctx      context.Context
	question Question
	id       string // of our message
	secured  bool   // a wsse:Security header was sent
	https    bool   // a page said "HTTPS", as servers do that wanted TLS
}

// Ask puts one question. Without a Fault and without a Response nothing more can be asked of the
// server: it is healthy, or was noted as degraded.
func (c *Caller) Ask(ctx context.Context, conn net.Conn, q Question) (*xds.Response, *negotiate.Fault) {
	negotiate.Enter(ctx, negotiate.StageAsk)
	t := &talk{Talk: httptalk.New(ctx, conn, c.secure), Caller: c, ctx: ctx, question: q, id: newMessageID()}
	request, fault := t.build()
	if fault != nil {
		return nil, fault
	}
	if fault := t.Talk.Ask(request); fault != nil {
		return nil, fault
	}
	return t.answer()
}

// idPrefix begins the MessageID of every check: the ASCII letters "gantry" in hexadecimal, so
// that audit logs can tell checks from people. The rest is a random UUID (RFC 9562 version 4).
const idPrefix = "urn:uuid:67616e74-7279-"

func newMessageID() string {
	b := make([]byte, 10)
	_, _ = rand.Read(b) // never fails
	b[0], b[2] = b[0]&0x0F|0x40, b[2]&0x3F|0x80
	return fmt.Sprintf("%s%x-%x-%x", idPrefix, b[:2], b[2:4], b[4:])
}

func (t *talk) build() (*http.Request, *negotiate.Fault) {
	header := xds.Header{To: t.address, MessageID: t.id}
	if file := t.endpoint.SecurityFile; file != "" {
		var err error
		if header.Security, err = readSecurity(file); err != nil {
			return nil, &negotiate.Fault{Stage: negotiate.StageAsk, Reason: negotiate.ReasonLocal, Err: err,
				Sentence: "gantry could not check: security_file cannot be used (" + err.Error() + "); this says nothing about the server"}
		}
		t.secured = true
	}
	body, kind := xds.Encode(header, t.question), xds.ContentType(t.question.Action())
	if t.endpoint.Packed {
		kind, body = xds.Pack(body, t.question.Action(), strings.TrimPrefix(t.id, "urn:"))
	}
	page, err := url.ParseRequestURI(t.endpoint.Path)
	if err != nil {
		return nil, &negotiate.Fault{Stage: negotiate.StageAsk, Reason: negotiate.ReasonInternal, Sentence: "path cannot be used", Err: err}
	}
	r := &http.Request{
		Method: http.MethodPost, URL: page, Host: t.host, Close: true,
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
		Header: http.Header{"User-Agent": {t.agent}, "Content-Type": {kind}, "Accept-Encoding": {"identity"},
			"Accept": {"application/soap+xml, multipart/related, application/xop+xml"}},
	}
	if t.endpoint.Packed {
		r.Header["MIME-Version"] = []string{"1.0"}
	}
	if t.endpoint.Chunked {
		r.ContentLength, r.TransferEncoding = -1, []string{"chunked"}
	}
	if t.endpoint.ExpectContinue {
		r.Header["Expect"] = []string{"100-continue"}
	}
	return r, nil
}

// answer reads what came and climbs from HTTP to SOAP.
func (t *talk) answer() (*xds.Response, *negotiate.Fault) {
	kind, _ := xds.MediaType(t.Response.Header.Get("Content-Type"))
	if t.Response.StatusCode < 200 || httptalk.Redirects(t.Response.StatusCode) || !mayBeSOAP(kind) {
		return nil, t.page(kind)
	}
	t.Allow(httptalk.MaxHead + 2*xds.MaxPackage)
	p, err := xds.ReadPackage(t.Response.Header.Get("Content-Type"), t.Body())
	if err != nil {
		return nil, t.unread(err)
	}
	m, err := xds.ParseMessage(p.Root)
	if err != nil {
		return nil, t.noMessage(p, err)
	}
	return t.message(m, p)
}

// mayBeSOAP is lenient: what it is, its content tells.
func mayBeSOAP(kind string) bool {
	switch kind {
	case "", "application/soap+xml", "application/xop+xml", "text/xml", "application/xml":
		return true
	}
	return strings.HasPrefix(kind, "multipart/")
}

// page reads an answer that is no SOAP, for a bounded time and length, and explains it. A status
// that says what is wrong counts even when the page behind it does not come whole: servers that
// refuse early often reset.
func (t *talk) page(kind string) *negotiate.Fault {
	t.Allow(httptalk.MaxHead + 2*maxPage)
	start, err := io.ReadAll(io.LimitReader(t.Body(), maxStart))
	if err == nil {
		_, err = io.Copy(io.Discard, io.LimitReader(t.Body(), maxPage-maxStart))
	}
	t.https = bytes.Contains(bytes.ToUpper(start), []byte("HTTPS"))
	switch status := t.Response.StatusCode; {
	case err != nil && status < 400:
		return t.Broken()
	case httptalk.Redirects(status):
		return t.Fault(negotiate.ReasonRedirected, t.redirectSentence())
	case status >= 300:
		return t.Fault(negotiate.ReasonBadStatus, t.statusSentence())
	case strings.Contains(kind, "html"):
		return t.Fault(negotiate.ReasonMismatch, htmlSentence(t.Status()))
	default:
		return t.Fault(negotiate.ReasonMismatch, "answers "+t.Status()+", but with "+or(httptalk.MediaType(kind), "something")+" in place of SOAP: the path leads to another service")
	}
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// unread explains a body that could not be read.
func (t *talk) unread(err error) *negotiate.Fault {
	switch {
	case errors.Is(err, xds.ErrTooLarge):
		return t.Fault(negotiate.ReasonOversized, fmt.Sprintf("answers %s with more than the check is willing to read (envelope %d MiB, documents %d MiB)",
			t.Status(), xds.MaxEnvelope>>20, xds.MaxPackage>>20))
	case errors.Is(err, xds.ErrTruncated):
		return t.Fault(negotiate.ReasonMalformed, "answers "+t.Status()+", but its MTOM package breaks off before the closing boundary: documents reach users cut off")
	case errors.Is(err, xds.ErrPackage):
		return t.Fault(negotiate.ReasonMalformed, "answers "+t.Status()+", but its MTOM package is broken")
	case t.Response.StatusCode >= 400 && t.Response.Header.Get("Content-Type") == "":
		return t.Fault(negotiate.ReasonBadStatus, t.statusSentence())
	}
	return t.Broken()
}

// noMessage explains a body that is no envelope.
func (t *talk) noMessage(p *xds.Package, err error) *negotiate.Fault {
	start := bytes.ToLower(p.Root[:min(len(p.Root), 512)])
	switch status, encoding := t.Response.StatusCode, t.Response.Header.Get("Content-Encoding"); {
	case status >= 300:
		return t.Fault(negotiate.ReasonBadStatus, t.statusSentence())
	case encoding != "" && !strings.EqualFold(encoding, "identity"):
		return t.Fault(negotiate.ReasonMismatch, "answers "+t.Status()+", but compressed (Content-Encoding) although plain text was asked for: look at the proxy in front of it")
	case len(bytes.TrimSpace(p.Root)) == 0 && status == http.StatusAccepted:
		return t.Fault(negotiate.ReasonMismatch, "takes the question, but wants to answer it later (202): it is set to asynchronous exchange, which clients do not expect")
	case len(bytes.TrimSpace(p.Root)) == 0:
		return t.Fault(negotiate.ReasonMismatch, "answers "+t.Status()+", but with nothing in it: something in between, or the path leads to another service")
	case bytes.Contains(start, []byte("<html")), bytes.Contains(start, []byte("<!doctype html")):
		return t.Fault(negotiate.ReasonMismatch, htmlSentence(t.Status()))
	}
	f := t.Fault(negotiate.ReasonMalformed, "answers "+t.Status()+", but not with a SOAP envelope: the path leads to another service, or its SOAP stack is broken")
	f.Err = err
	return f
}
