package httpcheck

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"

	"gantry/negotiate"
)

// Bounds on what is read of one answer.
const (
	// MaxHead bounds status line and header, in bytes: more than any server sends, cookies included.
	MaxHead = 64 << 10
	// MaxBody is how much of a body is read and searched, in bytes. What follows is not a
	// failure: a page that long has shown what it is.
	MaxBody = 1 << 20
	// MaxRedirects bounds the redirects followed in one check.
	MaxRedirects = 5
	// maxInterim bounds the 1xx answers before the real one.
	maxInterim = 5
)

// probe is one configured question. It is not changed after it was built.
type probe struct {
	settings Settings
	server   string
	secure   bool
	host     string // Host header
	agent    string
	page     *url.URL
	pattern  *regexp.Regexp // nil = none
}

var _ negotiate.Prober = (*probe)(nil)

// Negotiate asks for the page, and for those it leads to where that is wanted.
func (p *probe) Negotiate(ctx context.Context, conn net.Conn) error {
	negotiate.Enter(ctx, negotiate.StageAsk)
	source := &sticky{r: conn}
	wire := &io.LimitedReader{R: source}
	t := &talk{probe: p, ctx: ctx, conn: conn, source: source, wire: wire, reader: bufio.NewReader(wire), page: p.page}
	for hops := 0; ; hops++ {
		fault := t.ask()
		if fault != nil {
			return fault
		}
		if !t.redirected() {
			break
		}
		if fault := t.follow(hops); fault != nil {
			return fault
		}
	}
	if fault := t.judge(); fault != nil {
		return fault
	}
	return nil
}

// talk is one run of a probe on one connection.
type talk struct {
	*probe
	ctx    context.Context
	conn   net.Conn
	source *sticky           // conn, with the error that ended it
	wire   *io.LimitedReader // source, with the number of bytes that may still come
	reader *bufio.Reader     // on wire
	page   *url.URL

	response *http.Response // the last answer; its body has been read
	seen     body
}

// ask sends one request and reads one answer with its body.
func (t *talk) ask() *negotiate.Fault {
	request := t.request()
	if _, err := t.conn.Write(wireForm(request)); err != nil {
		return t.lost(err)
	}
	t.wire.N = MaxHead
	if fault := t.firstByte(); fault != nil {
		return fault
	}
	// 1xx answers come before the real one, such as 103 Early Hints.
	for range maxInterim {
		response, err := http.ReadResponse(t.reader, request)
		if err != nil {
			return t.badHead()
		}
		if t.response = response; response.StatusCode >= 200 {
			return t.readBody()
		}
	}
	return t.fault(negotiate.ReasonMalformed, "answers "+t.status()+" again and again instead of a page")
}

// request builds the question for the present page.
func (t *talk) request() *http.Request {
	header := http.Header{"User-Agent": {t.agent}, "Accept": {"*/*"}, "Accept-Encoding": {"identity"}}
	for name, value := range t.settings.Headers {
		header.Set(name, value)
	}
	// Without redirects to follow, the server is told at once that no more will come, and
	// may free its side.
	return &http.Request{
		Method: orDefault(t.settings.Method, http.MethodGet), URL: t.page, Host: t.host,
		Header: header, Close: !t.settings.FollowRedirects,
	}
}

// wireForm writes the whole request into one piece, which leaves in one packet.
func wireForm(r *http.Request) []byte {
	var b bytes.Buffer
	_ = r.Write(&b) // a buffer takes everything, and the request was checked when it was built
	return b.Bytes()
}

// firstByte tells peers that speak another protocol from those that answer badly.
func (t *talk) firstByte() *negotiate.Fault {
	first, err := t.reader.Peek(1)
	switch {
	case err != nil:
		return t.lost(t.source.err)
	case first[0] == 0x15 || first[0] == 0x16: // TLS records: alert, handshake
		return t.fault(negotiate.ReasonMalformed, "answers in TLS: this port expects HTTPS; set scheme: https")
	case first[0] != 'H':
		return t.fault(negotiate.ReasonMalformed, "answers, but not in HTTP: the port belongs to another service")
	}
	return nil
}

// readBody reads the body up to its end or MaxBody, and searches it on the way.
func (t *talk) readBody() *negotiate.Fault {
	t.wire.N = MaxHead + 2*MaxBody // chunks and trailers have their own overhead
	t.seen = t.lookout()
	err := t.seen.read(t.response.Body, t.pattern)
	if err == nil || t.endsWithConnection() && errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	if t.source.err == nil {
		return t.fault(negotiate.ReasonMalformed, "answers "+t.status()+", but the body is not valid HTTP")
	}
	fault := negotiate.Lost(negotiate.StageAsk, t.source.err, negotiate.Words{
		Silent: "does not finish its answer (" + t.status() + ") within " + negotiate.Within(t.ctx) + ": very slow, or hung in the middle",
		Closed: "breaks off in the middle of its answer (" + t.status() + "): the body is shorter than announced",
		Reset:  "resets the connection in the middle of its answer (" + t.status() + ")",
	})
	fault.Peer = t.status()
	return fault
}

// lookout sets up what to look for, which for most answers is nothing: reading is cheaper.
func (t *talk) lookout() body {
	s := &t.settings
	b := body{text: finder{want: []byte(s.ExpectBody)}}
	if s.ExpectBody != "" || t.pattern != nil {
		b.password = finder{want: []byte("password"), fold: true}
	}
	if t.response.StatusCode == http.StatusBadRequest {
		b.https = finder{want: []byte("https"), fold: true}
	}
	return b
}

// endsWithConnection reports a body without a length: it lasts as long as the connection.
// Some servers then close without the farewell of TLS, which is no failure here.
func (t *talk) endsWithConnection() bool {
	return t.secure && t.response.ContentLength < 0 && len(t.response.TransferEncoding) == 0
}

// judge compares the answer with what was expected.
func (t *talk) judge() *negotiate.Fault {
	s := &t.settings
	switch {
	case !slices.Contains(s.ExpectStatus, t.response.StatusCode):
		return t.fault(negotiate.ReasonBadStatus, t.statusSentence())
	case s.ExpectBody != "" && !t.seen.text.found:
		return t.fault(negotiate.ReasonMismatch, t.bodySentence(quoted(s.ExpectBody)+" is not in the page"))
	case t.pattern != nil && !t.seen.matched:
		return t.fault(negotiate.ReasonMismatch, t.bodySentence("nothing in the page matches "+quoted(s.ExpectBodyRegex)))
	}
	return nil
}

// fault is one of the asking stage; the peer's words are its status line.
func (t *talk) fault(r negotiate.Reason, sentence string) *negotiate.Fault {
	f := &negotiate.Fault{Stage: negotiate.StageAsk, Reason: r, Sentence: sentence}
	if t.response != nil {
		f.Peer = t.status()
	}
	return f
}

func (t *talk) status() string { return negotiate.PeerWords(t.response.Status) }
