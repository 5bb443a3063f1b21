package dicom

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gantry/protocols"
)

func TestDecodeHeader(t *testing.T) {
	tests := []struct {
		name   string
		wire   string
		kind   PDUType
		length uint32
		err    string // "" none, "short", or the sentence
	}{
		{"request", "01 00 000000b4", TypeAssociateRQ, 0xb4, ""},
		{"reserved byte is not looked at", "07 ff 00000004", TypeAbort, 4, ""},
		{"absurd length is the business of CheckLength", "01 00 7fffffff", TypeAssociateRQ, 0x7fffffff, ""},
		{"body behind", "04 00 0000000a 01020304", TypeData, 10, ""},
		{"nothing", "", 0, 0, "short"},
		{"one good byte", "01", 0, 0, "short"},
		{"five bytes", "0100000000", 0, 0, "short"},
		{"HTTP, one byte is enough", "47", 0x47, 0, "PDU type 47 is not known"},
		{"TLS hello", "16 03 01 0200 01", 0x16, 0, "PDU type 16 is not known"},
		{"MLLP", "0b 4d 53 48", 0x0b, 0, "PDU type 0B is not known"},
		{"type 0", "00 00 00000004", 0, 0, "PDU type 00 is not known"},
		{"type 8", "08 00 00000004", 8, 0, "PDU type 08 is not known"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			kind, length, err := DecodeHeader(wire(t, tt.wire))
			require.Equal(t, tt.kind, kind)
			require.Equal(t, tt.length, length)
			requireProblem(t, err, tt.err)
		})
	}
}

func TestCheckLength(t *testing.T) {
	tests := []struct {
		name    string
		kind    PDUType
		length  uint32
		maxData uint32
		ok      bool
	}{
		{"RQ smallest", TypeAssociateRQ, 68, 0, true},
		{"RQ without its fixed part", TypeAssociateRQ, 67, 0, false},
		{"RQ largest", TypeAssociateRQ, MaxAssociatePDU - 6, 0, true},
		{"RQ one more", TypeAssociateRQ, MaxAssociatePDU - 5, 0, false},
		{"RQ absurd", TypeAssociateRQ, 0x7fffffff, 0, false},
		{"AC largest", TypeAssociateAC, MaxAssociatePDU - 6, 0, true},
		{"AC absurd", TypeAssociateAC, 0xffffffff, 0, false},
		{"RJ", TypeAssociateRJ, 4, 0, true},
		{"RJ empty", TypeAssociateRJ, 0, 0, false},
		{"release longer", TypeReleaseRQ, 5, 0, false},
		{"release reply", TypeReleaseRP, 4, 0, true},
		{"abort", TypeAbort, 4, 0, true},
		{"data: one empty PDV", TypeData, 6, 16384, true},
		{"data: less than a PDV", TypeData, 5, 16384, false},
		{"data: as announced", TypeData, 16384, 16384, true},
		{"data: more than announced", TypeData, 16385, 16384, false},
		{"data: no limit announced", TypeData, MaxDataPDU, 0, true},
		{"data: no limit, but absurd", TypeData, MaxDataPDU + 1, 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := CheckLength(tt.kind, tt.length, tt.maxData)
			if tt.ok {
				require.NoError(t, err)
				return
			}
			requireProblem(t, err, "allowed are")
		})
	}
}

func TestPDUTypeString(t *testing.T) {
	require.Equal(t, "A-ASSOCIATE-RQ", TypeAssociateRQ.String())
	require.Equal(t, "A-ABORT", TypeAbort.String())
	require.Equal(t, "PDU type 2A", PDUType(42).String())
}

// requireProblem compares an error with a word for it: "" none, "short"
// protocols.ErrShort, anything else a part of a SyntaxError's sentence.
func requireProblem(t *testing.T, err error, want string) {
	t.Helper()
	switch want {
	case "":
		require.NoError(t, err)
	case "short":
		require.ErrorIs(t, err, protocols.ErrShort)
	default:
		var syntax *protocols.SyntaxError
		require.ErrorAs(t, err, &syntax)
		require.ErrorContains(t, err, want)
		require.Equal(t, "dicom", syntax.Proto)
	}
}
