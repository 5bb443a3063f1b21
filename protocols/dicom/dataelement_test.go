package dicom

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gantry/protocols"
)

// TestElementHead: heads put together by hand from PS3.5 7.1.2 and 7.1.3.
func TestElementHead(t *testing.T) {
	tests := []struct {
		name, hex string
		explicit  bool
		want      ElementHead
	}{
		{"implicit", "1000 2000 04000000 5a5a2d31", false, ElementHead{Tag: 0x00100020, Length: 4, HeadLen: 8}},
		{"explicit, short form", "1000 2000 4c4f 0400 5a5a2d31", true, ElementHead{Tag: 0x00100020, VR: "LO", Length: 4, HeadLen: 8}},
		{"explicit, long form", "e07f 1000 4f57 0000 00000100", true, ElementHead{Tag: 0x7FE00010, VR: "OW", Length: 65536, HeadLen: 12}},
		{"sequence of undefined length", "4000 0001 5351 0000 ffffffff", true, ElementHead{Tag: 0x00400100, VR: "SQ", Length: UndefinedLength, HeadLen: 12}},
		{"item has no VR", "feff 00e0 ffffffff", true, ElementHead{Tag: TagItem, Length: UndefinedLength, HeadLen: 8}},
		{"end of an item", "feff 0de0 00000000", true, ElementHead{Tag: TagItemDelimiter, HeadLen: 8}},
		{"end of a sequence", "feff dde0 00000000", false, ElementHead{Tag: TagSequenceDelimiter, HeadLen: 8}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := wire(t, tt.hex)
			got, err := DecodeElementHead(b, tt.explicit)
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
			for n := range tt.want.HeadLen {
				_, err := DecodeElementHead(b[:n], tt.explicit)
				require.ErrorIs(t, err, protocols.ErrShort)
			}
		})
	}
	_, err := DecodeElementHead(wire(t, "1000 2000 04000000"), true)
	require.EqualError(t, err, "dicom: offset 4: element (0010,0020) without a value representation")
}

func TestTag(t *testing.T) {
	const tag Tag = 0x7FE00010
	require.Equal(t, "(7FE0,0010)", tag.String())
	require.EqualValues(t, 0x7FE0, tag.Group())
	require.EqualValues(t, 0x0010, tag.Element())
}

// FuzzElementHead: a head is 8 or 12 bytes that are there, or an error.
func FuzzElementHead(f *testing.F) {
	f.Add([]byte("\x10\x00\x20\x00\x04\x00\x00\x00"), false)
	f.Add([]byte("\xe0\x7f\x10\x00OW\x00\x00\x00\x00\x01\x00"), true)
	f.Fuzz(func(t *testing.T, b []byte, explicit bool) {
		h, err := DecodeElementHead(b, explicit)
		if err != nil {
			require.Zero(t, h)
			return
		}
		require.Contains(t, []int{8, 12}, h.HeadLen)
		require.LessOrEqual(t, h.HeadLen, len(b))
		require.Contains(t, []int{0, 2}, len(h.VR))
	})
}

// FuzzShortPDUs: the PDUs of ten bytes give back what they were made of.
func FuzzShortPDUs(f *testing.F) {
	f.Add(RejectCalledAE.Append(nil))
	f.Add(AbortUser.Append(nil))
	f.Add(AppendReleaseRQ(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		if rj, err := DecodeReject(b); err == nil {
			again, err := DecodeReject(rj.Append(nil))
			require.NoError(t, err)
			require.Equal(t, rj, again)
			require.NotEmpty(t, rj.String())
			_ = rj.Word()
		}
		if a, err := DecodeAbort(b); err == nil {
			again, err := DecodeAbort(a.Append(nil))
			require.NoError(t, err)
			require.Equal(t, a, again)
			require.NotEmpty(t, a.String())
		}
		if kind, length, err := DecodeHeader(b); err == nil {
			_ = CheckLength(kind, length, 0)
		}
	})
}

// FuzzAssembler: fragments of any kind make commands, or an error, and never more than MaxCommand bytes.
func FuzzAssembler(f *testing.F) {
	f.Add(wire(f, goldenEchoRQ)[HeaderLen:])
	f.Fuzz(func(t *testing.T, body []byte) {
		pdvs, err := DecodePDVs(body)
		if err != nil {
			return
		}
		var a Assembler
		for _, pdv := range pdvs {
			c, err := a.Add(pdv)
			require.LessOrEqual(t, len(a.fragments), MaxCommand)
			if err != nil {
				return
			}
			if c != nil {
				require.NotEmpty(t, c.Name())
			}
		}
	})
}

// TestRejectWord: each reject of PS3.8 table 9-21 has a word, and no other one has.
func TestRejectWord(t *testing.T) {
	for source := range byte(5) {
		for reason := range byte(10) {
			known := rejectReasons[[2]byte{source, reason}] != ""
			require.Equal(t, known, Reject{1, source, reason}.Word() != "", "%d/%d", source, reason)
		}
	}
	require.Equal(t, "called-ae-not-recognized", RejectCalledAE.Word())
	require.Equal(t, "calling-ae-not-recognized", Reject{2, 1, 3}.Word())
	require.Equal(t, "no-reason", Reject{1, 2, 1}.Word())
}
