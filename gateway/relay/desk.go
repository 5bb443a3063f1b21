package relay

import (
	"net/netip"
	"runtime/debug"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// Desk is a place on one loop for an owner that reads and writes its sockets itself. Everything
// that the owner and its handlers are told, they are told on that loop, one call at a time; but for
// Post, a Desk's and its links' methods may be called there alone.
type Desk struct {
	loop   *loop
	owner  DeskOwner
	links  map[*Link]struct{}
	every  time.Duration
	tickAt int64 // on the loop's clock; 0 = never
	ended  bool
}

// DeskOwner is who a Desk works for.
type DeskOwner interface {
	// Tick is called as Desk.TickEvery says.
	Tick(d *Desk)
	// Ended is the last call: the relay is closed (Stopped), or a method of the owner or of a
	// handler panicked (InternalError). All links are closed; their handlers are not told.
	Ended(d *Desk, why End)
}

// NewDesk opens a desk on the loop that has the fewest. It may be called from any goroutine.
func (r *Relay) NewDesk(o DeskOwner) *Desk {
	l := r.loops[0]
	for _, other := range r.loops {
		if other.desked.Load() < l.desked.Load() {
			l = other
		}
	}
	l.desked.Add(1)
	d := &Desk{loop: l, owner: o, links: map[*Link]struct{}{}}
	l.post(message{kind: task, desk: d, do: d.begin})
	return d
}

// begin takes the desk in on its loop.
func (d *Desk) begin() {
	if d.loop.stopping {
		d.end(Stopped)
		return
	}
	d.loop.desks = append(d.loop.desks, d)
}

// Post has f run on the loop, after what was posted before, also when the desk has ended meanwhile.
// It may be called from any goroutine; false means that the relay is closed, and f will not run.
func (d *Desk) Post(f func()) bool {
	return d.loop.deliver(message{kind: task, desk: d, do: f})
}

// Now is the time of the loop's present turn.
func (d *Desk) Now() time.Time { return d.loop.base.Add(time.Duration(d.loop.now)) }

// TickEvery sets how often the owner's Tick is called; 0 is never.
func (d *Desk) TickEvery(every time.Duration) {
	d.every, d.tickAt = every, 0
	if every > 0 {
		d.tickAt = d.loop.now + int64(every)
	}
}

// Links is the number of its open connections.
func (d *Desk) Links() int { return len(d.links) }

// Adopt takes a connected, non-blocking socket, which is the desk's from then on. That it cannot be
// watched is told by Lost.
func (d *Desk) Adopt(fd int, h LinkHandler) *Link {
	k := d.link(fd, h)
	k.open, k.writable = true, true
	if err := d.loop.watchLink(k); err != nil {
		k.fail(err)
	}
	return k
}

// Dial opens a connection. LinkHandler.Dialed tells how that went, never before Dial has returned.
func (d *Desk) Dial(addr netip.AddrPort, within time.Duration, h LinkHandler) *Link {
	k := d.link(-1, h)
	k.addr, k.started, k.dialing = addr, d.loop.now, true
	if within > 0 {
		k.deadline = d.loop.now + int64(within)
		d.loop.dials = append(d.loop.dials, k)
	}
	if err := k.connect(); err != nil {
		k.fail(err)
	}
	return k
}

func (d *Desk) link(fd int, h LinkHandler) *Link {
	k := &Link{desk: d, handler: h, fd: fd, slot: -1}
	d.links[k] = struct{}{}
	return k
}

// Close closes all links and the desk; nobody is told.
func (d *Desk) Close() {
	if d.ended {
		return
	}
	d.ended = true
	for k := range d.links {
		k.Close()
	}
	l := d.loop
	l.desked.Add(-1)
	if i := slices.Index(l.desks, d); i >= 0 {
		l.desks = slices.Delete(l.desks, i, i+1)
	}
}

// end closes the desk and tells its owner.
func (d *Desk) end(why End) {
	if d.ended {
		return
	}
	d.Close()
	defer func() {
		if v := recover(); v != nil && d.loop.onPanic != nil {
			d.loop.onPanic(v, debug.Stack())
		}
	}()
	d.owner.Ended(d, why)
}

// guard runs one step of the owner's; a panic ends the desk and nothing else.
func (d *Desk) guard(step func()) {
	defer func() {
		if v := recover(); v != nil {
			if d.loop.onPanic != nil {
				d.loop.onPanic(v, debug.Stack())
			}
			d.end(InternalError)
		}
	}()
	step()
}

// runDesks gives ticks that are due, and ends dials whose time is over.
func (l *loop) runDesks() {
	for _, d := range slices.Clone(l.desks) {
		if d.tickAt == 0 || d.tickAt > l.now {
			continue
		}
		d.tickAt = l.now + int64(d.every)
		d.guard(func() { d.owner.Tick(d) })
	}
	if len(l.dials) > 0 && l.now >= l.scanAt {
		l.scanAt = l.now + int64(dialScan)
		l.overdue()
	}
}

// dialScan is how exact the deadlines of dials and of parting are kept.
const dialScan = 10 * time.Millisecond

// overdue ends dials and partings whose time is over.
func (l *loop) overdue() {
	l.dials = slices.DeleteFunc(l.dials, func(k *Link) bool { return k.gone || !k.dialing && !k.parting })
	for _, k := range slices.Clone(l.dials) {
		switch {
		case k.deadline > l.now || k.gone:
		case k.parting:
			k.Close()
		case k.news == nil:
			k.fail(ErrConnectTimeout)
		}
	}
}

// deskWait is the time until a desk wants to be looked at, in milliseconds; -1 is never.
func (l *loop) deskWait() int {
	next := int64(-1)
	earlier := func(at int64) {
		if at != 0 && (next < 0 || at < next) {
			next = at
		}
	}
	for _, d := range l.desks {
		earlier(d.tickAt)
	}
	if len(l.dials) > 0 {
		earlier(l.scanAt)
	}
	if next < 0 {
		return -1
	}
	left := time.Duration(next) - time.Since(l.base)
	return int(max(left+time.Millisecond-1, 0) / time.Millisecond)
}

// endDesks ends all of them: the relay is closed.
func (l *loop) endDesks() {
	for _, d := range slices.Clone(l.desks) {
		d.end(Stopped)
	}
}

// runLinks goes on with the links that had more than their turn's share, or news to tell.
func (l *loop) runLinks() {
	links := l.busy
	l.busy = l.spareBusy[:0]
	for _, k := range links {
		k.queued = false
		if !k.gone {
			k.desk.guard(k.goOn)
		}
	}
	clear(links)
	l.spareBusy = links[:0]
}

func (l *loop) watchLink(k *Link) error {
	if k.slot < 0 {
		k.slot = l.takeSlot()
		l.slots[k.slot].link = k
	}
	ev := unix.EpollEvent{
		Events: unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET,
		Fd:     k.slot, Pad: l.slots[k.slot].gen << 1,
	}
	return unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, k.fd, &ev)
}
