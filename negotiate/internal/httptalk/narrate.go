package httptalk

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/textproto"
	"strconv"
	"strings"

	"gantry/negotiate"
)

// BodyTeller puts a body into passages; header is the one that came with it. It sets everything
// but Sent, At and, for bytes that were not kept, More.
type BodyTeller func(header textproto.MIMEHeader, body []byte) []negotiate.Passage

// Narrate tells a conversation head by head and body by body. Of heads it shows the lines, of
// header fields that are not known to be harmless only the names. A body is told by teller, or
// with nil by its type and length.
func Narrate(chunks []negotiate.Chunk, teller BodyTeller) []negotiate.Passage {
	if teller == nil {
		teller = Measured
	}
	n := narrator{teller: teller, heard: map[bool]bool{}}
	for _, c := range negotiate.Joined(chunks) {
		n.side(c)
	}
	return n.told
}

// narrator remembers what the answers belong to.
type narrator struct {
	teller BodyTeller
	method string // of the last request
	other  bool   // another protocol has taken over: 101
	// waiting is the header of a request whose body waits for "100 Continue"; nil = none.
	waiting textproto.MIMEHeader
	heard   map[bool]bool // whether a side (sent or not) has said anything
	told    []negotiate.Passage
}

// side tells what one side said before the other did.
func (n *narrator) side(c negotiate.Chunk) {
	from := len(n.told)
	rest := c.Data
	if c.Sent && n.waiting != nil {
		rest = n.body(true, n.waiting, rest)
		n.waiting = nil
	}
	for len(rest) > 0 {
		end := headEnd(rest)
		if n.other || end < 0 || !n.isHead(rest, c.Sent) {
			n.told = append(n.told, n.unknown(c.Sent, rest))
			break
		}
		rest = n.message(c.Sent, rest[:end], rest[end:])
	}
	if c.Lost > 0 {
		if len(n.told) == from {
			n.told = append(n.told, negotiate.Passage{Title: "more bytes"})
		}
		n.told[len(n.told)-1].More += c.Lost
	}
	for i := from; i < len(n.told); i++ {
		n.told[i].Sent, n.told[i].At = c.Sent, c.At
	}
}

// headEnd is the length of a head with its empty line; -1 if it has no end.
func headEnd(b []byte) int {
	end := bytes.Index(b, []byte("\r\n\r\n"))
	if lf := bytes.Index(b, []byte("\n\n")); lf >= 0 && (end < 0 || lf < end) {
		return lf + 2
	}
	if end < 0 {
		return -1
	}
	return end + 4
}

// isHead looks at the first line alone.
func (n *narrator) isHead(b []byte, sent bool) bool {
	line, _, _ := bytes.Cut(b, []byte("\n"))
	line = bytes.TrimSuffix(line, []byte("\r"))
	if sent {
		return bytes.HasSuffix(line, []byte(" HTTP/1.1")) || bytes.HasSuffix(line, []byte(" HTTP/1.0"))
	}
	return bytes.HasPrefix(line, []byte("HTTP/1."))
}

// unknown shows the beginning of what is not HTTP, if that is the first that this side says: it tells
// what it speaks instead. Later it may be the middle of a page, of which nothing is shown.
func (n *narrator) unknown(sent bool, b []byte) negotiate.Passage {
	shown := b[:min(len(b), negotiate.Shown)]
	if n.heard[sent] {
		shown = nil
	}
	n.heard[sent] = true
	title := counted(len(b)) + ", not HTTP"
	if n.other && b[0] == closeFrame {
		title = "WebSocket close, " + counted(len(b))
	}
	return negotiate.Passage{Title: title, Bytes: bytes.Clone(shown), More: len(b) - len(shown)}
}

// closeFrame begins a WebSocket's last frame: FIN and opcode 8, RFC 6455 section 5.5.1.
const closeFrame = 0x88

// message tells one head and its body, and returns what follows them.
func (n *narrator) message(sent bool, head, rest []byte) []byte {
	first, header := taken(head)
	bodiless := false
	if sent {
		n.method, _, _ = strings.Cut(first, " ")
	} else {
		code := statusOf(first)
		n.other = code == http.StatusSwitchingProtocols
		bodiless = n.method == http.MethodHead || code < 200 || code == http.StatusNoContent || code == http.StatusNotModified
	}
	n.told = append(n.told, headPassage(sent, head))
	n.heard[sent] = true
	if sent && len(rest) == 0 && header.Get("Expect") != "" {
		n.waiting = header
	}
	if bodiless || len(rest) == 0 {
		return rest
	}
	return n.body(sent, header, rest)
}

// body tells what follows a head, and returns what follows the body.
func (n *narrator) body(sent bool, header textproto.MIMEHeader, rest []byte) []byte {
	body, after, known := cutBody(header, rest)
	if !known && sent { // without a length a request has no body
		return rest
	}
	if len(body) > 0 {
		n.told = append(n.told, n.teller(header, body)...)
	}
	return after
}

// taken takes a head apart. Lines that are no header fields end the header.
func taken(head []byte) (first string, header textproto.MIMEHeader) {
	r := textproto.NewReader(bufio.NewReader(bytes.NewReader(head)))
	first, _ = r.ReadLine()
	header, _ = r.ReadMIMEHeader()
	return first, header
}

// statusOf is the code of a status line; 0 if it has none.
func statusOf(line string) int {
	fields := strings.Fields(line)
	if len(fields) < 2 {
		return 0
	}
	code, _ := strconv.Atoi(fields[1])
	return code
}

// cutBody separates a body, its chunks joined, from what follows it. known is false for a body
// that lasts as long as the connection.
func cutBody(header textproto.MIMEHeader, rest []byte) (body, after []byte, known bool) {
	if strings.EqualFold(header.Get("Transfer-Encoding"), "chunked") {
		inner := bytes.NewReader(rest)
		r := bufio.NewReader(inner)
		body, _ = io.ReadAll(httputil.NewChunkedReader(r)) // as much as there is
		left := rest[len(rest)-inner.Len()-r.Buffered():]
		return body, bytes.TrimPrefix(left, []byte("\r\n")), true
	}
	length, err := strconv.Atoi(strings.TrimSpace(header.Get("Content-Length")))
	if err != nil || length < 0 {
		return rest, nil, false
	}
	length = min(length, len(rest))
	return rest[:length], rest[length:], true
}

// Measured tells a body by its type and length.
func Measured(header textproto.MIMEHeader, body []byte) []negotiate.Passage {
	title := "body, " + counted(len(body))
	if kind := MediaType(header.Get("Content-Type")); kind != "" {
		title += " of " + kind
	}
	return []negotiate.Passage{{Title: title, More: len(body)}}
}

func counted(n int) string {
	if n == 1 {
		return "1 byte"
	}
	return fmt.Sprintf("%d bytes", n)
}
