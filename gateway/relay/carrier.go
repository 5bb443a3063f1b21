package relay

import (
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// CarryBuffer is how many bytes a carrier moves at once: the most that a TLS
	// record holds. A direction that has something on its way holds one such buffer.
	CarryBuffer = 16 << 10
	// CarryIdle is the buffer, in bytes, with which a carrier waits for its peer: TLS
	// can be waited for in a Read alone. Most messages and answers fit.
	CarryIdle = 2 << 10
	// CarryQueue is what SO_SNDBUF of both ends of the pair is set to, in bytes. The
	// kernel doubles it and counts its own overhead in, so that less than twice as
	// many bytes wait between desk and carrier, each way.
	CarryQueue = 32 << 10
	// CarryLinger is how long a peer may take for the next CarryBuffer bytes once the
	// desk's end is closed, and how long to end its own side behind them.
	CarryLinger = PartLinger
	// carryLook is how often a carrier whose peer takes nothing looks whether the
	// desk's end is closed.
	carryLook = 100 * time.Millisecond
)

// Carry gives a connection that only goroutines can read and write, as TLS is, a
// descriptor for Desk.Adopt: one end of a pair of unix sockets. Two goroutines
// carry the bytes between the other end and conn, and close both when they are
// done; then ended is called, once, on one of them (nil tells nobody). A TLS
// handshake must be over. An error means that there are too few descriptors or too
// little memory; conn is still the caller's then, and ended is not called.
//
// What happens on one side is told on the other as it came, behind the bytes before
// it:
//
//   - The peer's close_notify, or its FIN where there is no TLS, is Finished. The
//     other direction goes on.
//   - All else that ends conn is Lost: a reset, a wrong record, a write that fails,
//     TLS that breaks off. crypto/tls takes it for ended when it breaks off between
//     two records; a connection with Beneath under its TLS does not.
//   - Part sends all that was written, then close_notify and FIN; what the peer
//     still sends reaches the link, which throws it away. So does Close, unless there
//     was something that had come and was not read: that makes a reset of it, RST and
//     no close_notify.
//   - A peer that takes nothing is waited for as long as the link is open: that is
//     back-pressure. Then it has CarryLinger for every CarryBuffer, so that a carrier
//     outlives its link by less than half a minute. One that takes longer is reset.
//   - A link that is paused holds the peer back once the pair is full.
//
// The methods of such a link know the pair, and no more:
//
//   - Write: flushed, and Flushed, tell that all is with the carrier, not that it is
//     with TCP. An error means what it says: nothing of it was or will be sent.
//     Pending is right.
//   - Unsent is what the carrier has not fetched, in bytes of the kernel's memory. So
//     0 does not mean that the peer has all; after Lost it is Pending alone.
//   - Quiet and Ended are right as far as the carrier has come: they do not see what
//     is with TCP still. They lose that race without a carrier, too; with one it is
//     longer by the wake-up of a goroutine.
//   - QuickAck does nothing. It need not: the carrier re-arms TCP_QUICKACK after every
//     read.
//   - A paused link is told of a loss at once while the pair is not full, otherwise
//     when something is written or it is read again.
//
// A connection costs three descriptors in the place of one, two goroutines, and
// while it is idle 11 kB of memory beside what TLS takes (CarryIdle and two stacks).
// A message and its answer take some 45 µs of processor time more than on a socket.
func Carry(conn net.Conn, ended func()) (fd int, err error) {
	c := &carrier{conn: conn, ended: ended}
	if err := c.open(); err != nil {
		return -1, err
	}
	c.dig()
	c.watch = time.AfterFunc(time.Hour, c.look)
	c.watch.Stop()
	c.users.Store(2)
	go c.inward()
	go c.outward()
	return c.far, nil
}

// carrier is one connection that is carried.
type carrier struct {
	conn  net.Conn
	raw   net.Conn        // what lies beneath all TLS
	wire  syscall.RawConn // of raw; nil when it has none
	under *beneath        // what was put beneath the TLS; nil for nothing
	near  *os.File        // our end of the pair
	pair  syscall.RawConn // of near
	far   int             // the desk's end, which is the desk's own once Carry has returned
	name  uint64          // of the desk's end, whoever has its number
	ended func()
	users atomic.Int32 // goroutines that are not done with it

	heard   atomic.Bool  // the peer has ended its side, and the desk was told
	failed  atomic.Bool  // conn is lost: what looks like an end in order is none
	reset   atomic.Bool  // the desk's end was closed, and not in order
	sending atomic.Bool  // conn is written to, or ended
	looks   atomic.Int32 // looks in a row that found so, and the desk's end closed
	watch   *time.Timer  // of these looks
	limit   *time.Timer  // of what goes on without a desk, or without a conn; outward's

	mu   sync.Mutex
	lost bool // the desk was told so: nothing is read from near any more

	idle [CarryIdle]byte
}

// open makes the pair.
func (c *carrier) open() error {
	p, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("socketpair", err)
	}
	for _, fd := range p {
		setOption(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, CarryQueue)
	}
	c.near, c.far = os.NewFile(uintptr(p[0]), "carrier"), p[1]
	if c.name, err = nameOf(c.far); err == nil {
		c.pair, err = c.near.SyscallConn()
	}
	if err != nil {
		_, _ = c.near.Close(), unix.Close(c.far)
		return err
	}
	carriers.add(c)
	return nil
}

// dig finds what lies beneath the TLS.
func (c *carrier) dig() {
	c.raw = c.conn
	for {
		over, ok := c.raw.(interface{ NetConn() net.Conn })
		if !ok {
			break
		}
		if c.raw = over.NetConn(); c.under == nil {
			c.under, _ = c.raw.(*beneath)
		}
	}
	if s, ok := c.raw.(syscall.Conn); ok {
		c.wire, _ = s.SyscallConn()
	}
}

// enter is the beginning of a timer's goroutine; false when all is over.
func (c *carrier) enter() bool {
	for {
		n := c.users.Load()
		if n == 0 {
			return false
		}
		if c.users.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// leave is the end of a goroutine. The last one closes what is open.
func (c *carrier) leave() {
	if c.users.Add(-1) > 0 {
		return
	}
	c.watch.Stop()
	if c.limit != nil {
		c.limit.Stop()
	}
	carriers.remove(c)
	_, _ = c.conn.Close(), c.near.Close()
	if c.ended != nil {
		c.ended()
	}
}
