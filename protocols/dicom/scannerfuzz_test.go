package dicom

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// However a stream is cut, and whatever inside its data set fragments passes unseen, the same is seen.
func TestScannerAnyCutsAndSkips(t *testing.T) {
	all := streams(t)
	names := make([]string, 0, len(all))
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	rapid.Check(t, func(t *rapid.T) {
		b := all[rapid.SampledFrom(names).Draw(t, "stream")]
		_, want := scan(b)
		var s Scanner
		var v sightings
		for len(b) > 0 {
			n := min(len(b), rapid.IntRange(1, 3000).Draw(t, "piece"))
			s.Feed(b[:n], &v)
			b = b[n:]
			if s.state != inFragment || s.control&pdvCommand != 0 || len(b) == 0 {
				continue
			}
			skip := rapid.IntRange(0, int(s.fragment)).Draw(t, "skip")
			s.Skip(skip, &v)
			b = b[skip:]
		}
		v.flush()
		require.NoError(t, s.Err())
		require.Equal(t, want, v.lines)
	})
}

// seeds are whole conversations, and spliced and broken ones.
func seeds(f *testing.F, add func([]byte)) {
	all := streams(f)
	add(wire(f, goldenEchoRQ))
	add(wire(f, dataPDU))
	for _, b := range all {
		if len(b) > 8<<10 {
			b = b[len(b)-8<<10:]
		}
		add(b)
		add(b[:len(b)*2/3])                                     // cut short
		add(slices.Concat(b[len(b)/2:], b[:len(b)/2]))          // begins half way
		add(slices.Concat(b[:len(b)/3], all["find client"], b)) // another client breaks in
		if len(b) > 12 {
			add(slices.Concat([]byte{4, 0, 0, 1}, b[4:])) // a large P-DATA-TF with nonsense inside
		}
	}
}

// whole reads what is complete at the front of a stream with the decoders for whole units.
func whole(b []byte) []string {
	var v sightings
	var commands Assembler
	for {
		t, length, err := DecodeHeader(b)
		if err != nil || CheckLength(t, length, math.MaxUint32) != nil || len(b) < HeaderLen+int(length) {
			return v.lines
		}
		v.PDU(t, length)
		end := HeaderLen + int(length)
		if t != TypeData {
			v.Whole(t, b[:end])
			commands = Assembler{}
		}
		for body := b[HeaderLen:end]; t == TypeData && len(body) > 0; {
			p, rest, err := NextPDV(body)
			if err != nil {
				return v.lines
			}
			c, err := commands.Add(p)
			if err != nil {
				return v.lines
			}
			if c != nil {
				c.AffectedSOPInstanceUID, c.RequestedSOPInstanceUID, c.ErrorComment = "", "", ""
				v.Command(p.ContextID, c)
			}
			if !p.Command {
				v.Data(p.ContextID, len(p.Data), p.Last)
			}
			body = rest
		}
		b = b[end:]
	}
}

// Whatever comes: how it is cut makes no difference, what is whole is seen as the decoders for whole units see it, and
// memory is bounded.
func FuzzScanner(f *testing.F) {
	seeds(f, func(b []byte) { f.Add(b, uint16(7)) })
	f.Fuzz(func(t *testing.T, b []byte, cut uint16) {
		s, want := scan(b)
		n := int(cut)%64 + 1
		again, got := scan(slices.Collect(slices.Chunk(b, n))...)
		require.Equal(t, want, got)
		require.Equal(t, s.Err(), again.Err())
		require.LessOrEqual(t, len(again.held), len(b))
		require.LessOrEqual(t, len(again.held), MaxAssociatePDU)
		sure := whole(b)
		require.GreaterOrEqual(t, len(want), len(sure))
		require.True(t, slices.Equal(sure, want[:len(sure)]), "%q\n%q", sure, want)

		// With holes in it there is no telling, but no harm either.
		var v sightings
		var holes Scanner
		for i, p := range slices.Collect(slices.Chunk(b, n)) {
			switch {
			case i%5 == 3:
				holes.Skip(len(p), &v)
			case i%7 == 6:
				holes.Resync()
			}
			holes.Feed(p, &v)
		}
	})
}
