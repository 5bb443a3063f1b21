package mllpack

import (
	"errors"
	"time"

	"gantry/negotiate"
	"gantry/protocols"
	"gantry/protocols/mllp"
)

// frame returns what stands in the next frame.
func (t *talk) frame() ([]byte, *negotiate.Fault) {
	for {
		if fault := t.unframed(); fault != nil {
			return nil, fault
		}
		msg, n, err := t.frames.Next(t.buf)
		t.buf = t.buf[n:]
		if err == nil {
			return msg, nil
		}
		if !errors.Is(err, protocols.ErrShort) {
			return nil, t.badFrame(err)
		}
		msg, done, err := t.more()
		switch {
		case err != nil:
			return nil, t.lost(err)
		case done:
			return msg, nil
		}
	}
}

// more waits for more bytes. A frame that lacks nothing but its CR is taken to be whole (done) when
// none comes: that is worth a lower weight, not a failure, because many senders wait for it in vain.
func (t *talk) more() (msg []byte, done bool, err error) {
	unended := t.frames.Partial() && len(t.buf) > 1 && t.buf[len(t.buf)-1] == mllp.EndBlock
	wait := time.Hour // ReadWithin knows the end of the check
	if unended {
		wait = TrailerWait
	}
	if !t.waitUntil.IsZero() {
		wait = min(wait, time.Until(t.waitUntil))
	}
	negotiate.ReadWithin(t.ctx, t.conn, wait)
	chunk := make([]byte, 4096)
	n, err := t.conn.Read(chunk)
	t.heard = t.heard || n > 0
	t.buf = append(t.buf, chunk[:n]...)
	if n > 0 || err == nil {
		return nil, false, nil
	}
	if msg, n, done = t.frames.Flush(t.buf); unended && done {
		t.buf = t.buf[n:]
		negotiate.Degrade(t.ctx, t.withoutTrailer())
		return msg, true, nil
	}
	return nil, false, err
}

// unframed finds a server that answers without MLLP: what comes first, white space and the repeated
// end of a frame left out, must be the start of one.
func (t *talk) unframed() *negotiate.Fault {
	if t.frames.Partial() {
		return nil
	}
	for i, c := range t.buf {
		switch c {
		case 0, '\t', '\n', '\r', ' ', mllp.EndBlock:
			continue
		case mllp.StartBlock:
			return nil
		}
		return t.foreign(t.buf[i:])
	}
	return nil
}
