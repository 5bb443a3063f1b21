package gallery

import (
	"time"

	"gantry/fixtures/rude"
	"gantry/negotiate"
)

// lateBy is how late slow servers of the gallery answer, and lateBound the max_latency that they miss.
const (
	lateBy    = 500 * time.Millisecond
	lateBound = "max_latency=250ms"
)

// dicomOdd are the servers that break the protocol, answer late or now and then, and those behind TLS.
var dicomOdd = []failure{
	{
		number: 21, title: "Answers another message, or on another context", at: dicomServer,
		users: "Modalities abort in the middle, for no visible reason.",
		wire:  "A response whose message id or presentation context is not that of the request.",
		scenes: []scene{
			{peer: archive("wrong-message-id"), check: echo, says: once(failed(ask, mismatch))},
			{peer: archive("wrong-context"), check: echo, says: once(failed(ask, mismatch))},
		},
	},
	{
		number: 22, title: "Sends PDUs that are too long, or malformed", at: dicomServer,
		users: "Some modalities work, the strict ones abort; since the update.",
		wire:  "A P-DATA-TF longer than announced, or one whose parts do not fit.",
		scenes: []scene{
			{peer: archive("oversize-pdu"), check: echo, says: once(failed(ask, oversized))},
			{peer: archive("malformed-pdu"), check: echo, says: once(failed(ask, malformed))},
		},
	},
	{
		number: 23, title: "Release never answered", at: dicomServer,
		users: "Nothing yet. Then, after days, failure 5.",
		wire:  "No A-RELEASE-RP; connections pile up on the server.",
		scenes: []scene{{note: "The question was answered, so this is a warning: it changes no state.",
			peer: archive("no-release-answer"), check: echo, says: once(warned(shut, timeout))}},
	},
	{
		number: 24, title: "Aborts each association right after accepting it", at: dicomServer,
		users:  "Modalities report an aborted association.",
		wire:   "A-ASSOCIATE-AC, then A-ABORT.",
		scenes: []scene{{peer: archive("abort=2/0"), check: echo, says: once(failed(ask, aborted))}},
	},
	{
		number: 25, title: "Another balancer behind the address, with good and bad nodes", at: dicomServer,
		users: "Every second try fails.",
		wire:  "Now success, now a failure, in turns.",
		scenes: []scene{{
			note: "Six runs, every second one fails: `--count 6` sums them up. Three failures in a row never come, so `fall: 3` never fires, and the server stays up. " +
				"See its history and `gantry_check_failures_total`; with `rise: 1, fall: 1` it goes down and up, and the gateway holds it back (`flapping`).",
			peer:  archive("wrong-status=0110", "flapping=1"),
			check: echo, says: []verdict{healthy, failed(ask, badStatus), healthy, failed(ask, badStatus), healthy, failed(ask, badStatus)}, state: negotiate.Up,
		}},
		others: "That such a server is held back is shown by `TestFlappingServerIsHeldBack` in `gateway`.",
	},
	{
		number: 26, title: "Very slow, but correct", at: dicomServer,
		users:  "Everything takes seconds instead of milliseconds.",
		wire:   "Correct answers, late; in real life 4 s, here half a second.",
		fooled: []check{echo},
		scenes: []scene{{note: "A degraded server keeps `degraded_weight` of its share.", peer: scripted(rude.Script{late}), check: echo.with(lateBound), says: once(degraded(ask, slow))}},
	},
	{
		number: 27, title: "TLS certificate expired, or signed by another authority", at: dicomTLSServer,
		users:  "On one morning nothing connects any more.",
		wire:   "The TLS handshake fails; the client is the one that refuses.",
		fooled: nil,
		scenes: []scene{
			{peer: secured(expired), check: tlsCheck, says: once(failed(shake, certificate))},
			{peer: secured(strange), check: tlsCheck, says: once(failed(shake, certificate))},
			{note: "Fourteen days before (`expiry_days`) the same check is degraded:", peer: secured(ending), check: tlsCheck, says: once(degraded(ask, expiring))},
		},
	},
	{
		number: 28, title: "TLS port answers in plain, or plain port answers in TLS", at: dicomTLSServer,
		users: "After an exchange of servers or ports nothing connects.",
		wire:  "The first bytes are those of the other protocol: A-ABORT instead of a ServerHello, a TLS alert (15 03) instead of an A-ASSOCIATE-AC.",
		scenes: []scene{
			{peer: archive(), check: tlsCheck, says: once(failed(shake, handshake))},
			{peer: archive("tls-alert"), check: echo.toward(dicomServer), says: once(failed(open, malformed))},
		},
	},
	{
		number: 29, title: "Licence expired", at: dicomServer,
		users:  "Images go in, and nobody can look them up.",
		wire:   "C-STORE 0000, C-FIND refused with 0124 (not authorised).",
		fooled: []check{echo, store},
		scenes: []scene{{peer: archive("find-fails=0124"), check: find, says: once(failed(ask, badStatus))}},
	},
	{
		number: 30, title: "Clock jumped by years", at: dicomTLSServer,
		users: "Studies carry dates of another decade; TLS fails on one side or the other.",
		wire:  "A certificate that the server has just made is not valid yet; or the server refuses the client's as expired.",
		scenes: []scene{
			{peer: secured(unborn), check: tlsCheck, says: once(failed(shake, certificate))},
			{brief: true, peer: inAnotherYear, check: tlsCheck.with(ourCertificate...), says: once(failed(ask, handshake))},
		},
		others: "Without TLS no check sees the clock: the dates in objects are the modalities' own matter.",
	},
}

// toward is the check at another place.
func (c check) toward(at place) check {
	c.at = &at
	return c
}
