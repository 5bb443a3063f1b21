package gateway

import (
	"fmt"
	"sync"
)

// minUpload is how many bytes a server must have taken before that counts as
// work: more than the kernels on both ends hold on behalf of a process that
// does not read.
const minUpload = 16 << 20

// witness looks at a server's live traffic on behalf of one check. A server with
// few places cannot answer a check while all of them work.
type witness struct {
	backend *backend

	mu   sync.Mutex
	last traffic // as the check before this one began; at first, as the witness was made
}

func newWitness(b *backend) *witness { return &witness{backend: b, last: b.traffic()} }

// traffic is how far a server's sessions have come.
type traffic struct{ in, out int64 }

// begin is called as a check begins. A server that is full and has worked since
// the last check need not be asked: skip says so in words. Otherwise excuse may
// be asked after the check.
func (w *witness) begin() (skip string, excuse func() string) {
	now := w.backend.traffic()
	w.mu.Lock()
	before := w.last
	w.last = now
	w.mu.Unlock()
	if words := w.backend.busy(before, now); words != "" {
		return words, nil
	}
	return "", func() string { return w.backend.busy(now, w.backend.traffic()) }
}

func (b *backend) traffic() traffic {
	return traffic{in: b.server.BytesIn(), out: b.server.BytesOut()}
}

// busy says in words that all places of the server are taken and that it made
// progress between two looks; "" when not both are so.
func (b *backend) busy(before, after traffic) string {
	limit := b.server.MaxConnections()
	active := b.server.Active()
	if limit == 0 || active < int64(limit) {
		return ""
	}
	if after.out == before.out && after.in-before.in < minUpload {
		return ""
	}
	return fmt.Sprintf("all %d connections of max_connections are in use and make progress", limit)
}
