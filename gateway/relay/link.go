package relay

import (
	"io"
	"net/netip"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Link is one connection of a Desk. It holds no buffer while it has nothing to write.
type Link struct {
	// State is the owner's.
	State any

	desk    *Desk
	handler LinkHandler
	pending []byte // written and not yet taken by the socket
	addr    netip.AddrPort
	started int64
	// deadline is that of the dial, and of parting.
	deadline int64
	news     error // to be told on a later turn
	fd       int
	slot     int32

	dialing  bool
	open     bool
	readable bool
	writable bool
	hup      bool // there is more behind a short read: a FIN or an error
	eof      bool // the FIN was read
	paused   bool
	parting  bool
	queued   bool
	gone     bool
	blocked  bool // Write has said so; Flushed is due
}

// LinkHandler is told what happens on a link. It may call any method of any link of the desk.
type LinkHandler interface {
	// Dialed tells how Desk.Dial went; after an error the link is closed.
	Dialed(l *Link, took time.Duration, err error)
	// Received shows bytes, which are valid during the call. It is not called while the link is
	// paused.
	Received(l *Link, b []byte)
	// Finished tells that the peer has sent FIN, behind all that it sent.
	Finished(l *Link)
	// Lost tells that the connection was reset, or failed otherwise. The link is closed.
	Lost(l *Link, err error)
	// Flushed tells that all that was written is with the kernel, where Write had said it was not.
	Flushed(l *Link)
}

// linkTurn is how many bytes a link may deliver before others have their turn.
const linkTurn = 256 << 10

func (k *Link) connect() error {
	ip := k.addr.Addr().Unmap()
	fd, err := serverSocket(ip.Is6())
	if err != nil {
		return err
	}
	k.fd = fd
	if err := unix.Connect(fd, sockaddr(ip, k.addr.Port())); err != nil && err != unix.EINPROGRESS {
		return err
	}
	return k.desk.loop.watchLink(k)
}

// fail has an error told on a later turn.
func (k *Link) fail(err error) {
	k.news = err
	k.later()
}

func (k *Link) later() {
	if !k.queued {
		k.queued = true
		l := k.desk.loop
		l.busy = append(l.busy, k)
	}
}

// event takes note of what the kernel says, and goes on.
func (k *Link) event(ev uint32) {
	if ev&(unix.EPOLLIN|unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0 {
		k.readable = true
	}
	if ev&(unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0 {
		k.hup = true
	}
	if ev&(unix.EPOLLOUT|unix.EPOLLERR|unix.EPOLLHUP) != 0 {
		k.writable = true
	}
	switch {
	case k.dialing:
		k.dialEvent(ev)
	case k.eof && ev&(unix.EPOLLERR|unix.EPOLLHUP) != 0: // it has said all, and reads no more
		if k.parting {
			k.Close()
		} else {
			k.lose(unix.ECONNRESET)
		}
	default:
		k.goOn()
	}
}

func (k *Link) dialEvent(ev uint32) {
	if k.news != nil || ev&(unix.EPOLLOUT|unix.EPOLLERR|unix.EPOLLHUP) == 0 {
		return
	}
	switch err := dialError(k.fd, ev); {
	case err != nil:
		k.dialed(err)
	case selfConnected(k.fd, k.addr):
		k.dialed(unix.ECONNREFUSED)
	default:
		k.dialed(nil)
	}
}

func (k *Link) dialed(err error) {
	k.dialing = false
	took := time.Since(k.desk.loop.base) - time.Duration(k.started)
	if err != nil {
		k.Close()
	} else {
		k.open, k.writable = true, true
		keepAlive(k.fd)
	}
	k.handler.Dialed(k, took, err)
	if err == nil && !k.gone {
		k.goOn()
	}
}

// goOn tells news, writes what waits, and reads.
func (k *Link) goOn() {
	if err := k.news; err != nil {
		k.news = nil
		if k.dialing {
			k.dialed(err)
		} else {
			k.lose(err)
		}
		return
	}
	if k.writable && len(k.pending) > 0 && !k.push() {
		return
	}
	if k.blocked && len(k.pending) == 0 {
		k.blocked = false
		if k.handler.Flushed(k); k.gone {
			return
		}
	}
	k.pull()
}

// push writes what waits; false when the link is gone.
func (k *Link) push() bool {
	for len(k.pending) > 0 {
		n, err := write(k.fd, k.pending)
		switch {
		case err == unix.EAGAIN:
			k.writable = false
			return true
		case err != nil:
			if k.parting {
				k.Close()
			} else {
				k.lose(err)
			}
			return false
		}
		k.pending = k.pending[n:]
	}
	k.pending = nil
	switch {
	case k.parting && k.eof:
		k.Close()
		return false
	case k.parting:
		_ = unix.Shutdown(k.fd, unix.SHUT_WR)
	}
	return true
}

// pull reads until the socket has no more, the owner pauses, or others have their turn.
func (k *Link) pull() {
	scratch := k.desk.loop.scratch
	for got := 0; k.readable && !k.gone && (!k.paused || k.parting) && !k.eof; {
		n, err := read(k.fd, scratch)
		switch {
		case err == unix.EAGAIN:
			k.readable = false
			return
		case err != nil:
			k.ended(err)
			return
		case n == 0:
			k.ended(io.EOF)
			return
		}
		if n < len(scratch) && !k.hup {
			k.readable = false
		}
		if !k.parting {
			k.handler.Received(k, scratch[:n])
		}
		if got += n; got >= linkTurn && k.readable && !k.gone {
			k.later()
			return
		}
	}
}

// ended is the end of what the peer says.
func (k *Link) ended(err error) {
	k.readable = false
	switch {
	case k.parting:
		k.Close()
	case err == io.EOF:
		k.eof = true
		k.handler.Finished(k)
	default:
		k.lose(err)
	}
}

// lose closes the link and tells its handler.
func (k *Link) lose(err error) {
	k.Close()
	k.handler.Lost(k, err)
}

// Write sends b. What the socket does not take is copied and sent later: flushed is false then, and
// LinkHandler.Flushed follows. After an error nothing of b was taken and the link is closed; Lost
// does not follow.
func (k *Link) Write(b []byte) (flushed bool, err error) {
	if k.gone || k.parting {
		return false, unix.EPIPE
	}
	if len(k.pending) == 0 && k.open && len(b) > 0 {
		n, err := write(k.fd, b)
		switch {
		case err == unix.EAGAIN:
			k.writable = false
		case err != nil:
			k.Close()
			return false, err
		default:
			b = b[n:]
		}
	}
	if len(b) == 0 {
		return len(k.pending) == 0, nil
	}
	k.pending = append(k.pending, b...)
	k.blocked = true
	if k.writable { // a short write: the socket is full, or has room again
		k.later()
	}
	return false, nil
}

// Pending is the number of bytes that were written and that the socket has not taken.
func (k *Link) Pending() int { return len(k.pending) }

// Pause stops reading; what the peer sends stays in the kernel, and holds the peer up.
func (k *Link) Pause() { k.paused = true }

// Resume reads on. What has come meanwhile is told on a later turn.
func (k *Link) Resume() {
	if k.paused = false; k.readable && !k.gone && k.open {
		k.later()
	}
}

// Quiet tells that nothing has come from the peer: no byte, no FIN, no error. It looks.
func (k *Link) Quiet() bool {
	if k.gone || !k.open || k.eof || k.hup || k.readable {
		return false
	}
	var b [1]byte
	n, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(k.fd), uintptr(unsafe.Pointer(&b[0])), 1,
		unix.MSG_PEEK|unix.MSG_DONTWAIT, 0, 0)
	return n != 0 && errno == unix.EAGAIN
}

// QuickAck has the acknowledgement that is due sent now, for peers that hold back the rest of a
// message until then.
func (k *Link) QuickAck() {
	if k.open && !k.gone {
		quickAck(k.fd)
	}
}

// Unsent is the number of bytes that the peer has not acknowledged, or that have not left yet.
func (k *Link) Unsent() int {
	if k.gone {
		return 0
	}
	n, err := unix.IoctlGetInt(k.fd, unix.SIOCOUTQ)
	if err != nil {
		n = 0
	}
	return n + len(k.pending)
}

// Part closes the connection as peers like it: FIN behind what was written, then reading what comes
// until the peer closes too, for PartLinger at most. The handler is told nothing more.
func (k *Link) Part() {
	switch {
	case k.gone || k.parting:
		return
	case k.eof && len(k.pending) == 0 || !k.open:
		k.Close()
		return
	}
	l := k.desk.loop
	k.parting, k.blocked = true, false
	k.deadline = l.now + int64(PartLinger)
	l.dials = append(l.dials, k)
	if len(k.pending) == 0 {
		_ = unix.Shutdown(k.fd, unix.SHUT_WR)
	}
	if k.readable || k.eof {
		k.later()
	}
}

// Close closes the connection at once. The handler is told nothing more.
func (k *Link) Close() {
	if k.gone {
		return
	}
	k.gone = true
	k.pending = nil
	l := k.desk.loop
	if k.slot >= 0 {
		l.slots[k.slot].link = nil
		l.free = append(l.free, k.slot)
	}
	if k.fd >= 0 {
		_ = unix.Close(k.fd)
	}
	delete(k.desk.links, k)
}

// Reset closes the connection at once, by RST.
func (k *Link) Reset() {
	if !k.gone && k.fd >= 0 {
		resetOnClose(k.fd)
	}
	k.Close()
}
