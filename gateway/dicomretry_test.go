package gateway_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/protocols/dicom"
)

const tick = 2 * time.Millisecond

// What a server says, or does not say, to a request decides whether another one
// is asked; the client sees one answer.
func TestAnotherServerIsAsked(t *testing.T) {
	for _, tt := range []struct {
		name string
		act  func(p *dicomPeer)
		want string // what the client hears; "" = the second server's acceptance
	}{
		{"rejected for congestion", func(p *dicomPeer) { p.says(bytesOf(p.t, rjNoServer)) }, ""},
		{"rejected for a local limit", func(p *dicomPeer) { p.says(bytesOf(p.t, rjFull)) }, ""},
		{"rejected without a reason, for now", func(p *dicomPeer) { p.says(bytesOf(p.t, "03000000000400020101")) }, ""},
		{"rejected for good", func(p *dicomPeer) { p.says(bytesOf(p.t, rjCalled)) }, rjCalled},
		{"aborted", func(p *dicomPeer) { p.says(bytesOf(p.t, abortLost)) }, ""},
		{"closed", func(p *dicomPeer) { p.Close() }, ""},
		{"reset", func(p *dicomPeer) { p.reset() }, ""},
		{"half an answer, then closed", func(p *dicomPeer) { p.says(bytesOf(p.t, "0200000000b4")); p.Close() }, ""},
		{"silent", func(*dicomPeer) {}, ""},
		{"another protocol", func(p *dicomPeer) { p.says([]byte("SSH-2.0-OpenSSH\r\n")) }, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			addr, a, b := freePort(t), newArchive(t), newArchive(t)
			soon := ""
			if tt.name == "silent" {
				soon = "  dicom: {associate_timeout: 100ms}\n"
			}
			startUp(t, dicomService(addr, failover+soon, a, b))
			client := dicomClient(t, addr)
			rq := proposal("PACS", "CT1", ctImage)
			client.says(rq.Append(nil))
			first, asked := a.asked()
			tt.act(first)
			if tt.want != "" {
				require.Equal(t, tt.want, client.hears())
				return
			}
			second, again := b.asked()
			require.Equal(t, asked, again, "the same request")
			second.says(acceptance(t, again))
			require.Equal(t, acceptance(t, again), client.pdu())
		})
	}
}

// When nobody accepts, the client hears the last server's own words, or the
// gateway's when there were none.
func TestNobodyAccepts(t *testing.T) {
	for _, tt := range []struct {
		name, extra string
		last        func(p *dicomPeer)
		want        string
	}{
		{"both reject for now", "", func(p *dicomPeer) { p.says(bytesOf(p.t, rjFull)) }, rjFull},
		{"the second aborts", "", func(p *dicomPeer) { p.says(bytesOf(p.t, abortUser)) }, abortUser},
		{"the second is reset: the first had words", "", func(p *dicomPeer) { p.reset() }, rjNoServer},
	} {
		t.Run(tt.name, func(t *testing.T) {
			addr, a, b := freePort(t), newArchive(t), newArchive(t)
			startUp(t, dicomService(addr, failover+tt.extra, a, b))
			client := dicomClient(t, addr)
			rq := proposal("PACS", "CT1", ctImage)
			client.says(rq.Append(nil))
			first, _ := a.asked()
			first.says(bytesOf(t, rjNoServer))
			second, _ := b.asked()
			tt.last(second)
			require.Equal(t, tt.want, client.hears())
		})
	}
}

func TestRetryIsBounded(t *testing.T) {
	addr, a, b, c := freePort(t), newArchive(t), newArchive(t), newArchive(t)
	text := dicomService(addr, failover, a, b, c)
	h := startUp(t, text)
	client := dicomClient(t, addr)
	rq := proposal("PACS", "CT1", ctImage)
	client.says(rq.Append(nil))
	for _, s := range []*archive{a, b} {
		p, _ := s.asked()
		p.says(bytesOf(t, rjFull))
	}
	require.Equal(t, rjFull, client.hears(), "one other server by default")
	require.Zero(t, h.server("PACS", "C").Total)

	_, err := h.reload(replaced(t, text, failover, failover+"  dicom: {retry_associate: 0}\n"))
	require.NoError(t, err)
	client = dicomClient(t, addr)
	client.says(rq.Append(nil))
	p, _ := a.asked()
	p.says(bytesOf(t, rjFull))
	require.Equal(t, rjFull, client.hears())
	require.Equal(t, int64(1), h.server("PACS", "B").Total)
}

// A server that is only slow is waited for when there is no other.
func TestSlowServerWithoutAnother(t *testing.T) {
	addr, a := freePort(t), newArchive(t)
	start(t, dicomService(addr, "  dicom: {associate_timeout: 20ms}\n", a))
	client := dicomClient(t, addr)
	rq := proposal("PACS", "CT1", ctImage)
	client.says(rq.Append(nil))
	p, asked := a.asked()
	require.NoError(t, p.SetReadDeadline(time.Now().Add(200*time.Millisecond)))
	_, err := p.Read(make([]byte, 1))
	require.ErrorContains(t, err, "timeout", "nobody has given it up")
	p.says(acceptance(t, asked))
	require.Equal(t, byte(dicom.TypeAssociateAC), client.pdu()[0])
}

func TestServerThatNeverAnswers(t *testing.T) {
	addr, a := freePort(t), newArchive(t)
	start(t, dicomService(addr, "  timeouts: {handshake: 1s}\n  dicom: {associate_timeout: 20ms}\n", a))
	client := dicomClient(t, addr)
	rq := proposal("PACS", "CT1", ctImage)
	client.says(rq.Append(nil))
	p, _ := a.asked()
	require.Equal(t, rjNoServer, client.hears())
	require.Equal(t, abortLost, p.hears(), "it is told, should it wake up")
}

// A client that leaves, aborts or talks on before it has an answer.
func TestClientBeforeTheAnswer(t *testing.T) {
	for _, tt := range []struct {
		name string
		act  func(p *dicomPeer)
		want string // what the client hears
	}{
		{"leaves", func(p *dicomPeer) { require.NoError(p.t, p.CloseWrite()) }, ""},
		{"resets", func(p *dicomPeer) { p.reset() }, ""},
		{"aborts", func(p *dicomPeer) { p.says(bytesOf(p.t, abortUser)) }, ""},
		{"sends data", func(p *dicomPeer) { p.says(object(1, 10)) }, "07000000000400000202"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			addr, a := freePort(t), newArchive(t)
			start(t, dicomService(addr, "", a))
			client := dicomClient(t, addr)
			rq := proposal("PACS", "CT1", ctImage)
			client.says(rq.Append(nil))
			p, _ := a.asked()
			tt.act(client)
			require.Equal(t, abortLost, p.hears())
			if tt.name != "resets" {
				require.Equal(t, tt.want, client.hears())
			}
		})
	}
}
