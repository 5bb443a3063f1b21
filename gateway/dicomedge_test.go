package gateway_test

import (
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gantry/gateway"
	"gantry/gateway/admin"
	"gantry/protocols/dicom"
)

// What comes in one piece with the request is no part of it: it is early, and
// never reaches a server.
func TestMoreBehindTheRequest(t *testing.T) {
	for _, tt := range []struct {
		name, want string
		more       []byte
	}{
		{"data", "07000000000400000202", object(1, 10)},
		{"an abort", "", bytesOf(t, abortUser)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			addr, a := freePort(t), newArchive(t)
			h := start(t, dicomService(addr, "", a))
			client := dicomClient(t, addr)
			rq := proposal("PACS", "CT1", ctImage)
			client.says(append(rq.Append(nil), tt.more...))
			require.Equal(t, tt.want, client.hears())
			client.Close()
			h.becomes("gantry_connections_in_use", "", 0)
			require.Zero(t, h.server("PACS", "A").Total)
		})
	}
}

// on_down: close takes the server away from who still waits for its answer, not
// the association.
func TestServerThatGoesDownWhileItIsAsked(t *testing.T) {
	addr, a, b := freePort(t), newArchive(t), newArchive(t)
	text := dicomService(addr, failover+"  on_down: close\n  dicom: {retry_associate: 0}\n", a, b)
	startUp(t, replaced(t, text, "{type: connect, interval: 1h}", quickChecks))
	client := dicomClient(t, addr)
	rq := proposal("PACS", "CT1", ctImage)
	client.says(rq.Append(nil))
	asked, _ := a.asked()
	require.NoError(t, a.l.Close())
	require.Equal(t, abortLost, asked.hears())
	b.accepts()
	require.Equal(t, byte(dicom.TypeAssociateAC), client.pdu()[0])
}

// A server that is given up late and one that rejects are two: the second did
// answer.
func TestSecondServerIsNotBlamedForTheFirst(t *testing.T) {
	addr, a, b, c := freePort(t), newArchive(t), newArchive(t), newArchive(t)
	h := startUp(t, dicomService(addr, failover+"  dicom: {associate_timeout: 1s, retry_associate: 2}\n", a, b, c))
	client := dicomClient(t, addr)
	rq := proposal("PACS", "CT1", ctImage)
	client.says(rq.Append(nil))
	first, _ := a.asked()
	second, _ := b.asked()
	second.says(bytesOf(t, rjFull))
	require.Equal(t, "", second.hears())
	require.Equal(t, abortLost, first.hears())
	c.accepts()
	require.Equal(t, byte(dicom.TypeAssociateAC), client.pdu()[0])
	failures := h.counts("gantry_connection_failures_total")
	require.Equal(t, 1.0, failures["timeout,A"])
	require.Zero(t, failures["timeout,B"])
}

// The answer and the end in one piece.
func TestAcceptedAndAbortedAtOnce(t *testing.T) {
	addr, a := freePort(t), newArchive(t)
	h := start(t, dicomService(addr, "", a))
	client := dicomClient(t, addr)
	rq := proposal("PACS", "CT1", ctImage)
	client.says(rq.Append(nil))
	server, request := a.asked()
	server.says(append(acceptance(t, request), bytesOf(t, abortUser)...))
	require.Equal(t, byte(dicom.TypeAssociateAC), client.pdu()[0])
	require.Equal(t, abortUser, client.hears())
	require.Equal(t, "", client.hears(), "nobody has closed")
	require.Equal(t, "", server.hears())
	h.becomes("gantry_dicom_associations_total", "aborted-by-server,A", 1)
}

// A client that asks for the release and ends its side at once is not held for a
// server that never answers.
func TestReleaseThatNobodyAnswers(t *testing.T) {
	addr, a := freePort(t), newArchive(t)
	h := start(t, dicomService(addr, "", a))
	client, server := together(t, addr, "CT1", a)
	client.says(bytesOf(t, releaseRQ))
	require.NoError(t, client.CloseWrite())
	require.Equal(t, releaseRQ, server.hears())
	require.Equal(t, "", server.hears())
	h.becomes("gantry_dicom_associations_total", "ended,A", 1)
}

// Who cancels a large transfer aborts in the midst of bulk that nobody looks into.
// The server closes then, as it must: that is no failure of its.
func TestAbortInBulkIsNotTheServersFault(t *testing.T) {
	addr, a, b := freePort(t), newArchive(t), newArchive(t)
	h := startUp(t, dicomService(addr, failover+"  passive: {failures: 2}\n", a, b))
	part := dicom.AppendPData(nil, dicom.PDV{ContextID: 1, Data: make([]byte, 16000)})
	bulk := append(slices.Repeat(part, 2000), bytesOf(t, abortUser)...)
	begin := object(1, 0)[:len(object(1, 0))-12] // without its empty data set
	for _, source := range []string{"127.0.7.1", "127.0.7.2"} {
		client := dicomClientFrom(t, source, addr)
		rq := proposal("PACS", "CT1", ctImage)
		client.says(rq.Append(nil))
		server := a.accepts()
		_ = client.pdu()
		client.says(begin)
		go func() { _, _ = client.Write(bulk) }()
		_, err := io.CopyN(io.Discard, server, int64(len(begin)+len(bulk)))
		require.NoError(t, err)
		server.Close()
		_ = client.hears()
		client.Close()
	}
	h.becomes("gantry_dicom_associations_total", "server-lost,A", 2)
	require.Equal(t, "up", h.server("PACS", "A").State)
}

// A server that resets the connection after an abort has not failed.
func TestResetAfterAnAbortIsNoFailure(t *testing.T) {
	addr, a := freePort(t), newArchive(t)
	h := start(t, dicomService(addr, "", a))
	client, server := together(t, addr, "CT1", a)
	client.says(bytesOf(t, abortUser))
	require.Equal(t, abortUser, server.hears())
	server.reset()
	_ = heard(client)
	client.Close()
	h.becomes("gantry_dicom_associations_total", "aborted-by-client,A", 1)
	require.Zero(t, h.counts("gantry_connection_failures_total")["reset,A"])
}

// Two places that become free at once are two, whoever is told first.
func TestEveryFreePlaceIsTaken(t *testing.T) {
	gateway.LookSeldom(t)
	addr, a := freePort(t), newArchive(t)
	text := dicomService(addr, "  dicom: {queue: 9, queue_timeout: 1m}\n", a)
	h := start(t, replaced(t, text, "address: '"+a.addr+"'", "max_connections: 4, address: '"+a.addr+"'"))
	var running []*dicomPeer
	for range 4 {
		client, server := together(t, addr, "CT1", a)
		running = append(running, client, server)
	}
	var waiting []*dicomPeer
	for n := range 4 {
		c := dicomClient(t, addr)
		rq := proposal("PACS", "CT2", ctImage)
		c.says(rq.Append(nil))
		h.becomes("gantry_dicom_associations_waiting", "", float64(n+1))
		waiting = append(waiting, c)
	}
	for _, p := range running {
		p.Close()
	}
	for range 4 {
		a.accepts()
	}
	for _, c := range waiting {
		require.Equal(t, byte(dicom.TypeAssociateAC), c.pdu()[0])
	}
}

// What the last associations of a server count that a reload took away is
// forgotten with them.
func TestRemovedServerLeavesNoSeries(t *testing.T) {
	addr, a, b := freePort(t), newArchive(t), newArchive(t)
	text := dicomService(addr, failover, a, b)
	h := startUp(t, text)
	client, server := together(t, addr, "CT1", a)
	_, err := h.reload(strings.Replace(text, "  - {name: A, address: '"+a.addr+"'}\n", "", 1))
	require.NoError(t, err)
	require.Len(t, h.Status().Leaving, 1)
	client.says(object(1, 10))
	_, _ = server.pdu(), server.pdu()
	server.says(stored(1, 0))
	_ = client.pdu()
	require.Equal(t, 1.0, h.counts("gantry_dimse_responses_total")["C-STORE,A,success"])
	client.Close()
	server.Close()
	require.Eventually(t, func() bool {
		return len(h.counts("gantry_dimse_responses_total"))+len(h.counts("gantry_dicom_associations_total")) == 0
	}, patience, tick)
	require.Equal(t, []admin.LeavingStatus{}, h.Status().Leaving)
}
