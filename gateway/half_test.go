package gateway

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/gateway/engine"
	"gantry/protocols"
	"gantry/protocols/mllp"
)

// However bytes are cut on their way, and wherever the reading stops for a while: every message
// comes out whole and once, and in the end nothing is counted any more.
func TestHalfKeepsEveryByte(t *testing.T) {
	shared := new(spares)
	for seed := range uint64(50) {
		dice := rand.New(rand.NewPCG(seed, 1))
		var wire []byte
		var want []string
		for i := range 40 {
			msg := fmt.Sprintf("MSH|^~\\&|%d|%s", i, strings.Repeat("x", dice.IntN(1<<dice.IntN(16))))
			want, wire = append(want, msg), mllp.Append(wire, []byte(msg))
		}
		before := partial.Load()
		h := half{spares: shared}
		var got []string
		scratch := make([]byte, 64<<10)
		take := func(b []byte) { // some of the messages in b
			for n := dice.IntN(4); n >= 0; n-- {
				msg, spent, err := h.decoder.Next(b)
				b = b[spent:]
				if errors.Is(err, protocols.ErrShort) {
					break
				}
				require.NoError(t, err)
				got = append(got, string(msg))
			}
			require.True(t, h.keep(b, time.Now()))
		}
		for len(wire) > 0 {
			n := copy(scratch[:1+dice.IntN(len(scratch))], wire)
			wire = wire[n:]
			take(h.add(scratch[:n]))
			clear(scratch[:n]) // the loop's buffer is another's now
			for len(h.buf) > 0 && dice.IntN(3) > 0 {
				take(h.buf)
			}
			require.LessOrEqual(t, cap(h.buf), cap(h.base))
			require.LessOrEqual(t, cap(h.base), max(minArray, 4*len(h.buf)), "mostly waste")
		}
		for i := 0; len(h.buf) > 0; i++ {
			require.Less(t, i, 1000)
			take(h.buf)
		}
		require.Equal(t, want, got)
		h.release()
		require.Equal(t, before, partial.Load())
	}
	require.NotEmpty(t, shared.free)
	require.LessOrEqual(t, len(shared.free), maxSpares)
}

// What is counted is what is in memory, and all of it is given back.
func TestHalfCountsItsMemory(t *testing.T) {
	before := partial.Load()
	var h half
	now := time.Now()
	require.True(t, h.keep(h.add(make([]byte, 1<<20)), now))
	require.Equal(t, int64(1<<20-engine.FreePending), partial.Load()-before)
	require.True(t, h.keep(h.buf[1<<19:], now))
	require.Equal(t, int64(1<<20-engine.FreePending), partial.Load()-before, "it lies where it lay")
	require.True(t, h.keep(h.buf[1<<18+1<<17:], now))
	require.Equal(t, int64(1<<17-engine.FreePending), partial.Load()-before)
	h.release()
	h.release()
	require.Equal(t, before, partial.Load())
	partial.Add(engine.MaxPending)
	require.False(t, h.keep(h.add(make([]byte, 1<<20)), now), "too much is in memory")
	require.True(t, h.keep(h.buf[1<<20-10:], now), "what shrinks may stay")
	h.release()
	partial.Add(-engine.MaxPending)
}

// BenchmarkHalfManyAtOnce is a client that sends many messages at once, and has them taken out one
// by one as their answers come.
func BenchmarkHalfManyAtOnce(b *testing.B) {
	var wire []byte
	for len(wire) < 64<<10 {
		wire = mllp.Append(wire, []byte("MSH|^~\\&|"+strings.Repeat("x", 250)))
	}
	b.ReportAllocs()
	now := time.Now()
	var h half
	for b.Loop() {
		if len(h.buf) == 0 {
			h.keep(h.add(wire), now)
		}
		_, n, _ := h.decoder.Next(h.buf)
		h.keep(h.buf[n:], now)
	}
	h.release()
}
