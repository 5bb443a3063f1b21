package dicom

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// goldenAC is what DCMTK 3.6.7 (storescp) answered to a request with three
// contexts: verification, worklist (refused) and CT in JPEG 2000 only (refused).
const goldenAC = `
	02 00 000000f2                       // A-ASSOCIATE-AC, 242 bytes follow
	0001 0000                            // protocol version 1, reserved
	414e592d534350 202020202020202020    // called AE title "ANY-SCP", repeated
	47414e545259 20202020202020202020    // calling AE title "GANTRY", repeated
	0000000000000000000000000000000000000000000000000000000000000000
	10 00 0015                           // application context
	   312e322e3834302e31303030382e332e312e312e31
	21 00 0019 01 00 00 00               // context 1: accepted
	   40 00 0011 312e322e3834302e31303030382e312e32
	21 00 0019 03 00 03 00               // context 3: abstract syntax not supported
	   40 00 0011 312e322e3834302e31303030382e312e32
	21 00 0019 05 00 04 00               // context 5: transfer syntaxes not supported
	   40 00 0011 312e322e3834302e31303030382e312e32
	50 00 003a                           // user information
	   51 00 0004 00004000               // maximum length 16384
	   52 00 001b                        // class UID 1.2.276.0.7230010.3.0.3.6.7
	      312e322e3237362e302e373233303031302e332e302e332e362e37
	   55 00 000f                        // version name OFFIS_DCMTK_367
	      4f464649535f44434d544b5f333637`

func TestDecodeAssociateAC(t *testing.T) {
	ac, err := DecodeAssociateAC(wire(t, goldenAC))
	require.NoError(t, err)
	require.Equal(t, &AssociateAC{
		Version: 1, CalledAE: "ANY-SCP", CallingAE: "GANTRY", ApplicationContext: ApplicationContextUID,
		Results: []ContextResult{
			{ID: 1, Result: Accepted, TransferSyntax: ImplicitVRLittleEndianUID},
			{ID: 3, Result: AbstractSyntaxRejected, TransferSyntax: ImplicitVRLittleEndianUID},
			{ID: 5, Result: TransferSyntaxesRejected, TransferSyntax: ImplicitVRLittleEndianUID},
		},
		UserInformation: UserInformation{
			MaxLength: 16384, ImplementationClassUID: "1.2.276.0.7230010.3.0.3.6.7",
			ImplementationVersion: "OFFIS_DCMTK_367",
		},
	}, ac)

	r, ok := ac.Context(3)
	require.True(t, ok)
	require.Equal(t, "abstract syntax not supported", r.Result.String())
	_, ok = ac.Context(7)
	require.False(t, ok)

	require.Equal(t, wire(t, goldenAC), ac.Append(nil))
}

func TestDecodeAssociateACRefuses(t *testing.T) {
	whole := wire(t, goldenAC)
	tests := []struct {
		name string
		pdu  []byte
		want string
	}{
		{"byte missing", whole[:len(whole)-1], "short"},
		{"a request", goldenRequest().Append(nil), "A-ASSOCIATE-RQ where A-ASSOCIATE-AC was expected"},
		{"absurd length", wire(t, "02 00 7fffffff"), "allowed are 68 to 1048570"},
		{"result item too short", acWith(t, "21 00 0003 010000"), "context item of 3 bytes"},
		{"syntax past its item", acWith(t, "21 00 0008 01000000 40000001"), "item 40 of length 1 runs past"},
		{"user information cut", acWith(t, "50 00 0006 51000004 0000"), "item 51 of length 4 runs past"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ac, err := DecodeAssociateAC(tt.pdu)
			requireProblem(t, err, tt.want)
			require.Nil(t, ac)
		})
	}
}

func TestDecodeAssociateACTolerates(t *testing.T) {
	ac, err := DecodeAssociateAC(acWith(t, `
		20 00 0004 01000000                  // a proposal has no place here
		21 00 0004 01000400                  // no transfer syntax at all
		21 00 0008 03000900 77000000         // unknown result, unknown entry`))
	require.NoError(t, err)
	require.Equal(t, []ContextResult{{ID: 1, Result: TransferSyntaxesRejected}, {ID: 3, Result: 9}}, ac.Results)
	require.Equal(t, []byte{0x20, 0x77}, ac.Skipped)
	require.Equal(t, "result 9", ac.Results[1].Result.String())
}

func acWith(t testing.TB, items string) []byte {
	t.Helper()
	b := appendAssociateHead(nil, TypeAssociateAC, 1, "STORE", "CT1")
	return setLength(append(b, wire(t, items)...), 0)
}

func FuzzAssociateAC(f *testing.F) {
	f.Add(wire(f, goldenAC))
	f.Add((&AssociateAC{UserInformation: fullUserInformation()}).Append(nil))
	f.Add(acWith(f, "21 00 0004 01000400 21 00 0000"))
	f.Fuzz(func(t *testing.T, b []byte) {
		ac, err := DecodeAssociateAC(b)
		if err != nil || len(b) > maxItemLen {
			require.Equal(t, err == nil, ac != nil)
			return
		}
		again, err := DecodeAssociateAC(ac.Append(nil))
		require.NoError(t, err)
		ac.Version, ac.Skipped, ac.UserIdentity = max(ac.Version, 1), nil, false
		ac.ApplicationContext = orDefault(ac.ApplicationContext)
		require.Equal(t, ac, again)
	})
}
