package gateway_test

import (
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/protocols/dicom"
)

func dicomClientFrom(t testing.TB, source, addr string) *dicomPeer {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(source)}}
	c, err := d.Dial("tcp", addr)
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	require.NoError(t, c.SetDeadline(time.Now().Add(patience)))
	return &dicomPeer{c.(*net.TCPConn), t}
}

// full is a service whose only server takes one association.
func full(t testing.TB, addr, extra string, a *archive) string {
	return replaced(t, dicomService(addr, extra, a), "address: '"+a.addr+"'", "max_connections: 1, address: '"+a.addr+"'")
}

func TestFullServerWithoutAQueue(t *testing.T) {
	addr, a := freePort(t), newArchive(t)
	start(t, full(t, addr, "", a))
	together(t, addr, "CT1", a)
	second := dicomClient(t, addr)
	rq := proposal("PACS", "CT2", ctImage)
	second.says(rq.Append(nil))
	require.Equal(t, rjFull, second.hears())
}

// Who waits for a place gets the next one, first come first served.
func TestQueue(t *testing.T) {
	addr, a := freePort(t), newArchive(t)
	h := start(t, full(t, addr, "  dicom: {queue: 2, queue_timeout: 1m}\n", a))
	client, server := together(t, addr, "CT1", a)
	var waiting []*dicomPeer
	for i, calling := range []string{"CT2", "CT3"} {
		c := dicomClient(t, addr)
		rq := proposal("PACS", calling, ctImage)
		c.says(rq.Append(nil))
		waiting = append(waiting, c)
		h.becomes("gantry_dicom_associations_waiting", "", float64(i+1))
	}
	over := dicomClient(t, addr)
	rq := proposal("PACS", "CT4", ctImage)
	over.says(rq.Append(nil))
	require.Equal(t, rjFull, over.hears(), "the queue is full too")
	for i, calling := range []string{"CT2", "CT3"} {
		client.Close()
		server.Close()
		var asked []byte
		server, asked = a.asked()
		got, err := dicom.DecodeAssociateRQ(asked)
		require.NoError(t, err)
		require.Equal(t, calling, got.CallingAE)
		server.says(acceptance(t, asked))
		client = waiting[i]
		require.Equal(t, byte(dicom.TypeAssociateAC), client.pdu()[0])
	}
	require.Equal(t, 2.0, h.counts("gantry_dicom_associations_queued_total")[""])
	h.becomes("gantry_dicom_associations_waiting", "", 0)
}

func TestQueueIsLeft(t *testing.T) {
	for _, tt := range []struct {
		name, timeout string
		act           func(p *dicomPeer)
		want          string
	}{
		{"when the time is over", "50ms", func(*dicomPeer) {}, rjFull},
		{"by the client", "1m", func(p *dicomPeer) { require.NoError(p.t, p.CloseWrite()) }, ""},
		{"by an abort", "1m", func(p *dicomPeer) { p.says(bytesOf(p.t, abortUser)) }, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			addr, a := freePort(t), newArchive(t)
			h := start(t, full(t, addr, "  dicom: {queue: 2, queue_timeout: "+tt.timeout+"}\n", a))
			together(t, addr, "CT1", a)
			c := dicomClient(t, addr)
			rq := proposal("PACS", "CT2", ctImage)
			c.says(rq.Append(nil))
			if tt.timeout == "1m" {
				h.becomes("gantry_dicom_associations_waiting", "", 1)
			}
			tt.act(c)
			require.Equal(t, tt.want, c.hears())
			c.Close()
			h.becomes("gantry_dicom_associations_waiting", "", 0)
			h.becomes("gantry_connections_in_use", "", 1)
		})
	}
}

// A limit of a calling AE title concerns that title alone, whatever its case when
// that does not matter.
func TestAssociationsPerCallingAE(t *testing.T) {
	addr, a := freePort(t), newArchive(t)
	start(t, dicomService(addr, "  dicom: {associations_per_calling_ae: 1, ignore_ae_case: true}\n", a))
	client, server := together(t, addr, "CT1", a)
	second := dicomClient(t, addr)
	rq := proposal("PACS", "ct1", ctImage)
	second.says(rq.Append(nil))
	require.Equal(t, rjFull, second.hears())
	together(t, addr, "CT2", a)
	client.Close()
	server.Close()
	require.Eventually(t, func() bool {
		c := dicomClient(t, addr)
		rq := proposal("PACS", "CT1", ctImage)
		c.says(rq.Append(nil))
		b := make([]byte, 1)
		require.NoError(t, c.SetReadDeadline(time.Now().Add(50*time.Millisecond)))
		_, err := c.Read(b)
		return err != nil // no reject: the archive is asked
	}, patience, tick)
}

func TestQueueForACallingAE(t *testing.T) {
	addr, a := freePort(t), newArchive(t)
	h := start(t, dicomService(addr, "  dicom: {associations_per_calling_ae: 1, queue: 5, queue_timeout: 1m}\n", a))
	client, server := together(t, addr, "CT1", a)
	second := dicomClient(t, addr)
	rq := proposal("PACS", "CT1", ctImage)
	second.says(rq.Append(nil))
	h.becomes("gantry_dicom_associations_waiting", "", 1)
	together(t, addr, "CT2", a) // is not behind it
	client.Close()
	server.Close()
	a.accepts()
	require.Equal(t, byte(dicom.TypeAssociateAC), second.pdu()[0])
}

// A client that was told no and takes its time to close holds no place meanwhile,
// neither on the server nor in the queue.
func TestRefusedClientHoldsNoPlace(t *testing.T) {
	addr, a := freePort(t), newArchive(t)
	h := start(t, full(t, addr, "  dicom: {queue: 1, queue_timeout: 50ms, retry_associate: 0}\n", a))
	refused := dicomClient(t, addr)
	rq := proposal("PACS", "CT1", ctImage)
	refused.says(rq.Append(nil))
	server, _ := a.asked()
	server.says(bytesOf(t, rjCalled))
	require.Equal(t, rjCalled, refused.hears())
	require.Zero(t, h.server("PACS", "A").Active, "and the client is still there")
	together(t, addr, "CT2", a)
	late := dicomClient(t, addr)
	late.says(rq.Append(nil))
	require.Equal(t, rjFull, late.hears(), "its time in the queue is over")
	require.Zero(t, h.counts("gantry_dicom_associations_waiting")[""])
}
