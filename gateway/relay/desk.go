package relay

import (
	"cmp"
	"net/netip"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// DeskOwner decides what happens at a Desk. Its methods are called on the
// desk's loop, one at a time and never from within a method of Desk or Link,
// and must not block.
type DeskOwner interface {
	// Tick is called as often as Desk.TickEvery says.
	Tick(d *Desk)
	// Ended is the last call: the relay was closed (Stopped), or a method of the
	// owner, of one of its handlers, or a function it had posted panicked
	// (InternalError). All links are closed already, and their handlers were not
	// told. After Close it is not called.
	Ended(d *Desk, why End)
}

// Desk is a place on one loop for an owner that reads and writes its connections
// itself: those it has adopted and those it has dialled live on that loop
// together, so that neither it nor they need a lock. But for Post, the methods
// of a Desk and of its links may be called on the loop alone: from the methods
// of the owner and of its handlers, and from functions given to Post.
type Desk struct {
	loop  *loop
	owner DeskOwner
	links int
	every int64 // of the tick, in nanoseconds; 0 = never
	tick  *alarm
	ended atomic.Bool
}

// Loops is the number of loops.
func (r *Relay) Loops() int { return len(r.loops) }

// NewDesk opens a desk on the loop that has the fewest, of those where none of
// apart is, if there is one. When the relay is closed already, the desk has ended
// when NewDesk returns. It may be called from any goroutine.
func (r *Relay) NewDesk(o DeskOwner, apart ...*Desk) *Desk {
	together := func(l *loop) int {
		n := 0
		for _, d := range apart {
			if d.loop == l {
				n++
			}
		}
		return n
	}
	l := slices.MinFunc(r.loops, func(a, b *loop) int {
		return cmp.Or(cmp.Compare(together(a), together(b)),
			cmp.Compare(a.desked.Load(), b.desked.Load()), cmp.Compare(a.live.Load(), b.live.Load()))
	})
	d := &Desk{loop: l, owner: o}
	d.tick = newAlarm(d.ring)
	l.desked.Add(1)
	if !l.deliver(message{kind: open, desk: d}) {
		d.end(Stopped)
	}
	return d
}

// begin takes the desk in on its loop.
func (d *Desk) begin() {
	switch {
	case d.loop.stopping:
		d.end(Stopped)
	case !d.ended.Load():
		d.loop.desks = append(d.loop.desks, d)
	}
}

// Post has f run on the loop, soon, after what was posted before. It may be
// called from any goroutine. False means that the desk has ended, and f does not
// run. An f that was taken runs in any case: when the desk ends before its turn,
// Adopt and Dial do nothing but close what they are given.
func (d *Desk) Post(f func()) bool {
	return !d.ended.Load() && d.loop.deliver(message{kind: task, desk: d, do: f})
}

func (d *Desk) run(f func()) {
	defer d.rescue()
	f()
}

// Now is the time of the loop's present turn, with a monotonic reading.
func (d *Desk) Now() time.Time { return d.loop.base.Add(time.Duration(d.loop.now)) }

// TickEvery has the owner's Tick called that often, first in as long from now;
// 0 is never. It keeps time to the millisecond, as far as the loop's other work
// lets it; ticks that were missed are not made up for. Setting what is set
// already changes nothing.
func (d *Desk) TickEvery(every time.Duration) {
	if d.every == int64(every) || d.ended.Load() {
		return
	}
	d.every = max(int64(every), 0)
	d.loop.alarms.remove(d.tick)
	if d.every > 0 {
		d.loop.alarms.set(d.tick, d.loop.now+d.every)
	}
}

// ring is the tick.
func (d *Desk) ring() {
	defer d.rescue()
	at := d.tick.at + d.every
	if at <= d.loop.now {
		at = d.loop.now + d.every
	}
	d.loop.alarms.set(d.tick, at)
	d.owner.Tick(d)
}

// Links is the number of connections: open ones and those that are dialled, not
// those that part.
func (d *Desk) Links() int { return d.links }

// Adopt takes a connection in. The socket must be connected and non-blocking,
// and is the desk's from now on. When the kernel does not let it be watched,
// Lost tells so on a later turn.
func (d *Desk) Adopt(fd int, h LinkHandler) *Link {
	k := &Link{desk: d, handler: h, fd: int32(fd), slot: -1, state: linked, writable: true}
	if d.ended.Load() {
		k.shut()
		return k
	}
	d.loop.seat(k)
	if err := d.loop.watchLink(k); err != nil {
		k.fail(err)
	}
	return k
}

// Dial begins to connect. How that went is told by Dialed, on a later turn; when
// it takes longer than within, with ErrConnectTimeout. With within 0 the kernel's
// patience counts, about two minutes.
func (d *Desk) Dial(addr netip.AddrPort, within time.Duration, h LinkHandler) *Link {
	k := &Link{desk: d, handler: h, fd: -1, slot: -1, state: calling}
	if d.ended.Load() {
		k.shut()
		return k
	}
	d.loop.seat(k)
	k.dial(addr, within)
	return k
}

// Close closes all links, and with them the desk; nobody is told. Links that
// part are left to it.
func (d *Desk) Close() {
	if d.ended.Swap(true) {
		return
	}
	l := d.loop
	l.desked.Add(-1)
	l.alarms.remove(d.tick)
	if i := slices.Index(l.desks, d); i >= 0 {
		l.desks = slices.Delete(l.desks, i, i+1)
	}
	l.closeLinks(func(k *Link) bool { return k.desk == d && k.state != leaving })
}

// end closes the desk and tells its owner.
func (d *Desk) end(why End) {
	if d.ended.Load() {
		return
	}
	d.Close()
	defer d.rescue() // nobody is left to be told but OnPanic
	d.owner.Ended(d, why)
}

// rescue is deferred around all that is called of the owner's: a panic ends the
// desk, and nothing else.
func (d *Desk) rescue() {
	v := recover()
	if v == nil {
		return
	}
	if d.loop.onPanic != nil {
		d.loop.onPanic(v, debug.Stack())
	}
	d.end(InternalError)
}

// seat gives k a slot.
func (l *loop) seat(k *Link) {
	if n := len(l.freeSeats); n > 0 {
		k.slot = l.freeSeats[n-1]
		l.freeSeats = l.freeSeats[:n-1]
	} else {
		k.slot = int32(len(l.seats))
		l.seats = append(l.seats, seat{})
	}
	s := &l.seats[k.slot]
	s.link = k
	s.gen++
	k.desk.links++
}

// unseat takes the slot back: from now on no event finds k.
func (l *loop) unseat(k *Link) {
	l.seats[k.slot].link = nil
	l.freeSeats = append(l.freeSeats, k.slot)
	k.slot = -1
}

// seat is where an event finds its link. The generation tells an event of the
// present link from a late one of an earlier link in the same slot.
type seat struct {
	link *Link
	gen  int32
}

// seatToken turns a slot into the token of its events and back: flows have the
// tokens from 0 on, the loop's own eventfd has wakeToken.
func seatToken(slot int32) int32 { return wakeToken - 1 - slot }

// watchLink registers k, edge-triggered, for everything.
func (l *loop) watchLink(k *Link) error {
	ev := unix.EpollEvent{
		Events: unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLPRI | unix.EPOLLRDHUP | unix.EPOLLET,
		Fd:     seatToken(k.slot),
		Pad:    l.seats[k.slot].gen,
	}
	return unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, int(k.fd), &ev)
}

// linkEvent brings an event to its link.
func (l *loop) linkEvent(ev *unix.EpollEvent) {
	if s := &l.seats[seatToken(ev.Fd)]; s.link != nil && s.gen == ev.Pad {
		s.link.event(ev.Events)
	}
}

// runLinks gives links that have work left another turn.
func (l *loop) runLinks() {
	busy := l.busy
	l.busy = l.spareBusy[:0]
	for _, k := range busy {
		k.queued = false
		k.again()
	}
	clear(busy)
	l.spareBusy = busy[:0]
}

func (l *loop) closeLinks(which func(*Link) bool) {
	for i := range l.seats {
		if k := l.seats[i].link; k != nil && which(k) {
			k.Close()
		}
	}
}

// stopDesks ends all desks, and what still parts as far as it has sent all.
func (l *loop) stopDesks() {
	for len(l.desks) > 0 {
		l.desks[0].end(Stopped)
	}
	for i := range l.seats {
		if k := l.seats[i].link; k != nil {
			k.readable = true // as far as there is anything: it must not make a reset of the close
			k.again()
		}
	}
}

// linked tells whether there are links, parting ones among them.
func (l *loop) linked() bool { return len(l.seats) > len(l.freeSeats) }
