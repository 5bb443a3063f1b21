package relay

import (
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// call is a dial that has not ended.
type call struct {
	addr  netip.AddrPort
	since int64 // on the loop's clock
}

// dial begins to connect. What fails at once is told on the next turn.
func (k *Link) dial(addr netip.AddrPort, within time.Duration) {
	l := k.desk.loop
	k.call = &call{addr: addr, since: l.now}
	if err := k.connect(addr); err != nil {
		k.hangUp()
		k.fail(err)
		return
	}
	if within > 0 {
		k.time = newAlarm(k.overdue)
		l.alarms.set(k.time, l.now+int64(within))
	}
}

func (k *Link) connect(addr netip.AddrPort) error {
	ip := addr.Addr().Unmap()
	fd, err := serverSocket(ip.Is6())
	if err != nil {
		return err
	}
	k.fd = int32(fd)
	if err := unix.Connect(fd, sockaddr(ip, addr.Port())); err != nil && err != unix.EINPROGRESS {
		return err
	}
	return k.desk.loop.watchLink(k)
}

// callEvent looks at how the handshake went.
func (k *Link) callEvent(ev uint32) {
	if k.err != nil || ev&(unix.EPOLLOUT|unix.EPOLLERR|unix.EPOLLHUP) == 0 {
		return
	}
	switch err := dialError(int(k.fd), ev); {
	case err != nil:
		k.callFailed(err)
	case selfConnected(int(k.fd), k.call.addr):
		k.callFailed(unix.ECONNREFUSED)
	default:
		k.answered()
	}
}

// answered makes a link of a dial. The keep-alive is set at once: pooled
// connections live long, so that little is spared by putting it off.
func (k *Link) answered() {
	keepAlive(int(k.fd))
	took := k.endCall()
	k.state = linked
	k.handler.Dialed(k, took, nil)
	if k.state == linked {
		k.turn()
	}
}

func (k *Link) callFailed(err error) {
	took := k.endCall()
	k.shut()
	k.handler.Dialed(k, took, err)
}

func (k *Link) endCall() (took time.Duration) {
	l := k.desk.loop
	took = time.Since(l.base) - time.Duration(k.call.since)
	k.call = nil
	if k.time != nil {
		l.alarms.remove(k.time)
		k.time = nil
	}
	return took
}

// overdue is the alarm: the time of a dial or of a parting is over.
func (k *Link) overdue() {
	defer k.desk.rescue()
	if k.state == calling {
		k.callFailed(ErrConnectTimeout)
		return
	}
	k.Close()
}
