package dicom

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"gantry/protocols"
)

func TestScannerRefuses(t *testing.T) {
	begun := "04 00 0000000e 00000004 01 01 aabb " // a command set begins: 8 of 14 bytes
	for _, tt := range []struct{ name, wire, want string }{
		{"another protocol, from its first byte", "47", "PDU type 47 is not known"},
		{"a length that its type does not have", "05 00 00000005", "A-RELEASE-RQ of length 5"},
		{"an association PDU over its bound", "02 00 00100000", "A-ASSOCIATE-AC of length 1048576"},
		{"a P-DATA-TF without room for a PDV", "04 00 00000005", "P-DATA-TF of length 5"},
		{"a PDV without room for its own head", "04 00 00000006 00000001 01 02", "PDV of length 1"},
		{"a PDV past the end", "04 00 00000006 00000003 01 02", "PDV of length 3 runs past the end"},
		{"an absurd PDV", "04 00 00000006 ffffffff 01 02", "PDV of length 4294967295 runs past the end"},
		{"bytes left over", "04 00 00000008 00000002 01 02 0000", "2 bytes left over"},
		{"data inside a command set", begun + "00000002 01 00", "data set fragment inside"},
		{"a command set that changes its context", begun + "00000002 03 03", "changes from context 1 to 3"},
		{"a malformed command set", "04 00 00000008 00000004 01 03 aabb", "too few for an element"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := wire(t, tt.wire)
			s, _ := scan(b)
			requireProblem(t, s.Err(), tt.want)
			var syntax *protocols.SyntaxError
			require.ErrorAs(t, s.Err(), &syntax)
			_, bytewise := scan(single(b)...)
			_, known := s.Boundary()
			require.False(t, known)

			// It is lost for good.
			first := s.Err()
			s.Resync()
			var v sightings
			s.Feed(wire(t, goldenEchoRQ), &v)
			s.Skip(5, &v)
			require.Empty(t, v.lines)
			require.Same(t, first, s.Err())
			require.NotContains(t, bytewise, "1 C-ECHO-RQ 1/0 0000 <nil> Verification")
		})
	}
}

// A command set may come in any number of PDVs, up to MaxCommand bytes.
func TestScannerBoundsCommands(t *testing.T) {
	part := AppendPData(nil, PDV{ContextID: 1, Command: true, Data: make([]byte, MaxCommand/2)})
	s, _ := scan(part, part)
	require.NoError(t, s.Err())
	require.Len(t, s.held, MaxCommand)
	s.Feed(AppendPData(nil, PDV{ContextID: 1, Command: true, Data: []byte{0}}), &sightings{})
	requireProblem(t, s.Err(), "more than 65536 bytes")
	require.Nil(t, s.held)
}

// An A-ABORT may come at any time between two PDUs, in whatever pieces; the command set that it cuts off is no part of it.
func TestScannerAbortInsideCommand(t *testing.T) {
	echo := wire(t, goldenEchoRQ)[HeaderLen+pdvHeadLen:]
	b := AppendPData(nil, PDV{ContextID: 1, Command: true, Data: echo[:20]})
	b = append(AbortProvider.Append(b), wire(t, goldenEchoRQ)...)
	want := []string{"P-DATA-TF 26", "A-ABORT 4", "whole A-ABORT 07000000000400000200", "P-DATA-TF 74",
		"1 C-ECHO-RQ 1/0 0000 <nil> Verification"}
	for _, pieces := range [][][]byte{{b}, single(b)} {
		s, got := scan(pieces...)
		require.NoError(t, s.Err())
		require.Equal(t, want, got)
	}
}

// dataPDU has a fragment of 8 bytes, not the last, and one of 4, which is.
const dataPDU = "04 00 00000018  0000000a 01 00 0102030405060708  00000006 01 02 090a0b0c"

func TestScannerSkips(t *testing.T) {
	b := wire(t, dataPDU)
	_, want := scan(b)
	require.Equal(t, []string{"P-DATA-TF 24", "1 data set ends with 12"}, want)
	for _, tt := range []struct {
		name     string
		from, to int // what is skipped
		blind    bool
	}{
		{"the whole fragment", 12, 20, false},
		{"its middle", 14, 17, false},
		{"its end", 19, 20, false},
		{"the last fragment", 26, 30, false},
		{"more than the fragment", 12, 21, true},
		{"the head of the PDU", 0, 6, true},
		{"half a head of a PDV", 8, 12, true},
		{"nothing", 3, 3, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, v := &Scanner{}, &sightings{}
			s.Feed(b[:tt.from], v)
			s.Skip(tt.to-tt.from, v)
			require.Equal(t, tt.blind, s.Blind())
			s.Feed(b[tt.to:], v)
			require.NoError(t, s.Err())
			at, known := s.Boundary()
			require.Equal(t, !tt.blind, at && known)
			if !tt.blind {
				require.Equal(t, want, v.lines)
			}
		})
	}
}

func TestScannerSkipsNoCommand(t *testing.T) {
	b := wire(t, goldenEchoRQ)
	var s Scanner
	var v sightings
	s.Feed(b[:20], &v)
	s.Skip(len(b)-20, &v)
	require.True(t, s.Blind())
	require.Nil(t, s.held)
	require.Equal(t, []string{"P-DATA-TF 74"}, v.lines)
}

func TestScannerResyncs(t *testing.T) {
	echo := wire(t, goldenEchoRQ)
	var s Scanner
	var v sightings
	s.Feed(echo[:30], &v)
	s.Resync() // in step: it knows better
	s.Feed(echo[30:], &v)
	require.Equal(t, []string{"P-DATA-TF 74", "1 C-ECHO-RQ 1/0 0000 <nil> Verification"}, v.lines)

	s.Skip(1<<30, &v)
	s.Feed(echo, &v)
	require.Len(t, v.lines, 2, "blind")
	s.Resync()
	s.Feed(echo, &v)
	require.Len(t, v.lines, 4)

	// The owner was wrong: blind again, and not lost.
	s.Skip(1, &v)
	s.Resync()
	s.Feed(bytes.Repeat([]byte{0x55}, 100), &v)
	require.True(t, s.Blind())
	require.NoError(t, s.Err())
	s.Resync()
	s.Feed(echo, &v)
	require.Len(t, v.lines, 6)
}

// A receiver that announced no limit may get a whole object in one PDU, as pynetdicom sends it: that is no nonsense.
func TestScannerHugePDU(t *testing.T) {
	const data = 500<<20 - 1
	head := wire(t, "04 00 00000000 00000000 01 02")
	binary.BigEndian.PutUint32(head[2:], data+pdvHeadLen)
	binary.BigEndian.PutUint32(head[HeaderLen:], data+pdvHeadLen-pdvLenSize)
	var s Scanner
	var v sightings
	s.Feed(head, &v)
	s.Skip(data-1, &v)
	require.NoError(t, s.Err())
	at, known := s.Boundary()
	require.True(t, known && !at)
	s.Feed([]byte{0}, &v)
	s.Feed(wire(t, goldenEchoRQ), &v)
	require.NoError(t, s.Err())
	require.Equal(t, "1 C-ECHO-RQ 1/0 0000 <nil> Verification", v.lines[len(v.lines)-1])

	s = Scanner{}
	s.Feed(wire(t, "04 00 ffffffff fffffffb 01 00"), &v)
	s.Skip(1<<32-1-pdvHeadLen, &v)
	at, known = s.Boundary()
	require.True(t, known && at)
}

// An association PDU has no place in an accepted association: nobody keeps a megabyte of it.
func TestScannerKeepsNoAssociationPDU(t *testing.T) {
	rq := (&AssociateRQ{CalledAE: "A", CallingAE: "B"}).Append(nil)
	rq = append(rq, make([]byte, MaxAssociatePDU-len(rq))...)
	binary.BigEndian.PutUint32(rq[2:], MaxAssociatePDU-HeaderLen)
	for name, pieces := range map[string][][]byte{"whole": {rq}, "in pieces": {rq[:3], rq[3:7], rq[7:5000], rq[5000:]}} {
		t.Run(name, func(t *testing.T) {
			s, v := Scanner{Accepted: true}, sightings{}
			for _, p := range pieces {
				s.Feed(p, &v)
				require.Nil(t, s.held)
			}
			s.Feed(wire(t, goldenEchoRQ), &v)
			require.NoError(t, s.Err())
			require.Equal(t, []string{"A-ASSOCIATE-RQ 1048570", "P-DATA-TF 74", "1 C-ECHO-RQ 1/0 0000 <nil> Verification"}, v.lines)
		})
	}
}

// After a Resync in the wrong place the bytes may look like a PDU: what no sender says there is not taken for one.
func TestScannerResyncsOnPixels(t *testing.T) {
	for _, tt := range []struct{ name, wire string }{
		{"an A-ASSOCIATE-RQ", "01 00 00020000"},
		{"an A-ASSOCIATE-AC", "02 00 00000200"},
		{"an A-ASSOCIATE-RJ", "03 00 00000004 00 01 01 01"},
		{"an A-ABORT with a reserved byte", "07 01 00000004 00 00 02 00"},
		{"a P-DATA-TF of absurd length", "04 00 05000600"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var s Scanner
			var v sightings
			s.Skip(1, &v)
			s.Resync()
			s.Feed(wire(t, tt.wire), &v)
			require.True(t, s.Blind())
			require.Empty(t, v.lines)
		})
	}
}
