package relay

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// maxEvents is how many events one epoll_wait may bring.
const maxEvents = 256

// wakeToken marks the events of the loop's own eventfd.
const wakeToken = -1

type messageKind uint8

const (
	adopt messageKind = iota
	abort
	wake
	task
	shutdown
)

// message is something another goroutine wants done on the loop.
type message struct {
	flow *Flow
	kind messageKind
	end  End
	desk *Desk // of a task
	do   func()
}

// loop is one goroutine over one epoll instance. All fields below the mailbox
// belong to that goroutine alone.
type loop struct {
	relay   *Relay
	onPanic func(any, []byte)
	epoll   int
	wake    int
	live    atomic.Int64
	desked  atomic.Int64 // desks
	stopped chan struct{}

	mail struct {
		sync.Mutex
		box    []message
		spare  []message
		closed bool
	}
	asleep atomic.Bool // the loop is, or is about to be, blocked in epoll_wait

	base      time.Time
	now       int64 // nanoseconds since base, read once a turn
	slots     []slot
	free      []int32
	ready     []*Flow // flows with work left after their turn's budget
	spare     []*Flow
	timers    timerHeap
	desks     []*Desk
	dials     []*Link // that have a deadline: of the dial, or of parting
	scanAt    int64   // when dials is looked at next
	busy      []*Link // with work left, or news to tell
	spareBusy []*Link
	scratch   []byte
	events    [maxEvents]unix.EpollEvent
	stopping  bool
}

// slot is where an event finds its flow. The generation tells an event of the
// present flow from a late one of an earlier flow in the same slot.
type slot struct {
	flow *Flow
	link *Link
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

// post hands m to the loop and wakes it when it sleeps. After the loop has
// stopped, an adopted client is closed here.
func (l *loop) post(m message) {
	if !l.deliver(m) && m.kind == adopt {
		m.flow.closeUnstarted()
	}
}

// deliver returns false when the loop has stopped. The wake-up is written under
// the lock: once the mail is closed the descriptor may be another's.
func (l *loop) deliver(m message) bool {
	l.mail.Lock()
	defer l.mail.Unlock()
	if l.mail.closed {
		return false
	}
	l.mail.box = append(l.mail.box, m)
	if l.asleep.CompareAndSwap(true, false) {
		_, _ = write(l.wake, one)
	}
	return true
}

// one is what an eventfd takes: a number of eight bytes that is not 0.
var one = []byte{1, 0, 0, 0, 0, 0, 0, 0}

func (l *loop) stop() { l.post(message{kind: shutdown}) }

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
		l.runDesks()
		if l.stopping && l.live.Load() == 0 && l.closeMail() {
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
	return l.poll(sooner(l.timers.wait(l.base), l.deskWait()))
}

// sooner is the shorter of two times; -1 is for ever.
func sooner(a, b int) int {
	if a < 0 || b >= 0 && b < a {
		return b
	}
	return a
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
	if ev.Fd == wakeToken {
		var b [8]byte
		_, _ = unix.Read(l.wake, b[:])
		return
	}
	s := &l.slots[ev.Fd]
	side, gen := Side(ev.Pad&1), ev.Pad>>1
	if s.link != nil && s.gen == gen {
		k := s.link
		k.desk.guard(func() { k.event(ev.Events) })
		return
	}
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

func (l *loop) hasMail() bool {
	l.mail.Lock()
	defer l.mail.Unlock()
	return len(l.mail.box) > 0
}

func (l *loop) readMail() {
	l.mail.Lock()
	box := l.mail.box
	l.mail.box = l.mail.spare[:0]
	l.mail.Unlock()
	for _, m := range box {
		l.handle(m)
	}
	clear(box)
	l.mail.spare = box[:0]
}

func (l *loop) handle(m message) {
	switch m.kind {
	case adopt:
		l.guard(m.flow, m.flow.begin)
	case abort:
		l.guard(m.flow, func() { m.flow.aborted(m.end) })
	case wake:
		l.guard(m.flow, func() {
			if m.flow.state == parked {
				m.flow.reader.Resume(m.flow)
			}
		})
	case task:
		if m.do != nil {
			m.desk.guard(m.do)
		}
	case shutdown:
		l.stopping = true
		l.endDesks()
		for i := range l.slots {
			if f := l.slots[i].flow; f != nil {
				l.guard(f, func() { f.end(Stopped, true) })
			}
		}
	}
}

// closeMail refuses further mail once the box is empty; false means some came
// in meanwhile.
func (l *loop) closeMail() bool {
	l.mail.Lock()
	defer l.mail.Unlock()
	l.mail.closed = len(l.mail.box) == 0
	return l.mail.closed
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
	f.slot = l.takeSlot()
	l.slots[f.slot].flow = f
}

// takeSlot gives a slot that is free, in a new generation.
func (l *loop) takeSlot() int32 {
	var i int32
	if n := len(l.free); n > 0 {
		i, l.free = l.free[n-1], l.free[:n-1]
	} else {
		i = int32(len(l.slots))
		l.slots = append(l.slots, slot{})
	}
	l.slots[i].gen = (l.slots[i].gen + 1) & (1<<30 - 1)
	return i
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
