// Package engine is the gnet room: it accepts clients, reads the first unit of
// what they say, and hands the connection over. No other package imports gnet.
//
// A Listener is one address and one gnet engine with one loop. Listeners of an
// engine are fixed for its life, so one each is what lets a reload add and
// remove them without touching the others.
//
//	accept ── Handler.Open ──┬── refused: closed with a reset
//	                         ├── no first unit: Handler.Ready at once
//	                         └── read, within Expect.Within ──┬── Handler.Ready
//	                                                          └── Handler.Lost
//
// Ready gives the connection away as a duplicate descriptor plus the bytes that
// were read; gnet's own descriptor is closed, which the peer cannot see. Until
// then nothing was consumed and no server has been dialled: a client that says
// nothing costs a server nothing.
//
// gnet stops a whole engine when accept fails, for lack of descriptors above
// all. The owner must keep connections well below RLIMIT_NOFILE (Handler.Open
// is the place to count), and the Listener opens a stopped engine again.
package engine
