package gateway

import (
	"fmt"
	"net/netip"
	"time"

	"gantry/balancing"
	"gantry/gateway/admin"
	"gantry/negotiate"
)

// met is told of a failure of live traffic that the server caused. The server
// is checked at once; where the service says so, a run of failures ejects it. What
// the service says is what it says now: a session can be of an older generation.
func (g *Gateway) met(b *backend, s symptom, client netip.Addr) {
	g.super.CheckNow(b.service, b.server.Name())
	if !b.blame(s, client) {
		return
	}
	now := time.Now()
	g.ejecting.Lock()
	defer g.ejecting.Unlock()
	svc := g.plan.Load().service(b.service)
	if svc == nil || svc.byServer[b.server] == nil || svc.cfg.Passive == nil {
		return
	}
	if !svc.mayEject() {
		if b.spare(now) {
			g.log.Warn("live traffic fails, but the server stays: max_ejected is reached", "service", b.service, "server", b.server.Name())
		}
		return
	}
	d := b.eject(now)
	if d <= 0 {
		return
	}
	sentence := fmt.Sprintf("ejected for %s: %d failures of live traffic in a row", negotiate.Seconds(d), svc.cfg.Passive.Failures)
	g.log.Warn(sentence, "service", b.service, "server", b.server.Name())
	g.events.add(admin.Event{
		Time: now, Kind: "ejected", Service: b.service, Server: b.server.Name(),
		To: balancing.Ejected.String(), Message: sentence,
	})
	g.tellUsable(svc)
}

// mayEject says whether one server more may be ejected under max_ejected.
func (s *service) mayEject() bool {
	ejected := 1
	for _, b := range s.backends {
		if b.server.Aside() == balancing.Ejected {
			ejected++
		}
	}
	const rounding = 1e-9 // 0.29 of 100 is a little less than 29
	return float64(ejected) <= s.cfg.Passive.MaxEjected*float64(len(s.backends))+rounding
}

// releaseAll takes back the servers whose time aside is over.
func (g *Gateway) releaseAll(s *service, now time.Time) {
	for _, b := range s.backends {
		why, over := b.release(now)
		if !over {
			continue
		}
		sentence := "back in use, its time aside is over (" + why.String() + ")"
		if !b.server.Usable() {
			sentence = "its time aside is over (" + why.String() + "), but it is " + b.server.State()
		}
		g.log.Info(sentence, "service", b.service, "server", b.server.Name())
		g.events.add(admin.Event{
			Time: now, Kind: "back", Service: b.service, Server: b.server.Name(),
			From: why.String(), To: b.server.State(), Message: sentence,
		})
		g.tellUsable(s)
	}
}
