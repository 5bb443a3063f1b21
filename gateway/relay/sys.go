package relay

import (
	"net"
	"strconv"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The keep-alive clock: a peer that vanished without a word is noticed after
// KeepIdle + KeepCount × KeepInterval = 2 minutes, and firewalls that forget
// quiet connections after a few minutes see a packet before that.
const (
	// KeepIdle is the quiet time before the first probe, in seconds.
	KeepIdle = 60
	// KeepInterval is the time between probes, in seconds.
	KeepInterval = 15
	// KeepCount is the number of unanswered probes that end a connection.
	KeepCount = 4
)

// keepAfter is the age at which a server leg gets its keep-alive. Most sessions
// end before, and are spared four system calls.
const keepAfter = 20 * time.Second

// pollNow is epoll_wait that cannot block, so it needs none of the scheduler's
// preparations for a blocking call.
func pollNow(epoll int, events []unix.EpollEvent) int {
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(epoll),
		uintptr(unsafe.Pointer(&events[0])), uintptr(len(events)), 0, 0, 0)
	if errno != 0 {
		return 0
	}
	return int(n)
}

// read, write and splice are the system calls without the scheduler's
// preparations for one that blocks: every descriptor of the relay is
// non-blocking, so they copy at most a buffer's worth and return.
func read(fd int, b []byte) (int, error) {
	return result(unix.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b))))
}

func write(fd int, b []byte) (int, error) {
	return result(unix.RawSyscall(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b))))
}

func splice(from, to, n int) (int, error) {
	return result(unix.RawSyscall6(unix.SYS_SPLICE, uintptr(from), 0, uintptr(to), 0, uintptr(n),
		unix.SPLICE_F_NONBLOCK|unix.SPLICE_F_MOVE))
}

func result(n, _ uintptr, errno unix.Errno) (int, error) {
	switch errno {
	case 0:
		return int(n), nil
	case unix.EAGAIN: // spares an allocation for the usual one
		return -1, unix.EAGAIN
	}
	return -1, errno
}

// yield lets other threads of the machine run, if any wait.
func yield() { _, _, _ = unix.RawSyscall(unix.SYS_SCHED_YIELD, 0, 0, 0) }

// setOption sets an integer option by a system call that cannot block.
func setOption(fd, level, option, value int) {
	v := int32(value)
	_, _, _ = unix.RawSyscall6(unix.SYS_SETSOCKOPT, uintptr(fd), uintptr(level), uintptr(option),
		uintptr(unsafe.Pointer(&v)), unsafe.Sizeof(v), 0)
}

// quickAck has the acknowledgement that is due sent now, and the next ones
// without delay. The kernel forgets it as soon as data flows back, so it is
// called after every read.
func quickAck(fd int) { setOption(fd, unix.IPPROTO_TCP, unix.TCP_QUICKACK, 1) }

// outQueue is how many bytes of a TCP socket the peer's kernel has not
// acknowledged, also of one that was reset.
func outQueue(fd int) int {
	n := int32(0)
	_, _, errno := unix.RawSyscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCOUTQ, uintptr(unsafe.Pointer(&n)))
	if errno != 0 {
		return 0
	}
	return int(n)
}

// empty tells whether a read would find nothing: no byte, no FIN, no error.
func empty(fd int) bool {
	b := byte(0)
	_, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(&b)), 1,
		unix.MSG_PEEK|unix.MSG_DONTWAIT, 0, 0)
	return errno == unix.EAGAIN
}

// hungUp tells whether the peer has sent FIN, or the connection has failed.
func hungUp(fd int) bool {
	p := unix.PollFd{Fd: int32(fd), Events: unix.POLLRDHUP}
	var now unix.Timespec
	_, _, errno := unix.RawSyscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(&p)), 1, uintptr(unsafe.Pointer(&now)), 0, 0, 0)
	return errno != 0 || p.Revents != 0
}

// socketError takes the error that the kernel holds for a socket, if any.
func socketError(fd int) error {
	errno, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	switch {
	case err != nil:
		return err
	case errno != 0:
		return unix.Errno(errno)
	}
	return nil
}

// resetOnClose has close send RST in the place of FIN, also where fd is carried.
func resetOnClose(fd int) {
	resetCarried(fd)
	_ = unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1, Linger: 0})
}

// serverSocket opens a non-blocking TCP socket with the options of a server leg.
func serverSocket(v6 bool) (int, error) {
	family := unix.AF_INET
	if v6 {
		family = unix.AF_INET6
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
	if err != nil {
		return -1, err
	}
	setOption(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	return fd, nil
}

// keepAlive has the kernel find out when the peer is gone without a word.
func keepAlive(fd int) {
	setOption(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1)
	setOption(fd, unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, KeepIdle)
	setOption(fd, unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, KeepInterval)
	setOption(fd, unix.IPPROTO_TCP, unix.TCP_KEEPCNT, KeepCount)
}

// zoneIndex returns the number of a network interface named in a link-local
// IPv6 address, 0 when there is none of that name.
func zoneIndex(name string) uint32 {
	if i, err := strconv.Atoi(name); err == nil {
		return uint32(i)
	}
	ifi, err := net.InterfaceByName(name)
	if err != nil {
		return 0
	}
	return uint32(ifi.Index)
}
