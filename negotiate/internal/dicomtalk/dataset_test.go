package dicomtalk

import (
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/suyashkumar/dicom/pkg/tag"

	"gantry/protocols/dicom"
)

// TestEncode compares what the library writes with bytes put together by hand from PS3.5 7.1, 7.5 and 6.2.
func TestEncode(t *testing.T) {
	set, err := Encode(
		Text(tag.SOPInstanceUID, "2.25.12"),
		Text(tag.QueryRetrieveLevel, "IMAGE"),
		Text(tag.PatientID, ""),
		Number(tag.Rows, 258),
		Sequence(tag.ScheduledProcedureStepSequence, Text(tag.Modality, "OT")),
	)
	require.NoError(t, err)
	want := "\x08\x00\x18\x00" + "\x08\x00\x00\x00" + "2.25.12\x00" + // UI is padded with NUL
		"\x08\x00\x52\x00" + "\x06\x00\x00\x00" + "IMAGE " + // CS is padded with a space
		"\x10\x00\x20\x00" + "\x00\x00\x00\x00" + // empty
		"\x28\x00\x10\x00" + "\x02\x00\x00\x00" + "\x02\x01" + // US
		"\x40\x00\x00\x01" + "\xff\xff\xff\xff" + // SQ
		"\xfe\xff\x00\xe0" + "\xff\xff\xff\xff" + // item
		"\x08\x00\x60\x00" + "\x02\x00\x00\x00" + "OT" +
		"\xfe\xff\x0d\xe0" + "\x00\x00\x00\x00" + // end of the item
		"\xfe\xff\xdd\xe0" + "\x00\x00\x00\x00" // end of the sequence
	require.Equal(t, hex.Dump([]byte(want)), hex.Dump(set))
	_, err = Encode(Element{tag.Rows, "text"})
	require.Error(t, err)
	_, err = Encode(Text(tag.Tag{Group: 0x0011, Element: 1}, "unknown"))
	require.Error(t, err)
}

func TestValueOf(t *testing.T) {
	const patientID dicom.Tag = 0x00100020
	tests := []struct {
		name, set, value string
		ok               bool
	}{
		{"there", "\x08\x00\x52\x00\x02\x00\x00\x00AB" + "\x10\x00\x20\x00\x04\x00\x00\x00 Z1 ", "Z1", true},
		{"empty", "\x10\x00\x20\x00\x00\x00\x00\x00", "", false},
		{"blank", "\x10\x00\x20\x00\x02\x00\x00\x00  ", "", false},
		{"absent", "\x08\x00\x52\x00\x02\x00\x00\x00AB", "", false},
		{"nothing", "", "", false},
		{"longer than the rest", "\x10\x00\x20\x00\x09\x00\x00\x00AB", "", false},
		{"behind an undefined length", "\x08\x00\x11\x11\xff\xff\xff\xff" + "\x10\x00\x20\x00\x02\x00\x00\x00AB", "", false},
		{"half a head", "\x10\x00\x20", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			value, ok := valueOf([]byte(tt.set), patientID)
			require.Equal(t, []any{tt.value, tt.ok}, []any{value, ok})
		})
	}
}

// FuzzValueOf: any identifier is read to its end, or not at all.
func FuzzValueOf(f *testing.F) {
	f.Add([]byte("\x08\x00\x52\x00\x02\x00\x00\x00AB\x10\x00\x20\x00\x02\x00\x00\x00Z1"))
	f.Add([]byte("\x10\x00\x20\x00\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, set []byte) {
		value, ok := valueOf(set, 0x00100020)
		require.Equal(t, ok, value != "")
		require.LessOrEqual(t, len(value), len(set))
	})
}
