package gallery

import (
	"net/http"
	"testing"
)

// The checks of web pages.
var (
	login   = check{kind: "http", keys: []string{"path=/login", "scheme=https", "tls.ca_file=hospital-ca.pem"}}
	studies = check{kind: "http", keys: []string{"path=/studies", "scheme=https", "tls.ca_file=hospital-ca.pem"}}
	image   = check{kind: "http", keys: []string{"path=/wado?requestType=WADO&objectUID=2.25.316427.5", "scheme=https", "tls.ca_file=hospital-ca.pem", "expect_body=DICM"}}
	socket  = check{kind: "http", keys: []string{"path=/socket", "scheme=https", "tls.ca_file=hospital-ca.pem", "upgrade=websocket"}}
)

// webFailures are those of viewers, and of what stands in front of web services.
var webFailures = []failure{
	{
		number: 59, title: "Page fine, the API behind it fails", at: viewerServer,
		users:  "The viewer opens, and shows an empty list.",
		wire:   "200 for the page, which a static server gives; 502 for what the page asks for.",
		fooled: []check{login.with("expect_body=Viewer")},
		scenes: []scene{{peer: viewing("bad-api"), check: studies, says: once(failed(ask, badStatus))}},
	},
	{
		number: 60, title: "List of studies fine, images fail", at: viewerServer,
		users:  "Studies open black.",
		wire:   "QIDO-RS 200; WADO 500, or 200 with 0 bytes.",
		fooled: []check{login, studies},
		scenes: []scene{
			{note: "Ask for an instance that the site keeps for this, and for what its bytes must have: a DICOM file has DICM behind its preamble.",
				peer: withoutImages(http.StatusOK), check: image, says: once(failed(ask, mismatch))},
			{peer: withoutImages(http.StatusInternalServerError), check: image, says: once(failed(ask, badStatus))},
		},
	},
	{
		number: 61, title: "WebSockets blocked", at: viewerServer,
		users:  "The viewer opens and stands still: no progress, no live updates.",
		wire:   "400, or any page, for Upgrade: websocket; often a proxy that was never told.",
		fooled: []check{login, studies},
		scenes: []scene{{peer: viewing("no-upgrade"), check: socket, says: once(failed(ask, badStatus))}},
	},
	{
		number: 62, title: "Expect: 100-continue never answered", at: registryServer,
		users:  "Each request of some clients takes a second longer than it should.",
		wire:   "The server waits for the body, the client for permission to send it.",
		fooled: []check{query},
		scenes: []scene{{peer: peer{start: func(t *testing.T) string { return impatient(t, registry().start(t)) }}, check: query.with("expect_continue=true"), says: once(degraded(ask, slow))}},
	},
}
