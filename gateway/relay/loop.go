package relay

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// maxEvents is how many events one epoll_wait may bring.
const maxEvents = 256

// wakeToken marks the events of the loop's own eventfd.
const wakeToken = -1

// loop is one goroutine over one epoll instance. All fields below the mailbox
// belong to that goroutine alone.
type loop struct {
	relay   *Relay
	onPanic func(any, []byte)
	epoll   int
	wake    int
	live    atomic.Int64 // flows
	desked  atomic.Int64 // desks
	stopped chan struct{}

	mail   mailbox
	asleep atomic.Bool // the loop is, or is about to be, blocked in epoll_wait

	base     time.Time
	now      int64 // nanoseconds since base, read once a turn
	slots    []slot
	free     []int32
	ready    []*Flow // flows with work left after their turn's budget
	spare    []*Flow
	timers   timerHeap
	scratch  []byte
	events   [maxEvents]unix.EpollEvent
	stopping bool

	desks     []*Desk
	seats     []seat // of links
	freeSeats []int32
	busy      []*Link // links with work left after their turn's budget, or news
	spareBusy []*Link
	alarms    alarms
}

// slot is where an event finds its flow. The generation tells an event of the
// present flow from a late one of an earlier flow in the same slot.
type slot struct {
	flow *Flow
	gen  int32
}

func newLoop(r *Relay, onPanic func(any, []byte)) (*loop, error) {
	l := &loop{relay: r, onPanic: onPanic, stopped: make(chan struct{}), base: time.Now(), scratch: make([]byte, ReadSize)}
	var err error
	if l.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, fmt.Errorf("epoll_create: %w", err)
	}
	if l.wake, err = unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC); err != nil {
		_ = unix.Close(l.epoll)
		return nil, fmt.Errorf("eventfd: %w", err)
	}
	ev := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET, Fd: wakeToken}
	if err = unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, l.wake, &ev); err != nil {
		l.closeFDs()
		return nil, fmt.Errorf("epoll_ctl: %w", err)
	}
	return l, nil
}

func (l *loop) closeFDs() {
	_ = unix.Close(l.wake)
	_ = unix.Close(l.epoll)
}

func (l *loop) run() {
	defer close(l.stopped)
	defer l.closeFDs()
	for {
		n := l.wait()
		l.now = int64(time.Since(l.base))
		for i := range n {
			l.dispatch(&l.events[i])
		}
		l.readMail()
		l.runReady()
		l.runLinks()
		l.runTimers()
		l.runAlarms()
		if l.stopping && l.live.Load() == 0 && !l.linked() && l.closeMail() {
			return
		}
	}
}

// wait returns the number of events. It blocks only when nothing has come in
// after other goroutines and other threads had their turn: a thread that gives
// way for a moment finds several events at once, where one that blocks is woken
// for each, and makes the Go scheduler take its processor away and look for a
// new one in between. That is a quarter of the cost of a short connection.
func (l *loop) wait() int {
	if n := l.poll(0); n != 0 || len(l.ready)+len(l.busy) > 0 {
		return n
	}
	runtime.Gosched()
	yield()
	if n := l.poll(0); n != 0 {
		return n
	}
	l.asleep.Store(true)
	defer l.asleep.Store(false)
	if l.hasMail() {
		return l.poll(0)
	}
	return l.poll(l.patience())
}

// poll waits for ms milliseconds; -1 is for ever.
func (l *loop) poll(ms int) int {
	if ms == 0 {
		return pollNow(l.epoll, l.events[:])
	}
	n, err := unix.EpollWait(l.epoll, l.events[:], ms)
	if err != nil { // EINTR is the only one that can be: the descriptor is ours
		return 0
	}
	return n
}

func (l *loop) dispatch(ev *unix.EpollEvent) {
	switch {
	case ev.Fd == wakeToken:
		var b [8]byte
		_, _ = unix.Read(l.wake, b[:])
		return
	case ev.Fd < wakeToken:
		l.linkEvent(ev)
		return
	}
	s := &l.slots[ev.Fd]
	side, gen := Side(ev.Pad&1), ev.Pad>>1
	if s.flow == nil || s.gen != gen {
		return
	}
	f := s.flow
	l.guard(f, func() { f.event(side, ev.Events) })
}

// guard runs one step of a flow; a panic costs that flow alone.
func (l *loop) guard(f *Flow, step func()) {
	defer func() {
		if v := recover(); v != nil {
			if l.onPanic != nil {
				l.onPanic(v, debug.Stack())
			}
			l.endAfterPanic(f)
		}
	}()
	step()
}

// endAfterPanic ends f without trusting its handler a second time.
func (l *loop) endAfterPanic(f *Flow) {
	defer func() { _ = recover() }()
	f.finish(InternalError, true)
}

func (l *loop) runReady() {
	ready := l.ready
	l.ready = l.spare[:0]
	for _, f := range ready {
		f.queued = false
		switch f.state {
		case relaying:
			l.guard(f, f.pump)
		case parting:
			l.guard(f, f.talk)
		case parked:
			l.guard(f, f.early)
		}
	}
	clear(ready)
	l.spare = ready[:0]
}

func (l *loop) runTimers() {
	for {
		f := l.timers.due(l.now)
		if f == nil {
			return
		}
		l.guard(f, f.timer)
	}
}

// place gives f a slot.
func (l *loop) place(f *Flow) {
	l.live.Add(1)
	if n := len(l.free); n > 0 {
		f.slot = l.free[n-1]
		l.free = l.free[:n-1]
	} else {
		f.slot = int32(len(l.slots))
		l.slots = append(l.slots, slot{})
	}
	s := &l.slots[f.slot]
	s.flow, s.gen = f, (s.gen+1)&(1<<30-1)
}

func (l *loop) remove(f *Flow) {
	l.slots[f.slot].flow = nil
	l.free = append(l.free, f.slot)
	l.timers.remove(f)
	l.live.Add(-1)
}

// watch registers one side of f, edge-triggered, for everything.
func (l *loop) watch(f *Flow, s Side) error {
	ev := unix.EpollEvent{
		Events: unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLPRI | unix.EPOLLRDHUP | unix.EPOLLET,
		Fd:     f.slot,
		Pad:    l.slots[f.slot].gen<<1 | int32(s),
	}
	return unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, f.ends[s].fd, &ev)
}
