package relay

import (
	"container/heap"
	"time"
)

// timerHeap orders flows by the time at which they want to be looked at. A
// flow's deadline moves with every byte; to keep that cheap the heap is left
// alone when a deadline moves back, and a flow that comes up too early is put
// in again.
type timerHeap []*Flow

func (h timerHeap) Len() int           { return len(h) }
func (h timerHeap) Less(i, j int) bool { return h[i].timerAt < h[j].timerAt }
func (h timerHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].timerIndex, h[j].timerIndex = int32(i), int32(j)
}

// Push is for package heap.
func (h *timerHeap) Push(x any) {
	f := x.(*Flow)
	f.timerIndex = int32(len(*h))
	*h = append(*h, f)
}

// Pop is for package heap.
func (h *timerHeap) Pop() any {
	old := *h
	f := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	f.timerIndex = -1
	return f
}

// set wants f looked at no later than at, nanoseconds on the loop's clock.
func (h *timerHeap) set(f *Flow, at int64) {
	switch {
	case f.timerIndex < 0:
		f.timerAt = at
		heap.Push(h, f)
	case at < f.timerAt:
		f.timerAt = at
		heap.Fix(h, int(f.timerIndex))
	}
}

func (h *timerHeap) remove(f *Flow) {
	if f.timerIndex >= 0 {
		heap.Remove(h, int(f.timerIndex))
	}
}

// due takes out and returns a flow whose time has come, or nil.
func (h *timerHeap) due(now int64) *Flow {
	if len(*h) == 0 || (*h)[0].timerAt > now {
		return nil
	}
	return heap.Pop(h).(*Flow)
}

// first returns when the earliest comes; never when there is none.
func (h timerHeap) first() int64 {
	if len(h) == 0 {
		return never
	}
	return h[0].timerAt
}

// patience returns the milliseconds until the next timer or alarm, rounded up;
// -1 when there is none.
func (l *loop) patience() int {
	at := min(l.timers.first(), l.alarms.first())
	if at == never {
		return -1
	}
	d := time.Duration(at) - time.Since(l.base)
	if d <= 0 {
		return 0
	}
	const maxWait = time.Hour
	return int((min(d, maxWait) + time.Millisecond - 1) / time.Millisecond)
}
