package gateway_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/protocols"
	"gantry/protocols/hl7"
	codec "gantry/protocols/mllp"
)

// talker is one end of an MLLP connection, under the test's control.
type talker struct {
	halfConn
	t   testing.TB
	dec codec.Decoder
	buf []byte
}

// halfConn is a connection that can end its own side alone.
type halfConn interface {
	net.Conn
	CloseWrite() error
}

func newTalker(t testing.TB, c net.Conn) *talker {
	t.Helper()
	t.Cleanup(func() { _ = c.Close() })
	require.NoError(t, c.SetDeadline(time.Now().Add(patience)))
	return &talker{halfConn: c.(halfConn), t: t}
}

// talk connects to the gateway as a sender does.
func talk(t testing.TB, addr string) *talker {
	t.Helper()
	c, err := net.DialTimeout("tcp", addr, patience)
	require.NoError(t, err)
	return newTalker(t, c)
}

// next is the next frame, or how the connection ended: io.EOF, or its error.
func (p *talker) next() (string, error) {
	for {
		msg, n, err := p.dec.Next(p.buf)
		got := string(msg)
		p.buf = p.buf[n:]
		if !errors.Is(err, protocols.ErrShort) {
			return got, err
		}
		b := make([]byte, 32<<10)
		n, err = p.Read(b)
		if p.buf = append(p.buf, b[:n]...); n == 0 && err != nil {
			return "", err
		}
	}
}

// hears expects a frame.
func (p *talker) hears() string {
	p.t.Helper()
	msg, err := p.next()
	require.NoError(p.t, err)
	return msg
}

// acked expects an answer, and gives "CODE ID" of it.
func (p *talker) acked() string {
	p.t.Helper()
	a, err := hl7.DecodeAcknowledgement([]byte(p.hears()))
	require.NoError(p.t, err)
	return a.Code + " " + a.ControlID
}

// over expects the end of the connection.
func (p *talker) over() {
	p.t.Helper()
	msg, err := p.next()
	require.Error(p.t, err, "got %q", msg)
	require.NotErrorIs(p.t, err, os.ErrDeadlineExceeded)
}

// sends frames a message.
func (p *talker) sends(msg string) {
	p.t.Helper()
	p.raw(string(codec.Append(nil, []byte(msg))))
}

func (p *talker) raw(bytes string) {
	p.t.Helper()
	_, err := io.WriteString(p, bytes)
	require.NoError(p.t, err)
}

// admission makes a message of an invented patient.
func admission(id, patient string) string {
	return fmt.Sprintf("MSH|^~\\&|RIS|HOSPITAL|ENGINE|HOSPITAL|20260101||ADT^A08^ADT_A01|%s|P|2.5\rPID|1||ZZ-GANTRY-%s^^^SIM\r", id, patient)
}

// answerTo acknowledges a message.
func answerTo(msg, code string) string {
	header, err := hl7.DecodeHeader([]byte(msg))
	if err != nil {
		panic(err)
	}
	return string(hl7.Ack{Code: code, ControlID: "R"}.Append(nil, header))
}

func controlID(msg string) string {
	header, err := hl7.DecodeHeader([]byte(msg))
	if err != nil {
		return ""
	}
	return header.Text(hl7.ControlID)
}

// engine is an HL7 receiver whose connections the test has one by one.
type hl7Engine struct {
	t    testing.TB
	addr string
	l    net.Listener
	met  chan *talker
}

func newEngine(t testing.TB) *hl7Engine {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	e := &hl7Engine{t: t, addr: l.Addr().String(), l: l, met: make(chan *talker, 64)}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			e.met <- &talker{halfConn: c.(halfConn), t: t}
		}
	}()
	return e
}

// meets is the next connection. Checks of type connect say nothing and are passed over.
func (e *hl7Engine) meets() (*talker, string) {
	e.t.Helper()
	for {
		select {
		case p := <-e.met:
			e.t.Cleanup(func() { _ = p.Close() })
			require.NoError(e.t, p.SetDeadline(time.Now().Add(patience)))
			if msg, err := p.next(); err == nil {
				return p, msg
			}
		case <-time.After(patience):
			e.t.Fatal("nobody came")
		}
	}
}

// hl7Service is a service whose messages are routed one by one.
func hl7Service(listen, more string, engines ...*hl7Engine) string {
	var b strings.Builder
	mllp := "routing: per-message"
	if inner, rest, ok := strings.Cut(more, "|"); ok {
		mllp, more = mllp+", "+inner, rest
	}
	fmt.Fprintf(&b, "services:\n- name: S\n  protocol: mllp\n  listen: ['%s']\n  mllp: {%s}\n  checks: [%s]\n%s  servers:\n", listen, mllp, quickChecks, more)
	for i, e := range engines {
		fmt.Fprintf(&b, "  - {name: %c, address: '%s'}\n", 'A'+i, e.addr)
	}
	return b.String()
}
