package xds

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/beevik/etree"

	"gantry/protocols"
)

// syntax makes a protocols.SyntaxError. Offsets in XML and in packages mean little to people,
// so none is given.
func syntax(msg string) error { return &protocols.SyntaxError{Proto: "xds", Msg: msg} }

// parse reads one XML document within the limits of this package.
func parse(b []byte, most int) (*etree.Element, error) {
	if len(b) > most {
		return nil, syntax(fmt.Sprintf("XML of more than %d KiB", most>>10))
	}
	// Each element has a "<" and each attribute an "=": counting them is cheaper than
	// building a tree that is too large.
	if bytes.Count(b, []byte("<"))/2+bytes.Count(b, []byte("=")) > MaxNodes {
		return nil, syntax("XML with too many elements")
	}
	b = bytes.TrimPrefix(b, []byte("\ufeff"))
	if err := wellFormed(b); err != nil {
		return nil, err
	}
	doc := etree.NewDocument()
	doc.ReadSettings = etree.ReadSettings{MaxDepth: MaxDepth, CharsetReader: charset}
	if err := doc.ReadFromBytes(b); err != nil || doc.Root() == nil {
		return nil, syntax("not well-formed XML")
	}
	return doc.Root(), nil
}

// wellFormed wants one element and, around it, nothing but blanks, comments and processing
// instructions; etree's own validation refuses the line break with which files end.
func wellFormed(b []byte) error {
	d := xml.NewDecoder(bytes.NewReader(b))
	d.CharsetReader = charset
	roots, depth := 0, 0
	for {
		token, err := d.Token()
		if err == io.EOF && roots == 1 {
			return nil
		}
		if err != nil {
			return syntax("not well-formed XML")
		}
		switch x := token.(type) {
		case xml.StartElement:
			if depth == 0 {
				roots++
			}
			if depth++; depth > MaxDepth {
				return syntax("XML nested too deep")
			}
		case xml.EndElement:
			depth--
		case xml.Directive:
			return syntax("XML with a document type, which SOAP forbids")
		case xml.CharData:
			if depth == 0 && len(bytes.TrimSpace(x)) > 0 {
				return syntax("not well-formed XML")
			}
		}
		if roots > 1 {
			return syntax("not well-formed XML")
		}
	}
}

// charset reads the character sets that SOAP stacks use beside UTF-8.
func charset(name string, r io.Reader) (io.Reader, error) {
	switch strings.ToLower(name) {
	case "utf-8", "utf8", "us-ascii", "ascii":
		return r, nil
	case "iso-8859-1", "latin1", "windows-1252":
		return &latin1{r: r}, nil
	}
	return nil, syntax("XML in a character set that is not known here")
}

// latin1 turns ISO 8859-1 into UTF-8: each byte is a code point.
type latin1 struct {
	r    io.Reader
	rest []byte
}

func (l *latin1) Read(b []byte) (int, error) {
	if len(l.rest) == 0 {
		var raw [512]byte
		n, err := l.r.Read(raw[:])
		if n == 0 {
			return 0, err
		}
		for _, c := range raw[:n] {
			l.rest = append(l.rest, string(rune(c))...)
		}
	}
	n := copy(b, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}

// is reports whether an element has a name and namespace.
func is(e *etree.Element, space, name string) bool {
	return e != nil && e.Tag == name && e.NamespaceURI() == space
}

// child returns the first child with a name and namespace; nil for none, or for no parent.
func child(e *etree.Element, space, name string) *etree.Element {
	for _, c := range children(e, space, name) {
		return c
	}
	return nil
}

// children returns the children with a name and namespace.
func children(e *etree.Element, space, name string) (found []*etree.Element) {
	if e == nil {
		return nil
	}
	for c := range e.ChildElementsSeq() {
		if is(c, space, name) {
			found = append(found, c)
		}
	}
	return found
}

// text is the trimmed text of an element; empty for none.
func text(e *etree.Element) string {
	if e == nil {
		return ""
	}
	return strings.TrimSpace(e.Text())
}

// local is the part of a QName behind its prefix.
func local(qname string) string {
	qname = strings.TrimSpace(qname)
	return qname[strings.LastIndexByte(qname, ':')+1:]
}
