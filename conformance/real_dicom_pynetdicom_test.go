package conformance

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/conformance/peers"
)

// between starts a pynetdicom server behind a door of its own, and returns the server, the door and a client that
// does one task through it.
func between(t *testing.T, options ...string) (server *peers.Archive, door string, task func(name string, options ...string) peers.Lines) {
	t.Helper()
	need(t, "pynetdicom")
	ctx := within(t, time.Minute)
	server, err := peers.StartPynetdicom(ctx, t.TempDir(), "PYSCP", options...)
	require.NoError(t, err)
	t.Cleanup(server.Stop)
	_, in := doors(t, raced(t), "", server.DICOM)
	return server, in[0], func(name string, options ...string) peers.Lines {
		t.Helper()
		lines, err := peers.Pynetdicom(ctx, t.TempDir(), name, in[0], "PYSCP", "PYSCU", options...)
		require.NoError(t, err, "%s\nthe server wrote:\n%s", name, server.Log())
		return lines
	}
}

// TestAssociationsPassUnchanged: the server gets every byte of the request that the client sent, and the client
// every byte of the answer; with 128 presentation contexts, an asynchronous window, role selections and a user
// identity that is answered.
func TestAssociationsPassUnchanged(t *testing.T) {
	server, _, task := between(t)
	client := task("contexts")
	require.Len(t, client.Of("contexts", "proposed=128", "accepted=128", "invoked=1", "performed=1", "identity=token"), 1, client)
	there := peers.LinesOf(server.Log())
	for _, pdu := range []struct{ word, from string }{{"associate-rq", "client"}, {"associate-ac", "server"}} {
		sent, received := client.Of(pdu.word, "way=sent"), there.Of(pdu.word, "way=received")
		if pdu.from == "server" {
			sent, received = there.Of(pdu.word, "way=sent"), client.Of(pdu.word, "way=received")
		}
		require.Len(t, sent, 1)
		require.Equal(t, sent.All("sha"), received.All("sha"), pdu.word)
		require.Equal(t, sent.All("bytes"), received.All("bytes"), pdu.word)
		t.Logf("%s of %s bytes", pdu.word, sent[0].About["bytes"])
	}
}

// TestEveryTransferSyntax: data sets of every transfer syntax that the standard has arrive as they were sent, byte
// for byte. What is in them is noise: a relay must not care.
func TestEveryTransferSyntax(t *testing.T) {
	server, _, task := between(t)
	sent := task("syntaxes", "--size", "300000")
	require.Greater(t, len(sent.Of("sent", "status=0000")), 35)
	there := peers.LinesOf(server.Log()).Of("stored")
	for _, key := range []string{"syntax", "bytes", "sha"} {
		require.Equal(t, sent.Of("sent").All(key), there.All(key), key)
	}
	for _, common := range []string{"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2",
		"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.90",
		"1.2.840.10008.1.2.4.91", "1.2.840.10008.1.2.4.100", "1.2.840.10008.1.2.4.102", "1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.5"} {
		require.Len(t, there.Of("stored", "syntax="+common), 1, common)
	}
}

// TestOddPDUs: fragments, PDVs and PDUs in every legal arrangement (PS3.8 annex E), from both sides, are relayed
// and understood by whom they are for.
func TestOddPDUs(t *testing.T) {
	for _, tt := range []struct {
		name    string
		options []string
	}{
		{"command and data in one PDU", []string{"--odd", "joined"}},
		{"a command in many PDUs", []string{"--odd", "pdus"}},
		{"a command in many PDVs of one PDU", []string{"--odd", "pdvs"}},
		{"many PDVs, and the data behind them", []string{"--odd", "all"}},
		{"PDUs of 64 bytes at most", []string{"--max-pdu", "64"}},
		{"no maximum length", []string{"--max-pdu", "0"}},
		{"no maximum length, one PDU a message", []string{"--max-pdu", "0", "--odd", "all"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server, _, tasks := between(t, tt.options...)
			got := tasks("find,get,syntaxes", append([]string{"--size", "5000"}, tt.options...)...)
			require.Equal(t, []string{"ff00,ff00,ff00,0000"}, got.Of("found").All("statuses"))
			require.Len(t, got.Of("got"), 3)
			require.Len(t, got.Of("retrieved", "status=0000", "completed=3", "failed=0"), 1, got)
			require.Equal(t, got.Of("sent").All("sha"), peers.LinesOf(server.Log()).Of("stored").All("sha"))
		})
	}
}

// TestAsynchronousOperations: answers may come in another order than the requests (PS3.7 D.3.3.3).
func TestAsynchronousOperations(t *testing.T) {
	_, _, task := between(t, "--odd", "swapped")
	require.Equal(t, []string{"12,11"}, task("window").Of("answers").All("order"))
}

// TestMoveByPynetdicom: C-MOVE whose sub-association goes through the gateway, too: the destination is registered
// with the gateway's address.
func TestMoveByPynetdicom(t *testing.T) {
	receiver, door, _ := between(t)
	_, _, task := between(t, "--peer", "DEST="+door)
	require.Len(t, task("move", "--destination", "DEST").Of("retrieved", "status=0000", "completed=3", "failed=0"), 1)
	there := peers.LinesOf(receiver.Log())
	require.Len(t, there.Of("stored", "originator=PYSCP"), 3, receiver.Log())
	require.Len(t, there.Of("accepted", "calling=PYSCP", "called=DEST"), 1, receiver.Log())
	require.Len(t, task("move", "--destination", "NOBODY").Of("retrieved", "status=a801"), 1)
}

// TestStorageCommitment: the N-ACTION through the gateway, and its result on the same association, where the server
// is the one who asks, or on a new association from the server through a second door (PS3.4 J.3).
func TestStorageCommitment(t *testing.T) {
	t.Run("event on the same association", func(t *testing.T) {
		server, _, task := between(t)
		require.Len(t, task("commit").Of("commitment-heard", "transaction=2.25.7301.79", "type=1"), 1)
		_, err := server.Await(t.Context(), "commitment-told status=0000")
		require.NoError(t, err)
	})
	t.Run("event on a new association", func(t *testing.T) {
		need(t, "pynetdicom")
		ear := peers.FreePort()
		back := peers.FreeAddr()
		server, _, task := between(t, "--event", "new", "--peer", "PYSCU="+back)
		gateway(t, raced(t), fmt.Sprintf("services:\n- {name: EGRESS, protocol: dicom, listen: [%q], timeouts: {drain: 1s},"+
			" checks: [{type: connect, port: %s}], servers: [{name: PYSCU, address: '127.0.0.1:%d'}]}\n", // it listens only later
			back, portOf(server.DICOM), ear))
		client := task("commit", "--listen", fmt.Sprint(ear))
		require.Len(t, client.Of("commitment-heard", "transaction=2.25.7301.79", "type=1"), 1)
		require.Len(t, client.Of("event-association", "calling=PYSCP"), 1)
		_, err := server.Await(t.Context(), "commitment-told status=0000")
		require.NoError(t, err)
	})
}

// TestPerformedProcedureStep: N-CREATE and, on another association, N-SET.
func TestPerformedProcedureStep(t *testing.T) {
	server, _, task := between(t)
	client := task("mpps")
	require.Len(t, client.Of("mpps-created", "status=0000"), 1)
	require.Len(t, client.Of("mpps-set", "status=0000"), 1)
	there := peers.LinesOf(server.Log())
	require.Len(t, there.Of("mpps-created", "status=IN-PROGRESS"), 1)
	require.Len(t, there.Of("mpps-set", "status=COMPLETED"), 1)
}
