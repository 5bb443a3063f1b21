package httpcheck

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"

	"gantry/negotiate"
	"gantry/negotiate/internal/httptalk"
)

// Bounds on what is read of one answer.
const (
	// MaxHead bounds status line and header, in bytes: more than any server sends, cookies included.
	MaxHead = httptalk.MaxHead
	// MaxBody is how much of a body is read and searched, in bytes. What follows is not a
	// failure: a page that long has shown what it is.
	MaxBody = 1 << 20
	// MaxRedirects bounds the redirects followed in one check.
	MaxRedirects = 5
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

var _ negotiate.Narrator = (*probe)(nil)

// Negotiate asks for the page, and for those it leads to where that is wanted.
func (p *probe) Negotiate(ctx context.Context, conn net.Conn) error {
	negotiate.Enter(ctx, negotiate.StageAsk)
	t := &talk{Talk: httptalk.New(ctx, conn, p.secure), probe: p, ctx: ctx, conn: conn, page: p.page}
	if fault := t.run(); fault != nil {
		return fault
	}
	return nil
}

// Narrate tells heads and the lengths of bodies.
func (p *probe) Narrate(chunks []negotiate.Chunk) []negotiate.Passage {
	return httptalk.Narrate(chunks, nil)
}

// talk is one run of a probe on one connection.
type talk struct {
	*httptalk.Talk
	*probe
	ctx  context.Context
	conn net.Conn
	page *url.URL
	seen body // what was found in the last answer
}

func (t *talk) run() *negotiate.Fault {
	if t.settings.Upgrade != "" {
		return t.upgrade()
	}
	for hops := 0; ; hops++ {
		if fault := t.ask(); fault != nil {
			return fault
		}
		if !t.redirected() {
			return t.judge()
		}
		if fault := t.follow(hops); fault != nil {
			return fault
		}
	}
}

// ask sends one request and reads one answer with its body.
func (t *talk) ask() *negotiate.Fault {
	if fault := t.Ask(t.request()); fault != nil {
		return fault
	}
	return t.readBody()
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

// readBody reads the body up to its end or MaxBody, and searches it on the way.
func (t *talk) readBody() *negotiate.Fault {
	t.Allow(MaxHead + 2*MaxBody) // chunks and trailers have their own overhead
	t.seen = t.lookout()
	if t.seen.read(t.Body(), t.pattern) != nil {
		return t.Broken()
	}
	return nil
}

// lookout sets up what to look for, which for most answers is nothing: reading is cheaper.
func (t *talk) lookout() body {
	s := &t.settings
	b := body{text: finder{want: []byte(s.ExpectBody)}}
	if s.ExpectBody != "" || t.pattern != nil {
		b.password = finder{want: []byte("password"), fold: true}
	}
	if t.Response.StatusCode == http.StatusBadRequest {
		b.https = finder{want: []byte("https"), fold: true}
	}
	return b
}

// judge compares the answer with what was expected.
func (t *talk) judge() *negotiate.Fault {
	s := &t.settings
	switch {
	case !slices.Contains(s.ExpectStatus, t.Response.StatusCode):
		return t.Fault(negotiate.ReasonBadStatus, t.statusSentence())
	case s.ExpectBody != "" && !t.seen.text.found:
		return t.Fault(negotiate.ReasonMismatch, t.bodySentence(quoted(s.ExpectBody)+" is not in the page"))
	case t.pattern != nil && !t.seen.matched:
		return t.Fault(negotiate.ReasonMismatch, t.bodySentence("nothing in the page matches "+quoted(s.ExpectBodyRegex)))
	}
	return nil
}
