// Package mllpgate routes HL7 messages one by one. It knows bytes, times that it is told, and
// servers; no sockets and no clock, so that every order of events can be tried out.
//
//	Router.Message ─> turn (order) ─> place (pool, route) ─> station (one server) ─> Link ─> server
//	World.Answer  <─ the client's own order  <─────────────── Router.Frame <───────────────┘
//
// A message is
//
//	waiting   received, not its turn: one before it, of its connection or with its key, is not done
//	crowded   its turn, but every server that it may go to has no place free
//	held      its turn, but no server can be used (Settings.Hold)
//	placed    on a server, waiting for a connection
//	sent      written, in part at least: from here on its outcome is known by an answer alone
//	following the same frame is under way for another connection, and will be answered here as well
//	done      answered, or ended without an answer; its client learns of it in its turn
//
// The three promises, and where they are kept: an answer goes to who asked (link.go, by MSA-2,
// and later.go, where two messages have the same control id);
// messages of one connection, or with equal keys, go one after the other (order.go); what was sent
// and not answered is sent again only where the configuration says so (outcome.go).
package mllpgate
