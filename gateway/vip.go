package gateway

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"gantry/balancing"
	"gantry/gateway/config"
)

// refusal is why a client was turned away, or left before it was served. A
// closed set: it is a metric label.
type refusal int

const (
	refusedNetwork     refusal = iota // not in allow
	refusedDescriptors                // the process's own limit
	refusedConnections                // limits.connections
	refusedSource                     // limits.connections_per_source
	refusedNoServer                   // no usable server, or no dial succeeded
	refusedFull                       // all usable servers are at max_connections
	refusedMalformed                  // the first unit makes no sense
	refusedTimeout                    // timeouts.handshake
	refusedLeft                       // the client left first
	refusedMemory                     // too many bytes of first units, or messages, that are not whole
	refusedLocal                      // this machine could not open a connection to any server
	refusedCalled                     // dicom.accept_called_ae, or an empty title
	refusedCalling                    // dicom.accept_calling_ae, or an empty title
	refusedRoute                      // a route says reject
	refusedAE                         // dicom.associations_per_calling_ae
	refusedFrame                      // mllp.frame_timeout
	refusedLarge                      // mllp.max_message
	refusals                          // their number
)

var refusalWords = [refusals]string{
	"not-allowed", "descriptor-limit", "connection-limit", "source-limit", "no-server",
	"servers-full", "malformed", "handshake-timeout", "client-left", "memory-limit", "local-failure",
	"called-ae", "calling-ae", "route", "calling-ae-limit",
	"frame-timeout", "message-too-large",
}

// Error makes a refusal an error.
func (r refusal) Error() string { return refusalWords[r] }

// vip is what a virtual service is across generations of the configuration.
type vip struct {
	table   atomic.Pointer[balancing.Persistence] // of the last generation that had one
	active  atomic.Int64
	telling atomic.Int64 // clients over a limit that are being told so
	refused [refusals]atomic.Int64
	quiet   [refusals]rate.Sometimes // bounds the log lines about refusals
	queue   queue                    // dicom: who waits for a place

	switchboard atomic.Pointer[switchboard] // mllp, routing: per-message; nil for others

	looking  sync.Mutex         // one look at a time, so that the last one has the last word
	standing balancing.Standing // when it was last looked at; under looking

	mu      sync.Mutex
	sources map[netip.Addr]int32
}

// refusalLogEvery is the least time between two log lines about the same kind
// of refusal of the same service.
const refusalLogEvery = 10 * time.Second

func newVIP() *vip {
	v := &vip{sources: map[netip.Addr]int32{}}
	for i := range v.quiet {
		v.quiet[i] = rate.Sometimes{First: 1, Interval: refusalLogEvery}
	}
	return v
}

// tableFor returns the table that a generation shall use: the one before it,
// or a new one; nil for a generation without persistence.
func (v *vip) tableFor(c config.Persistence) *balancing.Persistence {
	if c.By == "none" {
		return nil
	}
	if t := v.table.Load(); t != nil {
		return t
	}
	return balancing.NewPersistence(balancing.PersistenceOptions{Timeout: c.Timeout, MaxEntries: c.Entries})
}

func (v *vip) commit(t *balancing.Persistence, c config.Persistence) {
	if t == nil {
		return
	}
	t.SetTimeout(c.Timeout)
	t.SetMaxEntries(c.Entries)
	v.table.Store(t)
}

// maxTelling bounds the clients of a dicom service that are over a limit and
// let in only to read an A-ASSOCIATE-RJ. More are reset.
const maxTelling = 16

// tell lets such a client in, if there are not too many. stopTelling undoes it.
func (v *vip) tell() bool {
	if v.telling.Add(1) > maxTelling {
		v.telling.Add(-1)
		return false
	}
	return true
}

func (v *vip) stopTelling() { v.telling.Add(-1) }

// enter counts a client in under the service's limits. The returned refusal
// holds only when ok is false.
func (v *vip) enter(l config.Limits, source netip.Addr) (_ refusal, ok bool) {
	if n := v.active.Add(1); l.Connections > 0 && n > int64(l.Connections) {
		v.active.Add(-1)
		return refusedConnections, false
	}
	if l.ConnectionsPerSource > 0 && !v.enterSource(l.ConnectionsPerSource, source) {
		v.active.Add(-1)
		return refusedSource, false
	}
	return 0, true
}

func (v *vip) enterSource(most int, source netip.Addr) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.sources[source] >= int32(most) {
		return false
	}
	v.sources[source]++
	return true
}

// leave undoes enter. counted tells whether the source was counted.
func (v *vip) leave(source netip.Addr, counted bool) {
	v.active.Add(-1)
	if !counted {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.sources[source]--; v.sources[source] <= 0 {
		delete(v.sources, source)
	}
}
