package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"
)

const (
	// MaxFileSize is the largest configuration in bytes. A thousand services of ten servers need about 1 MiB.
	MaxFileSize = 4 << 20
	// MaxDepth is how deep lists and mappings may nest. The deepest key of a valid file is at 8.
	MaxDepth = 64
)

// byteOrderMark may stand at the start of a file that some editors saved; it means nothing.
var byteOrderMark = []byte("\xef\xbb\xbf")

// read turns the bytes into the one mapping of the file, or returns nil after a problem that stops all else.
func (r *report) read(data []byte) *yaml.Node {
	if len(data) > MaxFileSize {
		r.add(place{}, "", "file is too large", fmt.Sprintf("%d bytes", len(data)), fmt.Sprintf("at most %d bytes", MaxFileSize))
		return nil
	}
	data = bytes.TrimPrefix(data, byteOrderMark)
	if !r.isText(data) {
		return nil
	}
	docs, err := loadAll(data)
	if err != nil {
		r.syntax(err, data)
		return nil
	}
	return r.single(docs)
}

// isText refuses what is not UTF-8 text. The YAML reader would too, but without the place.
func (r *report) isText(data []byte) bool {
	p := place{1, 1}
	for i := 0; i < len(data); {
		c, size := utf8.DecodeRune(data[i:])
		switch {
		case c == utf8.RuneError && size == 1:
			r.add(p, "", "not UTF-8 text", fmt.Sprintf("byte 0x%02x", data[i]), "save the file as UTF-8")
			return false
		case c < ' ' && c != '\n' && c != '\r' && c != '\t' || c == 0x7f:
			r.add(p, "", "control character", fmt.Sprintf("U+%04X", c), "remove it")
			return false
		case c == '\n':
			p = place{p.line + 1, 0}
		}
		p.col++
		i += size
	}
	return true
}

// loadAll parses every document of the file, at most two: the second is already one too many. A panic of the parser
// becomes an error, because a broken file must never end a running gateway at a reload.
func loadAll(data []byte) (docs []*yaml.Node, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the YAML reader gave up: %v", p)
		}
	}()
	limits := loaderlimits.New(loaderlimits.DepthValue(MaxDepth), loaderlimits.AliasNone())
	loader, err := yaml.NewLoader(bytes.NewReader(data), yaml.WithV4Defaults(), yaml.WithPlugin(limits))
	if err != nil {
		return nil, err
	}
	for len(docs) < 2 {
		n := new(yaml.Node)
		if err := loader.Load(n); err == io.EOF {
			break
		} else if err != nil {
			return nil, err
		}
		docs = append(docs, n)
	}
	return docs, nil
}

// single returns the root of the only document.
func (r *report) single(docs []*yaml.Node) *yaml.Node {
	if len(docs) > 1 {
		r.add(at(docs[1]), "", "a second document begins here", "", "one file holds one configuration; remove the --- line and what follows, or what stands before")
		return nil
	}
	if len(docs) == 0 || len(docs[0].Content) == 0 || isNull(docs[0].Content[0]) {
		r.add(place{1, 1}, "", "file is empty", "", "write at least one service: services: [{name: …, protocol: …, listen: […], servers: […]}]")
		return nil
	}
	return docs[0].Content[0]
}

// advice is what usually helps against a syntax error of the YAML reader.
var advice = []struct{ message, want string }{
	{"mapping values are not allowed", `correct the indentation, or quote a value that holds ": "`},
	{"cannot start any token", "quote a value that begins with @, %, ` or another sign"},
	{"',' or ']'", "close the list with ], or add a comma"},
	{"',' or '}'", "close the mapping with }, or add a comma"},
	{"did not find expected node content", "a value is missing, or a bracket is not closed"},
	{"quotes are not closed", "close them, or quote with the other sign"},
	{"'-' indicator", "indent the lines of one list alike"},
	{"expected key", "indent the keys of one mapping alike, or close the quotes"},
	{"could not find expected ':'", "a key needs a colon and a space after it"},
	{"names no anchor", "a pattern that begins with * needs quotes"},
	{"alphabetic or numeric character", "a text that begins with * or & needs quotes"},
	{"max depth", "nest less deeply"},
}

// syntax reports what the YAML reader could not read. It stops there, so this is the only problem.
func (r *report) syntax(err error, data []byte) {
	var le *yaml.LoadError
	if !errors.As(err, &le) {
		r.add(place{}, "", "not valid YAML: "+err.Error(), "", "")
		return
	}
	p := place{le.Mark.Line, le.Mark.Column}
	if tab := tabInIndent(data, p.line); tab > 0 {
		r.add(place{p.line, tab}, "", "not valid YAML: a tab in the indentation", "", "indent with spaces")
		return
	}
	message := le.Message
	if strings.HasPrefix(message, "unknown anchor") {
		message = "this alias names no anchor above it" // without the word, which may have been meant as a secret
	}
	c := le.ContextMark
	switch {
	case strings.Contains(le.ContextMsg, "quoted scalar"):
		p = place{c.Line, c.Column} // where the quotes open; the reader noticed at the end of the file
		message = "these quotes are not closed"
	case c.Line > 0 && c.Line != p.line:
		message += fmt.Sprintf(", in what begins at line %d, column %d", c.Line, c.Column)
	}
	r.add(p, "", "not valid YAML: "+message, "", adviceFor(message))
}

// adviceFor is the advice for a message of the YAML reader, "" when there is none.
func adviceFor(message string) string {
	for _, a := range advice {
		if strings.Contains(message, a.message) {
			return a.want
		}
	}
	return ""
}

// tabInIndent is the column of the first tab before the text of a line, 0 when there is none.
func tabInIndent(data []byte, line int) int {
	lines := bytes.SplitN(data, []byte("\n"), line+1)
	if line < 1 || line > len(lines) {
		return 0
	}
	for i, c := range lines[line-1] {
		if c == '\t' {
			return i + 1
		}
		if c != ' ' {
			return 0
		}
	}
	return 0
}
