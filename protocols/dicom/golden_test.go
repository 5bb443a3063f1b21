package dicom

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// wire turns annotated hexadecimal into bytes: everything behind // is text.
func wire(t testing.TB, annotated string) []byte {
	t.Helper()
	var digits strings.Builder
	for line := range strings.Lines(annotated) {
		line, _, _ = strings.Cut(line, "//")
		digits.WriteString(strings.Join(strings.Fields(line), ""))
	}
	b, err := hex.DecodeString(digits.String())
	require.NoError(t, err)
	return b
}

// The vectors below were accepted by storescp, dcmqrscp, wlmscpfs and Orthanc,
// or seen from them.
const (
	goldenRQ = `
		01 00 000000b4                       // A-ASSOCIATE-RQ, 180 bytes follow
		0001 0000                            // protocol version 1, reserved
		414e592d534350 202020202020202020    // called AE title "ANY-SCP"
		48434757 202020202020202020202020    // calling AE title "HCGW"
		0000000000000000000000000000000000000000000000000000000000000000
		10 00 0015                           // application context
		   312e322e3834302e31303030382e332e312e312e31
		20 00 002e 01 000000                 // presentation context 1
		   30 00 0011                        // abstract syntax: verification
		      312e322e3834302e31303030382e312e31
		   40 00 0011                        // transfer syntax: implicit little endian
		      312e322e3834302e31303030382e312e32
		50 00 0021                           // user information
		   51 00 0004 00004000               // maximum length 16384
		   52 00 000b 322e32352e333136343237 // class UID 2.25.316427
		   55 00 0006 484347575f31           // version name HCGW_1`

	goldenEchoRQ = `
		04 00 0000004a                       // P-DATA-TF, 74 bytes follow
		00000046 01 03                       // PDV of 70: context 1, last of command
		0000 0000 04000000 38000000          // group length 56
		0000 0200 12000000                   // affected SOP class
		   312e322e3834302e31303030382e312e31 00
		0000 0001 02000000 3000              // command field: C-ECHO-RQ
		0000 1001 02000000 0100              // message id 1
		0000 0008 02000000 0101              // no data set`

	goldenEchoRSP = `
		0000 0000 04000000 42000000          // group length 66
		0000 0200 12000000                   // affected SOP class
		   312e322e3834302e31303030382e312e31 00
		0000 0001 02000000 3080              // command field: C-ECHO-RSP
		0000 2001 02000000 0100              // answers message 1
		0000 0008 02000000 0101              // no data set
		0000 0009 02000000 0000              // status: success`

	goldenFindRQ = `
		0000 0000 04000000 4c000000          // group length 76
		0000 0200 1c000000                   // study root find
		   312e322e3834302e31303030382e352e312e342e312e322e322e31 00
		0000 0001 02000000 2000              // command field: C-FIND-RQ
		0000 1001 02000000 0200              // message id 2
		0000 0007 02000000 0000              // priority medium
		0000 0008 02000000 0100              // a data set follows`

	goldenCancel = `
		0000 0000 04000000 1e000000          // group length 30
		0000 0001 02000000 ff0f              // command field: C-CANCEL-RQ
		0000 2001 02000000 0200              // cancels message 2
		0000 0008 02000000 0101              // no data set`
)

func goldenRequest() *AssociateRQ {
	return &AssociateRQ{
		Version:            1,
		CalledAE:           "ANY-SCP",
		CallingAE:          "HCGW",
		ApplicationContext: ApplicationContextUID,
		Contexts: []PresentationContext{{
			ID: 1, AbstractSyntax: VerificationUID, TransferSyntaxes: []string{ImplicitVRLittleEndianUID},
		}},
		UserInformation: UserInformation{
			MaxLength: 16384, ImplementationClassUID: "2.25.316427", ImplementationVersion: "HCGW_1",
		},
	}
}

func TestGoldenAssociateRQ(t *testing.T) {
	want := wire(t, goldenRQ)
	require.Len(t, want, 186)
	require.Equal(t, want, goldenRequest().Append(nil))

	rq, err := DecodeAssociateRQ(want)
	require.NoError(t, err)
	require.Equal(t, goldenRequest(), rq)
	require.True(t, rq.SpeaksVersion1())
}

func TestGoldenEcho(t *testing.T) {
	echo := Command{
		AffectedSOPClassUID: VerificationUID, Field: CEchoRQ, MessageID: 1, DataSetType: NoDataSet,
	}
	pdu := AppendPData(nil, PDV{ContextID: 1, Command: true, Last: true, Data: echo.Append(nil)})
	require.Equal(t, wire(t, goldenEchoRQ), pdu)
	require.Len(t, pdu, 80)

	pdvs, err := DecodePDVs(pdu[HeaderLen:])
	require.NoError(t, err)
	require.Len(t, pdvs, 1)
	got, err := DecodeCommand(pdvs[0].Data)
	require.NoError(t, err)
	require.Equal(t, &echo, got)
	require.False(t, got.HasDataSet())
}

func TestGoldenCommands(t *testing.T) {
	tests := []struct {
		name string
		wire string
		want Command
	}{
		{"C-ECHO-RSP", goldenEchoRSP, Command{
			AffectedSOPClassUID: VerificationUID, Field: CEchoRSP, MessageIDBeingRespondedTo: 1,
			DataSetType: NoDataSet, Status: StatusSuccess,
		}},
		{"C-FIND-RQ", goldenFindRQ, Command{
			AffectedSOPClassUID: StudyRootFindUID, Field: CFindRQ, MessageID: 2, DataSetType: WithDataSet,
		}},
		{"C-CANCEL-RQ", goldenCancel, Command{
			Field: CCancelRQ, MessageIDBeingRespondedTo: 2, DataSetType: NoDataSet,
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := wire(t, tt.wire)
			require.Equal(t, b, tt.want.Append(nil))
			got, err := DecodeCommand(b)
			require.NoError(t, err)
			require.Equal(t, &tt.want, got)
			require.Equal(t, tt.name, got.Name())
		})
	}
}

func TestGoldenShortPDUs(t *testing.T) {
	tests := []struct {
		name string
		wire string
		got  []byte
	}{
		{"release request", "05000000000400000000", AppendReleaseRQ(nil)},
		{"release reply", "06000000000400000000", AppendReleaseRP(nil)},
		{"abort by user", "07000000000400000000", AbortUser.Append(nil)},
		{"abort: unexpected PDU", "07000000000400000202", AbortUnexpectedPDU.Append(nil)},
		{"abort: bad value", "07000000000400000206", AbortInvalidParameter.Append(nil)},
		{"reject: called AE", "03000000000400010107", RejectCalledAE.Append(nil)},
		{"reject: calling AE", "03000000000400010103", RejectCallingAE.Append(nil)},
		{"reject: version", "03000000000400010202", RejectVersion.Append(nil)},
		{"reject: congestion", "03000000000400020301", RejectCongestion.Append(nil)},
		{"reject: local limit", "03000000000400020302", RejectLocalLimit.Append(nil)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, wire(t, tt.wire), tt.got)
			require.True(t, bytes.HasPrefix(tt.got[2:], []byte{0, 0, 0, 4}))
		})
	}
}
