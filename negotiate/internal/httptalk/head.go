package httptalk

import (
	"bytes"
	"net/textproto"
	"strings"

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
		path, _, _ := strings.Cut(target, "?")
		p.Title = "HTTP request " + negotiate.PeerWords(method+" "+path)
	} else {
		_, status, _ := strings.Cut(first, " ")
		p.Title = "HTTP answer " + negotiate.PeerWords(status)
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
		if from == 0 {
			maskAddress(p, from, line, sent)
		} else {
			maskField(p, from, line)
		}
		maskControls(p, from, line)
		from = end + 1
	}
}

// maskField hides the value of a field unless it is harmless, and all of a line that is no field,
// such as a folded one.
func maskField(p *negotiate.Passage, from, to int) {
	colon := bytes.IndexByte(p.Bytes[from:to], ':')
	if colon < 0 || p.Bytes[from] == ' ' || p.Bytes[from] == '\t' {
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
	if name == "Location" {
		maskAddress(p, value, to, true)
	}
	p.Mask(from+maxLine, to)
}

// maskAddress hides query, fragment and user of an address: they may hold tokens.
func maskAddress(p *negotiate.Passage, from, to int, address bool) {
	if !address {
		p.Mask(from+maxLine, to)
		return
	}
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
