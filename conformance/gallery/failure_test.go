package gallery

import (
	"net"
	"strconv"
	"testing"

	"gantry/negotiate"
)

// failure is one way in which a server is up for TCP and dead for its users.
type failure struct {
	number int
	title  string
	users  string // what people notice
	wire   string // what goes over the network
	at     place

	// fooled are checks that find nothing wrong, beside a connect, which finds nothing in any failure. They meet
	// peer, or where that is missing the peer of the first scene.
	fooled []check
	peer   peer

	scenes []scene // checks that notice it; none: see others
	// others says why no check notices it, or what else helps, and which tests show that.
	others  string
	by      noticer
	excused bool // the gateway does not count what the check says while live traffic makes progress
}

// noticer is who notices a failure first.
type noticer int

const (
	byCheck   noticer = iota // a check: there are scenes
	byTraffic                // the gateway, from the live traffic that it carries
	byNobody                 // nobody yet, of all that Gantry has
)

// scene is one check that meets the failing server.
type scene struct {
	note string // what a reader should know before the command
	peer peer
	check
	says  []verdict       // of each run; the last one of them is quoted
	state negotiate.State // after several runs, with the defaults of rise and fall, of a server that was up before
	// brief says that the check waits for what it should notice only for a moment, so as not to hold up healthy servers:
	// on a machine that is too busy for that the scene is played again.
	brief bool
}

// briefTries are how often a brief scene is played at most.
const briefTries = 5

// check is a check as somebody types it.
type check struct {
	kind string
	keys []string // KEY=VALUE as in the configuration, in the order to be shown; "tls" alone turns TLS on
	at   *place   // nil: where the failure is
}

// verdict is what a run says, in the words of gantry probe. Stage and reason of a healthy one are those of its
// warning; empty without.
type verdict struct {
	word   string
	stage  negotiate.Stage
	reason negotiate.Reason
}

var healthy = verdict{word: "healthy"}

func warned(s negotiate.Stage, r negotiate.Reason) verdict   { return verdict{"healthy", s, r} }
func degraded(s negotiate.Stage, r negotiate.Reason) verdict { return verdict{"degraded", s, r} }
func failed(s negotiate.Stage, r negotiate.Reason) verdict   { return verdict{"unhealthy", s, r} }

// once is a single run.
func once(v verdict) []verdict { return []verdict{v} }

// peer is a server that fails. Each check meets a new one.
type peer struct {
	start func(t *testing.T) (addr string)
	// play is the command that starts a server which fails in the same way; empty for those that only a test can play.
	play string
}

// place is where a server stands in the document: the check believes to be there.
type place struct {
	group, service, server, host string
	port                         int
}

// The groups of the document.
const (
	groupDICOM = "DICOM"
	groupHL7   = "HL7"
	groupWeb   = "XDS and HTTPS"
)

var (
	dicomServer      = place{groupDICOM, "DICOM", "DICOM2", "10.12.1.111", 104}
	dicomTLSServer   = place{groupDICOM, "DICOM-TLS", "DICOM2", "10.12.1.111", 2762}
	hl7Server        = place{groupHL7, "HL7", "HL72", "10.12.1.131", 2575}
	registryServer   = place{groupWeb, "XDS-Registry", "XDS1", "10.12.1.150", 17035}
	repositoryServer = place{groupWeb, "XDS-Repository", "XDS2", "10.12.1.151", 17036}
	viewerServer     = place{groupWeb, "HTTPS-Viewer", "VIEWER1", "10.12.1.170", 443}
)

type (
	stage  = negotiate.Stage
	reason = negotiate.Reason
)

// The stages and reasons, short: the tables are read more often than written.
const (
	open  = negotiate.StageOpen
	ask   = negotiate.StageAsk
	shut  = negotiate.StageClose
	shake = negotiate.StageTLS

	timeout     = negotiate.ReasonTimeout
	rejected    = negotiate.ReasonRejected
	mismatch    = negotiate.ReasonMismatch
	badStatus   = negotiate.ReasonBadStatus
	malformed   = negotiate.ReasonMalformed
	oversized   = negotiate.ReasonOversized
	aborted     = negotiate.ReasonAborted
	closed      = negotiate.ReasonClosed
	slow        = negotiate.ReasonSlow
	redirected  = negotiate.ReasonRedirected
	certificate = negotiate.ReasonCertificate
	handshake   = negotiate.ReasonHandshake
	expiring    = negotiate.ReasonExpiring
)

// failures are all of them, in the order of their numbers.
func failures() []failure {
	var all []failure
	for _, part := range [][]failure{dicomOpen, dicomWork, dicomOdd, hl7Failures, xdsFailures, webFailures} {
		all = append(all, part...)
	}
	return all
}

func (p place) address() string { return net.JoinHostPort(p.host, strconv.Itoa(p.port)) }
