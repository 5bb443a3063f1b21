package gallery

import (
	"gantry/fixtures/rude"
	"gantry/negotiate"
)

// The checks of DICOM servers, as they are typed again and again.
var (
	echo      = check{kind: "dicom-echo", keys: []string{"called_ae=VNA"}}
	find      = check{kind: "dicom-find", keys: []string{"called_ae=VNA"}}
	store     = check{kind: "dicom-store", keys: []string{"called_ae=VNA"}}
	expected  = check{kind: "dicom-associate", keys: []string{"called_ae=VNA", "profile=ct"}}
	worklist  = check{kind: "dicom-find", keys: []string{"called_ae=VNA", "model=worklist"}}
	known     = check{kind: "dicom-find", keys: []string{"called_ae=VNA", "patient_id=ZZ-GANTRY-PROBE"}}
	readBack  = check{kind: "dicom-store", keys: []string{"called_ae=VNA", "read_back=true"}}
	shortEcho = echo.with("timeout=2s")
)

// with is the check with more keys.
func (c check) with(keys ...string) check {
	c.keys = append(c.keys[:len(c.keys):len(c.keys)], keys...)
	return c
}

// dicomOpen are the servers of which the association itself tells that something is wrong.
var dicomOpen = []failure{
	{
		number: 1, title: "Process frozen, collecting garbage or paging", at: dicomServer,
		users:  "Modalities hang while they connect, then report a timeout.",
		wire:   "The kernel takes the connection; the association request stays without an answer.",
		scenes: []scene{{peer: archive("silent"), check: shortEcho, says: once(failed(open, timeout))}},
	},
	{
		number: 2, title: "Accept thread blocked by one silent client", at: dicomServer,
		users: "For half a minute nobody gets in; then all is well, and nobody finds a cause.",
		wire:  "As 1, until the server gives the silent client up (ARTIM timer, usually 30 s).",
		scenes: []scene{{
			note: "Five runs, two of them while the server is blocked. Three in a row would have taken the server down, and with `timeout: 5s` three take 15 s: where such blockades of half a minute are known, `fall: 7` sits them out. The failures stand in the history of the server either way.",
			peer: archive("silent", "flapping=2"), check: shortEcho,
			says: []verdict{healthy, healthy, failed(open, timeout), failed(open, timeout), healthy}, state: negotiate.Up,
		}},
	},
	{
		number: 3, title: "Server with a single place, which is taken", at: dicomServer, excused: true,
		users: "Nothing is wrong: one modality sends, the next one waits its turn. Taking the server out would be the failure.",
		wire:  "As 1, for as long as another association lives.",
		scenes: []scene{{
			note: "The check cannot tell this from a frozen process. The live traffic can: with `max_connections: 1` the gateway neither asks nor counts while the one " +
				"association makes progress.",
			peer: taken, check: shortEcho, says: once(failed(open, timeout)),
		}},
		others: "The excuse by live traffic is shown by `TestSingleSlotServerThatWorksStaysUp` and `TestWitnessOfASingleSlotServer` in `gateway`.",
	},
	{
		number: 4, title: "All workers stuck in storage or database", at: dicomServer,
		users:  "Associations open, and nothing moves in them.",
		wire:   "The association is accepted; the answer to C-ECHO never comes.",
		scenes: []scene{{peer: archive("hang"), check: shortEcho, says: once(failed(ask, timeout))}},
	},
	{
		number: 5, title: "Association limit reached by leaked associations", at: dicomServer,
		users: "Modalities report a rejected association, all day long.",
		wire:  "A-ASSOCIATE-RJ 2/3/2, for ever: a transient answer that does not pass.",
		scenes: []scene{{
			note: "Five runs; the server has two places and never frees one. One rejection for now is nothing; as many in a row as `fall` says take the server down.",
			peer: archive("leak=2"), check: echo,
			says: []verdict{healthy, healthy, failed(open, rejected), failed(open, rejected), failed(open, rejected)}, state: negotiate.Down,
		}},
	},
	{
		number: 6, title: "AE title table lost after an upgrade", at: dicomServer,
		users: "Everything that worked yesterday is rejected today.",
		wire:  "A-ASSOCIATE-RJ 1/1/7 (called AE title) or 1/1/3 (calling AE title).",
		scenes: []scene{
			{peer: archive("reject=called-ae-not-recognized"), check: echo, says: once(failed(open, rejected))},
			{peer: archive("reject=calling-ae-not-recognized"), check: echo, says: once(failed(open, rejected))},
		},
	},
	{
		number: 7, title: "Association accepted, its presentation context rejected", at: dicomServer,
		users: "The modality's own test button says that the service is not supported.",
		wire:  "A-ASSOCIATE-AC whose result for the Verification context is 3.",
		scenes: []scene{{peer: archive("no-verification"),
			check: echo, says: once(failed(open, rejected))}},
	},
	{
		number: 8, title: "No presentation context accepted at all", at: dicomServer,
		users: "Modalities connect and have nothing that they could do.",
		wire:  "A-ASSOCIATE-AC without one accepted context: all refused, or none mentioned.",
		scenes: []scene{
			{peer: archive("no-context"), check: find, says: once(failed(open, rejected))},
			{peer: scripted(rude.Script{barren}), check: echo, says: once(failed(open, mismatch))},
		},
	},
	{
		number: 9, title: "Storage classes or transfer syntaxes vanished", at: dicomServer,
		users:  "Echo works, sending fails; after an update, or with images of one kind only.",
		wire:   "Result 3 or 4 for the storage contexts.",
		fooled: []check{echo, find},
		scenes: []scene{
			{peer: archive("no-sop-class=SecondaryCaptureImageStorage"), check: store, says: once(failed(open, rejected))},
			{peer: archive("no-transfer-syntax=ImplicitVRLittleEndian"), check: store, says: once(failed(open, rejected))},
			{note: "What modalities propose beyond that, a check notices that proposes it too. It stores nothing.",
				peer: archive("no-sop-class=CTImageStorage"), check: expected, says: once(degraded(open, rejected))},
			{peer: archive("no-transfer-syntax=JPEG2000Lossless"), check: expected.with("expect=CTImageStorage/JPEG2000Lossless"), says: once(degraded(open, rejected))},
		},
		others: "`gantry associate` shows all that a server accepts, and `--compare` where the nodes of a pool differ.",
	},
	{
		number: 10, title: "Worklist not loaded", at: dicomServer,
		users:  "Technicians type patients in by hand.",
		wire:   "Result 3 for the worklist context.",
		fooled: []check{echo, find},
		scenes: []scene{{peer: archive("no-sop-class=worklist"), check: worklist, says: once(failed(open, rejected))}},
	},
}
