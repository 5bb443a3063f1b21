package dicomgate_test

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gantry/gateway/dicomgate"
	"gantry/protocols/dicom"
)

// request is a whole A-ASSOCIATE-RQ for verification.
func request() []byte {
	rq := dicom.AssociateRQ{
		CalledAE: "PACS", CallingAE: "CT1",
		Contexts:        []dicom.PresentationContext{{ID: 1, AbstractSyntax: dicom.VerificationUID, TransferSyntaxes: []string{dicom.ImplicitVRLittleEndianUID}}},
		UserInformation: dicom.UserInformation{MaxLength: 16384, ImplementationClassUID: "2.25.316427"},
	}
	return rq.Append(nil)
}

func TestLength(t *testing.T) {
	for _, tt := range []struct {
		name, head string // hex
		want       int
		err        error
	}{
		{"one byte of a request", "01", dicom.HeaderLen, nil},
		{"five bytes", "0100000000", dicom.HeaderLen, nil},
		{"whole header, 180 bytes to come", "0100 000000b4", 186, nil},
		{"the largest request", "0100 000ffffa", 1 << 20, nil},
		{"one more", "0100 000ffffb", 0, dicomgate.ErrMalformed},
		{"shorter than the fixed part", "0100 00000043", 0, dicomgate.ErrMalformed},
		{"TLS hello", "1603", 0, dicomgate.ErrNotDICOM},
		{"HTTP", "47", 0, dicomgate.ErrNotDICOM},
		{"MLLP", "0b", 0, dicomgate.ErrNotDICOM},
		{"release first", "0500 00000004", 0, dicomgate.ErrUnexpected},
		{"data first", "0400 0000004a", 0, dicomgate.ErrUnexpected},
	} {
		t.Run(tt.name, func(t *testing.T) {
			head, err := hex.DecodeString(strings.ReplaceAll(tt.head, " ", ""))
			require.NoError(t, err)
			n, err := dicomgate.Length(head)
			require.ErrorIs(t, err, tt.err)
			require.Equal(t, tt.want, n)
		})
	}
}

func TestRead(t *testing.T) {
	whole := request()
	rq, err := dicomgate.Read(append(whole, "bytes behind it"...))
	require.NoError(t, err)
	require.Equal(t, "PACS", rq.CalledAE)
	require.Equal(t, "CT1", rq.CallingAE)
	_, err = dicomgate.Read(whole[:len(whole)-1])
	require.ErrorIs(t, err, dicomgate.ErrMalformed)
}

func TestAnswer(t *testing.T) {
	for _, tt := range []struct {
		name string
		err  error
		want string
	}{
		{"another protocol: unrecognized PDU", dicomgate.ErrNotDICOM, "07000000000400000201"},
		{"another PDU: unexpected PDU", dicomgate.ErrUnexpected, "07000000000400000202"},
		{"bad lengths: invalid parameter value", dicomgate.ErrMalformed, "07000000000400000206"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, hex.EncodeToString(dicomgate.Answer(tt.err)))
		})
	}
	require.Equal(t, "03000000000400020301", hex.EncodeToString(dicomgate.NoServer()))
	require.Equal(t, "03000000000400020302", hex.EncodeToString(dicomgate.Full()))
}

// Whatever comes, the wait for more is bounded, and what is whole is read
// without a panic.
func FuzzFirstUnit(f *testing.F) {
	f.Add(request())
	f.Add([]byte("GET / HTTP/1.1\r\n"))
	f.Add([]byte{1, 0, 0x7f, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) == 0 {
			return
		}
		n, err := dicomgate.Length(b[:min(len(b), dicomgate.HeadLen)])
		if err != nil {
			require.True(t, errors.Is(err, dicomgate.ErrNotDICOM) || errors.Is(err, dicomgate.ErrUnexpected) || errors.Is(err, dicomgate.ErrMalformed))
			return
		}
		require.GreaterOrEqual(t, n, dicom.HeaderLen)
		require.LessOrEqual(t, n, dicom.MaxAssociatePDU)
		_, _ = dicomgate.Read(b)
	})
}
