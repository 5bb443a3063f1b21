package httpcheck

import (
	"bufio"
	"bytes"
	"io"
	"regexp"
)

// body is what a search through a body found. The body itself is not kept: it may be long,
// and what stands in it is nobody's business.
type body struct {
	text     finder // the expected text
	password finder // a field for a password: a login form
	https    finder // the word with which servers explain that they wanted TLS
	matched  bool   // the expected pattern
	cut      bool   // there was more than MaxBody
	empty    bool   // there was nothing
}

// read searches r up to its end or MaxBody.
func (b *body) read(r io.Reader, pattern *regexp.Regexp) error {
	bounded := &io.LimitedReader{R: r, N: MaxBody}
	source := &sticky{r: io.TeeReader(bounded, b)}
	if pattern != nil {
		b.matched = pattern.MatchReader(bufio.NewReader(source))
	}
	_, err := io.Copy(io.Discard, source)
	b.cut, b.empty = bounded.N <= 0, bounded.N == MaxBody
	return err
}

// Write shows a piece of the body to all finders.
func (b *body) Write(piece []byte) (int, error) {
	b.text.look(piece)
	b.password.look(piece)
	b.https.look(piece)
	return len(piece), nil
}

// finder looks for a text in a stream that comes in pieces.
type finder struct {
	want  []byte // empty = nothing to look for
	fold  bool   // want is lower case and matches any case (ASCII)
	tail  []byte // the end of what was seen, shorter than want
	found bool
}

func (f *finder) look(piece []byte) {
	if f.found || len(f.want) == 0 {
		return
	}
	if f.fold {
		piece = bytes.ToLower(piece)
	}
	// Only the seam between pieces needs the tail; the piece itself is searched in place.
	seam := append(f.tail, piece[:min(len(piece), len(f.want)-1)]...)
	f.found = bytes.Contains(seam, f.want) || bytes.Contains(piece, f.want)
	f.tail = keepEnd(f.tail, piece, len(f.want)-1)
}

// keepEnd returns the last n bytes of tail and piece together, in a slice of their own.
func keepEnd(tail, piece []byte, n int) []byte {
	if len(piece) >= n {
		return append([]byte(nil), piece[len(piece)-n:]...)
	}
	both := append(append([]byte(nil), tail...), piece...)
	return both[max(len(both)-n, 0):]
}

// sticky repeats the first error for ever: a regular expression takes any error for the end.
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
