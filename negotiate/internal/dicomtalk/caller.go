package dicomtalk

import (
	"context"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"gantry/negotiate"
	"gantry/protocols/dicom"
)

// Bounds of one conversation.
const (
	// MaxAnswer bounds an A-ASSOCIATE-AC, in bytes. One context needs about 200.
	MaxAnswer = 64 << 10
	// MaxPDUs bounds the PDUs read for one answer: most need one or two, and a server
	// that sends thousands of empty ones is as good as silent.
	MaxPDUs = 64
	// MaxIdentifier bounds the data set of one answer, in bytes. A match has a few hundred.
	MaxIdentifier = 64 << 10
	// MaxMatches bounds the matches of one search that are read before it is cancelled.
	MaxMatches = 1000
	// MaxAfterCancel bounds those that are read after that; then the association is aborted.
	MaxAfterCancel = 1000
	// MaxFragment bounds the P-DATA-TF that are sent, in bytes, also to servers that take more.
	MaxFragment = 128 << 10
	// ReleaseWait is how long the answer to the release is waited for.
	ReleaseWait = time.Second
)

// ImplementationClassUID names this implementation (PS3.7 D.3.3.2), made from a random UUID
// as PS3.5 B.2 describes.
const ImplementationClassUID = "2.25.169094021110743322363671350827519687372"

// maxVersionName is the length of an implementation version name, PS3.7 D.3.3.2.
const maxVersionName = 16

// maxData is what is announced as the largest P-DATA-TF to receive: the most common value.
const maxData = 16384

// Context is a presentation context that a check proposes, always with Implicit VR Little Endian as
// its only transfer syntax: every application must accept it (PS3.5 10.1), and a server that
// may choose another one leaves the encoding of the question open.
type Context struct {
	SOPClass  string // UID
	Service   string // its name in a sentence: "Verification service"
	Operation string // what is done with it: "C-ECHO"
	NoDataSet bool   // nothing in it has a data set, so that the transfer syntax does not matter
}

// Caller is what all conversations of one check have in common. It is safe for several at once.
type Caller struct {
	Peer
	// Expected, if set, says which rejects prove that the server lives. The conversation then ends
	// well with the reject, and nothing is asked.
	Expected func(dicom.Reject) bool

	contexts []Context
	first    string        // what is asked first, for words
	request  []byte        // the A-ASSOCIATE-RQ
	asked    atomic.Uint32 // requests so far
}

// NewCaller prepares the conversations with a server. The n-th context has the identifier
// dicom.ContextID(n). The first one's operation names the question until one is asked.
func NewCaller(p Peer, contexts ...Context) *Caller {
	return &Caller{Peer: p, contexts: contexts, first: contexts[0].Operation, request: request(p, contexts)}
}

// Hold holds one conversation: associate, ask, release. It returns nil or a *negotiate.Fault. When it
// fails while the server may still hold the association, that is aborted.
func (c *Caller) Hold(ctx context.Context, conn net.Conn, ask func(*Talk) *negotiate.Fault) error {
	t := newTalk(ctx, c, conn)
	fault := t.open()
	if fault == nil && t.alive {
		negotiate.Enter(ctx, negotiate.StageAsk)
		fault = ask(t)
	}
	switch {
	case fault != nil:
		t.hangUp()
		return fault
	case t.alive:
		t.close()
	}
	return nil
}

// nextID numbers the requests, so that an answer to another one can be told. An association has few
// requests, so the numbers may come round again; 0 is left out because it is what a server
// without a number in mind would send.
func (c *Caller) nextID() uint16 {
	return uint16((c.asked.Add(1)-1)%0xFFFF) + 1
}

// request is the same for every conversation, so it is encoded once.
func request(p Peer, contexts []Context) []byte {
	rq := p.associate(maxData)
	for i, c := range contexts {
		rq.Contexts = append(rq.Contexts, dicom.PresentationContext{
			ID: dicom.ContextID(i), AbstractSyntax: c.SOPClass,
			TransferSyntaxes: []string{dicom.ImplicitVRLittleEndianUID},
		})
	}
	return rq.Append(nil)
}

// associate is a request without contexts: the titles, and who asks.
func (p Peer) associate(maxLength uint32) dicom.AssociateRQ {
	name := strings.TrimSuffix("GANTRY_"+p.version, "_")
	return dicom.AssociateRQ{
		CalledAE: p.Called, CallingAE: p.Calling,
		UserInformation: dicom.UserInformation{
			MaxLength: maxLength, ImplementationClassUID: ImplementationClassUID,
			ImplementationVersion: name[:min(len(name), maxVersionName)],
		},
	}
}
