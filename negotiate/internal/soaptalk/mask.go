package soaptalk

import (
	"bytes"
	"regexp"
	"slices"
	"strings"

	"gantry/negotiate"
	"gantry/protocols/xds"
)

// shownText are the elements whose text is shown, some only inside a certain parent.
var shownText = map[string]bool{
	"Action": true, "To": true, "MessageID": true, "RelatesTo": true, "ReplyTo/Address": true,
	"Code/Value": true, "Subcode/Value": true, "Fault/faultcode": true,
	"RepositoryUniqueId": true, "HomeCommunityId": true, "mimeType": true,
}

// shownAttributes are the attributes whose value is shown.
var shownAttributes = map[string]bool{
	"AdhocQuery/id": true, "AdhocQuery/home": true, "Slot/name": true,
	"ResponseOption/returnType": true, "ResponseOption/returnComposedObjects": true,
	"AdhocQueryResponse/status": true, "RegistryResponse/status": true,
	"RegistryError/errorCode": true, "RegistryError/severity": true, "RegistryErrorList/highestSeverity": true,
	"Action/mustUnderstand": true, "Include/href": true,
}

// harmlessForm is what a shown value looks like: identifiers, addresses without query, codes; no
// blanks, as names of people have them, and no "^", as patient identifiers have it.
var harmlessForm = regexp.MustCompile(`^[A-Za-z0-9:/._#$+%@\[\]-]{1,200}$`)

// harmless knows addresses with a user and a password too.
func harmless(value []byte) bool { return harmlessForm.Match(value) && !userIn.Match(value) }

var userIn = regexp.MustCompile(`//[^/]*@`)

// spaces begin the names of namespaces that are shown: those of the standards.
var spaces = []string{"http://www.w3.org/", "http://schemas.xmlsoap.org/", "http://docs.oasis-open.org/", "urn:oasis:", "urn:ihe:", "urn:hl7-org:"}

func knownSpace(name []byte) bool {
	return harmless(name) && slices.ContainsFunc(spaces, func(s string) bool { return bytes.HasPrefix(name, []byte(s)) })
}

// nameForm is what the name of an element or attribute looks like.
var nameForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9._-]{0,63}(:[A-Za-z_][A-Za-z0-9._-]{0,63})?$`)

// masker walks through XML that need not be well-formed.
type masker struct {
	p    *negotiate.Passage
	at   int
	open []string // local names of the open elements, outermost first
}

// mask hides all text, comments and attribute values except those of the lists above. From the
// first byte that is not understood on, everything is hidden.
func mask(p *negotiate.Passage) {
	m := masker{p: p}
	if bytes.HasPrefix(p.Bytes, []byte("\ufeff")) {
		m.hide(0, 3)
		m.at = 3
	}
	for m.at < len(p.Bytes) {
		if !m.step() {
			m.hide(m.at, len(p.Bytes))
			return
		}
	}
}

// hide masks a range, line breaks left out.
func (m *masker) hide(from, to int) {
	for start := from; start < to; {
		end := start
		for end < to && m.p.Bytes[end] != '\n' {
			end++
		}
		m.p.Mask(start, end)
		start = end + 1
	}
}

// step passes one text, tag or other markup; false if it is not understood.
func (m *masker) step() bool {
	rest := m.p.Bytes[m.at:]
	switch {
	case rest[0] != '<':
		m.text()
		return true
	case bytes.HasPrefix(rest, []byte("<?xml ")):
		return m.pass("?>", 6, false)
	case bytes.HasPrefix(rest, []byte("<!--")):
		return m.pass("-->", 4, true)
	case bytes.HasPrefix(rest, []byte("<![CDATA[")):
		return m.pass("]]>", 9, true)
	case bytes.HasPrefix(rest, []byte("</")):
		return m.endTag()
	default:
		return m.startTag()
	}
}

// pass goes behind an end mark. What stands before it is hidden, unless it is an XML declaration
// that looks like one.
func (m *masker) pass(end string, start int, secret bool) bool {
	length := bytes.Index(m.p.Bytes[m.at:], []byte(end))
	if length < start {
		return false
	}
	inner := m.p.Bytes[m.at+start : m.at+length]
	if secret || !declaration.Match(inner) {
		m.hide(m.at+start, m.at+length)
	}
	m.at += length + len(end)
	return true
}

var declaration = regexp.MustCompile(`^version=["']1\.[01]["'](\s+encoding=["'][A-Za-z0-9_-]{1,20}["'])?(\s+standalone=["'](yes|no)["'])?\s*$`)

// text passes the characters up to the next tag.
func (m *masker) text() {
	end := len(m.p.Bytes)
	if tag := bytes.IndexByte(m.p.Bytes[m.at:], '<'); tag >= 0 {
		end = m.at + tag
	}
	all := m.p.Bytes[m.at:end]
	trimmed := bytes.TrimSpace(all)
	from := m.at + bytes.Index(all, trimmed)
	if len(trimmed) > 0 && (end == len(m.p.Bytes) || !m.shows(shownText, "") || !harmless(trimmed)) {
		m.hide(from, from+len(trimmed))
	}
	m.at = end
}

// shows reports whether a list has the innermost element, by itself or inside its parent, or
// with an attribute. Nothing in a security header is ever shown.
func (m *masker) shows(list map[string]bool, attribute string) bool {
	n := len(m.open)
	if n == 0 {
		return false
	}
	for _, name := range m.open {
		if name == "Security" {
			return false
		}
	}
	if attribute != "" {
		return list[m.open[n-1]+"/"+attribute]
	}
	return list[m.open[n-1]] || n > 1 && list[m.open[n-2]+"/"+m.open[n-1]]
}

func (m *masker) endTag() bool {
	length := bytes.IndexByte(m.p.Bytes[m.at:], '>')
	if length < 0 || len(m.open) == 0 {
		return false
	}
	name := strings.TrimRight(string(m.p.Bytes[m.at+2:m.at+length]), " \t\r\n")
	if !nameForm.MatchString(name) || localName(name) != m.open[len(m.open)-1] {
		return false
	}
	m.open = m.open[:len(m.open)-1]
	m.at += length + 1
	return true
}

func localName(name string) string { return name[strings.IndexByte(name, ':')+1:] }

// startTag passes a tag and its attributes.
func (m *masker) startTag() bool {
	b := m.p.Bytes
	end := m.at + 1
	for end < len(b) && !strings.ContainsRune(" \t\r\n/>", rune(b[end])) {
		end++
	}
	name := string(b[m.at+1 : end])
	if end == len(b) || !nameForm.MatchString(name) || len(m.open) >= xds.MaxDepth {
		return false
	}
	m.open = append(m.open, localName(name))
	m.at = end
	for {
		for m.at < len(b) && strings.ContainsRune(" \t\r\n", rune(b[m.at])) {
			m.at++
		}
		switch {
		case m.at == len(b):
			return false
		case b[m.at] == '>':
			m.at++
			return true
		case bytes.HasPrefix(b[m.at:], []byte("/>")):
			m.at += 2
			m.open = m.open[:len(m.open)-1]
			return true
		case !m.attribute():
			return false
		}
	}
}

// attribute passes name="value".
func (m *masker) attribute() bool {
	b := m.p.Bytes
	equal := bytes.IndexByte(b[m.at:], '=')
	if equal < 0 {
		return false
	}
	name := strings.TrimRight(string(b[m.at:m.at+equal]), " \t\r\n")
	from := m.at + equal + 1
	for from < len(b) && (b[from] == ' ' || b[from] == '\t' || b[from] == '\r' || b[from] == '\n') {
		from++
	}
	if !nameForm.MatchString(name) || from >= len(b) || b[from] != '"' && b[from] != '\'' {
		return false
	}
	length := bytes.IndexByte(b[from+1:], b[from])
	if length < 0 {
		return false
	}
	from++
	declares := name == "xmlns" || strings.HasPrefix(name, "xmlns:")
	if value := b[from : from+length]; length > 0 && !(declares && knownSpace(value) || m.shows(shownAttributes, localName(name)) && harmless(value)) {
		m.hide(from, from+length)
	}
	m.at = from + length + 1
	return true
}
