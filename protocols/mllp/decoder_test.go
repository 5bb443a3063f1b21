package mllp

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gantry/protocols"
)

const (
	one = "MSH|^~\\&|A|B|C|D|1||ADT^A01|1|P|2.5\rPID|||1\r"
	two = "MSH|^~\\&|A|B|C|D|1||ADT^A01|2|P|2.5\r"
)

func TestAppend(t *testing.T) {
	require.Equal(t, "\x0b"+one+"\x1c\r", string(Append(nil, []byte(one))))
	require.Equal(t, "x\x0b\x1c\r", string(Append([]byte("x"), nil)))
	require.True(t, Encodable([]byte(one)))
	require.False(t, Encodable([]byte("a\x1cb")))
}

func TestIsCommit(t *testing.T) {
	require.True(t, IsCommit([]byte{0x06}))
	require.True(t, IsCommit([]byte{0x15}))
	require.False(t, IsCommit([]byte{0x06, 0x06}))
	require.False(t, IsCommit([]byte("M")))
	require.False(t, IsCommit(nil))
}

// What receivers in the field disagree about, and what is made of it here.
func TestDecoder(t *testing.T) {
	tests := []struct {
		name  string
		in    string
		want  []string // messages, in order
		err   string   // "" when all of it was fine, or a part of the sentence
		flush string   // what the end of the stream brings out
		stats Stats
	}{
		{name: "one", in: "\x0b" + one + "\x1c\r", want: []string{one}},
		{name: "two in one segment", in: "\x0b" + one + "\x1c\r\x0b" + two + "\x1c\r", want: []string{one, two}},
		{name: "LF, CRLF and NUL between", in: "\n\x0b" + one + "\x1c\r\r\n\x00 \t\x0b" + two + "\x1c\r\n", want: []string{one, two}},
		{name: "doubled end", in: "\x0b" + one + "\x1c\r\x1c\r\x0b" + two + "\x1c\r", want: []string{one, two}, stats: Stats{Junk: 1}},
		{name: "junk in front", in: "HELLO\x0b" + one + "\x1c\r", want: []string{one}, stats: Stats{Junk: 5}},
		{name: "junk only", in: "HELLO", stats: Stats{Junk: 5}},
		{name: "trailer missing, next follows", in: "\x0b" + one + "\x1c\x0b" + two + "\x1c\r", want: []string{one, two},
			stats: Stats{Unterminated: 1}},
		{name: "trailer missing, nothing follows", in: "\x0b" + one + "\x1c", flush: one, stats: Stats{Unterminated: 1}},
		{name: "LF instead of the trailer", in: "\x0b" + one + "\x1c\n", err: "end block inside a message, byte 0A"},
		{name: "end block inside", in: "\x0bMSH|a\x1cb\x1c\r", err: "end block inside a message, byte 62"},
		{name: "truncated, then the next", in: "\x0bMSH|^~\\&|A|B|C\x0b" + two + "\x1c\r", want: []string{two}, stats: Stats{Truncated: 1}},
		{name: "truncated twice", in: "\x0bMSH|\x0bFHS|^~\\&\x0b" + two + "\x1c\r", want: []string{two}, stats: Stats{Truncated: 2}},
		{name: "start block as data", in: "\x0bMSH|a\x0bb\x0bM\x1c\r", want: []string{"MSH|a\x0bb\x0bM"}},
		{name: "start block as last data byte", in: "\x0bMSH|a\x0b\x1c\r", want: []string{"MSH|a\x0b"}},
		{name: "start block, MSH at the very end", in: "\x0bMSH|a\x0bMSH\x1c\r", want: []string{"MSH|a\x0bMSH"}},
		{name: "stream ends in a frame", in: "\x0b" + one},
		{name: "stream ends with a start block", in: "\x0bMSH|a\x0b"},
		{name: "empty frame", in: "\x0b\x1c\r", want: []string{""}},
		{name: "UTF-8 byte order mark", in: "\x0b\xef\xbb\xbf" + one + "\x1c\r", want: []string{one}},
		{name: "UTF-16 big endian", in: "\x0b\xfe\xff\x00M\x00S\x1c\r", err: "UTF-16"},
		{name: "UTF-16 little endian without mark", in: "\x0bM\x00S\x00H\x00\x1c\r", err: "UTF-16"},
		{name: "commit answer", in: "\x0b\x06\x1c\r", want: []string{"\x06"}},
		{name: "segments ending with LF are data", in: "\x0bMSH|a\nPID|b\r\n\x1c\r", want: []string{"MSH|a\nPID|b\r\n"}},
		{name: "at the limit", in: "\x0b" + strings.Repeat("x", 200) + "\x1c\r", want: []string{strings.Repeat("x", 200)}},
		{name: "over the limit", in: "\x0b" + strings.Repeat("x", 201) + "\x1c\r", err: "more than 200 bytes"},
		{name: "over the limit, no end in sight", in: "\x0b" + strings.Repeat("x", 201), err: "more than 200 bytes"},
		{name: "junk without end", in: strings.Repeat("x", MaxJunk+1), err: "outside of any frame", stats: Stats{Junk: MaxJunk + 1}},
	}
	for _, tt := range tests {
		for _, size := range []int{len(tt.in), 1, 3} {
			t.Run(tt.name, func(t *testing.T) {
				d := Decoder{Max: 200}
				got, rest, err := feed(&d, []byte(tt.in), size)
				require.Equal(t, tt.want, got)
				if tt.err == "" {
					require.NoError(t, err)
				} else {
					var syntax *protocols.SyntaxError
					require.ErrorAs(t, err, &syntax)
					require.ErrorContains(t, err, tt.err)
				}
				msg, _, ok := d.Flush(rest)
				require.Equal(t, tt.flush != "", ok)
				require.Equal(t, tt.flush, string(msg))
				require.Equal(t, tt.stats, d.Stats)
			})
		}
	}
}

// feed gives a decoder its input in pieces, as a connection would.
func feed(d *Decoder, in []byte, size int) (got []string, rest []byte, err error) {
	for len(in) > 0 {
		k := min(size, len(in))
		rest, in = append(rest, in[:k]...), in[k:]
		for {
			msg, n, err := d.Next(rest)
			rest = bytes.Clone(rest[n:])
			if errors.Is(err, protocols.ErrShort) {
				break
			}
			if err != nil {
				return got, rest, err
			}
			got = append(got, string(msg))
		}
	}
	return got, rest, nil
}

func TestDecoderKeepEndBlock(t *testing.T) {
	d := Decoder{KeepEndBlock: true}
	msg, n, err := d.Next([]byte("\x0bMSH|a\x1cb\x1c\r"))
	require.NoError(t, err)
	require.Equal(t, "MSH|a\x1cb", string(msg))
	require.Equal(t, 10, n)
}

// A large message in small pieces must be looked at once, not once a piece.
func TestDecoderRemembersWhereItLooked(t *testing.T) {
	var d Decoder
	buf := append([]byte{StartBlock}, bytes.Repeat([]byte("x"), 1<<20)...)
	_, _, err := d.Next(buf)
	require.ErrorIs(t, err, protocols.ErrShort)
	require.True(t, d.Partial())
	require.Equal(t, len(buf), d.scanned)
	msg, n, err := d.Next(append(buf, EndBlock, Trailer))
	require.NoError(t, err)
	require.Len(t, msg, 1<<20)
	require.Equal(t, len(buf)+2, n)
	require.False(t, d.Partial())
}

func TestDecodeFrame(t *testing.T) {
	msg, n, err := DecodeFrame([]byte("\r\n\x0bMSH|\x1c\rrest"), 100)
	require.NoError(t, err)
	require.Equal(t, "MSH|", string(msg))
	require.Equal(t, 9, n)

	_, n, err = DecodeFrame([]byte("\r\n"), 100)
	require.ErrorIs(t, err, protocols.ErrShort)
	require.Equal(t, 2, n)

	_, _, err = DecodeFrame([]byte("\x0bMSH|\x1c\r"), 3)
	require.ErrorContains(t, err, "mllp: offset 0: message of more than 3 bytes")
}

// The limit does not depend on how the bytes were cut: what may begin the next frame is not yet
// part of this one, and a frame beyond the limit is refused although another follows it.
func TestDecoderLimitAtARestart(t *testing.T) {
	for _, tt := range []struct {
		name  string
		lost  int // bytes of the frame that breaks off
		whole bool
	}{{"just within", 300, true}, {"one too many", 301, false}, {"far beyond", 5000, false}} {
		in := "\x0b" + strings.Repeat("0", tt.lost) + "\x0bMSH|x\x1c\r"
		for size := 1; size <= len(in); size++ {
			d := Decoder{Max: 300}
			got, _, err := feed(&d, []byte(in), size)
			require.Equal(t, tt.whole, err == nil, "%s, in pieces of %d: %v", tt.name, size, err)
			if tt.whole {
				require.Equal(t, []string{"MSH|x"}, got)
			}
		}
	}
}

// However the bytes are cut, the messages are the same.
func FuzzDecoder(f *testing.F) {
	f.Add([]byte("\x0b"+one+"\x1c\r\x0b"+two+"\x1c\r"), 1, false)
	f.Add([]byte("junk\x0bMSH|\x0bMSH|x\x1c\x0b\x1c\r"), 2, true)
	f.Add([]byte("\x0b\xef\xbb\xbfM\x1cx\x1c\r"), 3, true)
	f.Fuzz(func(t *testing.T, in []byte, size int, keep bool) {
		if len(in) > 4096 {
			return
		}
		whole := Decoder{Max: 300, KeepEndBlock: keep}
		want, wantRest, wantErr := feed(&whole, in, len(in))
		pieces := Decoder{Max: 300, KeepEndBlock: keep}
		got, rest, err := feed(&pieces, in, max(1, size%17))
		require.Equal(t, want, got)
		require.Equal(t, wantErr == nil, err == nil)
		if err == nil {
			require.Equal(t, string(wantRest), string(rest))
			require.Equal(t, whole.Stats, pieces.Stats)
		}
		for _, msg := range got {
			requireSurvives(t, msg)
		}
	})
}

// requireSurvives frames a message again and expects to get it back.
func requireSurvives(t *testing.T, msg string) {
	t.Helper()
	if !Encodable([]byte(msg)) || strings.HasPrefix(msg, "\xef\xbb\xbf") {
		return
	}
	again, _, err := DecodeFrame(Append(nil, []byte(msg)), 300)
	require.NoError(t, err)
	require.Equal(t, msg, string(again))
}

func BenchmarkDecoder(b *testing.B) {
	frame := Append(nil, bytes.Repeat([]byte(two), 50))
	b.SetBytes(int64(len(frame)))
	for b.Loop() {
		var d Decoder
		if _, _, err := d.Next(frame); err != nil {
			b.Fatal(err)
		}
	}
}
