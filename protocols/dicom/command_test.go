package dicom

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCommandRoundTrip(t *testing.T) {
	tests := []struct {
		name string
		cmd  Command
	}{
		{"C-STORE-RQ", Command{
			Field: CStoreRQ, AffectedSOPClassUID: CTImageStorageUID, MessageID: 7, DataSetType: WithDataSet,
			AffectedSOPInstanceUID: "2.25.1", MoveOriginatorAE: "WS1", MoveOriginatorMessageID: 3, Priority: 2,
		}},
		{"C-STORE-RSP", Command{
			Field: CStoreRSP, AffectedSOPClassUID: CTImageStorageUID, MessageIDBeingRespondedTo: 7,
			DataSetType: NoDataSet, Status: 0xA700, ErrorComment: "disk full", AffectedSOPInstanceUID: "2.25.11",
		}},
		{"C-MOVE-RQ", Command{
			Field: CMoveRQ, AffectedSOPClassUID: StudyRootMoveUID, MessageID: 1, DataSetType: 0x0102,
			MoveDestination: "STORE",
		}},
		{"C-MOVE-RSP", Command{
			Field: CMoveRSP, MessageIDBeingRespondedTo: 1, DataSetType: NoDataSet, Status: StatusPending,
			SubOperations: &SubOperations{Remaining: 3, Completed: 1},
		}},
		{"N-ACTION-RQ", Command{
			Field: NActionRQ, RequestedSOPClassUID: StorageCommitmentPushUID, MessageID: 1,
			RequestedSOPInstanceUID: "1.2.840.10008.1.20.1.1", ActionTypeID: 1, DataSetType: WithDataSet,
		}},
		{"N-EVENT-REPORT-RQ", Command{
			Field: NEventReportRQ, AffectedSOPClassUID: StorageCommitmentPushUID, MessageID: 1,
			AffectedSOPInstanceUID: "1.2.840.10008.1.20.1.1", EventTypeID: 2, DataSetType: WithDataSet,
		}},
		{"C-ECHO-RQ", Command{Field: CEchoRQ, MessageID: 0, DataSetType: NoDataSet}},
		{"command 4321", Command{Field: 0x4321, DataSetType: NoDataSet}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := tt.cmd.Append(nil)
			require.Zero(t, len(b)%2, "fragments have even length")
			got, err := DecodeCommand(b)
			require.NoError(t, err)
			require.Equal(t, &tt.cmd, got)
			require.Equal(t, tt.name, got.Name())
		})
	}
}

func TestDecodeCommandTolerates(t *testing.T) {
	tests := []struct {
		name string
		wire string
		want Command
	}{
		{"no group length, unknown element, descending order", `
			0000 0008 02000000 0101
			0000 9999 04000000 01020304
			0000 0001 02000000 3000`, Command{Field: CEchoRQ, DataSetType: NoDataSet}},
		{"wrong group length", "0000 0000 04000000 ffffffff  0000 0001 02000000 3000",
			Command{Field: CEchoRQ, DataSetType: NoDataSet}},
		{"no data set type", "0000 0001 02000000 3000", Command{Field: CEchoRQ, DataSetType: NoDataSet}},
		{"any other data set type means one follows", "0000 0001 02000000 0100  0000 0008 02000000 0000",
			Command{Field: CStoreRQ, DataSetType: 0}},
		{"response without its SOP class", `
			0000 0001 02000000 3080  0000 2001 02000000 0500  0000 0009 02000000 2201`,
			Command{Field: CEchoRSP, MessageIDBeingRespondedTo: 5, DataSetType: NoDataSet, Status: 0x0122}},
		{"UID padded with a space, title with NUL", `
			0000 0001 02000000 2100
			0000 0200 04000000 312e3220
			0000 0006 04000000 20575300`,
			Command{Field: CMoveRQ, AffectedSOPClassUID: "1.2", MoveDestination: "WS", DataSetType: NoDataSet}},
		{"empty elements", "0000 0001 02000000 3000  0000 1001 00000000  0000 0200 00000000",
			Command{Field: CEchoRQ, DataSetType: NoDataSet}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := DecodeCommand(wire(t, tt.wire))
			require.NoError(t, err)
			require.Equal(t, &tt.want, got)
		})
	}
}

func TestDecodeCommandRefuses(t *testing.T) {
	tests := []struct {
		name string
		wire []byte
		want string
	}{
		{"nothing", nil, "without element (0000,0100)"},
		{"no command field", wire(t, "0000 1001 02000000 0100"), "without element (0000,0100)"},
		{"response without status", wire(t, "0000 0001 02000000 3080  0000 2001 02000000 0100"),
			"without element (0000,0900)"},
		{"response with an empty status",
			wire(t, "0000 0001 02000000 3080  0000 2001 02000000 0100  0000 0009 00000000"),
			"without element (0000,0900)"},
		{"response to nothing", wire(t, "0000 0001 02000000 3080  0000 0009 02000000 0000"),
			"without element (0000,0120)"},
		{"data set instead of a command", wire(t, "0800 0500 0a000000 49534f5f495220313030"), "element of group 0008"},
		{"half a head", wire(t, "0000 0001 02000000 3000  0000 00"), "offset 10: 3 bytes left over"},
		{"past the end", wire(t, "0000 0001 02000000 30"), "(0000,0100) of length 2 runs past"},
		{"absurd length", wire(t, "0000 0001 ffffffff 3000"), "length 4294967295 runs past"},
		{"number of four bytes", wire(t, "0000 0001 04000000 30000000"), "(0000,0100) of 4 bytes, must be 2"},
		{"too large", make([]byte, MaxCommand+1), "command set of 65537 bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := DecodeCommand(tt.wire)
			requireProblem(t, err, tt.want)
			require.Nil(t, got)
		})
	}
}

func TestAssembler(t *testing.T) {
	echo := wire(t, goldenEchoRQ)[HeaderLen+pdvHeadLen:]
	part := func(id byte, last bool, data []byte) PDV {
		return PDV{ContextID: id, Command: true, Last: last, Data: data}
	}
	tests := []struct {
		name string
		pdvs []PDV
		want int // commands completed
		err  string
	}{
		{"one fragment", []PDV{part(1, true, echo)}, 1, ""},
		{"split inside an element", []PDV{part(1, false, echo[:21]), part(1, true, echo[21:])}, 1, ""},
		{"byte by byte", bytewise(echo), 1, ""},
		{"last fragment empty", []PDV{part(1, false, echo), part(1, true, nil)}, 1, ""},
		{"data sets between commands", []PDV{part(1, true, echo), {ContextID: 1}, {ContextID: 1, Last: true}, part(3, true, echo)}, 2, ""},
		{"two commands in pieces", []PDV{part(1, false, echo[:9]), part(1, true, echo[9:]), part(3, false, echo[:60]), part(3, true, echo[60:])}, 2, ""},
		{"data inside a command", []PDV{part(1, false, echo[:9]), {ContextID: 1}}, 0, "data set fragment inside"},
		{"context changes", []PDV{part(1, false, echo[:9]), part(3, true, echo[9:])}, 0, "changes from context 1 to 3"},
		{"grows without end", []PDV{part(1, false, make([]byte, MaxCommand)), part(1, false, []byte{0})}, 0, "more than 65536 bytes"},
		{"malformed", []PDV{part(1, true, echo[:9])}, 0, "runs past the end"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var a Assembler
			got, err := 0, error(nil)
			for _, p := range tt.pdvs {
				var cmd *Command
				if cmd, err = a.Add(p); err != nil {
					break
				} else if cmd != nil {
					require.Equal(t, CEchoRQ, cmd.Field)
					got++
				}
			}
			requireProblem(t, err, tt.err)
			require.Equal(t, tt.want, got)
		})
	}
}

// The fragments that the caller lends must not be written to.
func TestAssemblerLeavesInputAlone(t *testing.T) {
	echo := wire(t, goldenEchoRQ)[HeaderLen+pdvHeadLen:]
	buf := append(bytes.Clone(echo), 0xEE, 0xEE)
	var a Assembler
	for _, p := range []PDV{{Command: true, Data: buf[:8]}, {Command: true, Last: true, Data: buf[8:68]}} {
		_, err := a.Add(p)
		require.NoError(t, err)
	}
	require.Equal(t, append(bytes.Clone(echo), 0xEE, 0xEE), buf)
}

func bytewise(b []byte) []PDV {
	var list []PDV
	for i := range b {
		list = append(list, PDV{ContextID: 1, Command: true, Last: i == len(b)-1, Data: b[i : i+1]})
	}
	return list
}

func FuzzCommand(f *testing.F) {
	for _, s := range []string{goldenEchoRSP, goldenFindRQ, goldenCancel} {
		f.Add(wire(f, s))
	}
	f.Add((&Command{Field: CMoveRSP, SubOperations: &SubOperations{Failed: 1}, ErrorComment: "no"}).Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		cmd, err := DecodeCommand(b)
		if err != nil {
			require.Nil(t, cmd)
			return
		}
		_ = cmd.Name()
		again, err := DecodeCommand(cmd.Append(nil))
		require.NoError(t, err)
		require.Equal(t, cmd, again)
	})
}
