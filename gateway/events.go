package gateway

import (
	"sync"

	"gantry/gateway/admin"
)

// maxEvents is how many events are remembered.
const maxEvents = 1000

// eventRing holds the last events.
type eventRing struct {
	mu   sync.Mutex
	ring []admin.Event
	next int
}

func newEventRing(n int) *eventRing { return &eventRing{ring: make([]admin.Event, 0, n)} }

func (r *eventRing) add(e admin.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.ring) < cap(r.ring) {
		r.ring = append(r.ring, e)
		return
	}
	r.ring[r.next] = e
	r.next = (r.next + 1) % len(r.ring)
}

// newestFirst returns a copy.
func (r *eventRing) newestFirst() []admin.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := len(r.ring)
	out := make([]admin.Event, n)
	for i := range n {
		out[i] = r.ring[(r.next+n-1-i)%n]
	}
	return out
}
