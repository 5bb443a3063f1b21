package conformance

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/conformance/peers"
)

// pair is a pynetdicom server behind a door of its own, service D0 and server S of the gateway.
type pair struct {
	t       *testing.T
	server  *peers.Archive
	gateway *peers.Gantry
	door    string
}

func between(t *testing.T, options ...string) pair { return betweenWith(t, "", options...) }

// betweenWith is between with lines for the service.
func betweenWith(t *testing.T, service string, options ...string) pair {
	t.Helper()
	need(t, "pynetdicom")
	server, err := peers.StartPynetdicom(within(t, time.Minute), t.TempDir(), "PYSCP", options...)
	require.NoError(t, err)
	t.Cleanup(server.Stop)
	g, in := doors(t, raced(t), service, server.DICOM)
	return pair{t, server, g, in[0]}
}

// does lets a client do tasks through the gateway.
func (p pair) does(tasks string, options ...string) peers.Lines {
	p.t.Helper()
	lines, err := peers.Pynetdicom(within(p.t, time.Minute), p.t.TempDir(), tasks, p.door, "PYSCP", "PYSCU", options...)
	require.NoError(p.t, err, "%s\nthe server wrote:\n%s", tasks, p.server.Log())
	return lines
}

// there are the server's lines.
func (p pair) there() peers.Lines { return peers.LinesOf(p.server.Log()) }

// counts waits until a metric of the gateway has a value.
func (p pair) counts(want int, name string, labels ...string) {
	p.t.Helper()
	ctx := within(p.t, 10*time.Second)
	require.NoError(p.t, peers.Until(ctx, fmt.Sprintf("%s%v is %d", name, labels, want), func() error {
		got, err := p.gateway.Metric(ctx, name, labels...)
		if err == nil && got != float64(want) {
			err = fmt.Errorf("it is %v", got)
		}
		return err
	}))
}

// TestAssociationsPassUnchanged: the server gets every byte of the request that the client sent, and the client
// every byte of the answer; with 128 presentation contexts, an asynchronous window, role selections and a user
// identity that is answered.
func TestAssociationsPassUnchanged(t *testing.T) {
	p := between(t)
	client := p.does("contexts")
	require.Len(t, client.Of("contexts", "proposed=128", "accepted=128", "invoked=1", "performed=1", "identity=token"), 1, client)
	there := p.there()
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
	p := between(t)
	sent := p.does("syntaxes", "--size", "300000")
	require.Greater(t, len(sent.Of("sent", "status=0000")), 35)
	there := p.there().Of("stored")
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
// understood by whom they are for, and counted rightly.
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
			p := between(t, tt.options...)
			got := p.does("find,get,syntaxes", append([]string{"--size", "5000"}, tt.options...)...)
			require.Equal(t, []string{"ff00,ff00,ff00,0000"}, got.Of("found").All("statuses"))
			require.Len(t, got.Of("got"), 3)
			require.Len(t, got.Of("retrieved", "status=0000", "completed=3", "failed=0"), 1, got)
			require.Equal(t, got.Of("sent").All("sha"), p.there().Of("stored").All("sha"))

			const responses = "gantry_dimse_responses_total"
			p.counts(3, responses, `command="C-FIND"`, `status_class="pending"`)
			p.counts(1, responses, `command="C-FIND"`, `status_class="success"`)
			p.counts(1, responses, `command="C-GET"`, `status_class="success"`)
			p.counts(len(got.Of("sent")), responses, `command="C-STORE"`, `status_class="success"`)
			p.counts(3, "gantry_dicom_sub_operations_total", `outcome="completed"`)
			p.counts(3, "gantry_dicom_associations_total", `outcome="released"`)
		})
	}
}

// TestAsynchronousOperations: answers may come in another order than the requests (PS3.7 D.3.3.3).
func TestAsynchronousOperations(t *testing.T) {
	p := between(t, "--odd", "swapped")
	require.Equal(t, []string{"12,11"}, p.does("window").Of("answers").All("order"))
	p.counts(2, "gantry_dimse_responses_total", `command="C-ECHO"`, `status_class="success"`)
}

// TestMoveByPynetdicom: C-MOVE whose sub-association goes through the gateway, too: the destination is registered
// with the gateway's address.
func TestMoveByPynetdicom(t *testing.T) {
	receiver := between(t)
	mover := between(t, "--peer", "DEST="+receiver.door)
	require.Len(t, mover.does("move", "--destination", "DEST").Of("retrieved", "status=0000", "completed=3", "failed=0"), 1)
	there := receiver.there()
	require.Len(t, there.Of("stored", "originator=PYSCP"), 3, receiver.server.Log())
	require.Len(t, there.Of("accepted", "calling=PYSCP", "called=DEST"), 1, receiver.server.Log())
	require.Len(t, mover.does("move", "--destination", "NOBODY").Of("retrieved", "status=a801"), 1)
	mover.counts(3, "gantry_dicom_sub_operations_total", `outcome="completed"`)
	mover.counts(1, "gantry_dimse_responses_total", `command="C-MOVE"`, `status_class="failure"`)
}

// TestStorageCommitment: the N-ACTION through the gateway, and its result on the same association, where the server
// is the one who asks, or on a new association from the server through a second door (PS3.4 J.3).
func TestStorageCommitment(t *testing.T) {
	t.Run("event on the same association", func(t *testing.T) {
		p := between(t)
		require.Len(t, p.does("commit").Of("commitment-heard", "transaction=2.25.7301.79", "type=1"), 1)
		_, err := p.server.Await(t.Context(), "commitment-told status=0000")
		require.NoError(t, err)
	})
	t.Run("event on a new association", func(t *testing.T) {
		need(t, "pynetdicom")
		ear := peers.FreePort()
		back := peers.FreeAddr()
		p := between(t, "--event", "new", "--peer", "PYSCU="+back)
		gateway(t, raced(t), fmt.Sprintf("services:\n- {name: EGRESS, protocol: dicom, listen: [%q], timeouts: {drain: 1s},"+
			" checks: [{type: connect, port: %s}], servers: [{name: PYSCU, address: '127.0.0.1:%d'}],"+ // it listens only later
			" routes: [{when: {called_ae: [PYSCU]}, calling_ae: VNA}, {reject: called-ae-not-recognized}]}\n",
			back, portOf(p.server.DICOM), ear))
		client := p.does("commit", "--listen", fmt.Sprint(ear))
		require.Len(t, client.Of("commitment-heard", "transaction=2.25.7301.79", "type=1"), 1)
		require.Len(t, client.Of("event-association", "calling=VNA"), 1)
		_, err := p.server.Await(t.Context(), "commitment-told status=0000")
		require.NoError(t, err)
	})
}

// TestPerformedProcedureStep: N-CREATE and, on another association, N-SET.
func TestPerformedProcedureStep(t *testing.T) {
	p := between(t)
	client := p.does("mpps")
	require.Len(t, client.Of("mpps-created", "status=0000"), 1)
	require.Len(t, client.Of("mpps-set", "status=0000"), 1)
	there := p.there()
	require.Len(t, there.Of("mpps-created", "status=IN-PROGRESS"), 1)
	require.Len(t, there.Of("mpps-set", "status=COMPLETED"), 1)
}
