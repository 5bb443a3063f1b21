package gateway

import (
	"net/netip"
	"time"

	"gantry/balancing"
	"gantry/negotiate"
)

// record is what is held against a server beyond its present judgement. It is
// guarded by the backend's mu.
type record struct {
	falls     negotiate.Penalty // of its checks
	ejections negotiate.Penalty
	ejected   int64 // ejections ever
	run       run
	until     time.Time // end of the time aside; the zero time when it is in use
	spared    time.Time // when it was last told that max_ejected spared it
}

// symptom is a failure of live traffic that the server caused.
type symptom int

const (
	failedDial symptom = iota // refused, timed out, unreachable: the gateway's own attempt
	mute                      // reset before the first byte of an answer; mllp: ended in its place
	unanswered                // dicom: no sensible answer to an association request in time
	turnedAway                // dicom: rejected for congestion or a local limit
	hungUp                    // dicom: ended the connection in the midst of an association
	failing                   // dicom: out of resources, or aborted as the provider; mllp: error 207
	silent                    // dicom, mllp: no response to a complete request
	mismatched                // mllp: an answer to another message
)

// run counts symptoms in a row.
type run struct {
	length  int
	dials   bool       // at least one was the gateway's own attempt
	source  netip.Addr // the client of the first
	several bool       // more than one client met them
}

// conclusive says whether the symptoms cannot all be the doing of one client: a
// server resets a client that sends nonsense, and one bad client must never
// take a server from the others.
func (r *run) conclusive() bool { return r.dials || r.several }

// add counts one symptom.
func (r *run) add(s symptom, client netip.Addr) {
	if r.length == 0 {
		r.source = client
	}
	r.length++
	r.dials = r.dials || s == failedDial
	r.several = r.several || client != r.source
}

// blame counts a symptom, and says whether the server has earned an ejection. On
// one that is down, set aside, in drain or maint the word is spoken already: an
// ejection would outlast that, and take a place under max_ejected.
func (b *backend) blame(s symptom, client netip.Addr) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.passive == nil || b.passive.Failures <= 0 || !b.server.Usable() {
		return false
	}
	b.record.run.add(s, client)
	b.troubled.Store(true)
	if b.record.run.length < b.passive.Failures || !b.record.run.conclusive() {
		return false
	}
	b.clearRun()
	return true
}

// credit ends a run of symptoms: the server answered. It is called for every
// session, so the common case takes no lock.
func (b *backend) credit() {
	if !b.troubled.Load() {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.clearRun()
}

func (b *backend) clearRun() {
	b.record.run = run{}
	b.troubled.Store(false)
}

// eject sets the server aside, longer each time, and returns for how long; 0 when
// another session's end, a check or a person was faster.
func (b *backend) eject(now time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.passive == nil || !b.server.Usable() {
		return 0
	}
	p := b.passive
	b.record.ejections = b.record.ejections.Offend(now, p.MaxEject)
	b.record.ejected++
	d := b.record.ejections.Time(0, p.Eject, p.MaxEject)
	b.setAside(balancing.Ejected, d, now)
	return d
}

// spare notes that max_ejected kept the server from being ejected, and says
// whether it is time to tell so again.
func (b *backend) spare(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.passive == nil || now.Sub(b.record.spared) < b.passive.Eject {
		return false
	}
	b.record.spared = now
	return true
}

// setAside keeps the server from new sessions for d, or for as long as it is
// aside already. Called with mu held.
func (b *backend) setAside(why balancing.Aside, d time.Duration, now time.Time) {
	if until := now.Add(d); d > 0 && until.After(b.record.until) {
		b.record.until = until
		b.server.SetAside(why, now)
	}
}

// relent lets the time aside end as a new generation of the configuration says:
// who turns ejections or holds off, or makes them shorter, does not wait for the
// old ones. Called with mu held.
func (b *backend) relent(now time.Time) {
	var longest time.Duration
	switch b.server.Aside() {
	case balancing.InUse:
		return
	case balancing.Ejected:
		if b.passive != nil {
			longest = b.passive.MaxEject
		}
	case balancing.Held:
		if b.flapping.Hold > 0 {
			longest = b.flapping.MaxHold
		}
	}
	if end := now.Add(longest); end.Before(b.record.until) {
		b.record.until = end
	}
}

// release takes a server back whose time aside is over; false when there was
// nothing to take back.
func (b *backend) release(now time.Time) (balancing.Aside, bool) {
	if b.server.Aside() == balancing.InUse {
		return balancing.InUse, false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if now.Before(b.record.until) {
		return balancing.InUse, false
	}
	b.record.until = time.Time{}
	return b.server.SetAside(balancing.InUse, now), true
}

// pardon wipes the record clean: a person has looked at the server. Called with
// mu held.
func (b *backend) pardon(now time.Time) {
	b.record = record{ejected: b.record.ejected}
	b.troubled.Store(false)
	b.server.SetAside(balancing.InUse, now)
}

// absolve takes a server back into use because a person said so; false when it was in use.
func (b *backend) absolve(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	was := b.server.Aside() != balancing.InUse
	b.pardon(now)
	return was
}

// asideUntil is the end of the time aside, the zero time when it is in use.
func (b *backend) asideUntil() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.record.until
}

// ejections is how often the server was ejected since the gateway started.
func (b *backend) ejections() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.record.ejected
}
