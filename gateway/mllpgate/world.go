package mllpgate

import (
	"net/netip"
	"time"

	"gantry/balancing"
)

// World does what a Router decides. Its methods are called from within the Router's own and must
// not call back into it: what happens is told later.
type World interface {
	// Dial opens a connection to l.Server; Router.Dialed tells how that went.
	Dial(l *Link)
	// Send writes one frame. With ok false nothing of it was written: the connection had ended
	// before, is closed, and nothing is told of it any more. Router.Flushed follows when not all
	// of it was taken at once (flushed false).
	Send(l *Link, frame []byte) (flushed, ok bool)
	// Pending is how many bytes of what was sent have not left yet.
	Pending(l *Link) int
	// Drop closes a connection to a server. Nothing is told of it any more.
	Drop(l *Link)
	// Answer writes frames to a client. A client that is gone is told of later, by Router.Gone.
	Answer(c *Client, frames []byte)
	// Pause has a client read no further until Resume.
	Pause(c *Client)
	// Resume undoes Pause.
	Resume(c *Client)
	// End closes a client's connection, after what was written to it has left. Nothing is told
	// of it any more.
	End(c *Client, why Why)
	// Tell is told of every message once, when nothing more will happen to it.
	Tell(o *Outcome)
	// Notice is told of what is wrong with a server's answers.
	Notice(n Notice)
}

// Why says why the router closes a client's connection. A closed set, fit for a label.
type Why string

// The reasons.
const (
	WhyFinished  Why = "closed"          // the client ended its side and has all its answers
	WhyIdle      Why = "client-idle"     // nothing was said for Settings.ClientIdle
	WhyNoServer  Why = "no-server"       // Settings.OnNoServer
	WhyUnknown   Why = "unknown-outcome" // Settings.OnUnknownOutcome
	WhyRejected  Why = "route"           // a route rejects, and the message cannot be told so
	WhyMalformed Why = "malformed"       // a frame that is not HL7
	WhyDrained   Why = "drain"           // the gateway stops, or the service is gone
)

// Outcome is what became of one message.
type Outcome struct {
	Client   netip.AddrPort
	Server   *balancing.Server // that it was sent to last; nil for none
	Envelope *Envelope
	Ack      string        // one of the Ack words
	Answered time.Duration // from sending it to its answer; 0 where no server answered
	Waited   time.Duration // from its last byte to sending it, for the last time; to its end, where it was not sent
	Took     time.Duration // from its last byte to its end
	In, Out  int           // bytes of the message, and of its answers, without framing
}

// What became of a message, where it is no code of table 0008.
const (
	AckCommit    = "commit-ack" // byte 06 of MLLP release 2
	AckRefused   = "commit-nak" // byte 15
	AckNone      = "none"       // no answer was asked for
	AckNAK       = "nak"        // the gateway answered
	AckClosed    = "closed"     // never sent: the client's connection was closed
	AckUnknown   = "unknown"    // sent, no answer
	AckWithdrawn = "withdrawn"  // never sent: the client left
	AckDuplicate = "duplicate"  // the stored answer was given once more
	AckRejected  = "rejected"   // by a route; no answer was asked for
	AckOther     = "other"      // an answer with a code that table 0008 does not have
)

// Trouble is what can be wrong with a server's answers.
type Trouble int

// The troubles.
const (
	TroubleTimeout  Trouble = iota // no answer within Settings.AckTimeout
	TroubleLost                    // the connection ended in the place of an answer
	TroubleCut                     // we ended it: Router.Cut
	TroubleMismatch                // an answer to another message, or none that can be read
	TroubleStray                   // an answer while nothing was asked
	TroubleInternal                // the answer says 207, application internal error
	TroubleRetry                   // refused with a reason to try another server
)

// Notice is one trouble.
type Notice struct {
	Trouble  Trouble
	Server   *balancing.Server
	Client   netip.Addr // whose message it was; the zero Addr when unknown
	Envelope *Envelope  // of that message; nil when unknown
}
