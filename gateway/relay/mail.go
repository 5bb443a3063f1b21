package relay

import (
	"sync"
)

type messageKind uint8

const (
	adopt messageKind = iota
	abort
	wake
	open // a desk
	task // of a desk
	shutdown
)

// message is something another goroutine wants done on the loop.
type message struct {
	flow *Flow
	kind messageKind
	end  End
	desk *Desk
	do   func()
}

// mailbox holds messages until the loop's next turn.
type mailbox struct {
	sync.Mutex
	box    []message
	spare  []message
	closed bool
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
	case open:
		m.desk.begin()
	case task:
		m.desk.run(m.do)
	case shutdown:
		l.stopping = true
		l.stopDesks()
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
