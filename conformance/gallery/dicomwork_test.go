package gallery

// dicomWork are the servers that associate well, and then do not work.
var dicomWork = []failure{
	{
		number: 11, title: "Disk full", at: dicomServer,
		users:  "Echo works, images pile up on the modalities.",
		wire:   "C-STORE-RSP with status A700.",
		fooled: []check{echo, find},
		scenes: []scene{{peer: archive("store-refused"), check: store, says: once(failed(ask, badStatus))}},
	},
	{
		number: 12, title: "C-STORE hangs", at: dicomServer,
		users:  "Echo, search and the web page are fine; sending stands still until the modality gives up.",
		wire:   "No C-STORE-RSP; after a minute the server drops the connection.",
		fooled: []check{echo, find},
		scenes: []scene{{peer: archive("store-hang"), check: store.with("timeout=2s"), says: once(failed(ask, timeout))}},
	},
	{
		number: 13, title: "C-STORE confirmed, and nothing stored", at: dicomServer,
		users:  "The modality deletes what it believes to be safe. The worst of all.",
		wire:   "C-STORE-RSP 0000; a search finds nothing.",
		fooled: []check{echo, find, store},
		scenes: []scene{{note: "The image has the same UID each time: what is found may be the one of an earlier check. A server that lost its database shows; one that stops storing today does not.",
			peer: archive("store-lost"), check: readBack, says: once(failed(ask, mismatch))}},
	},
	{
		number: 14, title: "C-STORE never answered for large objects", at: dicomServer,
		users:  "CT slices arrive; mammograms and ultrasound clips do not.",
		wire:   "No C-STORE-RSP for objects above some limit, here 1.2 MB.",
		fooled: []check{echo, find, store},
		scenes: []scene{{peer: archive("store-hang-above=1200000B"), check: store.with("size=2MiB", "timeout=3s"), says: once(failed(ask, timeout))}},
	},
	{
		number: 15, title: "Database down: searches fail", at: dicomServer,
		users:  "The viewer's lists stay empty or show an error.",
		wire:   "C-FIND-RSP with status C001, A700 or 0110.",
		fooled: []check{echo},
		scenes: []scene{
			{peer: archive("find-fails=C001"), check: find, says: once(failed(ask, badStatus))},
			{peer: archive("find-fails=A700"), check: find, says: once(failed(ask, badStatus))},
			{peer: archive("find-fails=0110"), check: find, says: once(failed(ask, badStatus))},
		},
	},
	{
		number: 16, title: "Database locked: searches hang", at: dicomServer,
		users:  "The viewer's lists load for ever.",
		wire:   "No C-FIND-RSP; echo is fine.",
		fooled: []check{echo},
		scenes: []scene{{peer: archive("find-hang"), check: find.with("timeout=2s"), says: once(failed(ask, timeout))}},
	},
	{
		number: 17, title: "Empty or wrong database mounted", at: dicomServer,
		users:  "Searches work, and no prior study is found.",
		wire:   "C-FIND-RSP 0000 without a match.",
		fooled: []check{echo, find},
		scenes: []scene{{note: "Needs a test patient that the site keeps for this.", peer: archive("find-empty"), check: known, says: once(failed(ask, mismatch))}},
	},
	{
		number: 18, title: "Destination table of C-MOVE missing on one node", at: dicomServer, by: byTraffic,
		users:  "Images cannot be fetched to a workstation, sometimes: it depends on the node.",
		wire:   "C-MOVE-RSP with status A801.",
		fooled: []check{echo, find, store},
		peer:   archive(),
		others: "No kind of check asks for a C-MOVE: the only one that leaves nothing behind goes to a destination that cannot exist, and its healthy answer is this very A801. " +
			"The gateway counts what servers answer: `gantry_dimse_responses_total{command=\"C-MOVE\",status_class=\"failure\"}` of one server grows, and the line `association ended` has the status: `TestMovesAreCounted` in `gateway`.",
	},
	{
		number: 19, title: "C-MOVE accepted, its own associations blocked by a firewall", at: dicomServer, by: byTraffic,
		users:  "Fetching runs for minutes and brings nothing.",
		wire:   "C-MOVE-RSP B000 with failed sub-operations at the end; the server's own connections to the workstation never pass the gateway.",
		fooled: []check{echo, find, store},
		peer:   archive(),
		others: "A check has no workstation that could be sent to. The gateway counts: `gantry_dicom_sub_operations_total{outcome=\"failed\"}` of one server grows: `TestMovesAreCounted` in `gateway`.",
	},
	{
		number: 20, title: "Storage commitment accepted, its report never sent", at: dicomServer, by: byTraffic,
		users:  "Modalities keep their images for ever, and fill up.",
		wire:   "N-ACTION-RSP 0000; the N-EVENT-REPORT, on an association of the server's own, never comes.",
		fooled: []check{echo, find, store},
		peer:   archive(),
		others: "The report comes hours later and to the modality's address, not to the gateway's. Where both ways pass the gateway (a second service for what servers open themselves, docs/dicom.md), `gantry_dimse_responses_total` has N-ACTION in the one and N-EVENT-REPORT in the other: they must keep step. `TestCommitmentsAreCounted` in `gateway`.",
	},
}
