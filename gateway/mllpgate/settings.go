package mllpgate

import (
	"time"

	"gantry/balancing"
	"gantry/protocols/hl7"
)

// Policy is what to do with a message that cannot be answered by a server.
type Policy int

// The policies.
const (
	Close  Policy = iota // close the client's connection: every sender sends again, order is kept
	NakAE                // answer AE (CE in enhanced mode)
	NakAR                // answer AR (CR)
	Resend               // send again: at least once, perhaps twice
)

// Settings are what a Router goes by; a reload brings new ones.
type Settings struct {
	// Rules sort messages; Routes has one entry more, for those that no rule takes.
	Rules  Rules
	Routes []Route
	// OrderBy is the field whose equal values make messages follow each other; nil = none.
	OrderBy *hl7.Path
	// BySource remembers which server an address goes to; without OrderBy only.
	BySource bool
	// Loose takes the first answer on a connection with one outstanding message for its answer.
	Loose bool

	AckTimeout time.Duration // for the answer, from sending on
	Hold       time.Duration // how long a message waits for a usable server
	LinkIdle   time.Duration // an unused server connection is closed after that
	ClientIdle time.Duration // so is a silent client's

	OnNoServer       Policy // Close, NakAE or NakAR
	OnUnknownOutcome Policy // Close, NakAE or Resend
	RetryOn          []Verdict

	LinksPerServer  int  // connections to one server
	Pipelining      int  // messages outstanding on one of them
	ClientPipelines int  // messages of a client that are received and not answered
	Memory          int  // bytes of all messages
	AnswerEach      bool // a batch has an answer for every message in it

	Guard GuardSettings
	most  map[*balancing.Server]int // see AtMost
}

// AtMost bounds the connections to one server further than LinksPerServer.
func (s *Settings) AtMost(server *balancing.Server, links int) {
	if s.most == nil {
		s.most = map[*balancing.Server]int{}
	}
	s.most[server] = links
}

// Route is where messages go.
type Route struct {
	Pool *balancing.Pool
	// Part names the route's servers, so that what is remembered of it and of others is apart.
	Part string
	// Reject answers in the place of a server; nil = they are served.
	Reject *Verdict
}

// linksOf is how many connections a server may have.
func (s *Settings) linksOf(server *balancing.Server) int {
	n := max(s.LinksPerServer, 1)
	if most := s.most[server]; most > 0 {
		n = min(n, most)
	}
	return n
}

// GuardSettings bound the memory for duplicates; For 0 turns it off.
type GuardSettings struct {
	For     time.Duration // how long an answer that was not delivered is kept
	Entries int
	Memory  int // bytes of the answers
}

const (
	// maybeWait is how long a message waits that asks for an answer only on error, or only on
	// success (ER, SU).
	maybeWait = 2 * time.Second
	// retryHeld is how often a held message tries its servers again, and how long nothing else
	// is sent to one that refused a connection and has no other.
	retryHeld = 250 * time.Millisecond
	// dialPause is the wait before a further connection to a server that refused one while it
	// serves others.
	dialPause = time.Second
	// maxLater and maxLaterBytes bound the messages of one server connection of which an answer may come
	// that is not waited for, and their control ids. A connection that has so many is used no more.
	maxLater, maxLaterBytes = 4096, 256 << 10
	// maxPast is how many answered messages a server connection remembers, in case an answer comes twice.
	maxPast = 8
	// restTime is how long a connection rests after its first answer to see whether the server
	// closes it, and within which a close says that it always does.
	restTime = time.Second
	// maxSends bounds how often one message is sent where the policy is Resend.
	maxSends = 3
)
