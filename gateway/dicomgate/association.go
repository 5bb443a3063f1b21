package dicomgate

import (
	"gantry/protocols/dicom"
)

// Side is one end of an association that passes through the gateway.
type Side uint8

// Client is the association's requestor, Server its acceptor.
const (
	Client Side = iota
	Server
)

// String gives "client" or "server".
func (s Side) String() string { return [...]string{"client", "server"}[s] }

func (s Side) other() Side { return s ^ 1 }

// Options of an Association.
type Options struct {
	Listener Listener // nil: nobody listens
}

// Listener hears what happens while it passes. Its methods must not call the Association's From and Skipped methods.
type Listener interface {
	// Response is called for each response of either side, pending ones included.
	Response(Response)
}

// Association follows an accepted association that passes by, both directions of it, and never changes a byte. It
// understands what is whole and in step, keeps numbers only, and says nothing where it cannot know. It is not safe for
// concurrent use.
type Association struct {
	listener Listener
	contexts []proposal
	ways     [2]way // what comes from each side
	sum      tally
	invoked  uint16 // operations that the client may have outstanding; 0 = unlimited
	// waiting counts whole requests of the client that the server has not finally answered, without the C-MOVEs, which
	// moving counts; sending counts the C-STOREs of the server's C-GETs, asking its other requests to the client.
	waiting, moving, sending, asking uint32
	stage                            Stage
	by                               Side // who asked for the release first, or aborted
	aborted                          dicom.Abort
	replied                          [2]bool // an A-RELEASE-RP came from that side
	asked                            [2]bool // an A-RELEASE-RQ came from that side
	symptom                          string
	healthy                          bool
	// guessed: the client was found again by an answer that may have come before the end of its message, and no PDU has
	// begun there since.
	guessed bool
}

// way is one direction.
type way struct {
	scanner dicom.Scanner
	// The request that is under way: its command has passed, its data set has not ended.
	messageID uint16
	field     uint16
	open      bool
	answered  bool // before its end
}

// proposal says which SOP class a presentation context is for.
type proposal struct {
	id  byte
	uid string
}

// NewAssociation begins after the last byte of the A-ASSOCIATE-RQ in one direction and of the A-ASSOCIATE-AC in the
// other. ac is nil when it could not be read.
func NewAssociation(rq *dicom.AssociateRQ, ac *dicom.AssociateAC, o Options) *Association {
	a := &Association{listener: o.Listener, invoked: 1}
	a.ways[Client].scanner.Accepted, a.ways[Server].scanner.Accepted = true, true
	a.contexts = make([]proposal, len(rq.Contexts))
	for i, c := range rq.Contexts {
		a.contexts[i] = proposal{c.ID, c.AbstractSyntax}
	}
	switch {
	case rq.Async == nil: // not proposed, so not negotiated: PS3.7 D.3.3.3
	case ac == nil:
		a.invoked = 0
	case ac.Async != nil:
		a.invoked = ac.Async.Invoked
	}
	return a
}

// FromClient takes the next bytes of the client.
func (a *Association) FromClient(b []byte) { a.ways[Client].scanner.Feed(b, (*clientWay)(a)) }

// FromServer takes the next bytes of the server.
func (a *Association) FromServer(b []byte) { a.ways[Server].scanner.Feed(b, (*serverWay)(a)) }

// SkippedFromClient takes note of n bytes of the client that passed unseen. Inside a data set nothing is lost by that;
// otherwise the client's direction is out of sight until a response shows that its message has ended.
func (a *Association) SkippedFromClient(n int) { a.ways[Client].scanner.Skip(n, (*clientWay)(a)) }

// SkippedFromServer does the same for the server's direction, which stays out of sight.
func (a *Association) SkippedFromServer(n int) { a.ways[Server].scanner.Skip(n, (*serverWay)(a)) }

// Trouble is the first error in what a side sent, nil if there was none. It is a *protocols.SyntaxError; nothing that
// this side sent behind it was understood, and all of it has to be passed on all the same.
func (a *Association) Trouble(from Side) error { return a.ways[from].scanner.Err() }

// Garbled tells that there was Trouble with a side.
func (a *Association) Garbled(from Side) bool { return a.Trouble(from) != nil }

// Outstanding counts the whole requests of the client that wait for their final response. It is 0 while the server in
// turn waits for an answer of the client (C-GET), and when the association has ended. A C-MOVE is not counted: it takes
// as long as third parties take its objects, and a server need not say a word meanwhile (PS3.4 C.4.2.3: pending
// responses are optional). The number is not known while one of the directions is out of sight.
func (a *Association) Outstanding() (n int, known bool) {
	switch {
	case a.over():
		return 0, true
	case !a.inStep(Client), !a.inStep(Server):
		return 0, false
	case a.asking+a.sending > 0:
		return 0, true
	}
	return int(a.waiting), true
}

func (a *Association) inStep(from Side) bool {
	_, known := a.ways[from].scanner.Boundary()
	return known
}

// AtBoundary tells whether a PDU of the gateway's own, an A-ABORT, may be put behind what has been read for that side:
// the bytes towards it are known to end with a PDU, and the association has not ended there.
func (a *Association) AtBoundary(to Side) bool {
	at, known := a.ways[to.other()].scanner.Boundary()
	unsure := to == Server && a.guessed
	return at && known && !unsure && !a.over() && !a.replied[to.other()]
}

// clientWay and serverWay are the Association as visitor of one direction: they say who spoke.
type (
	clientWay Association
	serverWay Association
)

// Interface guards.
var (
	_ dicom.Visitor = (*clientWay)(nil)
	_ dicom.Visitor = (*serverWay)(nil)
)

func (w *clientWay) PDU(dicom.PDUType, uint32)         { w.guessed = false }
func (*serverWay) PDU(dicom.PDUType, uint32)           {}
func (w *clientWay) Whole(t dicom.PDUType, pdu []byte) { (*Association)(w).whole(Client, t, pdu) }
func (w *serverWay) Whole(t dicom.PDUType, pdu []byte) { (*Association)(w).whole(Server, t, pdu) }
func (w *clientWay) Command(context byte, c *dicom.Command) {
	(*Association)(w).command(Client, context, c)
}
func (w *serverWay) Command(context byte, c *dicom.Command) {
	(*Association)(w).command(Server, context, c)
}
func (w *clientWay) Data(_ byte, _ int, last bool) { (*Association)(w).data(Client, last) }
func (w *serverWay) Data(_ byte, _ int, last bool) { (*Association)(w).data(Server, last) }
