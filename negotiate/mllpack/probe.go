package mllpack

import (
	"context"
	"net"
	"time"

	"gantry/negotiate"
	"gantry/protocols/mllp"
)

// Bounds of one conversation.
const (
	// MaxAnswer bounds one frame of the server, in bytes: room for the answer to a query.
	MaxAnswer = 1 << 20
	// MaxFrames bounds the frames that are read until ours is among them.
	MaxFrames = 32
	// StaleWait is how much longer the right acknowledgement is waited for after a wrong one.
	StaleWait = time.Second
	// TrailerWait is how long the last byte of a frame, its CR, is waited for.
	TrailerWait = time.Second
	// KeepWait is how long a server is watched, after its answer, for closing the connection by itself.
	KeepWait = 50 * time.Millisecond
	// CloseWait is how long the server's part of the close is waited for.
	CloseWait = 500 * time.Millisecond
)

// probe is one configured question. It is not changed after it was built.
type probe struct {
	message             string // with placeholders for control id and time
	own                 bool   // the operator wrote it
	twice               bool   // it asks for two acknowledgements
	kind                string // message type, for words
	expect, expectError []string
	server              string
	secure              bool
}

var (
	_ negotiate.Prober   = (*probe)(nil)
	_ negotiate.Narrator = (*probe)(nil)
)

// Negotiate sends one message and judges its acknowledgement.
func (p *probe) Negotiate(ctx context.Context, conn net.Conn) error {
	t := &talk{probe: p, ctx: ctx, conn: conn, id: newID(), frames: mllp.Decoder{Max: MaxAnswer}}
	negotiate.Enter(ctx, negotiate.StageAsk)
	if fault := t.ask(); fault != nil {
		t.halfClose()
		return fault
	}
	t.close()
	return nil
}

// talk is one run of a probe on one connection.
type talk struct {
	*probe
	ctx    context.Context
	conn   net.Conn
	id     string // MSH-10 of what was sent
	size   int    // of the message, in bytes
	frames mllp.Decoder
	buf    []byte // received and not decoded
	heard  bool   // the server has sent something

	waitUntil time.Time // bounds further waiting; zero = the whole check
	stale     *answer   // the first acknowledgement that was not ours
	commit    string    // what the server said about storing: CA or 06; the application is still to answer
}

// ask sends the message and reads until an answer decides.
func (t *talk) ask() *negotiate.Fault {
	message := fill(t.message, t.id, time.Now())
	t.size = len(message)
	// In one piece: some receivers take what one read returns for the whole message.
	if _, err := t.conn.Write(mllp.Append(nil, []byte(message))); err != nil {
		return t.unsent(err)
	}
	for range MaxFrames {
		frame, fault := t.frame()
		if fault != nil {
			return t.instead(fault)
		}
		if decided, fault := t.take(frame); decided {
			return fault
		}
	}
	return t.instead(t.tooMuch())
}

// instead is what a wait ends with that ended without our acknowledgement: the fault, unless an
// acknowledgement of another message came before, which shows that the server works somehow.
func (t *talk) instead(fault *negotiate.Fault) *negotiate.Fault {
	if t.stale == nil {
		return fault
	}
	if sick := t.judge(*t.stale); sick != nil {
		return sick
	}
	negotiate.Degrade(t.ctx, t.mismatched(*t.stale))
	return nil
}

// take looks at one frame; decided is false when another one has to be waited for.
func (t *talk) take(frame []byte) (decided bool, fault *negotiate.Fault) {
	a, fault := t.read(frame)
	switch {
	case fault != nil:
		return true, t.instead(fault)
	case !a.ours(t.id):
		if t.stale == nil {
			t.stale = &a
			t.waitUntil = time.Now().Add(StaleWait)
		}
		return false, nil
	case t.stale != nil:
		negotiate.Warn(t.ctx, t.foreignFirst())
	}
	if t.wantsMore(a) {
		t.commit = a.said()
		return false, nil
	}
	t.commitBack(a)
	return true, t.judge(a)
}

// close says goodbye. The receiver has shown that it works, so trouble here changes nothing.
func (t *talk) close() {
	negotiate.Enter(t.ctx, negotiate.StageClose)
	if t.watch() {
		return
	}
	if !t.halfClose() {
		return
	}
	// Until the server closes too: a close with something unread would reset the connection,
	// and receivers log that.
	negotiate.ReadWithin(t.ctx, t.conn, CloseWait)
	t.drain()
}

// watch reports whether the server closes the connection by itself after its answer.
func (t *talk) watch() (closed bool) {
	negotiate.ReadWithin(t.ctx, t.conn, KeepWait)
	if !t.drain() {
		return false
	}
	negotiate.Warn(t.ctx, &negotiate.Fault{Stage: negotiate.StageClose, Reason: negotiate.ReasonClosed,
		Sentence: "acknowledges, then closes the connection: senders that keep theirs open have to connect again for each message"})
	return true
}

// maxDrained bounds what is read and thrown away at the end, in bytes.
const maxDrained = 64 << 10

// drain reads until the deadline, or until the server has closed, which it reports.
func (t *talk) drain() (closed bool) {
	b := make([]byte, 4096)
	for n := 0; n < maxDrained; {
		k, err := t.conn.Read(b)
		n += k
		if err != nil {
			f := negotiate.Lost(negotiate.StageClose, err, negotiate.Words{})
			return f.Reason == negotiate.ReasonClosed || f.Reason == negotiate.ReasonReset
		}
	}
	return false
}

// halfClose ends our direction; false when the connection has no such thing.
func (t *talk) halfClose() bool {
	c, ok := negotiate.Underlying[interface {
		net.Conn
		CloseWrite() error
	}](t.conn)
	return ok && c.CloseWrite() == nil
}
