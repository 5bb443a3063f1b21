package httptalk

import (
	"bytes"
	"net/http"
	"net/textproto"
	"regexp"
	"strings"

	"golang.org/x/net/http/httpguts"

	"gantry/negotiate"
)

// harmless are the header fields whose values are shown. Every other may hold a credential, a
// session or, in a file name, a patient.
var harmless = map[string]bool{
	"Accept": true, "Accept-Encoding": true, "Accept-Ranges": true, "Age": true, "Allow": true, "Cache-Control": true,
	"Connection": true, "Content-Encoding": true, "Content-Length": true, "Content-Type": true, "Date": true,
	"Expect": true, "Expires": true, "Host": true, "Keep-Alive": true, "Last-Modified": true, "Location": true,
	"Mime-Version": true, "Pragma": true, "Retry-After": true, "Sec-Websocket-Version": true, "Server": true,
	"Soapaction": true, "Strict-Transport-Security": true, "Trailer": true, "Transfer-Encoding": true, "Upgrade": true,
	"User-Agent": true, "Vary": true, "Via": true, "X-Powered-By": true, "X-Served-By": true,
}

// maxLine is how much of one header line is shown, in bytes.
const maxLine = 300

// headPassage shows a head line by line.
func headPassage(sent bool, head []byte) negotiate.Passage {
	p := negotiate.Passage{Text: true, Bytes: bytes.Clone(head)}
	first, _, _ := strings.Cut(string(head), "\n")
	first = strings.TrimSuffix(first, "\r")
	if sent {
		method, target, _ := strings.Cut(strings.TrimSuffix(strings.TrimSuffix(first, " HTTP/1.1"), " HTTP/1.0"), " ")
		if end := strings.IndexAny(target, "?#;"); end >= 0 {
			target = target[:end]
		}
		p.Title = "HTTP request " + negotiate.PeerWords(method+" "+target)
	} else {
		p.Title = "HTTP answer " + statusWords(statusOf(first))
	}
	p.Title += ", head of " + counted(len(head))
	maskHead(&p, sent)
	return p
}

// maskHead goes through the lines of the passage.
func maskHead(p *negotiate.Passage, sent bool) {
	for from := 0; from < len(p.Bytes); {
		end := len(p.Bytes)
		if lf := bytes.IndexByte(p.Bytes[from:], '\n'); lf >= 0 {
			end = from + lf
		}
		line := from + len(bytes.TrimSuffix(p.Bytes[from:end], []byte("\r")))
		switch {
		case from > 0:
			maskField(p, from, line)
		case sent:
			maskAddress(p, from, line)
		default:
			maskStatus(p, line)
		}
		maskControls(p, from, line)
		from = end + 1
	}
}

// maskField hides the value of a field unless it is harmless, and all of a line that is no field,
// such as a folded one.
func maskField(p *negotiate.Passage, from, to int) {
	colon := bytes.IndexByte(p.Bytes[from:to], ':')
	if colon < 0 || !httpguts.ValidHeaderFieldName(string(p.Bytes[from:from+colon])) {
		p.Mask(from, to)
		return
	}
	value := from + colon + 1
	for value < to && p.Bytes[value] == ' ' {
		value++
	}
	name := textproto.CanonicalMIMEHeaderKey(string(p.Bytes[from : from+colon]))
	if !harmless[name] {
		p.Mask(value, to)
		return
	}
	switch name {
	case "Location":
		maskAddress(p, value, to)
	case "Content-Type":
		maskType(p, value, to)
	}
	p.Mask(from+maxLine, to)
}

// maskStatus hides the words of a status line that are not those of the standard: they may quote
// an exception, and that a patient.
func maskStatus(p *negotiate.Passage, to int) {
	line := string(p.Bytes[:to])
	proto, status, _ := strings.Cut(line, " ")
	if proto != "HTTP/1.1" && proto != "HTTP/1.0" {
		p.Mask(0, to)
		return
	}
	code, words, _ := strings.Cut(status, " ")
	if words != http.StatusText(statusOf(line)) {
		p.Mask(to-len(words), to)
	}
	if len(code) != 3 || statusOf(line) == 0 {
		p.Mask(to-len(status), to)
	}
}

// typeParameters are the parameters of a media type that are shown. Another, such as name, may hold
// that of a file, and a patient's in it.
var typeParameters = map[string]bool{"action": true, "boundary": true, "charset": true, "start": true, "start-info": true, "type": true}

// maskType hides the other parameters of a media type.
func maskType(p *negotiate.Passage, from, to int) {
	end := to
	if semicolon := bytes.IndexByte(p.Bytes[from:to], ';'); semicolon >= 0 {
		end = from + semicolon
	}
	if MediaType(string(p.Bytes[from:end])) == "" {
		p.Mask(from, end)
	}
	for end < to {
		start := end + 1
		end = start + parameterLen(p.Bytes[start:to])
		name, _, ok := strings.Cut(string(p.Bytes[start:end]), "=")
		if !ok || !typeParameters[strings.ToLower(strings.TrimSpace(name))] {
			p.Mask(start, end)
		}
	}
}

// parameterLen is the length of a parameter up to its ";", which in quotes is none.
func parameterLen(b []byte) int {
	quoted := false
	for i, c := range b {
		switch {
		case c == '"':
			quoted = !quoted
		case c == ';' && !quoted:
			return i
		}
	}
	return len(b)
}

// MediaType is the type of a Content-Type without its parameters, fit to be shown; empty if it is none.
func MediaType(s string) string {
	s, _, _ = strings.Cut(s, ";")
	if s = strings.TrimSpace(s); !typeForm.MatchString(s) {
		return ""
	}
	return s
}

var typeForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.+-]{0,40}/[A-Za-z0-9][A-Za-z0-9.+-]{0,80}$`)

// maskAddress hides query, fragment, parameters and user of an address: they may hold tokens.
func maskAddress(p *negotiate.Passage, from, to int) {
	end := to
	if from == 0 { // the request line goes on after its target
		if blank := bytes.LastIndexByte(p.Bytes[:to], ' '); blank > 0 {
			end = blank
		}
	}
	if query := bytes.IndexAny(p.Bytes[from:end], "?#;"); query >= 0 {
		p.Mask(from+query+1, end)
	}
	scheme, at := bytes.Index(p.Bytes[from:end], []byte("//")), bytes.LastIndexByte(p.Bytes[from:end], '@')
	if scheme >= 0 && at > scheme {
		p.Mask(from+scheme+2, from+at)
	}
}

// maskControls hides what could move a terminal's cursor.
func maskControls(p *negotiate.Passage, from, to int) {
	for i := from; i < to; i++ {
		if c := p.Bytes[i]; c < ' ' && c != '\t' || c > '~' {
			p.Mask(i, i+1)
		}
	}
}
