// Package balancing chooses a server for each client connection: servers and
// what they carry, pools and their algorithms, and which client went where. It
// knows no protocol, opens no connection, and never looks at a clock: every
// time comes in as an argument.
//
// # A connection
//
// Pick chooses a server and counts the session in; whoever got it must Release
// it exactly once. After a failed dial the caller releases it, asks again with
// that server among Tried, and so on until Pick says ErrNoServer (nobody left)
// or ErrFull (those left run as many sessions as they may). Nothing waits.
//
// # Servers
//
// Checks say Checking (not yet judged), Up, Degraded (up, with a share of its
// weight) or Down; a person says Ready, Drain or Maint; the gateway sets aside, as
// Held or Ejected, what it does not trust for a time. A server is usable when it is
// Ready, not Down and not set aside. Drain and Maint take nothing new and leave
// running sessions alone. A full server is usable, it only has no room now.
//
// A weight is 1 to 256, 100 unless set. A server that comes Up after it was judged
// Down begins with a tenth of its weight and grows to the whole in a straight line
// during SlowStart. The first judgement after a start is no recovery. The ramp acts
// through the weight alone: a recovered server that stands alone takes everything.
//
// # The ladder
//
// The first rung with a server that is untried and has room serves:
//
//  1. regular servers that are up or degraded
//  2. regular servers that are checking
//  3. backup servers that are up or degraded
//  4. backup servers that are checking
//  5. servers that are set aside, the regular ones first
//  6. with Panic only: servers that are down, the regular ones first
//
// A rung whose servers are all full is passed over too, as there is no queue to
// wait in: better served by a backup than refused.
//
// Within the rung, distribution failover takes the first in file order, and
// distribution balance goes by the algorithm:
//
//   - least-connections: the smallest (running + 1) / effective weight. Among
//     equals the one chosen longest ago, so idle servers of one weight take turns.
//     Beside a heavier idle server a lighter one waits until the heavier is busy.
//   - round-robin: smooth weighted, as nginx does it: 5, 1, 1 is a a b a c a a.
//   - random-two: two different ones drawn by effective weight, the one with less
//     running per weight serves; the first drawn if they are level.
//   - source-hash: weighted rendezvous hash of the key and the servers' names.
//     No memory, and the same in every process. When servers or weights change,
//     only clients of the server that shrank, or to the one that grew, move.
//
// # Persistence
//
// A client with an entry goes to its server as long as that is usable and was not
// tried in this connection. The entry comes before the ladder: a client stays on a
// backup, or on the second server of a failover service, after the first is back.
// Otherwise the client moves and stays where it came: the entry is
// overwritten. A server that is not usable, and serves because no better one is
// left, counts as usable here for as long as that lasts. Two exceptions:
//
//   - the server is only full: this connection goes elsewhere, the entry stays.
//   - two first connections of one client at the same moment: the second follows
//     the first, so that both end up on one server.
//
// The clock of an entry restarts with every connection of its client. A request
// without a key, the zero Key, is never remembered. An entry whose server is not in
// the pool any more is worth nothing.
//
// The table is bounded. All entries live equally long, so the one unused for the
// longest time is both the first to expire and the first to go when the table is
// full (Evicted counts those). Each Get and Put clears away at most two expired
// entries and Expire as many as it is told, so however many expire at once,
// nobody stands in line behind a scan.
//
// # Reload
//
// A Pool's members never change: a new configuration is a new Pool over the same
// Server and Persistence objects, so limits, counters, health and entries hold
// across generations, and sessions of the old one release as they end.
package balancing
