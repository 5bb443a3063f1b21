package dicomgate_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"gantry/gateway/dicomgate"
	"gantry/protocols/dicom"
)

func acceptance() []byte {
	ac := dicom.AssociateAC{CalledAE: "PACS", CallingAE: "CT1",
		Results: []dicom.ContextResult{{ID: 1, TransferSyntax: dicom.ImplicitVRLittleEndianUID}}}
	return ac.Append(nil)
}

func TestReadReply(t *testing.T) {
	ac := acceptance()
	for _, tt := range []struct {
		name string
		b    []byte
		want dicomgate.ReplyKind
	}{
		{"accepted", ac, dicomgate.Accepted},
		{"rejected", dicom.RejectCongestion.Append(nil), dicomgate.Rejected},
		{"rejected with numbers of its own", dicom.Reject{Result: 9, Source: 8, Reason: 7}.Append(nil), dicomgate.Rejected},
		{"aborted", dicom.AbortUser.Append(nil), dicomgate.AbortedAtOnce},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for n := range tt.b {
				r, err := dicomgate.ReadReply(tt.b[:n])
				require.NoError(t, err)
				require.Equal(t, dicomgate.Unfinished, r.Kind)
				require.Greater(t, r.Len, n, "bytes that must be there")
			}
			r, err := dicomgate.ReadReply(append(bytes.Clone(tt.b), 4, 0, 0))
			require.NoError(t, err)
			require.Equal(t, tt.want, r.Kind)
			require.Equal(t, len(tt.b), r.Len)
			require.Empty(t, r.Note)
			require.Equal(t, tt.want == dicomgate.Accepted, r.AC != nil)
		})
	}
}

func TestReadReplyWords(t *testing.T) {
	r, err := dicomgate.ReadReply(dicom.RejectLocalLimit.Append(nil))
	require.NoError(t, err)
	require.Equal(t, dicom.RejectLocalLimit, r.Reject)
	r, err = dicomgate.ReadReply(dicom.AbortUnexpectedPDU.Append(nil))
	require.NoError(t, err)
	require.Equal(t, dicom.AbortUnexpectedPDU, r.Abort)
	r, err = dicomgate.ReadReply(acceptance())
	require.NoError(t, err)
	require.Equal(t, dicom.Accepted, r.AC.Results[0].Result)
}

// Framing is sound, what is inside is not: the client may make sense of it.
func TestReadReplyMalformedAC(t *testing.T) {
	ac := acceptance()
	ac[77]++ // the first item claims one byte more
	r, err := dicomgate.ReadReply(ac)
	require.NoError(t, err)
	require.Equal(t, dicomgate.Accepted, r.Kind)
	require.Nil(t, r.AC)
	require.Contains(t, r.Note, "dicom: offset")
	require.Equal(t, len(ac), r.Len)
}

// What is no answer is told from the first bytes that show it.
func TestReadReplyRefuses(t *testing.T) {
	for _, tt := range []struct {
		name string
		b    []byte
		want string
	}{
		{"another protocol", []byte("S"), "no answer to an A-ASSOCIATE-RQ: not a DICOM upper layer PDU"},
		{"a request", []byte{1}, "no answer to an A-ASSOCIATE-RQ but A-ASSOCIATE-RQ"},
		{"data", []byte{4}, "no answer to an A-ASSOCIATE-RQ but P-DATA-TF"},
		{"a release", []byte{6, 0}, "no answer to an A-ASSOCIATE-RQ but A-RELEASE-RP"},
		{"a short AC", []byte{2, 0, 0, 0, 0, 67}, "no answer to an A-ASSOCIATE-RQ: A-ASSOCIATE-AC of length 67"},
		{"an AC over its bound", []byte{2, 0, 0, 16, 0, 0}, "no answer to an A-ASSOCIATE-RQ: A-ASSOCIATE-AC of length 1048576"},
		{"a long RJ", []byte{3, 0, 0, 0, 0, 5}, "no answer to an A-ASSOCIATE-RQ: A-ASSOCIATE-RJ of length 5"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for n := range tt.b {
				_, err := dicomgate.ReadReply(tt.b[:n])
				if n+1 < 6 && err != nil {
					require.EqualError(t, err, tt.want)
				}
			}
			_, err := dicomgate.ReadReply(tt.b)
			require.ErrorIs(t, err, dicomgate.ErrNoReply)
			require.EqualError(t, err, tt.want)
		})
	}
}

func TestTitles(t *testing.T) {
	rq := request()
	copy(rq[10:42], "PACS\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00  CT1           ")
	original := bytes.Clone(rq)
	for _, tt := range []struct{ name, called, calling, want string }{
		{"nothing", "", "", "PACS\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00  CT1           "},
		{"called", "DICOM1", "", "DICOM1            CT1           "},
		{"calling", "", "GATEWAY", "PACS\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00GATEWAY         "},
		{"both, too long", "ABCDEFGHIJKLMNOPQ", "abcdefghijklmnop", "ABCDEFGHIJKLMNOPabcdefghijklmnop"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := dicomgate.RewriteTitles(rq, tt.called, tt.calling)
			require.Equal(t, original, rq, "the original is kept")
			require.Equal(t, tt.want, string(got[10:42]))
			require.Equal(t, rq[:10], got[:10])
			require.Equal(t, rq[42:], got[42:])

			ac := acceptance()
			whole := bytes.Clone(ac)
			copy(ac[10:42], got[10:42])
			dicomgate.RestoreTitles(ac, original)
			require.Equal(t, original[10:42], ac[10:42])
			require.Equal(t, whole[42:], ac[42:])
		})
	}
	require.Equal(t, []byte{1, 2}, dicomgate.RewriteTitles([]byte{1, 2}, "A", "B"))
	dicomgate.RestoreTitles([]byte{1, 2}, original)
}
