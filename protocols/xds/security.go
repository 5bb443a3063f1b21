package xds

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"

	"github.com/beevik/etree"
)

// SecurityHeader takes the wsse:Security element out of a file that holds nothing else but,
// perhaps, an XML declaration and comments. The element's bytes stay as they are, since it may
// be signed. Its error says what is wrong with the file.
func SecurityHeader(file []byte) ([]byte, error) {
	file = bytes.TrimPrefix(file, []byte("\ufeff"))
	root, err := parse(file, MaxSecurity)
	if err != nil {
		return nil, err
	}
	if !is(root, SecurityNamespace, "Security") {
		return nil, syntax("root element is not wsse:Security of WS-Security 1.0")
	}
	if prefix := undeclared(root); prefix != "" {
		return nil, syntax(fmt.Sprintf("namespace prefix %q is not declared in the file", prefix))
	}
	return rootBytes(file)
}

// undeclared finds a prefix that was declared further out, where an element was cut from.
func undeclared(e *etree.Element) string {
	if e.Space != "" && e.NamespaceURI() == "" {
		return e.Space
	}
	for _, a := range e.Attr {
		if a.Space != "" && a.Space != "xmlns" && a.Space != "xml" && a.NamespaceURI() == "" {
			return a.Space
		}
	}
	for c := range e.ChildElementsSeq() {
		if prefix := undeclared(c); prefix != "" {
			return prefix
		}
	}
	return ""
}

// rootBytes finds where the root element begins and ends.
func rootBytes(file []byte) ([]byte, error) {
	d := xml.NewDecoder(bytes.NewReader(file))
	from, depth := int64(-1), 0
	for {
		at := d.InputOffset()
		token, err := d.RawToken()
		if err == io.EOF || err != nil {
			return nil, syntax("XML that is not in UTF-8")
		}
		switch token.(type) {
		case xml.StartElement:
			if depth++; from < 0 {
				from = at
			}
		case xml.EndElement:
			if depth--; depth == 0 {
				return file[from:d.InputOffset()], nil
			}
		}
	}
}
