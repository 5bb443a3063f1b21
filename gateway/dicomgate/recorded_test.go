package dicomgate_test

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"gantry/gateway/dicomgate"
)

func TestRecordedConversations(t *testing.T) {
	for _, tt := range []struct {
		name, summary, ending string
		responses             int
		symptom               string
		healthy               bool
	}{
		{"echo", "C-ECHO 1 (1 success)", "released by the client", 1, "", true},
		{"abort", "C-ECHO 1 (1 success)", "A-ABORT from the client: aborted by the service user (0/0)", 1, "", true},
		{"store", "C-STORE 2 (2 success), 2 objects", "released by the client", 2, "", true},
		{"store-pieces", "C-STORE 2 (2 success), 2 objects", "released by the client", 2, "", true},
		{"store-refused", "C-STORE 1 (1 failure A700)", "released by the client", 1, dicomgate.SymptomOutOfResources, true},
		{"server-aborts", "C-STORE 1 (1 unanswered)", "A-ABORT from the server: aborted by the service user (0/0)", 0, "", false},
		{"find", "C-FIND 1 (1 success), 1 match", "released by the client", 2, "", true},
		{"find-cancel", "C-FIND 1 (1 success), 2 matches", "released by the client", 3, "", true},
		{"move-unknown", "C-MOVE 1 (1 failure A801)", "released by the client", 1, "", true},
		{"get", "C-GET 1 (1 success), C-STORE to the client 2 (2 success), 2 objects to the client, sub-operations 2 completed",
			"released by the client", 5, "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := replay(t, conversation(t, tt.name), (*talk).from)
			require.Equal(t, tt.summary, k.Summary().String())
			require.Equal(t, tt.ending, k.Ending())
			require.Len(t, k.heard, tt.responses)
			require.Equal(t, []any{"operations", tt.summary, "ending", tt.ending}, k.Attributes())
			symptom, ok := k.Blame()
			require.Equal(t, tt.symptom, symptom)
			require.Equal(t, tt.symptom != "", ok)
			require.Equal(t, tt.healthy, k.Healthy())
			k.outstanding(t, 0)
			require.False(t, k.AtBoundary(dicomgate.Client) || k.AtBoundary(dicomgate.Server), "it has ended")
		})
	}
}

// However the pieces of a conversation are cut, and whatever of the client's data sets passes unseen, the same is heard.
func TestRecordedInAnyPieces(t *testing.T) {
	for _, name := range []string{"store", "store-pieces", "find", "find-cancel", "get", "server-aborts"} {
		t.Run(name, func(t *testing.T) {
			c := conversation(t, name)
			want := replay(t, c, (*talk).from)
			rapid.Check(t, func(t *rapid.T) {
				got := replay(t, c, func(k *talk, server bool, b []byte) {
					for len(b) > 0 {
						n := rapid.IntRange(1, len(b)).Draw(t, "piece")
						k.from(server, b[:n])
						b = b[n:]
					}
				})
				require.Equal(t, want.heard, got.heard)
				require.Equal(t, want.Summary(), got.Summary())
				require.Equal(t, want.Ending(), got.Ending())
			})
		})
	}
}

// A gateway that sees nothing of the client's data sets, and not even the heads of some of its PDUs, still hears all that
// the server says, and finds the client again.
func TestRecordedUnseen(t *testing.T) {
	for _, name := range []string{"store", "store-pieces", "find", "get"} {
		t.Run(name, func(t *testing.T) {
			c := conversation(t, name)
			want := replay(t, c, (*talk).from)
			rapid.Check(t, func(t *rapid.T) {
				got := replay(t, c, func(k *talk, server bool, b []byte) {
					// The client's answers in a C-GET must be seen.
					if !server && name != "get" && rapid.Bool().Draw(t, "unseen") {
						k.SkippedFromClient(len(b))
						return
					}
					k.from(server, b)
				})
				require.Equal(t, want.heard, got.heard)
				require.Equal(t, want.Summary().Stored, got.Summary().Stored)
				require.Equal(t, dicomgate.Released, got.Stage())
			})
		})
	}
}

// Data set fragments that pass unseen lose nothing at all.
func TestRecordedFragmentsUnseen(t *testing.T) {
	c := conversation(t, "store-pieces")
	want := replay(t, c, (*talk).from)
	stream := c.From(false)
	_, _, at, _ := opening(t, c)
	inData := make([]bool, len(stream)) // inside a data set fragment
	for at < len(stream) && stream[at] == 4 {
		end := at + 6 + int(binary.BigEndian.Uint32(stream[at+2:]))
		for at += 6; at < end; {
			n := int(binary.BigEndian.Uint32(stream[at:]))
			for i := at + 6; i < at+4+n; i++ {
				inData[i] = stream[at+5]&1 == 0
			}
			at += 4 + n
		}
	}
	_, _, at, _ = opening(t, c)
	skipped := 0
	got := replay(t, c, func(k *talk, server bool, b []byte) {
		for ; !server && len(b) > 0; at, b = at+1, b[1:] {
			if inData[at] {
				k.SkippedFromClient(1)
				skipped++
			} else {
				k.FromClient(b[:1])
			}
		}
		k.from(server, b)
	})
	require.Greater(t, skipped, 3000)
	require.Equal(t, want.heard, got.heard)
	require.Equal(t, want.Summary(), got.Summary())
}
