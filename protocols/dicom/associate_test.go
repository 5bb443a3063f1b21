package dicom

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// rqWith builds a whole A-ASSOCIATE-RQ around hand-written items, with the
// lengths of the header right.
func rqWith(t testing.TB, items string) []byte {
	t.Helper()
	b := appendAssociateHead(nil, TypeAssociateRQ, 1, "STORE", "CT1")
	return setLength(append(b, wire(t, items)...), 0)
}

func TestDecodeAssociateRQTitles(t *testing.T) {
	tests := []struct {
		name string
		raw  string // 16 bytes
		want string
	}{
		{"spaces behind", "STORE           ", "STORE"},
		{"spaces in front", "   STORE        ", "STORE"},
		{"full length", "ABCDEFGHIJKLMNOP", "ABCDEFGHIJKLMNOP"},
		{"inner space stays", "MY PACS         ", "MY PACS"},
		{"case stays", "store           ", "store"},
		{"padded with NUL", "STORE\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", "STORE"},
		{"NUL in front", "\x00\x00STORE         ", "STORE"},
		{"rest of a C string", "STORE\x00garbage\x00  ", "STORE"},
		{"space, then NUL", "STORE \x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", "STORE"},
		{"blank", "                ", ""},
		{"all NUL", strings.Repeat("\x00", 16), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			pdu := goldenRequest().Append(nil)
			copy(pdu[CalledAEOffset:], tt.raw)
			copy(pdu[CallingAEOffset:], tt.raw)
			rq, err := DecodeAssociateRQ(pdu)
			require.NoError(t, err)
			require.Equal(t, tt.want, rq.CalledAE)
			require.Equal(t, tt.want, rq.CallingAE)
		})
	}
}

func TestAppendTitles(t *testing.T) {
	rq := AssociateRQ{CalledAE: "LONGER-THAN-SIXTEEN", CallingAE: "ÄÄ"}
	pdu := rq.Append(nil)
	require.Equal(t, "LONGER-THAN-SIXT", string(pdu[10:26]))
	require.Equal(t, "ÄÄ            ", string(pdu[26:42]), "padded by bytes, not characters")
}

func TestCopyTitles(t *testing.T) {
	rq := goldenRequest().Append(nil)
	copy(rq[10:], "  LEFT\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00")
	rq[73] = 0x5a // the last reserved byte
	ac := (&AssociateAC{CalledAE: "X", CallingAE: "Y"}).Append(nil)
	CopyTitles(ac, rq)
	require.Equal(t, rq[10:74], ac[10:74])
	_, err := DecodeAssociateAC(ac)
	require.NoError(t, err)
}

// Odd, but no reason to refuse: the server behind may like it.
func TestDecodeAssociateRQTolerates(t *testing.T) {
	tests := []struct {
		name  string
		items string
		check func(*testing.T, *AssociateRQ)
	}{
		{"no items at all", "", func(t *testing.T, rq *AssociateRQ) {
			require.Empty(t, rq.Contexts)
			require.Empty(t, rq.ApplicationContext)
		}},
		{"unknown items and sub-items", `
			77 00 0003 010203        // unknown item
			50 00 000c
			   60 00 0000            // unknown sub-item, empty
			   51 00 0004 00002000`,
			func(t *testing.T, rq *AssociateRQ) {
				require.Equal(t, uint32(0x2000), rq.MaxLength)
				require.Equal(t, []byte{0x77, 0x60}, rq.Skipped)
			}},
		{"user information first, application context last", `
			50 00 0008 51000004 00001000
			10 00 0003 312e32`,
			func(t *testing.T, rq *AssociateRQ) {
				require.Equal(t, "1.2", rq.ApplicationContext)
				require.Equal(t, uint32(4096), rq.MaxLength)
			}},
		{"even and repeated context ids", `
			20 00 0004 02000000
			20 00 0004 01000000
			20 00 0004 01000000`,
			func(t *testing.T, rq *AssociateRQ) {
				require.Equal(t, []PresentationContext{{ID: 2}, {ID: 1}, {ID: 1}}, rq.Contexts)
			}},
		{"UID padded with NUL and space", `
			20 00 0010 01000000 30000004 312e3200 40000000`,
			func(t *testing.T, rq *AssociateRQ) {
				require.Equal(t, "1.2", rq.Contexts[0].AbstractSyntax)
				require.Equal(t, []string{""}, rq.Contexts[0].TransferSyntaxes)
			}},
		{"unknown entry inside a context", "20 00 0009 01000000 71000001 00",
			func(t *testing.T, rq *AssociateRQ) {
				require.Len(t, rq.Contexts, 1)
				require.Equal(t, []byte{0x71}, rq.Skipped)
			}},
		{"second user information", "50 00 0008 51000004 00000001  50 00 0008 51000004 00000002",
			func(t *testing.T, rq *AssociateRQ) {
				require.Equal(t, uint32(1), rq.MaxLength)
				require.Equal(t, []byte{0x50}, rq.Skipped)
			}},
		{"maximum length 0 is no limit", "50 00 0008 51000004 00000000",
			func(t *testing.T, rq *AssociateRQ) { require.Zero(t, rq.MaxLength) }},
		{"sub-items that make no sense inside", `
			50 00 003a
			   53 00 0003 010203                  // window of three bytes
			   54 00 0004 0009 0101               // UID longer than the item
			   54 00 0003 0000 01                 // one role byte
			   56 00 0001 00                      // no room for a UID length
			   57 00 0006 0000 0000 0005          // list longer than the item
			   57 00 0009 0000 0000 0003 0002 31  // UID longer than the list
			   51 00 0004 00000007`,
			func(t *testing.T, rq *AssociateRQ) {
				require.Equal(t, []byte{0x53, 0x54, 0x54, 0x56, 0x57, 0x57}, rq.Skipped)
				require.Equal(t, UserInformation{MaxLength: 7, Skipped: rq.Skipped}, rq.UserInformation)
			}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rq, err := DecodeAssociateRQ(rqWith(t, tt.items))
			require.NoError(t, err)
			tt.check(t, rq)
		})
	}
}

func TestDecodeAssociateRQRefuses(t *testing.T) {
	tests := []struct {
		name string
		pdu  []byte
		want string
	}{
		{"nothing", nil, "short"},
		{"header only", wire(t, "01 00 000000b4"), "short"},
		{"last byte missing", goldenRequest().Append(nil)[:185], "short"},
		{"length 7FFFFFFF, at once", wire(t, "01 00 7fffffff"), "A-ASSOCIATE-RQ of length 2147483647"},
		{"length below the fixed part", wire(t, "01 00 00000043"), "length 67"},
		{"another PDU", wire(t, "05 00 00000004 00000000"), "A-RELEASE-RQ where A-ASSOCIATE-RQ was expected"},
		{"another protocol", []byte("GET / HTTP/1.1\r\n"), "PDU type 47"},
		{"half an item head", rqWith(t, "10 00 00"), "offset 74: 3 bytes left over"},
		{"item past the end", rqWith(t, "10 00 0005 31"), "offset 74: item 10 of length 5 runs past its end by 4"},
		{"second item past the end", rqWith(t, "77 00 0000 50 00 ffff"), "offset 78: item 50"},
		{"context item too short", rqWith(t, "20 00 0003 010000"), "context item of 3 bytes"},
		{"syntax past its context", rqWith(t, "20 00 0008 01000000 3000000a  50 00 0006 000000000000"),
			"offset 82: item 30 of length 10 runs past its end by 10"},
		{"half a head in a context", rqWith(t, "20 00 0006 01000000 3000"), "2 bytes left over"},
		{"sub-item past user information", rqWith(t, "50 00 0004 52000001 77000000"), "item 52 of length 1 runs past"},
		{"maximum length of two bytes", rqWith(t, "50 00 0006 51000002 1000"), "must be 4"},
		{"257 contexts", rqWith(t, strings.Repeat("20 00 0004 01000000", 257)), "more than 256 presentation contexts"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rq, err := DecodeAssociateRQ(tt.pdu)
			requireProblem(t, err, tt.want)
			require.Nil(t, rq)
		})
	}
}

func TestDecodeAssociateRQVersion(t *testing.T) {
	for version, want := range map[uint16]bool{0x0001: true, 0x8001: true, 0x0003: true, 0x0002: false, 0: false} {
		pdu := goldenRequest().Append(nil)
		binary.BigEndian.PutUint16(pdu[6:], version)
		rq, err := DecodeAssociateRQ(pdu)
		require.NoError(t, err)
		require.Equal(t, version, rq.Version)
		require.Equal(t, want, rq.SpeaksVersion1(), "version %04x", version)
	}
}

// What a modality sends when it proposes everything: 128 contexts of three
// transfer syntaxes.
func TestAssociateRQ128Contexts(t *testing.T) {
	rq := goldenRequest()
	rq.Contexts = nil
	for n := range 128 {
		rq.Contexts = append(rq.Contexts, PresentationContext{
			ID:               ContextID(n),
			AbstractSyntax:   fmt.Sprintf("%s.%d", SecondaryCaptureUID, n),
			TransferSyntaxes: []string{ImplicitVRLittleEndianUID, ExplicitVRLittleEndianUID, "1.2.840.10008.1.2.2"},
		})
	}
	pdu := rq.Append([]byte("before"))[len("before"):]
	require.Greater(t, len(pdu), 13000)
	got, err := DecodeAssociateRQ(append(pdu, "behind"...))
	require.NoError(t, err)
	require.Equal(t, rq, got)
	require.Equal(t, byte(255), got.Contexts[127].ID)
}

func fullUserInformation() UserInformation {
	return UserInformation{
		MaxLength:              131072,
		ImplementationClassUID: "1.2.3",
		ImplementationVersion:  "V_1",
		Async:                  &AsyncWindow{Invoked: 0, Performed: 8},
		Roles:                  []Role{{SOPClassUID: "1.2.4", SCU: false, SCP: true}, {SOPClassUID: "1.2.5", SCU: true}},
		Extended:               []ExtendedNegotiation{{SOPClassUID: StudyRootFindUID, Info: []byte{1, 0, 1}}},
		CommonExtended: []CommonExtendedNegotiation{
			{Version: 1, SOPClassUID: "1.2.6", ServiceClassUID: "1.2.7", Related: []string{"1.2.8", "1.2.9"}},
			{SOPClassUID: "1.2.6", ServiceClassUID: "1.2.7"},
		},
	}
}

// The sub-items that only some peers send, byte by byte.
func TestUserInformationSubItems(t *testing.T) {
	rq := AssociateRQ{UserInformation: fullUserInformation()}
	pdu := rq.Append(nil)
	require.Equal(t, wire(t, `
		50 00 0094
		51 00 0004 00020000                              // maximum length
		52 00 0005 312e322e33                            // implementation 1.2.3
		53 00 0004 0000 0008                             // any number invoked, 8 performed
		54 00 0009 0005 312e322e34 00 01                 // 1.2.4: not SCU, SCP
		54 00 0009 0005 312e322e35 01 00                 // 1.2.5: SCU, not SCP
		55 00 0003 565f31                                // version V_1
		56 00 0020 001b                                  // study root find: relational
		   312e322e3834302e31303030382e352e312e342e312e322e322e31 010001
		57 01 001e 0005 312e322e36 0005 312e322e37       // 1.2.6 belongs to 1.2.7
		   000e 0005 312e322e38 0005 312e322e39          // related: 1.2.8 and 1.2.9
		57 00 0010 0005 312e322e36 0005 312e322e37 0000`), pdu[99:])

	got, err := DecodeAssociateRQ(pdu)
	require.NoError(t, err)
	require.Equal(t, rq.UserInformation, got.UserInformation)
}

// A user identity may hold a password. It is noticed and nothing more.
func TestUserIdentityIsNeverRead(t *testing.T) {
	rq, err := DecodeAssociateRQ(rqWith(t, `
		50 00 0015
		   58 00 0011 02 01 0005 616c696365 0006 736563726574 // alice, secret`))
	require.NoError(t, err)
	require.True(t, rq.UserIdentity)
	require.NotContains(t, fmt.Sprintf("%+v", rq), "alice")
	require.NotContains(t, string(rq.Append(nil)), "alice")

	ac := (&AssociateAC{}).Append(nil)
	ac = append(ac[:len(ac)-16], wire(t, "50 00 0007 59 00 0003 0001 41")...)
	got, err := DecodeAssociateAC(setLength(ac, 0))
	require.NoError(t, err)
	require.True(t, got.UserIdentity)
}

// A value that cannot be written is left out; the PDU stays sound.
func TestAppendLeavesOutWhatDoesNotFit(t *testing.T) {
	rq := goldenRequest()
	rq.Contexts = append(rq.Contexts, PresentationContext{
		ID: 3, AbstractSyntax: VerificationUID, TransferSyntaxes: make([]string, 20000),
	})
	got, err := DecodeAssociateRQ(rq.Append(nil))
	require.NoError(t, err)
	require.Equal(t, goldenRequest(), got)
}

func FuzzAssociateRQ(f *testing.F) {
	f.Add(goldenRequest().Append(nil))
	f.Add((&AssociateRQ{UserInformation: fullUserInformation()}).Append(nil))
	f.Add(rqWith(f, "20 00 0004 02000000 77 00 0001 00"))
	f.Add(rqWith(f, "50 00 0008 54000004 00090101"))
	f.Add([]byte("\x01\x00\x7f\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		rq, err := DecodeAssociateRQ(b)
		if err != nil || len(b) > maxItemLen {
			require.Equal(t, err == nil, rq != nil)
			return
		}
		// What was understood survives being written and read again.
		again, err := DecodeAssociateRQ(rq.Append(nil))
		require.NoError(t, err)
		rq.Version, rq.Skipped, rq.UserIdentity = max(rq.Version, 1), nil, false
		rq.ApplicationContext = orDefault(rq.ApplicationContext)
		require.Equal(t, rq, again)
	})
}
