package xds

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"mime/multipart"
	"mime/quotedprintable"
	"strconv"
	"strings"
)

// Package is the content of an HTTP answer: a plain envelope, or an MTOM package with documents
// beside it.
type Package struct {
	Kind  string          // media type in lower case, without parameters; that of the package itself
	Root  []byte          // the envelope, at most MaxEnvelope bytes
	Parts map[string]Part // the other parts by Content-ID without angle brackets
	Count int             // parts of the package, the root included; 0 = no package
}

// Errors of ReadPackage beside those of the reader underneath, which come as they are.
var (
	// ErrTruncated: the package ends without its closing boundary.
	ErrTruncated = syntax("MTOM package without its closing boundary")
	// ErrTooLarge: beyond MaxEnvelope, MaxParts or MaxPackage.
	ErrTooLarge = syntax("answer larger than the check is willing to read")
	// ErrPackage: not a package at all.
	ErrPackage = syntax("not a valid MTOM package")
)

// ReadPackage reads a body to its end. Attached documents are measured as they pass. Text
// before the first and after the last boundary is allowed (RFC 2046 5.1.1).
func ReadPackage(contentType string, body io.Reader) (*Package, error) {
	source := &source{r: body, left: MaxPackage}
	kind, params := MediaType(contentType)
	p := &Package{Kind: kind}
	if !strings.HasPrefix(kind, "multipart/") {
		var err error
		p.Root, err = readEnvelope(source)
		return p, source.explain(err)
	}
	if b := params["boundary"]; b == "" || len(b) > maxBoundary {
		return p, ErrPackage
	}
	p.Parts = map[string]Part{}
	source.watch([]byte("\n--" + params["boundary"] + "--"))
	err := p.readParts(multipart.NewReader(source, params["boundary"]), bareID(params["start"]))
	_, rest := io.Copy(io.Discard, source) // what follows the last boundary, or what is wrong
	if !errors.Is(err, ErrTooLarge) {
		err = source.explain(errors.Join(err, rest))
	}
	return p, err
}

// readParts reads all parts. The root is the one that start names; without start, or when no
// part has that name, the first (RFC 2387 3.2).
func (p *Package) readParts(r *multipart.Reader, start string) error {
	for {
		part, err := r.NextRawPart()
		if err == io.EOF && p.Count > 0 {
			return nil
		}
		if err != nil {
			return partError(err)
		}
		if p.Count++; p.Count > MaxParts {
			return ErrTooLarge
		}
		if err = p.take(part, start); err != nil {
			return partError(err)
		}
	}
}

// take reads one part. The first is kept as long as the one that start names has not come.
func (p *Package) take(part *multipart.Part, start string) (err error) {
	id, content := bareID(part.Header.Get("Content-ID")), decoded(part)
	named := start != "" && id == start
	if !named && (p.Count > 1 || start != "" && !mayBeRoot(part)) {
		p.Parts[id], err = measure(content)
		return err
	}
	if p.Root, err = readEnvelope(content); err == nil && !named && start != "" {
		p.Parts[id], err = measure(bytes.NewReader(p.Root))
	}
	return err
}

func mayBeRoot(part *multipart.Part) bool {
	kind, _ := MediaType(part.Header.Get("Content-Type"))
	return kind == "application/xop+xml" || kind == "application/soap+xml" || kind == "text/xml"
}

// decoded undoes a part's transfer encoding (RFC 2045 6); most have none.
func decoded(part *multipart.Part) io.Reader {
	switch strings.ToLower(strings.TrimSpace(part.Header.Get("Content-Transfer-Encoding"))) {
	case "base64":
		return base64.NewDecoder(base64.StdEncoding, part)
	case "quoted-printable":
		return quotedprintable.NewReader(part)
	}
	return part
}

// partError drops what mime/multipart has to say, which may quote the line that it stumbled over.
func partError(err error) error {
	if errors.Is(err, ErrTooLarge) {
		return ErrTooLarge
	}
	return ErrPackage
}

func readEnvelope(r io.Reader) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, MaxEnvelope+1))
	if err == nil && len(b) > MaxEnvelope {
		err = ErrTooLarge
	}
	return b, err
}

// source counts what may still come, keeps the error of the reader underneath, and looks for the
// closing boundary: mime/multipart takes a package that ends behind a boundary for a whole one.
type source struct {
	r    io.Reader
	left int64
	err  error

	closing []byte // what to look for; empty = nothing
	tail    []byte // the end of what was seen, shorter than closing
	closed  bool
}

func (s *source) watch(closing []byte) {
	s.closing, s.tail = closing, []byte("\n") // the first line needs no line break before it
}

func (s *source) Read(b []byte) (int, error) {
	if s.left <= 0 {
		s.err = ErrTooLarge
		return 0, s.err
	}
	n, err := s.r.Read(b[:min(int64(len(b)), s.left)])
	s.left -= int64(n)
	if len(s.closing) > 0 && !s.closed {
		s.look(b[:n])
	}
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

func (s *source) look(piece []byte) {
	n := len(s.closing) - 1
	seam := append(s.tail, piece[:min(len(piece), n)]...)
	s.closed = bytes.Contains(seam, s.closing) || bytes.Contains(piece, s.closing)
	if len(piece) >= n {
		s.tail = append(s.tail[:0], piece[len(piece)-n:]...)
	} else {
		s.tail = append(s.tail[:0], seam[max(len(seam)-n, 0):]...)
	}
}

// explain says what an error comes from: the reader underneath, a package that is cut off, or one
// that is wrong.
func (s *source) explain(err error) error {
	switch {
	case s.err != nil && err != nil:
		return s.err
	case len(s.closing) > 0 && !s.closed:
		return ErrTruncated
	case len(s.closing) > 0 && err != nil:
		return ErrPackage
	}
	return err
}

// MediaType takes a Content-Type apart: the type in lower case, and its parameters by lower-case
// names. It is as lenient as it must be: SOAP stacks leave the quotes away around values with
// ":" and "/", which package mime refuses.
func MediaType(s string) (kind string, params map[string]string) {
	kind, rest, _ := strings.Cut(s, ";")
	params = map[string]string{}
	for rest != "" {
		var name, value string
		name, rest, _ = strings.Cut(rest, "=")
		// A parameter without a value: what stands before the next ";" is dropped.
		name = strings.ToLower(strings.TrimSpace(name[strings.LastIndexByte(name, ';')+1:]))
		value, rest = parameterValue(strings.TrimLeft(rest, " \t"))
		if _, twice := params[name]; name != "" && !twice {
			params[name] = value
		}
	}
	return strings.ToLower(strings.TrimSpace(kind)), params
}

// parameterValue reads a value, quoted or not, up to its ";".
func parameterValue(s string) (value, rest string) {
	if !strings.HasPrefix(s, `"`) {
		value, rest, _ = strings.Cut(s, ";")
		return strings.TrimSpace(value), rest
	}
	var b bytes.Buffer
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case s[i] == '"':
			_, rest, _ = strings.Cut(s[i+1:], ";")
			return b.String(), rest
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String(), ""
}

// bareID drops the angle brackets of a Content-ID.
func bareID(id string) string {
	id = strings.TrimSpace(id)
	return strings.TrimSuffix(strings.TrimPrefix(id, "<"), ">")
}

// percentDecoded undoes the encoding of a cid URL (RFC 2392 2).
func percentDecoded(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if c, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				b.WriteByte(byte(c))
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
