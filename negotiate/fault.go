package negotiate

import "slices"

// Stage names the rung of a check that was being climbed when something happened.
type Stage string

// The stages, in the order in which a check passes them. A kind may leave out open, ask
// or close: an HTTP check only asks, a connect check does none of the three.
const (
	StageConnect Stage = "connect" // name resolution and the TCP handshake
	StageTLS     Stage = "tls"     // TLS handshake and certificate
	StageOpen    Stage = "open"    // the protocol's own greeting, such as a DICOM association
	StageAsk     Stage = "ask"     // the question and its answer
	StageClose   Stage = "close"   // the protocol's own farewell, such as a DICOM release
)

// Stages lists every stage in order: the closed set behind the metric label "stage".
func Stages() []Stage {
	return []Stage{StageConnect, StageTLS, StageOpen, StageAsk, StageClose}
}

// Reason says in one word what went wrong.
type Reason string

// The reasons, a closed set: metrics use them as label values.
const (
	ReasonRefused     Reason = "refused"     // nothing listens there
	ReasonUnreachable Reason = "unreachable" // no way to the host
	ReasonUnresolved  Reason = "unresolved"  // its name has no address
	ReasonTimeout     Reason = "timeout"     // no answer, or only part of one, before the deadline
	ReasonReset       Reason = "reset"       // the peer tore the connection down
	ReasonClosed      Reason = "closed"      // the peer closed before it had answered in full
	ReasonMalformed   Reason = "malformed"   // bytes that the protocol does not allow
	ReasonOversized   Reason = "oversized"   // more bytes than the check is willing to read
	ReasonRejected    Reason = "rejected"    // the protocol's own "no"
	ReasonAborted     Reason = "aborted"     // the protocol's own "stop"
	ReasonBadStatus   Reason = "bad-status"  // an answer that reports a failure
	ReasonMismatch    Reason = "mismatch"    // a correct answer, but not to this question or not the expected one
	ReasonRedirected  Reason = "redirected"  // sent elsewhere, such as to a login page
	ReasonCertificate Reason = "certificate" // TLS: the peer's certificate is not acceptable
	ReasonHandshake   Reason = "handshake"   // TLS: no common ground, or no TLS at all
	ReasonSlow        Reason = "slow"        // a correct answer that took longer than max_latency
	ReasonExpiring    Reason = "expiring"    // TLS: the peer's certificate is valid, but not for long
	ReasonLocal       Reason = "local"       // this machine could not even try; says nothing about the server
	ReasonCanceled    Reason = "canceled"    // the check was called off; says nothing about the server
	ReasonInternal    Reason = "internal"    // a bug in the check itself
)

// Reasons lists every reason: the closed set behind the metric label "reason".
func Reasons() []Reason { return slices.Clone(reasons) }

var reasons = []Reason{
	ReasonRefused, ReasonUnreachable, ReasonUnresolved, ReasonTimeout, ReasonReset, ReasonClosed,
	ReasonMalformed, ReasonOversized, ReasonRejected, ReasonAborted, ReasonBadStatus, ReasonMismatch,
	ReasonRedirected, ReasonCertificate, ReasonHandshake, ReasonSlow, ReasonExpiring, ReasonLocal, ReasonCanceled, ReasonInternal,
}

// Fault is a failed check: where, why, and what a person can do about it. It never holds
// patient data, message content or credentials.
type Fault struct {
	Stage  Stage
	Reason Reason

	// Peer is what the peer itself said, such as "A-ASSOCIATE-RJ 1/1/7" or "503 Service
	// Unavailable"; empty when it said nothing. Printable text, cut to MaxPeerWords bytes.
	Peer string

	// Sentence tells a person what is wrong and what to look at, in plain words. It does
	// not name the server unless the name helps, because it is shown beside the name.
	Sentence string

	// Busy says that the fault may only mean that all places of the server are taken: it
	// said so, or a server with a single place would be as silent. Live traffic that makes
	// progress on such a server excuses it (see Check.Witness).
	Busy bool

	// Err is the error underneath, if there was one.
	Err error
}

var _ error = (*Fault)(nil)

// Error returns the sentence, or stage and reason if there is none.
func (f *Fault) Error() string {
	if f.Sentence != "" {
		return f.Sentence
	}
	return string(f.Stage) + ": " + string(f.Reason)
}

// Unwrap returns the error underneath, so that errors.Is(fault, syscall.ECONNREFUSED) works.
func (f *Fault) Unwrap() error { return f.Err }

// Counts reports whether the fault speaks against the server. A check that this machine
// could not carry out must not take servers down: with no descriptors left, every server
// would look dead at the same moment.
func (f *Fault) Counts() bool {
	return f.Reason != ReasonLocal && f.Reason != ReasonCanceled
}

// MaxPeerWords bounds Fault.Peer, in bytes: enough for a status line, too little to flood a log.
const MaxPeerWords = 120

// PeerWords makes text from a peer fit for Fault.Peer and for logs: printable ASCII only, so
// that nothing can forge a log line or move a terminal's cursor, and no longer than MaxPeerWords.
func PeerWords(s string) string {
	clean := make([]byte, 0, min(len(s), MaxPeerWords))
	for i := 0; i < len(s) && len(clean) < MaxPeerWords; i++ {
		if c := s[i]; c >= ' ' && c <= '~' {
			clean = append(clean, c)
		} else {
			clean = append(clean, '.')
		}
	}
	return string(clean)
}
