package negotiate

import (
	"context"
	"crypto/tls"
	"net"
	"strconv"
	"sync"
	"time"
)

// MaxTranscript bounds the bytes of each direction that a transcript keeps: whole
// conversations of every kind of check, and the beginning of what a mad peer sends.
const MaxTranscript = 64 << 10

// Chunk is what one call of Read or Write carried.
type Chunk struct {
	Sent bool          // by gantry; false = by the peer
	At   time.Duration // since the start of the check
	Data []byte        // at most what was left of MaxTranscript
	Lost int           // bytes beyond that
}

// Passage is one unit of a conversation in words: a PDU, a message, a header. It is made to be
// shown, so it holds no value of a patient's field and no credential.
type Passage struct {
	Sent  bool          // by gantry; false = by the peer
	At    time.Duration // since the start of the check, of the unit's first byte
	Title string        // "A-ASSOCIATE-RQ, 186 bytes"
	Notes []string      // what is in it, one fact each
	// Bytes are those of the unit with every masked one replaced by MaskByte; those that are
	// text are shown as lines, others in hexadecimal. More counts those that are not shown.
	Bytes  []byte
	Text   bool
	Masked []Span
	More   int
}

// MaskByte stands in Passage.Bytes where a byte must not be shown.
const MaskByte = '*'

// Span is a range of bytes, From inclusive, To exclusive.
type Span struct{ From, To int }

// Mask replaces a range of the passage's bytes by MaskByte and notes it in Masked. A range
// beyond the bytes is cut.
func (p *Passage) Mask(from, to int) {
	from, to = max(from, 0), min(to, len(p.Bytes))
	if from >= to {
		return
	}
	for i := from; i < to; i++ {
		p.Bytes[i] = MaskByte
	}
	p.Masked = append(p.Masked, Span{from, to})
}

// Narrator is a Prober that puts its own conversation into words. Without it a transcript tells
// how many bytes went which way, and no content.
type Narrator interface {
	Prober
	// Narrate gets what went over the connection (inside TLS, if there is TLS), in order. It
	// must cope with any bytes, since the peer may not speak the protocol, and must show
	// nothing that it does not understand beyond the first Shown bytes of a unit.
	Narrate(chunks []Chunk) []Passage
}

// Shown is how many bytes of something that is not understood may be shown, at the beginning of
// what a side says: enough to tell what protocol it is. Nothing from the middle is ever shown,
// since 16 bytes there could be a name.
const Shown = 16

type transcriptKey struct{}

// WithTranscript asks Run to keep what is said in the conversation: Result.Transcript.
func WithTranscript(ctx context.Context) context.Context {
	return context.WithValue(ctx, transcriptKey{}, true)
}

func wantsTranscript(ctx context.Context) bool { return ctx.Value(transcriptKey{}) != nil }

// tap is a connection that remembers what passes.
type tap struct {
	net.Conn
	start time.Time     // of the check
	begun time.Duration // when the conversation began, after start

	mu     sync.Mutex
	chunks []Chunk
	kept   [2]int // bytes, by direction
}

func (t *tap) Read(b []byte) (int, error) {
	n, err := t.Conn.Read(b)
	t.keep(false, b[:max(n, 0)])
	return n, err
}

func (t *tap) Write(b []byte) (int, error) {
	at := time.Since(t.start)
	n, err := t.Conn.Write(b)
	t.keepAt(at, true, b[:max(n, 0)])
	return n, err
}

// Unwrap returns the connection underneath, for those who need more than a net.Conn.
func (t *tap) Unwrap() net.Conn { return t.Conn }

func (t *tap) keep(sent bool, b []byte) { t.keepAt(time.Since(t.start), sent, b) }

func (t *tap) keepAt(at time.Duration, sent bool, b []byte) {
	if len(b) == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	way := 0
	if sent {
		way = 1
	}
	n := min(len(b), MaxTranscript-t.kept[way])
	t.kept[way] += n
	last := len(t.chunks) - 1
	if n == 0 && last >= 0 && t.chunks[last].Sent == sent {
		t.chunks[last].Lost += len(b)
		return
	}
	t.chunks = append(t.chunks, Chunk{Sent: sent, At: at, Data: append([]byte(nil), b[:n]...), Lost: len(b) - n})
}

// told returns the conversation in the words of its Prober, after what TLS agreed on.
func (t *tap) told(p Prober) []Passage {
	if conn, ok := Underlying[interface{ ConnectionState() tls.ConnectionState }](t.Conn); ok {
		hello := handshakeTold(conn.ConnectionState())
		hello.At = t.begun
		return append([]Passage{hello}, t.content(p)...)
	}
	return t.content(p)
}

// content is what went over the connection.
func (t *tap) content(p Prober) []Passage {
	t.mu.Lock()
	chunks := t.chunks
	t.mu.Unlock()
	if n, ok := p.(Narrator); ok {
		return narrate(n, chunks)
	}
	return counted(chunks)
}

// narrate survives a Narrator with a bug: a transcript is an extra, not a reason to fail.
func narrate(n Narrator, chunks []Chunk) (told []Passage) {
	defer func() {
		if recover() != nil {
			told = counted(chunks)
		}
	}()
	return n.Narrate(chunks)
}

// counted tells how much went which way, and nothing else.
func counted(chunks []Chunk) []Passage {
	var told []Passage
	for _, c := range Joined(chunks) {
		told = append(told, Passage{Sent: c.Sent, At: c.At, Title: byteCount(len(c.Data) + c.Lost), More: len(c.Data) + c.Lost})
	}
	return told
}

func byteCount(n int) string {
	if n == 1 {
		return "1 byte"
	}
	return strconv.Itoa(n) + " bytes"
}

// Joined returns the chunks with neighbours of the same direction made into one: what one side
// said before the other answered.
func Joined(chunks []Chunk) []Chunk {
	var out []Chunk
	for _, c := range chunks {
		if n := len(out); n > 0 && out[n-1].Sent == c.Sent && out[n-1].Lost == 0 {
			last := &out[n-1]
			last.Data = append(last.Data[:len(last.Data):len(last.Data)], c.Data...)
			last.Lost = c.Lost
			continue
		}
		out = append(out, c)
	}
	return out
}

// Underlying finds the connection that can do what T says, such as ConnectionState or CloseWrite,
// under whatever a check wraps it in; false if there is none.
func Underlying[T any](conn net.Conn) (T, bool) {
	for {
		if t, ok := conn.(T); ok {
			return t, true
		}
		u, ok := conn.(interface{ Unwrap() net.Conn })
		if !ok {
			var none T
			return none, false
		}
		conn = u.Unwrap()
	}
}
