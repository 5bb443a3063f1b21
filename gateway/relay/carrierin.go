package relay

import (
	"errors"
	"io"
	"sync"

	"golang.org/x/sys/unix"
)

// piece is what a carrier moves at once.
type piece [CarryBuffer]byte

var pieces = sync.Pool{New: func() any { return new(piece) }}

// inward carries what the peer sends to the desk, and tells how that ended.
func (c *carrier) inward() {
	defer c.leave()
	if err := c.hear(); err != io.EOF || c.truncated() || c.failed.Load() {
		c.cut()
		return
	}
	_ = c.pair.Control(func(fd uintptr) { _ = unix.Shutdown(int(fd), unix.SHUT_WR) })
	c.heard.Store(true)
	if c.failed.Load() { // meanwhile: nobody else cuts it
		c.cut()
	}
}

var errDrained = errors.New("the peer goes on sending, to nobody")

// hear reads until the peer's end. It waits with a small buffer; one that a read
// fills makes the next one large, until a read has not filled that. When the desk's
// end is closed, the rest is thrown away: bytes that nobody reads would turn the
// close of conn into a reset, which can overtake the last answer.
func (c *carrier) hear() error {
	var large *piece
	b, deaf := c.idle[:], false
	for dropped := 0; dropped <= maxDrain; {
		n, err := c.conn.Read(b)
		if n > 0 {
			c.quickAck()
			deaf = deaf || !c.deliver(b[:n])
		}
		if deaf {
			dropped += n
		}
		switch full := n == len(b); {
		case full && large == nil && err == nil:
			large = pieces.Get().(*piece)
			b = large[:]
		case !full && large != nil:
			pieces.Put(large)
			large, b = nil, c.idle[:]
		}
		if err != nil {
			return err
		}
	}
	return errDrained
}

// deliver gives b to the desk, and waits while it takes nothing; false when its end
// is closed.
func (c *carrier) deliver(b []byte) bool {
	_, err := c.near.Write(b)
	if errors.Is(err, unix.ECONNRESET) { // told once: outward will not see it
		c.reset.Store(true)
	}
	return err == nil
}

func (c *carrier) quickAck() {
	if c.wire != nil {
		_ = c.wire.Control(quickAckRaw)
	}
}

func quickAckRaw(fd uintptr) { quickAck(int(fd)) }

// truncated tells whether the stream that conn says has ended has broken off.
func (c *carrier) truncated() bool { return c.under != nil && c.under.ended.Load() }
