package httptalk

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"gantry/negotiate"
)

// Bounds on what is read of one answer.
const (
	// MaxHead bounds status line and header, in bytes: more than any server sends, cookies included.
	MaxHead = 64 << 10
	// maxInterim bounds the 1xx answers before the real one.
	maxInterim = 5
)

// ContinueWait is how long a server may take to answer "Expect: 100-continue" before the body is
// sent all the same: as long as curl waits.
const ContinueWait = time.Second

// Talk is one conversation on one connection.
type Talk struct {
	// Response is the last answer; nil before there is one. Its body is read by the caller, who
	// bounds it with Allow.
	Response *http.Response

	ctx     context.Context
	conn    net.Conn
	secure  bool
	request *http.Request
	source  *sticky           // conn, with the error that ended it
	wire    *io.LimitedReader // source, with the number of bytes that may still come
	reader  *bufio.Reader     // on wire
	limit   int64             // what wire was last set to
}

// New begins a conversation; secure tells whether conn is TLS, for the words alone.
func New(ctx context.Context, conn net.Conn, secure bool) *Talk {
	t := &Talk{ctx: ctx, conn: conn, secure: secure, source: &sticky{r: conn}}
	t.wire = &io.LimitedReader{R: t.source}
	t.reader = bufio.NewReader(t.wire)
	return t
}

// Ask sends a request and reads the head of its answer into Response. It may be called again
// when the answer's body was read to its end and the connection stays.
func (t *Talk) Ask(r *http.Request) *negotiate.Fault {
	t.request = r
	t.Allow(MaxHead)
	head, body := wireForm(r)
	if r.Header.Get("Expect") == "" {
		head, body = append(head, body...), nil
	}
	if fault := t.send(head); fault != nil {
		return fault
	}
	if len(body) > 0 {
		if answered, fault := t.offer(body); answered || fault != nil {
			return fault
		}
	}
	return t.answer()
}

// wireForm writes the whole request, which leaves in one packet if it fits.
func wireForm(r *http.Request) (head, body []byte) {
	var b bytes.Buffer
	_ = r.Write(&b) // a buffer takes everything, and the request was checked when it was built
	end := bytes.Index(b.Bytes(), []byte("\r\n\r\n")) + 4
	return b.Bytes()[:end:end], b.Bytes()[end:]
}

// offer waits for "100 Continue" before it sends the body; answered means that the server gave
// its answer without having seen it.
func (t *Talk) offer(body []byte) (answered bool, fault *negotiate.Fault) {
	negotiate.ReadWithin(t.ctx, t.conn, ContinueWait)
	_, err := t.reader.Peek(1)
	negotiate.ReadWithin(t.ctx, t.conn, wholeCheck)
	if err == nil {
		if fault := t.readHead(); fault != nil {
			return false, fault
		}
		if t.Response.StatusCode != http.StatusContinue {
			return true, t.skipInterim()
		}
	} else if t.ctx.Err() == nil && isTimeout(t.source.err) {
		t.source.err = nil
		negotiate.Degrade(t.ctx, &negotiate.Fault{Stage: negotiate.StageAsk, Reason: negotiate.ReasonSlow,
			Sentence: "does not answer Expect: 100-continue: clients that ask for it, such as .NET and curl, lose up to " +
				negotiate.Seconds(ContinueWait) + " with each request; look at the proxies in front of it"})
	}
	return false, t.send(body)
}

// send writes; nil means that an answer may be read. A server that answers or refuses before it
// has read everything, and then hangs up, makes the write fail although its words have come: an
// early status, or the TLS alert by which it refuses our certificate.
func (t *Talk) send(b []byte) *negotiate.Fault {
	_, err := t.conn.Write(b)
	if err == nil {
		return nil
	}
	fault := t.lost(err)
	if fault.Reason == negotiate.ReasonTimeout {
		return fault
	}
	if _, none := t.reader.Peek(1); none == nil {
		return nil
	}
	if told := t.lost(t.source.err); told.Reason == negotiate.ReasonCertificate || told.Reason == negotiate.ReasonHandshake {
		return told
	}
	return fault
}

// wholeCheck is longer than any check: what is left of its time is the bound.
const wholeCheck = 24 * time.Hour

func isTimeout(err error) bool {
	timeout, ok := err.(net.Error)
	return ok && timeout.Timeout()
}

// answer reads heads up to that of the final answer.
func (t *Talk) answer() *negotiate.Fault {
	if fault := t.firstByte(); fault != nil {
		return fault
	}
	if fault := t.readHead(); fault != nil {
		return fault
	}
	return t.skipInterim()
}

// skipInterim reads past 1xx answers such as 103 Early Hints. 101 is final: another protocol follows.
func (t *Talk) skipInterim() *negotiate.Fault {
	for range maxInterim - 1 {
		if code := t.Response.StatusCode; code >= 200 || code == http.StatusSwitchingProtocols {
			return nil
		}
		if fault := t.readHead(); fault != nil {
			return fault
		}
	}
	if t.Response.StatusCode >= 200 {
		return nil
	}
	return t.Fault(negotiate.ReasonMalformed, "answers "+t.Status()+" again and again instead of a page")
}

func (t *Talk) readHead() *negotiate.Fault {
	response, err := http.ReadResponse(t.reader, t.request)
	if err != nil {
		return t.badHead()
	}
	t.Response = response
	return nil
}

// firstByte tells peers that speak another protocol from those that answer badly.
func (t *Talk) firstByte() *negotiate.Fault {
	first, err := t.reader.Peek(1)
	switch {
	case err != nil:
		return t.lost(t.source.err)
	case first[0] == 0x15 || first[0] == 0x16: // TLS records: alert, handshake
		return t.Fault(negotiate.ReasonMalformed, "answers in TLS: this port expects HTTPS; set scheme: https")
	case first[0] != 'H':
		return t.Fault(negotiate.ReasonMalformed, "answers, but not in HTTP: the port belongs to another service")
	}
	return nil
}

// Allow sets how many bytes may still come, those of chunks and trailers included.
func (t *Talk) Allow(n int64) { t.wire.N, t.limit = n, n }

// Err is what ended the connection; nil while it stands. A body that cannot be read although the
// connection stands is not valid HTTP.
func (t *Talk) Err() error { return t.source.err }

// Reader reads what follows the head when another protocol does, within what Allow left.
func (t *Talk) Reader() *bufio.Reader { return t.reader }

// Status is the status code of the last answer with the words that the standard has for it. The
// server's own words are left out: some put the text of an exception there, and it may name a patient.
func (t *Talk) Status() string { return statusWords(t.Response.StatusCode) }

func statusWords(code int) string {
	return strings.TrimSpace(fmt.Sprintf("%03d %s", code, http.StatusText(code)))
}

// Body is the body of the last answer. One without a length lasts as long as the connection; that
// some servers close theirs without the farewell of TLS is its end then, and no failure.
func (t *Talk) Body() io.Reader {
	if t.secure && t.Response.ContentLength < 0 && len(t.Response.TransferEncoding) == 0 {
		return farewellless{t.Response.Body}
	}
	return t.Response.Body
}

// farewellless takes the end of a TLS connection without close_notify for the end.
type farewellless struct{ r io.Reader }

func (f farewellless) Read(b []byte) (int, error) {
	n, err := f.r.Read(b)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	return n, err
}

// Fault is one of the asking stage; the peer's words are its status line.
func (t *Talk) Fault(r negotiate.Reason, sentence string) *negotiate.Fault {
	f := &negotiate.Fault{Stage: negotiate.StageAsk, Reason: r, Sentence: sentence}
	if t.Response != nil {
		f.Peer = t.Status()
	}
	return f
}

// sticky repeats the first error for ever, and keeps it for those who ask why a reader above it
// gave up: net/http takes half a line before an error for a whole one.
type sticky struct {
	r   io.Reader
	err error
}

func (s *sticky) Read(b []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	n, err := s.r.Read(b)
	s.err = err
	return n, err
}
