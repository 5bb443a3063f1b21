package conformance

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/protocols/hl7"
	"gantry/protocols/mllp"
)

// strictReceiver acknowledges messages and looks at every byte: frames are 0B … 1C 0D, one behind the other, and
// hold HL7.
type strictReceiver struct {
	net.Listener
	mu    sync.Mutex
	all   []receipt
	wrong []string
}

func startStrict(t *testing.T, ctx context.Context) *strictReceiver {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	r := &strictReceiver{Listener: l}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			stop := context.AfterFunc(ctx, func() { c.Close() })
			all.Go(func() {
				defer stop()
				defer c.Close()
				r.serve(onWire(ctx, c))
			})
		}
	})
	t.Cleanup(func() { l.Close(); all.Wait() })
	return r
}

// serve reads frames without forgiving anything.
func (r *strictReceiver) serve(c *wire) {
	var buf []byte
	room := make([]byte, 64<<10)
	for {
		n, err := c.Read(room)
		buf = append(buf, room[:n]...)
		for len(buf) > 0 {
			end := bytes.IndexByte(buf, mllp.EndBlock)
			if buf[0] != mllp.StartBlock || end >= 0 && end+1 < len(buf) && buf[end+1] != '\r' {
				r.complain(fmt.Sprintf("no frame: % x", buf[:min(len(buf), 40)]))
				return
			}
			if end < 0 || end+1 == len(buf) {
				break
			}
			if !r.take(c, buf[1:end]) {
				return
			}
			buf = buf[end+2:]
		}
		if err != nil {
			if len(buf) > 0 {
				r.complain(fmt.Sprintf("the connection ended within a frame, behind %d bytes", len(buf)))
			}
			return
		}
	}
}

// take writes a message down, and answers.
func (r *strictReceiver) take(c *wire, msg []byte) bool {
	header, err := hl7.DecodeHeader(msg)
	if err != nil {
		r.complain(err.Error())
		return false
	}
	sum := sha256.Sum256(msg)
	r.mu.Lock()
	r.all = append(r.all, receipt{header.Text(hl7.ControlID), hex.EncodeToString(sum[:])})
	r.mu.Unlock()
	_, err = c.Write(mllp.Append(nil, hl7.Ack{Code: "AA", ControlID: "STRICT", Time: time.Now()}.Append(nil, header)))
	return err == nil
}

func (r *strictReceiver) complain(what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wrong = append(r.wrong, what)
}

func (r *strictReceiver) complaint() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.wrong...)
}

// got is what came whose control id begins with a prefix.
func (r *strictReceiver) got(prefix string) (some []receipt) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range r.all {
		if strings.HasPrefix(m.id, prefix) {
			some = append(some, m)
		}
	}
	return some
}

// isOver tells that a connection was closed, and not that time is up.
func isOver(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET)
}
