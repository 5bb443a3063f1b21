package negotiate

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
)

// teller asks in two writes, reads an answer, and tells what went over the wire.
type teller struct{ tell func([]Chunk) []Passage }

func (teller) Negotiate(_ context.Context, conn net.Conn) error {
	for _, part := range []string{"who ", "are you?"} {
		if _, err := conn.Write([]byte(part)); err != nil {
			return err
		}
	}
	_, err := io.ReadAll(conn)
	return err
}

func (t teller) Narrate(chunks []Chunk) []Passage { return t.tell(chunks) }

// answers reads the question and sends n bytes.
func answers(n int) func(net.Conn) {
	return func(conn net.Conn) {
		_, _ = io.ReadFull(conn, make([]byte, len("who are you?")))
		_, _ = conn.Write(bytes.Repeat([]byte{'x'}, n))
	}
}

func TestTranscript(t *testing.T) {
	var heard []Chunk
	c := Check{Address: at("10.0.0.1:104"), Dial: piped(answers(5)), Prober: teller{func(cs []Chunk) []Passage {
		heard = cs
		return []Passage{{Title: "told"}}
	}}}
	require.Nil(t, Run(t.Context(), c).Transcript, "nobody asked for it")
	r := Run(WithTranscript(t.Context()), c)
	require.True(t, r.OK(), r.Fault)
	require.Equal(t, []Passage{{Title: "told"}}, r.Transcript)

	require.Len(t, heard, 3)
	joined := Joined(heard)
	require.Len(t, joined, 2)
	require.Equal(t, "who are you?", string(joined[0].Data))
	require.True(t, joined[0].Sent)
	require.Equal(t, "xxxxx", string(joined[1].Data))
	require.LessOrEqual(t, joined[0].At, joined[1].At)
}

// TestTranscriptBound: what comes beyond the limit is counted, not kept.
func TestTranscriptBound(t *testing.T) {
	const many = 3*MaxTranscript + 7
	var kept, lost int
	c := Check{Address: at("10.0.0.1:104"), Dial: piped(answers(many)), Prober: teller{func(cs []Chunk) []Passage {
		for _, c := range cs {
			if !c.Sent {
				kept, lost = kept+len(c.Data), lost+c.Lost
			}
		}
		return nil
	}}}
	require.True(t, Run(WithTranscript(t.Context()), c).OK())
	require.Equal(t, MaxTranscript, kept)
	require.Equal(t, many-MaxTranscript, lost)
}

// TestTranscriptWithoutNarrator: how much went which way, and no content. The same goes for one
// that has a bug.
func TestTranscriptWithoutNarrator(t *testing.T) {
	quiet := proberFunc(teller{}.Negotiate)
	broken := teller{func([]Chunk) []Passage { panic("a bug") }}
	for _, p := range []Prober{quiet, broken} {
		r := Run(WithTranscript(t.Context()), Check{Address: at("10.0.0.1:104"), Dial: piped(answers(1)), Prober: p})
		require.Len(t, r.Transcript, 2)
		require.Equal(t, "12 bytes", r.Transcript[0].Title)
		require.Equal(t, "1 byte", r.Transcript[1].Title)
		for _, p := range r.Transcript {
			require.Empty(t, p.Bytes)
		}
	}
}

// TestTranscriptOfTLS: what was agreed on stands first, whatever the kind.
func TestTranscriptOfTLS(t *testing.T) {
	good, pool := certificate(t, nil)
	addr := listen(t, func(c net.Conn) {
		s := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{good}})
		answers(3)(s)
		_ = s.Close()
	})
	r := Run(WithTranscript(t.Context()), Check{Address: at(addr), TLS: &tls.Config{RootCAs: pool}, Prober: proberFunc(teller{}.Negotiate)})
	require.True(t, r.OK(), r.Fault)
	require.Len(t, r.Transcript, 3)
	require.Equal(t, "TLS 1.3, TLS_AES_128_GCM_SHA256", r.Transcript[0].Title)
	require.Contains(t, r.Transcript[0].Notes[0], "certificate of the server: ")
	require.Contains(t, r.Transcript[0].Notes[1], "as tls.fingerprint takes it: ")
	require.Equal(t, "12 bytes", r.Transcript[1].Title)
}

func TestMask(t *testing.T) {
	p := Passage{Bytes: []byte("PID|1||4711")}
	p.Mask(7, 11)
	require.Equal(t, "PID|1||****", string(p.Bytes))
	p.Mask(-3, 1)
	p.Mask(10, 99)
	p.Mask(5, 5)
	p.Mask(40, 50)
	require.Equal(t, "*ID|1||****", string(p.Bytes))
	require.Equal(t, []Span{{7, 11}, {0, 1}, {10, 11}}, p.Masked)
}
