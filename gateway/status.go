package gateway

import (
	"fmt"
	"net/netip"
	"time"

	"gantry/balancing"
	"gantry/gateway/admin"
	"gantry/gateway/config"
	"gantry/negotiate"
)

// Status describes the gateway at this moment.
func (g *Gateway) Status() admin.Status {
	p, last := g.plan.Load(), g.last.Load()
	st := admin.Status{
		Version: g.opts.Version, Started: g.started,
		Config:   admin.ConfigStatus{Hash: p.config.Hash, Loaded: p.loaded, OK: last.ok, Problems: last.problems},
		Services: make([]admin.ServiceStatus, 0, len(p.services)),
		Stopping: g.phase.Load() == phaseDraining, Leaving: g.leaving(),
	}
	for _, s := range p.services {
		st.Services = append(st.Services, g.serviceStatus(s))
	}
	return st
}

func (g *Gateway) serviceStatus(s *service) admin.ServiceStatus {
	st := admin.ServiceStatus{
		Name: s.cfg.Name, Protocol: s.cfg.Protocol, Mode: s.cfg.Mode, State: serviceState(s),
		Listen: texts(s.cfg.Listen), Servers: make([]admin.ServerStatus, 0, len(s.backends)),
	}
	for i, b := range s.backends {
		server := g.serverStatus(s.cfg.Servers[i], b)
		server.Left = g.leftOf(s, b)
		st.Servers = append(st.Servers, server)
	}
	return st
}

// serviceState is up with a server that is, degraded with degraded ones or
// those set aside only, checking with unjudged ones only, panic when those
// judged down serve, down with none.
func serviceState(s *service) string {
	switch s.pool.Standing() {
	case balancing.Without:
		return "down"
	case balancing.Panicking:
		return "panic"
	case balancing.Makeshift:
		return "degraded"
	}
	state := "checking"
	for _, b := range s.backends {
		switch {
		case !b.server.Usable():
		case b.server.Health() == balancing.Up:
			return "up"
		case b.server.Health() == balancing.Degraded:
			state = "degraded"
		}
	}
	return state
}

func texts(addrs []netip.AddrPort) []string {
	out := make([]string, len(addrs))
	for i, a := range addrs {
		out[i] = a.String()
	}
	return out
}

func (g *Gateway) serverStatus(c config.Server, b *backend) admin.ServerStatus {
	sv := b.server
	st := admin.ServerStatus{
		Name: sv.Name(), Address: b.addressText(), State: sv.State(), Admin: sv.Admin().String(),
		Weight: sv.Weight(), Backup: c.Backup, Active: sv.Active(), Total: sv.Total(),
		BytesIn: sv.BytesIn(), BytesOut: sv.BytesOut(), Checks: make([]admin.CheckStatus, 0, len(c.Checks)),
		AsideUntil: b.asideUntil(),
	}
	for _, check := range c.Checks {
		st.Checks = append(st.Checks, g.checkStatus(b.service, sv.Name(), check))
	}
	return st
}

func (g *Gateway) checkStatus(service, server string, c config.Check) admin.CheckStatus {
	st := admin.CheckStatus{Name: c.Name, Type: c.Type, State: negotiate.Checking.String()}
	snap, ok := g.super.Snapshot(negotiate.Key{Service: service, Server: server, Check: c.Name})
	if !ok {
		st.Message = "not checked"
		return st
	}
	st.State, st.Since, st.Last = snap.State.String(), snap.Since, snap.Last.Start
	st.DurationMS = float64(snap.Last.Duration) / float64(time.Millisecond)
	st.Message = sentenceOf(snap.Last)
	if f := snap.Last.Words(); f != nil {
		st.Stage, st.Reason = string(f.Stage), string(f.Reason)
	}
	return st
}

// Events returns the last state changes and administrative actions, newest first.
func (g *Gateway) Events() []admin.Event { return g.events.newestFirst() }

// SetServer changes what a person can change in the running gateway.
func (g *Gateway) SetServer(service, server string, c admin.ServerChange) error {
	b, err := g.locate(service, server)
	if err != nil {
		return err
	}
	to, err := validate(c)
	if err != nil {
		return err
	}
	if c.Weight != nil {
		was := b.server.Weight()
		b.server.SetWeight(*c.Weight)
		g.changed("weight", b, fmt.Sprint(was), fmt.Sprint(*c.Weight), c.By)
	}
	if c.Admin != nil {
		g.setAdmin(b, to, c.By)
	}
	return nil
}

func validate(c admin.ServerChange) (balancing.Admin, error) {
	if w := c.Weight; w != nil && (*w < admin.MinWeight || *w > admin.MaxWeight) {
		return 0, &admin.InvalidError{Message: fmt.Sprintf("weight %d is out of range; it goes from %d to %d", *w, admin.MinWeight, admin.MaxWeight)}
	}
	if c.Admin == nil {
		return 0, nil
	}
	to, err := balancing.ParseAdmin(*c.Admin)
	if err != nil {
		return 0, &admin.InvalidError{Message: fmt.Sprintf("admin %q is no administrative state; it is ready, drain or maint", *c.Admin)}
	}
	return to, nil
}

func (g *Gateway) setAdmin(b *backend, to balancing.Admin, by string) {
	from := b.server.SetAdmin(to)
	if svc := g.plan.Load().service(b.service); svc != nil && svc.cfg.Protocol == "dicom" {
		b.drain(to, svc.cfg.Timeouts.Drain, time.Now())
	}
	if to == balancing.Ready && b.absolve(time.Now()) {
		g.changed("admin", b, "aside", to.String(), by)
		if svc := g.plan.Load().service(b.service); svc != nil {
			defer g.tellUsable(svc)
		}
	}
	if from == to {
		return
	}
	g.changed("admin", b, from.String(), to.String(), by)
	if svc := g.plan.Load().service(b.service); svc != nil {
		defer g.tellUsable(svc)
	}
	if from == balancing.Maint || to == balancing.Maint {
		g.watching.Lock()
		defer g.watching.Unlock()
		// What was known before the work on the server says nothing after it.
		b.forget(time.Now())
		g.reconcile()
	}
}

// changed tells of a person's action.
func (g *Gateway) changed(kind string, b *backend, from, to, by string) {
	g.events.add(admin.Event{Time: time.Now(), Kind: kind, Service: b.service, Server: b.server.Name(), From: from, To: to, By: by})
	g.log.Info(kind+" changed", "service", b.service, "server", b.server.Name(), "from", from, "to", to, "client", by)
}

func (g *Gateway) locate(service, server string) (*backend, error) {
	p := g.plan.Load()
	s := p.service(service)
	if s == nil {
		known := make([]string, 0, len(p.services))
		for _, s := range p.services {
			known = append(known, s.cfg.Name)
		}
		return nil, &admin.NotFoundError{Kind: "service", Name: service, Known: known}
	}
	if b := s.find(server); b != nil {
		return b, nil
	}
	known := make([]string, 0, len(s.backends))
	for _, b := range s.backends {
		known = append(known, b.server.Name())
	}
	return nil, &admin.NotFoundError{Kind: "server", Name: server, Known: known}
}
