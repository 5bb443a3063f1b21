package gateway_test

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/protocols/dicom"
)

// dicomPeer is one end of an association that a test plays by hand.
type dicomPeer struct {
	*net.TCPConn
	t testing.TB
}

func dicomClient(t testing.TB, addr string) *dicomPeer {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	require.NoError(t, c.SetDeadline(time.Now().Add(patience)))
	return &dicomPeer{c.(*net.TCPConn), t}
}

// pdu reads the next whole PDU; nil at the end.
func (p *dicomPeer) pdu() []byte {
	p.t.Helper()
	head := make([]byte, dicom.HeaderLen)
	if n, err := io.ReadFull(p, head); n == 0 && err != nil {
		return nil
	}
	b := append(head, make([]byte, binary.BigEndian.Uint32(head[2:]))...)
	_, err := io.ReadFull(p, b[dicom.HeaderLen:])
	require.NoError(p.t, err)
	return b
}

// hears is the next PDU in hexadecimal, "" at the end.
func (p *dicomPeer) hears() string {
	p.t.Helper()
	return hex.EncodeToString(p.pdu())
}

func (p *dicomPeer) says(b []byte) {
	p.t.Helper()
	_, err := p.Write(b)
	require.NoError(p.t, err)
}

func (p *dicomPeer) reset() {
	require.NoError(p.t, p.SetLinger(0))
	p.Close()
}

// The ends of associations on the wire (PS3.8 9.3.4 to 9.3.8).
const (
	rjNoServer  = "03000000000400020301" // transient, presentation provider: temporary congestion
	rjFull      = "03000000000400020302" // transient, presentation provider: local limit exceeded
	rjCalled    = "03000000000400010107" // permanent, service user: called AE title not recognized
	rjCalling   = "03000000000400010103" // permanent, service user: calling AE title not recognized
	rjVersion   = "03000000000400010202" // permanent, ACSE provider: protocol version not supported
	abortLost   = "07000000000400000200" // provider, reason not specified
	abortParam  = "07000000000400000206" // provider, invalid PDU parameter value
	abortUser   = "07000000000400000000"
	releaseRQ   = "05000000000400000000"
	releaseRP   = "06000000000400000000"
	ctImage     = dicom.CTImageStorageUID
	mrImage     = dicom.MRImageStorageUID
	implicitLE  = dicom.ImplicitVRLittleEndianUID
	explicitLE  = dicom.ExplicitVRLittleEndianUID
	gantryClass = "2.25.316427"
)

func bytesOf(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	require.NoError(t, err)
	return b
}

// proposal is an A-ASSOCIATE-RQ.
func proposal(called, calling string, sopClasses ...string) dicom.AssociateRQ {
	rq := dicom.AssociateRQ{
		CalledAE: called, CallingAE: calling,
		UserInformation: dicom.UserInformation{MaxLength: 16384, ImplementationClassUID: gantryClass},
	}
	for i, uid := range sopClasses {
		rq.Contexts = append(rq.Contexts, dicom.PresentationContext{
			ID: dicom.ContextID(i), AbstractSyntax: uid, TransferSyntaxes: []string{implicitLE},
		})
	}
	return rq
}

// acceptance answers a request with yes to everything.
func acceptance(t testing.TB, request []byte) []byte {
	t.Helper()
	rq, err := dicom.DecodeAssociateRQ(request)
	require.NoError(t, err)
	ac := dicom.AssociateAC{UserInformation: dicom.UserInformation{MaxLength: 16384, ImplementationClassUID: gantryClass}}
	for _, c := range rq.Contexts {
		ac.Results = append(ac.Results, dicom.ContextResult{ID: c.ID, TransferSyntax: c.TransferSyntaxes[0]})
	}
	b := ac.Append(nil)
	dicom.CopyTitles(b, request)
	return b
}

// command is a P-DATA-TF with a whole command set.
func command(context byte, c dicom.Command) []byte {
	return dicom.AppendPData(nil, dicom.PDV{ContextID: context, Command: true, Last: true, Data: c.Append(nil)})
}

// object is a C-STORE-RQ with n bytes of data set.
func object(messageID uint16, n int) []byte {
	b := command(1, dicom.Command{
		AffectedSOPClassUID: ctImage, Field: dicom.CStoreRQ, MessageID: messageID,
		DataSetType: dicom.WithDataSet, AffectedSOPInstanceUID: "2.25.1",
	})
	return dicom.AppendPData(b, dicom.PDV{ContextID: 1, Last: true, Data: make([]byte, n)})
}

// stored is the C-STORE-RSP.
func stored(messageID, status uint16) []byte {
	return command(1, dicom.Command{
		AffectedSOPClassUID: ctImage, Field: dicom.CStoreRSP, MessageIDBeingRespondedTo: messageID,
		DataSetType: dicom.NoDataSet, Status: status,
	})
}

// archive is a real server that a test plays: it accepts connections one by one.
type archive struct {
	addr string
	l    *net.TCPListener
	t    testing.TB
}

func newArchive(t testing.TB) *archive {
	t.Helper()
	l, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	return &archive{addr: l.Addr().String(), l: l, t: t}
}

// meets takes the next connection.
func (a *archive) meets() *dicomPeer {
	a.t.Helper()
	require.NoError(a.t, a.l.SetDeadline(time.Now().Add(patience)))
	c, err := a.l.AcceptTCP()
	require.NoError(a.t, err)
	a.t.Cleanup(func() { c.Close() })
	require.NoError(a.t, c.SetDeadline(time.Now().Add(patience)))
	return &dicomPeer{c, a.t}
}

// asked takes the next connection that says something, and its request: checks
// of type connect say nothing.
func (a *archive) asked() (*dicomPeer, []byte) {
	a.t.Helper()
	for {
		p := a.meets()
		if request := p.pdu(); request != nil {
			return p, request
		}
		p.Close()
	}
}

// accepts takes the next association on.
func (a *archive) accepts() *dicomPeer {
	a.t.Helper()
	p, rq := a.asked()
	p.says(acceptance(a.t, rq))
	return p
}

// dicomService writes a service with archives as its servers A, B, C, which are not
// checked within a test's time.
func dicomService(listen, extra string, archives ...*archive) string {
	text := fmt.Sprintf(`services:
- name: PACS
  protocol: dicom
  listen: ['%s']
  persistence: {by: none}
  checks: [{type: connect, interval: 1h}]
%s  servers:
`, listen, extra)
	for i, a := range archives {
		text += fmt.Sprintf("  - {name: %c, address: '%s'}\n", 'A'+i, a.addr)
	}
	return text
}

// startUp starts a gateway and waits until the first checks have found all servers up:
// one that was not judged yet stands behind one that was.
func startUp(t testing.TB, services string) *house {
	t.Helper()
	h := start(t, services)
	for _, s := range h.Status().Services {
		for _, v := range s.Servers {
			h.await(s.Name, v.Name, "up")
		}
	}
	return h
}

// failover makes A the first choice, as soon as all are judged: see startUp.
const failover = "  distribution: failover\n"

// together begins an accepted association through the gateway.
func together(t testing.TB, addr, calling string, a *archive) (client, server *dicomPeer) {
	t.Helper()
	client = dicomClient(t, addr)
	rq := proposal("PACS", calling, ctImage)
	client.says(rq.Append(nil))
	server = a.accepts()
	require.Equal(t, byte(dicom.TypeAssociateAC), client.pdu()[0])
	return client, server
}
