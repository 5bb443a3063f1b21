package dicom

import (
	"fmt"
	"hash/crc32"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"gantry/fixtures/recorded"
)

// sightings are a Visitor's notes. Pieces of one data set become one line, so that notes do not depend on how the bytes
// came.
type sightings struct {
	lines []string
	bytes int // of the data set under way
}

func (s *sightings) note(format string, args ...any) {
	s.flush()
	s.lines = append(s.lines, fmt.Sprintf(format, args...))
}

func (s *sightings) flush() {
	if s.bytes > 0 {
		s.lines = append(s.lines, fmt.Sprintf("data %d", s.bytes))
		s.bytes = 0
	}
}

func (s *sightings) PDU(t PDUType, length uint32) { s.note("%v %d", t, length) }
func (s *sightings) Whole(t PDUType, pdu []byte) {
	if len(pdu) > 10 {
		s.note("whole %v %08x", t, crc32.ChecksumIEEE(pdu))
		return
	}
	s.note("whole %v %x", t, pdu)
}
func (s *sightings) Command(context byte, c *Command) {
	s.note("%d %s %d/%d %04X %+v %s", context, c.Name(), c.MessageID, c.MessageIDBeingRespondedTo, c.Status, c.SubOperations,
		UIDName(c.AffectedSOPClassUID))
	if c.AffectedSOPInstanceUID+c.RequestedSOPInstanceUID+c.ErrorComment != "" {
		s.note("a name of an object")
	}
}

func (s *sightings) Data(context byte, n int, last bool) {
	s.bytes += n
	if last {
		n, s.bytes = s.bytes, 0
		s.note("%d data set ends with %d", context, n)
	}
}

// scan feeds pieces to a new Scanner.
func scan(pieces ...[]byte) (*Scanner, []string) {
	var s Scanner
	var v sightings
	for _, p := range pieces {
		s.Feed(p, &v)
	}
	v.flush()
	return &s, v.lines
}

// streams are both directions of all recorded conversations.
func streams(t testing.TB) map[string][]byte {
	all, err := recorded.All()
	require.NoError(t, err)
	streams := map[string][]byte{}
	for _, c := range all {
		streams[c.Name+" client"], streams[c.Name+" server"] = c.From(false), c.From(true)
	}
	return streams
}

func TestScannerSees(t *testing.T) {
	all := streams(t)
	for _, tt := range []struct {
		name string
		want []string // without association PDUs
	}{
		{"echo client", []string{"P-DATA-TF 74", "1 C-ECHO-RQ 1/0 0000 <nil> Verification", "A-RELEASE-RQ 4", "whole A-RELEASE-RQ 05000000000400000000"}},
		{"echo server", []string{"P-DATA-TF 84", "1 C-ECHO-RSP 0/1 0000 <nil> Verification", "A-RELEASE-RP 4", "whole A-RELEASE-RP 06000000000400000000"}},
		{"abort client", []string{"P-DATA-TF 74", "1 C-ECHO-RQ 1/0 0000 <nil> Verification", "A-ABORT 4", "whole A-ABORT 07000000000400000000"}},
		{"store-refused server", []string{"P-DATA-TF 116", "1 C-STORE-RSP 0/1 A700 <nil> SecondaryCaptureImageStorage", "A-RELEASE-RP 4", "whole A-RELEASE-RP 06000000000400000000"}},
		{"move-unknown server", []string{"P-DATA-TF 124", "3 C-MOVE-RSP 0/1 A801 &{Remaining:0 Completed:0 Failed:0 Warning:0} StudyRootQueryRetrieveInformationModelMove", "A-RELEASE-RP 4", "whole A-RELEASE-RP 06000000000400000000"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, got := scan(all[tt.name])
			require.NoError(t, s.Err())
			require.Equal(t, tt.want, got[2:])
			at, known := s.Boundary()
			require.True(t, at && known)
		})
	}
}

// Wherever a recorded stream is cut, the same is seen; and no name of an object is. The longest streams, which are 128
// contexts for the most part, are cut at every 11th byte.
func TestScannerEveryCut(t *testing.T) {
	for name, b := range streams(t) {
		t.Run(name, func(t *testing.T) {
			s, want := scan(b)
			require.NoError(t, s.Err())
			require.NotContains(t, want, "a name of an object")
			step := 1
			if len(b) > 8<<10 {
				step = 11
			}
			for i := 0; i < len(b); i += step {
				_, got := scan(b[:i], b[i:])
				require.Equal(t, want, got, "cut at %d", i)
			}
			_, got := scan(single(b)...)
			require.Equal(t, want, got, "byte by byte")
		})
	}
}

// single cuts into bytes.
func single(b []byte) (pieces [][]byte) {
	for i := range b {
		pieces = append(pieces, b[i:i+1])
	}
	return pieces
}

// What comes in one piece is not copied, what is whole is given back, and one at rest is small.
func TestScannerIsSmall(t *testing.T) {
	require.Less(t, unsafe.Sizeof(Scanner{}), uintptr(100), "bytes")
	for name, b := range streams(t) {
		s, _ := scan(single(b)...)
		require.Nil(t, s.held, name)
	}
	s, _ := scan(make([]byte, 0), wire(t, "04 00 00fffff0 00ffffec 01 01"))
	require.Empty(t, s.held, "memory that a peer merely announces")
}
