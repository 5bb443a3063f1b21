// Package relay carries bytes both ways between a client that the engine
// accepted and the server that was chosen for it.
//
// A Relay runs a few loops, each one goroutine over one epoll instance. A
// client connection becomes a Flow on one loop, and everything that ever
// happens to it happens there: the dial, the relaying, the limits, the end. So
// a flow needs no lock and no goroutine, and an idle one holds nothing but its
// two sockets and about a kilobyte.
//
//	Adopt ── Begin ── Dial ──┬── connected ── relaying ── Done
//	            │            └── failed ── Dial (next server) …
//	            └── Refuse (answer, FIN, short linger) ────── Done
//
// What it promises, and how:
//
//   - Back-pressure. A direction is read only when nothing of it waits to be
//     written, so a slow reader slows its sender and costs at most one buffer
//     (ReadSize) or one pipe (PipeSize) a direction.
//   - Both ends are kept quick: TCP_NODELAY on both legs, and TCP_QUICKACK
//     re-armed after every read. DICOM toolkits write the head and the body of
//     a PDU in two writes with Nagle's algorithm on; the second waits for the
//     acknowledgement of the first, which a kernel delays by 40 ms unless asked
//     not to. The option is not sticky, hence the re-arming.
//   - Bulk moves inside the kernel. A flow that keeps filling its buffer is
//     switched to splice(2); the pipe is held only while it has bytes in it.
//   - An end is passed on as it came: FIN as FIN, for one direction alone
//     (half-close); RST as RST.
//   - Limits. Connect time, idle time of either side, linger after a refusal.
//
// An owner that must see every message, and sends each its own way, has a Desk
// instead of flows: one place on one loop for the connections of its clients and
// those to its servers, each a Link that it reads and writes itself. A desk
// knows nothing of what goes where. It promises the same of a single connection:
// bytes that are not wanted stay in the kernel (Link.Pause), FIN and RST are told
// as they came and behind the bytes before them, and an idle link costs less than
// 200 bytes. A panic ends the desk that it struck, and no other.
//
// A connection that only goroutines can read and write, as TLS is, is carried to a
// desk: Carry, and Beneath.
package relay
