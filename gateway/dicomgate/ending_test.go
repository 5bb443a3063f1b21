package dicomgate_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gantry/gateway/dicomgate"
	"gantry/protocols/dicom"
)

var (
	releaseRQ = dicom.AppendReleaseRQ(nil)
	releaseRP = dicom.AppendReleaseRP(nil)
	abort20   = dicom.AbortProvider.Append(nil)
)

func TestEnding(t *testing.T) {
	type said struct {
		by dicomgate.Side
		b  []byte
	}
	const client, server = dicomgate.Client, dicomgate.Server
	for _, tt := range []struct {
		name             string
		said             []said
		stage            dicomgate.Stage
		ending           string
		toClient, toServ bool // an A-ABORT may be put there
	}{
		{"nothing", nil, dicomgate.Open, "open", true, true},
		{"release asked", []said{{client, releaseRQ}}, dicomgate.ReleaseAsked, "release asked by the client", true, true},
		{"released", []said{{client, releaseRQ}, {server, releaseRP}}, dicomgate.Released, "released by the client", false, false},
		{"released by the server", []said{{server, releaseRQ}, {client, releaseRP}}, dicomgate.Released, "released by the server", false, false},
		{"both ask", []said{{server, releaseRQ}, {client, releaseRQ}}, dicomgate.ReleaseAsked, "release asked by the server", true, true},
		{"both ask, one has the reply", []said{{server, releaseRQ}, {client, releaseRQ}, {client, releaseRP}},
			dicomgate.ReleaseAsked, "release asked by the server", true, false},
		{"both ask, both have it", []said{{client, releaseRQ}, {server, releaseRQ}, {client, releaseRP}, {server, releaseRP}},
			dicomgate.Released, "released by the client", false, false},
		{"released unseen", []said{{server, releaseRP}}, dicomgate.Released, "released by the client", false, false},
		{"aborted", []said{{server, abort20}}, dicomgate.Aborted,
			"A-ABORT from the server: aborted by the service provider: reason not specified (2/0)", false, false},
		{"the first abort counts", []said{{client, dicom.AbortUser.Append(nil)}, {server, abort20}}, dicomgate.Aborted,
			"A-ABORT from the client: aborted by the service user (0/0)", false, false},
		{"an abort after the release is nothing", []said{{client, releaseRQ}, {server, releaseRP}, {server, abort20}},
			dicomgate.Released, "released by the client", false, false},
		{"half a PDU", []said{{server, releaseRQ[:7]}}, dicomgate.Open, "open", false, true},
		{"half a P-DATA-TF", []said{{client, data(true)[:500]}}, dicomgate.Open, "open", true, false},
		{"between the PDUs of a message", []said{{client, data(false)}}, dicomgate.Open, "open", true, true},
		{"garbage", []said{{client, []byte("GET /")}}, dicomgate.Open, "open", true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := begin(nil)
			for _, s := range tt.said {
				k.from(s.by == server, s.b)
			}
			require.Equal(t, tt.stage, k.Stage())
			require.Equal(t, tt.ending, k.Ending())
			require.Equal(t, tt.toClient, k.AtBoundary(client), "to the client")
			require.Equal(t, tt.toServ, k.AtBoundary(server), "to the server")
		})
	}
}

// Who must still agree to a release.
func TestOwesRelease(t *testing.T) {
	const client, server = dicomgate.Client, dicomgate.Server
	for _, tt := range []struct {
		name                   string
		client, server         [][]byte // what they say; the client first
		clientOwes, serverOwes bool
	}{
		{"nothing asked", nil, nil, false, false},
		{"the client asked", [][]byte{releaseRQ}, nil, false, true},
		{"the server asked", nil, [][]byte{releaseRQ}, true, false},
		{"released", [][]byte{releaseRQ}, [][]byte{releaseRP}, false, false},
		{"aborted instead", [][]byte{releaseRQ}, [][]byte{abort20}, false, false},
		{"both asked", [][]byte{releaseRQ}, [][]byte{releaseRQ}, true, true},
		{"both asked, the client agreed", [][]byte{releaseRQ, releaseRP}, [][]byte{releaseRQ}, false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := begin(nil)
			// A reply comes after the other side's request.
			for i := range max(len(tt.client), len(tt.server)) {
				if i < len(tt.client) {
					k.FromClient(tt.client[i])
				}
				if i < len(tt.server) {
					k.FromServer(tt.server[i])
				}
			}
			require.Equal(t, tt.clientOwes, k.OwesRelease(client), "the client")
			require.Equal(t, tt.serverOwes, k.OwesRelease(server), "the server")
		})
	}
}

func TestAbortedBy(t *testing.T) {
	k := begin(nil)
	k.FromServer(dicom.AbortUnexpectedPDU.Append(nil))
	by, abort := k.AbortedBy()
	require.Equal(t, dicomgate.Server, by)
	require.Equal(t, dicom.AbortUnexpectedPDU, abort)
}

func TestGarbled(t *testing.T) {
	k := begin(nil)
	k.FromServer([]byte("HTTP/1.1"))
	require.True(t, k.Garbled(dicomgate.Server))
	require.False(t, k.Garbled(dicomgate.Client))
	require.EqualError(t, k.Trouble(dicomgate.Server), "dicom: offset 1: PDU type 48 is not known to the upper layer")
	k.outstanding(t, -1)
	require.Equal(t, []any{"operations", "no operations", "ending", "open",
		"server_sent", "dicom: offset 1: PDU type 48 is not known to the upper layer"}, k.Attributes())
}

// What the server did wrong by itself, and what may be the client's doing or somebody else's.
func TestBlameResponses(t *testing.T) {
	for _, tt := range []struct {
		name          string
		field, status uint16
		want          bool
	}{
		{"C-STORE: out of resources", dicom.CStoreRQ, 0xA700, true},
		{"C-STORE: out of resources, vendor's number", dicom.CStoreRQ, 0xA7FF, true},
		{"C-FIND: out of resources", dicom.CFindRQ, 0xA700, true},
		{"C-MOVE: cannot count the matches", dicom.CMoveRQ, 0xA701, true},
		{"C-GET: cannot count the matches", dicom.CGetRQ, 0xA701, true},
		{"N-ACTION: resource limitation", dicom.NActionRQ, 0x0213, true},
		{"C-MOVE: cannot perform sub-operations", dicom.CMoveRQ, 0xA702, false},
		{"C-MOVE: destination unknown", dicom.CMoveRQ, 0xA801, false},
		{"C-STORE: does not match the SOP class", dicom.CStoreRQ, 0xA900, false},
		{"C-STORE: cannot understand", dicom.CStoreRQ, 0xC000, false},
		{"C-FIND: unable to process", dicom.CFindRQ, 0xC001, false},
		{"C-STORE: processing failure", dicom.CStoreRQ, 0x0110, false},
		{"C-STORE: SOP class not supported", dicom.CStoreRQ, 0x0122, false},
		{"C-STORE: not authorized", dicom.CStoreRQ, 0x0124, false},
		{"C-STORE: stored with coercion", dicom.CStoreRQ, 0xB000, false},
		{"success", dicom.CStoreRQ, 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := begin(nil)
			k.FromServer(answer(tt.field, 1, tt.status))
			symptom, got := k.Blame()
			require.Equal(t, tt.want, got)
			require.Equal(t, map[bool]string{true: "out-of-resources"}[tt.want], symptom)
			require.Equal(t, tt.status == 0 || tt.status == 0xB000, k.Healthy())

			k = begin(nil)
			k.FromClient(answer(tt.field, 1, tt.status))
			_, got = k.Blame()
			require.False(t, got, "the client's answer is not the server's")
			require.False(t, k.Healthy())
		})
	}
}

func TestBlameAborts(t *testing.T) {
	for _, tt := range []struct {
		name   string
		before []byte // from the client
		by     dicomgate.Side
		abort  dicom.Abort
		want   bool
	}{
		{"provider, not specified", nil, dicomgate.Server, dicom.AbortProvider, true},
		{"by the client", nil, dicomgate.Client, dicom.AbortProvider, false},
		{"the application", nil, dicomgate.Server, dicom.AbortUser, false},
		{"unrecognized PDU", nil, dicomgate.Server, dicom.AbortUnrecognizedPDU, false},
		{"invalid parameter", nil, dicomgate.Server, dicom.AbortInvalidParameter, false},
		{"after nonsense from the client", []byte{0x55}, dicomgate.Server, dicom.AbortProvider, false},
		{"after the client's own abort", dicom.AbortUser.Append(nil), dicomgate.Server, dicom.AbortProvider, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := begin(nil)
			k.FromClient(tt.before)
			k.from(tt.by == dicomgate.Server, tt.abort.Append(nil))
			symptom, got := k.Blame()
			require.Equal(t, tt.want, got)
			require.Equal(t, map[bool]string{true: "aborted"}[tt.want], symptom)
			require.False(t, k.Healthy())
		})
	}
}
