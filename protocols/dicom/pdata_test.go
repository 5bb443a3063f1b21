package dicom

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"gantry/protocols"
)

func TestDecodePDVs(t *testing.T) {
	tests := []struct {
		name string
		body string
		want []PDV
		err  string
	}{
		{"command and data in one PDU", `
			00000004 01 03 aabb   // context 1, last of command
			00000004 01 00 ccdd   // data set begins
			00000003 01 02 ee     // data set ends, odd length`,
			[]PDV{
				{ContextID: 1, Command: true, Last: true, Data: []byte{0xaa, 0xbb}},
				{ContextID: 1, Data: []byte{0xcc, 0xdd}},
				{ContextID: 1, Last: true, Data: []byte{0xee}},
			}, ""},
		{"bits 2 to 7 are not looked at", "00000003 05 fd aa",
			[]PDV{{ContextID: 5, Command: true, Data: []byte{0xaa}}}, ""},
		{"empty fragment", "00000002 ff 02", []PDV{{ContextID: 255, Last: true, Data: []byte{}}}, ""},
		{"empty body", "", nil, "without a PDV"},
		{"half a head", "00000002 01", nil, "offset 0: PDV runs past"},
		{"no room for its own head", "00000001 01 03", nil, "PDV of length 1"},
		{"past the end", "00000004 01 03 aa", nil, "offset 0: PDV runs past"},
		{"second one past the end", "00000002 01 03 00000009 01 02 aa", nil, "offset 6: PDV runs past"},
		{"second one of length 0", "00000002 01 03 00000000 01 02", nil, "offset 6: PDV of length 0"},
		{"absurd", "7fffffff 01 03 aa", nil, "PDV of length 2147483647"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := DecodePDVs(wire(t, tt.body))
			requireProblem(t, err, tt.err)
			require.Equal(t, tt.want, got)
		})
	}
}

// 16 MiB of empty PDVs must not become a list of millions.
func TestDecodePDVsIsBounded(t *testing.T) {
	body := bytes.Repeat([]byte{0, 0, 0, 2, 1, 0}, maxPDVs)
	got, err := DecodePDVs(body)
	require.NoError(t, err)
	require.Len(t, got, maxPDVs)
	_, err = DecodePDVs(append(body, body[:6]...))
	requireProblem(t, err, "more than 4096 PDVs")
}

func TestNextPDV(t *testing.T) {
	whole := wire(t, "00000004 01 03 aabb")
	for n := range whole {
		_, rest, err := NextPDV(whole[:n])
		require.ErrorIs(t, err, protocols.ErrShort, "with %d bytes", n)
		require.Len(t, rest, n)
	}
	p, rest, err := NextPDV(append(whole, 0x77))
	require.NoError(t, err)
	require.Equal(t, PDV{ContextID: 1, Command: true, Last: true, Data: []byte{0xaa, 0xbb}}, p)
	require.Equal(t, []byte{0x77}, rest)
	require.Equal(t, 2, cap(p.Data), "appending to Data must not write over what follows")
}

func FuzzPDVs(f *testing.F) {
	f.Add(wire(f, goldenEchoRQ)[HeaderLen:])
	f.Add(wire(f, "00000002 01 03 00000003 01 02 aa"))
	f.Add(wire(f, "7fffffff 01 03"))
	f.Fuzz(func(t *testing.T, body []byte) {
		pdvs, err := DecodePDVs(body)
		if err != nil {
			require.Nil(t, pdvs)
			return
		}
		again, err := DecodePDVs(AppendPData(nil, pdvs...)[HeaderLen:])
		require.NoError(t, err)
		require.Equal(t, pdvs, again)
		var a Assembler
		for _, p := range pdvs {
			if _, err := a.Add(p); err != nil {
				return
			}
		}
	})
}
