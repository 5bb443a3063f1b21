package relay

import (
	"container/heap"
)

// alarm is a time at which a desk (for its tick) or a link (for its dial, its
// parting) is looked at. A link has one only while it needs it.
type alarm struct {
	at    int64 // nanoseconds on the loop's clock
	index int   // in the heap; -1 when it is not set
	ring  func()
}

func newAlarm(ring func()) *alarm { return &alarm{index: -1, ring: ring} }

// alarms is a heap, the earliest first.
type alarms []*alarm

func (h alarms) Len() int           { return len(h) }
func (h alarms) Less(i, j int) bool { return h[i].at < h[j].at }
func (h alarms) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push is for package heap.
func (h *alarms) Push(x any) {
	a := x.(*alarm)
	a.index = len(*h)
	*h = append(*h, a)
}

// Pop is for package heap.
func (h *alarms) Pop() any {
	old := *h
	a := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	a.index = -1
	return a
}

// set has a ring at a time, and at no other.
func (h *alarms) set(a *alarm, at int64) {
	a.at = at
	if a.index < 0 {
		heap.Push(h, a)
		return
	}
	heap.Fix(h, a.index)
}

func (h *alarms) remove(a *alarm) {
	if a.index >= 0 {
		heap.Remove(h, a.index)
	}
}

// first returns when the earliest rings; never when there is none.
func (h alarms) first() int64 {
	if len(h) == 0 {
		return never
	}
	return h[0].at
}

// runAlarms rings those whose time has come. What rings may set itself again,
// for later than now.
func (l *loop) runAlarms() {
	for l.alarms.first() <= l.now {
		heap.Pop(&l.alarms).(*alarm).ring()
	}
}
