package mllp

import (
	"bytes"
	"fmt"

	"gantry/protocols"
)

// Decoder finds the frames of one direction of one connection. It remembers how
// far it has looked, so a large frame that arrives in many pieces is looked at
// once. The zero value is ready for use.
type Decoder struct {
	// Max bounds a message in bytes, without its framing; 0 stands for
	// DefaultMaxMessage.
	Max int
	// KeepEndBlock takes an EndBlock with neither Trailer nor StartBlock behind
	// it for data. Release 1 forbids it there, so it is an error otherwise.
	KeepEndBlock bool
	// Stats counts what was odd, for metrics and warnings.
	Stats Stats

	junk    int  // bytes since the last frame that belong to none
	inside  bool // the first byte of the buffer is a StartBlock
	scanned int  // bytes of the buffer that need no second look
}

// Stats counts oddities that were put up with.
type Stats struct {
	Junk         int64 // bytes between frames, other than white space and NUL
	Truncated    int64 // frames dropped because the next one began inside
	Unterminated int64 // frames that ended without their Trailer
}

// Next looks for the next frame in b, which begins where the last call left
// off: n bytes are spent in any case, also beside an error, and the caller
// drops them before it calls again. The message shares memory with b and may
// be empty.
//
// protocols.ErrShort asks for a longer b. A *protocols.SyntaxError is final:
// too much junk, a message beyond Max, a stray EndBlock, UTF-16. The connection
// has to be closed then, since nothing tells where the next message begins.
//
// Rules, in this order:
//   - between frames NUL, TAB, LF, CR and space are skipped; other bytes are
//     junk, counted and skipped up to MaxJunk;
//   - EndBlock Trailer ends a frame, and so does EndBlock StartBlock, because
//     some senders forget the Trailer;
//   - a StartBlock inside a frame, with MSH, FHS or BHS behind it, begins a new
//     frame, and what came before it is dropped: it is half a message;
//   - one UTF-8 byte order mark in front is not part of the message.
func (d *Decoder) Next(b []byte) (msg []byte, n int, err error) {
	n, err = d.skip(b)
	if err != nil {
		return nil, n, err
	}
	n, end, err := d.scan(b, n)
	if err != nil {
		return nil, n, err
	}
	msg, err = content(b, n+1, end)
	d.reset()
	if b[end+1] == Trailer {
		end++
	}
	return msg, end + 1, err
}

// Flush is for the end of the stream, or a second of silence: a frame that has
// its EndBlock and waits for its Trailer is taken to be complete. ok is false
// when b holds no such frame; what is left is then half a message.
func (d *Decoder) Flush(b []byte) (msg []byte, n int, ok bool) {
	last := len(b) - 1
	if last < 1 || !d.inside || b[last] != EndBlock || d.scanned != last {
		return nil, 0, false
	}
	msg, err := content(b, 1, last)
	if err != nil {
		return nil, 0, false
	}
	d.Stats.Unterminated++
	d.reset()
	return msg, len(b), true
}

// Partial tells whether the last Next stopped inside a frame: the time limit
// for a whole frame runs then, not the one for an idle connection.
func (d *Decoder) Partial() bool { return d.inside }

// skip steps over everything in front of a StartBlock.
func (d *Decoder) skip(b []byte) (n int, err error) {
	if d.inside {
		return 0, nil
	}
	n = bytes.IndexByte(b, StartBlock)
	d.inside = n >= 0
	if !d.inside {
		n = len(b)
	}
	for _, c := range b[:n] {
		if !quiet(c) {
			d.junk++
			d.Stats.Junk++
		}
	}
	switch {
	case d.junk > MaxJunk:
		return n, syntaxErrorf(n, "more than %d bytes outside of any frame", MaxJunk)
	case !d.inside:
		return n, protocols.ErrShort
	}
	return n, nil
}

// quiet bytes between frames are not worth a word: senders that end lines with
// LF, and a known engine that adds NUL.
func quiet(c byte) bool {
	return c == 0 || c == '\t' || c == '\n' || c == '\r' || c == ' '
}

// scan looks for the end of the frame that begins at start. It returns where the
// frame really begins, behind what was dropped, and the place of its EndBlock.
func (d *Decoder) scan(b []byte, start int) (from, end int, err error) {
	at := start + max(d.scanned, 1)
	for {
		stop := indexFrom(b, at, EndBlock)
		restart, undecided := restarts(b, at, stop)
		// What is certainly of this frame counts, however the bytes were cut on their way: a
		// StartBlock that may begin another one does not.
		size := undecided - start - 1
		if restart > 0 {
			size = restart - start - 1
		}
		switch {
		case size > d.limit():
			return start, 0, &protocols.SyntaxError{Proto: "mllp", Offset: start, Limit: true, Msg: fmt.Sprintf("message of more than %d bytes", d.limit())}
		case restart > 0:
			d.Stats.Truncated++
			start, at = restart, restart+1
			continue
		case stop == len(b):
			d.scanned = undecided - start
			return start, 0, protocols.ErrShort
		case stop+1 == len(b): // what stands behind it decides
			d.scanned = stop - start
			return start, 0, protocols.ErrShort
		}
		if d.ends(b[stop+1]) {
			return start, stop, nil
		}
		if !d.KeepEndBlock {
			return start, 0, syntaxErrorf(stop, "end block inside a message, byte %02X behind it", b[stop+1])
		}
		at = stop + 1
	}
}

// ends tells whether an EndBlock with this byte behind it ends the frame.
func (d *Decoder) ends(behind byte) bool {
	if behind == StartBlock {
		d.Stats.Unterminated++
	}
	return behind == Trailer || behind == StartBlock
}

// restarts looks for a StartBlock in b[from:to] that begins a new message. When
// too little follows one to decide, undecided is its place, otherwise to.
func restarts(b []byte, from, to int) (restart, undecided int) {
	for at := from; ; at++ {
		at = indexFrom(b[:to], at, StartBlock)
		if at == to {
			return 0, to
		}
		switch follows := b[at+1 : min(at+5, to)]; {
		case !begins(follows):
		case len(follows) == 4:
			return at, to
		case to == len(b):
			return 0, at
		}
	}
}

// indexFrom is bytes.IndexByte from a place on, and len(b) for "not there".
func indexFrom(b []byte, from int, c byte) int {
	if i := bytes.IndexByte(b[from:], c); i >= 0 {
		return from + i
	}
	return len(b)
}

// begins tells whether b can be the beginning of an HL7 message: one of three
// segment names and any separator.
func begins(b []byte) bool {
	name := b[:min(len(b), 3)]
	for _, s := range [...]string{"MSH", "FHS", "BHS"} {
		if s[:len(name)] == string(name) {
			return true
		}
	}
	return false
}

func (d *Decoder) reset() { d.inside, d.scanned, d.junk = false, 0, 0 }

func (d *Decoder) limit() int {
	if d.Max > 0 {
		return d.Max
	}
	return DefaultMaxMessage
}

// content cuts the message b[from:to] out, takes the byte order mark off and
// refuses character sets whose code units may contain framing bytes.
func content(b []byte, from, to int) ([]byte, error) {
	msg := bytes.TrimPrefix(b[from:to:to], []byte("\xEF\xBB\xBF"))
	head := msg[:min(len(msg), 4)]
	if bytes.HasPrefix(head, []byte("\xFE\xFF")) || bytes.HasPrefix(head, []byte("\xFF\xFE")) ||
		bytes.IndexByte(head, 0) >= 0 {
		return nil, syntaxErrorf(from, "message in UTF-16 or UTF-32, which MLLP cannot frame")
	}
	return msg, nil
}
