package dicomtalk

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gantry/negotiate"
	"gantry/protocols/dicom"
)

// TestCommandText: a peer's own text is not shown, the numbers beside it are.
func TestCommandText(t *testing.T) {
	rsp := dicom.Command{Field: dicom.CFindRSP, MessageIDBeingRespondedTo: 1, DataSetType: dicom.NoDataSet, Status: 0xC001,
		ErrorComment: "patient DOE^JOHN", AffectedSOPInstanceUID: "DOE", MoveOriginatorAE: "DOE"}
	set := string(rsp.Append(nil))
	for cut := range len(set) {
		talk := append(opened(dicom.ImplicitVRLittleEndianUID), received(pdata(true, false, set[:cut])), received(pdata(true, true, set[cut:])))
		got := Narrate(talk)
		require.NotContains(t, told(got), "DOE")
		require.Contains(t, told(got), "(0000,0900) status C001 failure\n(0000,0902) 16 bytes, masked\n")
	}
	require.NotContains(t, told(Narrate(append(opened(dicom.ImplicitVRLittleEndianUID), received(pdata(true, true, set))))), "DOE")
}

// TestForeign: what is no DICOM is told by its size and its first bytes.
func TestForeign(t *testing.T) {
	page := "HTTP/1.1 400 Bad Request\r\n\r\nDOE^JOHN"
	tests := []struct {
		name   string
		chunks []negotiate.Chunk
		title  string
		shown  string
		more   int
	}{
		{"text", []negotiate.Chunk{received([]byte(page))}, "not DICOM, 36 bytes", page[:16], 0},
		{"one byte", []negotiate.Chunk{received([]byte{0xEE})}, "not DICOM, 1 byte", "\xee", 0},
		{"absurd length", []negotiate.Chunk{received([]byte("\x02\x00\x7f\xff\xff\xffDOE"))}, "A-ASSOCIATE-AC with a length of 2147483647 bytes, which is not allowed: 9 bytes", "\x02\x00\x7f\xff\xff\xffDOE", 0},
		{"half a header", []negotiate.Chunk{received([]byte{2, 0})}, "beginning of a PDU, 2 bytes", "\x02\x00", 0},
		{"more than was recorded", []negotiate.Chunk{received(pdata(false, true, "DOE^JOHN")[:15]), {Lost: 7}}, "beginning of a PDU, and what came after it: 22 bytes", "\x04\x00\x00\x00\x00\x0e", 7},
		{"nothing but what was not recorded", []negotiate.Chunk{{Lost: 7}}, "7 bytes more, not recorded", "", 7},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := Narrate(tt.chunks)
			require.Len(t, got, 1)
			require.Equal(t, tt.title, got[0].Title)
			require.Equal(t, tt.shown, strings.TrimRight(string(got[0].Bytes), "*"))
			require.Equal(t, tt.more, got[0].More)
		})
	}
}

// TestLarge: a transcript stays readable, whatever it is about.
func TestLarge(t *testing.T) {
	empty := strings.Repeat("\x10\x00\x10\x00\x00\x00\x00\x00", 200)
	got := Narrate([]negotiate.Chunk{received(pdata(false, true, empty))})
	require.Len(t, got[0].Bytes, MaxShown)
	require.Equal(t, 1612-MaxShown, got[0].More)
	require.Len(t, got[0].Notes, MaxNotes+1)
	require.Equal(t, "and 9 more", got[0].Notes[MaxNotes])
}

// FuzzNarrate: any bytes, in any pieces, become passages that account for all of them; pieces change no word.
func FuzzNarrate(f *testing.F) {
	for _, c := range opened(dicom.ExplicitVRLittleEndianUID) {
		f.Add(c.Data, 7, 0)
	}
	f.Add(append(pdata(true, true, "\x00\x00\x00\x01\x02\x00\x00\x00\x20\x00"), pdata(false, true, patient)...), 20, 3)
	f.Add(pdata(false, false, patient), 1, 0)
	f.Add([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"), 5, 0)
	f.Fuzz(func(t *testing.T, data []byte, piece, lost int) {
		lost = min(max(lost, 0), 1<<20)
		var pieces []negotiate.Chunk
		for rest := data; len(rest) > 0; {
			n := min(max(piece, 1), len(rest))
			pieces, rest = append(pieces, received(rest[:n:n])), rest[n:]
		}
		before := bytes.Clone(data)
		whole := Narrate([]negotiate.Chunk{received(data), {Lost: lost}})
		cut := Narrate(append(pieces, negotiate.Chunk{Lost: lost}))
		require.Equal(t, before, data, "what was recorded is left alone")
		require.Equal(t, told(whole), told(cut))
		total := 0
		for _, p := range whole {
			require.LessOrEqual(t, len(p.Bytes), MaxShown)
			require.LessOrEqual(t, len(p.Notes), MaxNotes+1)
			total += len(p.Bytes) + p.More
		}
		require.Equal(t, len(data)+lost, total)
	})
}

// TestUIDs: a UID that the server names stands for somebody's study, unless gantry has asked for it.
func TestUIDs(t *testing.T) {
	study := func(uid string) string { return "\x20\x00\x0d\x00\x06\x00\x00\x00" + uid }
	talk := append(opened(dicom.ImplicitVRLittleEndianUID), sent(pdata(false, true, study("2.25.7"))),
		received(pdata(false, true, study("2.25.7")+study("2.25.8"))))
	got := Narrate(talk)
	require.Contains(t, got[1].Notes, "(0020,000D) StudyInstanceUID 2.25.7")
	require.Equal(t, []string{"(0020,000D) StudyInstanceUID 2.25.7", "(0020,000D) StudyInstanceUID, 6 bytes, masked"}, got[3].Notes[1:])
	require.NotContains(t, told(got), "2.25.8")

	rsp := dicom.Command{Field: dicom.CStoreRSP, MessageIDBeingRespondedTo: 1, DataSetType: dicom.NoDataSet,
		AffectedSOPClassUID: dicom.SecondaryCaptureUID, AffectedSOPInstanceUID: "2.25.19520317"}
	got = Narrate(append(opened(dicom.ImplicitVRLittleEndianUID), received(pdata(true, true, string(rsp.Append(nil))))))
	require.Contains(t, got[2].Notes, "(0000,0002) affected SOP class SecondaryCaptureImageStorage")
	require.Contains(t, got[2].Notes, "(0000,1000) affected SOP instance, masked")
	require.NotContains(t, told(got), "19520317")
}

// TestMiddleOfADataSet: what is no PDU behind one may be a part of a match.
func TestMiddleOfADataSet(t *testing.T) {
	got := Narrate([]negotiate.Chunk{received(dicom.AppendReleaseRP(nil)), received([]byte("DOE^JOHN 19520317"))})
	require.Equal(t, "not DICOM, 17 bytes", got[1].Title)
	require.NotContains(t, told(got), "DOE")
}

// TestLongVersionName: a version name is short, or it is none.
func TestLongVersionName(t *testing.T) {
	ac := dicom.AssociateAC{UserInformation: dicom.UserInformation{ImplementationVersion: "1 FOR PATIENT DOE^JOHN"}}
	require.NotContains(t, told(Narrate([]negotiate.Chunk{received(ac.Append(nil))})), "DOE")
}
