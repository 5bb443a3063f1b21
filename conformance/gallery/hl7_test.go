package gallery

import (
	"gantry/fixtures/hl7"
	"gantry/fixtures/rude"
	"gantry/negotiate"
	"gantry/protocols/mllp"
)

// The checks of HL7 receivers.
var (
	message = check{kind: "mllp"}
	own     = check{kind: "mllp", keys: []string{"message=update.hl7"}}
)

// hl7Failures are those of receivers of HL7 messages.
var hl7Failures = []failure{
	{
		number: 31, title: "Listener open, channel stopped or paused", at: hl7Server,
		users:  "Messages queue up in the sending systems; nobody sees it before the phone rings.",
		wire:   "The message is taken, and never acknowledged.",
		scenes: []scene{{peer: receiver("silent"), check: message.with("timeout=2s"), says: once(failed(ask, timeout))}},
	},
	{
		number: 32, title: "Acknowledgement without framing", at: hl7Server,
		users:  "Senders repeat each message until they time out, although it was filed: duplicates.",
		wire:   "Bytes of an HL7 message, without 0B in front.",
		scenes: []scene{{peer: receiver("no-framing"), check: message, says: once(failed(ask, malformed))}},
	},
	{
		number: 33, title: "Acknowledgement of a wrong message, or of none", at: hl7Server,
		users: "Careful senders stop; careless ones go on, and take one message's answer for another's.",
		wire:  "MSA-2 is not the MSH-10 that was sent, or empty.",
		scenes: []scene{
			{peer: receiver("wrong-control-id"), check: message, says: once(degraded(ask, mismatch))},
			{peer: receiver("empty-control-id"), check: message, says: once(degraded(ask, mismatch))},
		},
	},
	{
		number: 34, title: "Stale acknowledgement of an earlier message", at: hl7Server,
		users: "As 33, and each message seems to be one behind.",
		wire:  "MSA-2 is the MSH-10 of the message before.",
		scenes: []scene{{note: "Each check has a connection of its own: a receiver that is one behind within each connection shows to live traffic alone.",
			peer: receiver("stale-ack"), check: message, says: once(degraded(ask, mismatch))}},
	},
	{
		number: 35, title: "Accepted, and nothing stored", at: hl7Server, by: byNobody,
		users:  "Orders never arrive, and no system reports an error.",
		wire:   "AA: not to be told from a good one.",
		fooled: []check{message, own},
		peer:   receiver("lost"),
		others: "Nothing on the wire tells. What would notice it: a message of your own whose effect can be seen, the receiver's own counters, or a query of its database; a check of kind `exec` can run the program that looks there.",
	},
	{
		number: 36, title: "Negative acknowledgements for everything", at: hl7Server,
		users: "Senders stop at the first message and wait for a person.",
		wire:  "AE with error 207, or AR, whatever is sent.",
		scenes: []scene{
			{peer: receiver("error=207"), check: message, says: once(failed(ask, badStatus))},
			{note: "A rejection alone is a healthy answer to the built-in message, which no receiver knows. To a message that the receiver should know it is not:",
				peer: receiver("ack=AR"), check: own, says: once(failed(ask, badStatus))},
		},
	},
	{
		number: 37, title: "Serves so many connections, the next one hangs", at: hl7Server,
		users:  "The senders that were first work; the one that was restarted does not.",
		wire:   "The connection is accepted by the kernel, the message never read.",
		scenes: []scene{{note: "Two idle senders hold both places.", peer: occupied(2, receiver("max-connections=2"), mllp.Append(nil, hl7.Update("LAB", 1))), check: message.with("timeout=2s"), says: once(failed(ask, timeout))}},
	},
	{
		number: 38, title: "Stops after two exceptions", at: hl7Server,
		users: "After two broken connections nothing works until a restart.",
		wire:  "New connections are accepted and never answered.",
		scenes: []scene{{note: "Five runs. Checks that connect and leave without a message can be the very exceptions; the check sends a message and waits for the close.",
			peer: scripted(rude.Script{acknowledge}, rude.Script{acknowledge}, rude.Script{rude.Deaf()}), check: message.with("timeout=2s"),
			says: []verdict{healthy, healthy, failed(ask, timeout), failed(ask, timeout), failed(ask, timeout)}, state: negotiate.Down}},
	},
	{
		number: 39, title: "Acknowledges only after a timeout of its own", at: hl7Server,
		users:  "Throughput falls to a message each half minute; queues grow.",
		wire:   "AA, correct and late; in real life 30 s, here half a second.",
		fooled: []check{message},
		scenes: []scene{{peer: receiver("slow=" + lateBy.String()), check: message.with(lateBound), says: once(degraded(ask, slow))}},
	},
	{
		number: 40, title: "Closes the connection after each message", at: hl7Server,
		users:  "Senders that keep their connection open report an error now and then, or send everything twice.",
		wire:   "FIN behind the acknowledgement.",
		scenes: []scene{{note: "A warning: there are senders who like it so.", brief: true, peer: receiver("close-after-ack"), check: message, says: once(warned(shut, closed))}},
		others: "The reverse, a receiver that expects the close and gets none, shows to the sender alone.",
	},
	{
		number: 41, title: "Drops messages above a size", at: hl7Server,
		users:  "Orders work; reports with a letter in them do not.",
		wire:   "The connection is closed in the middle of a message of more than 64 KiB.",
		fooled: []check{message, own},
		scenes: []scene{{note: "`padded.hl7` is a message of your own with a comment (NTE) of 70 KiB.", peer: receiver("drop-above=64KiB"), check: message.with("message=padded.hl7"), says: once(failed(ask, closed))}},
	},
	{
		number: 42, title: "Closes the connection at the first umlaut", at: hl7Server,
		users:  "One patient's messages stop all others, since the change of the character set.",
		wire:   "The connection is closed at a byte above 7F.",
		fooled: []check{message, own},
		scenes: []scene{{note: "`umlaut.hl7` is a message of your own with letters that are not ASCII.", peer: receiver("ascii-only"), check: message.with("message=umlaut.hl7"), says: once(failed(ask, closed))}},
	},
	{
		number: 43, title: "Loses a message when two arrive together", at: hl7Server, by: byNobody,
		users:  "A few messages a day are missing.",
		wire:   "One acknowledgement for two messages that came in one TCP segment.",
		fooled: []check{message, own},
		peer:   receiver("glue"),
		others: "A check sends one message and waits. What would notice it: counting messages against acknowledgements in live traffic.",
	},
	{
		number: 44, title: "Connection half open after a firewall's timeout", at: hl7Server, by: byTraffic,
		users:  "The first message after a quiet night is lost, or hangs for minutes.",
		wire:   "RST or silence when the sender writes for the first time again.",
		fooled: []check{message},
		peer:   receiver(),
		others: "A check opens a connection of its own, and that one works. The gateway sends TCP keep-alive to the server, often enough for most firewalls to remember the connection, and ends a session on both sides when the server has vanished. A server that resets what clients send is checked at once and, with `passive`, ejected: `TestPassiveEjection` in `gateway`.",
	},
}
