package gateway

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"gantry/balancing"
	"gantry/gateway/admin"
	"gantry/gateway/config"
)

// Reload puts the configuration file in force as it is now: all of it, or
// nothing and a *admin.ReloadError. Running sessions are not touched; those of
// servers that are gone may finish within timeouts.drain.
func (g *Gateway) Reload(ctx context.Context) (admin.Reloaded, error) {
	if err := g.Ready(); err != nil {
		return admin.Reloaded{}, &admin.ReloadError{Err: err}
	}
	g.changing.Lock()
	defer g.changing.Unlock()
	if err := g.Ready(); err != nil {
		return admin.Reloaded{}, &admin.ReloadError{Err: err}
	}
	done, err := g.reload(ctx)
	by := admin.Actor(ctx)
	if err != nil {
		refused := asReloadError(err)
		g.last.Store(&attempt{at: time.Now(), problems: refused.Problems})
		g.events.add(admin.Event{Time: time.Now(), Kind: "reload", Message: "refused: " + refused.Error(), By: by})
		g.logProblems(refused)
		return admin.Reloaded{}, refused
	}
	g.last.Store(&attempt{ok: true, at: time.Now()})
	if done.Changed {
		g.events.add(admin.Event{Time: time.Now(), Kind: "reload", Message: "configuration " + done.Hash[:12] + " in force", By: by})
	}
	g.log.Info("configuration reloaded", append([]any{"changed", done.Changed, "hash", done.Hash[:12]}, words(done)...)...)
	return done, nil
}

// words names what a reload changed, for the log.
func words(r admin.Reloaded) []any {
	var out []any
	for _, part := range []struct {
		name string
		diff admin.Difference
	}{{"services", r.Services}, {"servers", r.Servers}, {"listeners", r.Listeners}} {
		for _, list := range []struct {
			word  string
			names []string
		}{{"added", part.diff.Added}, {"removed", part.diff.Removed}, {"changed", part.diff.Changed}} {
			if len(list.names) > 0 {
				out = append(out, part.name+"_"+list.word, strings.Join(list.names, " "))
			}
		}
	}
	return out
}

// maxLoggedProblems bounds the lines about one refused configuration.
const maxLoggedProblems = 50

func (g *Gateway) logProblems(refused *admin.ReloadError) {
	for i, p := range refused.Problems {
		if i == maxLoggedProblems {
			break
		}
		g.log.Error("problem in the configuration", "err", p.String())
	}
	g.log.Error("configuration not reloaded, the old one stays in force", "err", refused.Error())
}

func asReloadError(err error) *admin.ReloadError {
	var problems config.Problems
	if errors.As(err, &problems) {
		out := make([]admin.Problem, len(problems))
		for i, p := range problems {
			out[i] = admin.Problem(p)
		}
		return &admin.ReloadError{Problems: out, Err: err}
	}
	return &admin.ReloadError{Err: err}
}

// reload does everything that can fail, then commits.
func (g *Gateway) reload(ctx context.Context) (admin.Reloaded, error) {
	old := g.plan.Load()
	cfg, _, err := config.Load(g.opts.ConfigFile)
	if err != nil {
		return admin.Reloaded{}, err
	}
	p, err := compile(cfg, old, g.opts.Version)
	if err != nil {
		return admin.Reloaded{}, err
	}
	if unchanged(old, p) {
		return admin.Reloaded{Hash: cfg.Hash}, nil
	}
	limits, err := descriptorLimits(p.listenCount())
	if err != nil {
		return admin.Reloaded{}, err
	}
	p.lookUp(ctx)
	page, err := g.reopenAdmin(old.config.Admin, cfg.Admin)
	if err != nil {
		return admin.Reloaded{}, err
	}
	ports, err := g.bind(p, g.ports)
	if err != nil {
		if page != nil {
			page.close()
		}
		return admin.Reloaded{}, err
	}
	g.budget.resize(limits.connections)
	g.commit(old, p, ports, page)
	return differenceOf(old, p), nil
}

// unchanged tells whether a reload has nothing to do. The file's hash alone
// does not say so: a token or a CA file that it points to can be another.
func unchanged(old, p *plan) bool {
	return old.config.Hash == p.config.Hash && old.config.Admin.Token == p.config.Admin.Token &&
		maps.Equal(old.serverTexts(), p.serverTexts())
}

// commit cannot fail. From the swap of the plan on, new sessions see the new
// generation.
func (g *Gateway) commit(old, p *plan, ports map[netip.AddrPort]*port, page *adminServer) {
	p.commit(time.Now(), g.followed)
	g.plan.Store(p)
	g.switchboards(old, p)
	putInForce(p, ports)
	closing := map[netip.AddrPort]*port{}
	for addr, pt := range g.ports {
		if ports[addr] == nil {
			closing[addr] = pt
		}
	}
	g.ports = ports
	g.watch()
	g.swapAdmin(page, p.config.Admin)
	if page != nil {
		g.log.Info("the admin address moved", "from", old.config.Admin.Listen, "to", page.addr())
	}
	for _, s := range p.services {
		g.tellUsable(s)
	}
	g.closePorts(closing)
	for _, s := range old.services {
		leaving := goneFrom(s, p)
		g.remember(s, leaving)
		g.retire(s, leaving)
	}
	g.metrics.forget(old, p)
}

// goneFrom lists the backends of s that the new plan does not have.
func goneFrom(s *service, p *plan) []*backend {
	var gone []*backend
	now := p.service(s.cfg.Name)
	for _, b := range s.backends {
		if now == nil || !slices.Contains(now.backends, b) {
			gone = append(gone, b)
		}
	}
	return gone
}

// retire gives the sessions of servers that take no new ones their deadline.
func (g *Gateway) retire(s *service, backends []*backend) {
	drain := s.cfg.Timeouts.Drain
	for _, b := range backends {
		if drain <= 0 {
			g.abort(b, endDrained)
			continue
		}
		// A person may have drained it before: that deadline is told and holds.
		until := b.drain(balancing.Drain, drain, time.Now())
		g.drains.after(time.Until(until), func() {
			if n := g.abort(b, endDrained); n > 0 {
				g.log.Warn("drain deadline: sessions are cut", "service", b.service, "server", b.server.Name(), "sessions", n)
			}
		})
	}
}

// remember keeps the servers that are gone in sight until their last session has
// ended.
func (g *Gateway) remember(s *service, backends []*backend) {
	g.goneMu.Lock()
	defer g.goneMu.Unlock()
	for _, b := range backends {
		g.gone = append(g.gone, gone{b, s.unit()})
	}
}

// drains holds the deadlines that have not come yet.
type drains struct {
	mu     sync.Mutex
	timers map[*time.Timer]bool
}

func (d *drains) after(wait time.Duration, cut func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timers == nil {
		d.timers = map[*time.Timer]bool{}
	}
	var t *time.Timer
	t = time.AfterFunc(wait, func() {
		cut()
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.timers, t)
	})
	d.timers[t] = true
}

func (d *drains) stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for t := range d.timers {
		t.Stop()
	}
}

// differenceOf names what came, went and changed.
func differenceOf(old, p *plan) admin.Reloaded {
	return admin.Reloaded{
		Changed: true, Hash: p.config.Hash,
		Services:  difference(old.serviceTexts(), p.serviceTexts()),
		Servers:   difference(old.serverTexts(), p.serverTexts()),
		Listeners: difference(old.listenTexts(), p.listenTexts()),
	}
}

// difference compares two maps of name to settings.
func difference(old, now map[string]string) admin.Difference {
	d := admin.Difference{Added: []string{}, Removed: []string{}, Changed: []string{}}
	for name, text := range now {
		before, had := old[name]
		switch {
		case !had:
			d.Added = append(d.Added, name)
		case before != text:
			d.Changed = append(d.Changed, name)
		}
	}
	for name := range old {
		if _, has := now[name]; !has {
			d.Removed = append(d.Removed, name)
		}
	}
	sort.Strings(d.Added)
	sort.Strings(d.Removed)
	sort.Strings(d.Changed)
	return d
}

func (p *plan) listenTexts() map[string]string {
	m := map[string]string{}
	for addr, s := range p.byListen {
		m[addr.String()] = s.cfg.Name
	}
	return m
}

// serviceTexts holds each service's own settings as text, to compare.
func (p *plan) serviceTexts() map[string]string {
	m := map[string]string{}
	for _, s := range p.services {
		c := s.cfg
		passive := c.Passive // a pointer: what it points to is compared, not where
		routes, orderBy, duplicates := c.Routes, c.MLLP.OrderBy, c.MLLP.Duplicates
		c.Servers, c.Checks, c.Passive, c.Routes, c.DICOM.Accept = nil, nil, nil, nil, nil
		c.MLLP.OrderBy, c.MLLP.Duplicates = nil, nil
		m[c.Name] = fmt.Sprintf("%+v", c)
		if orderBy != nil {
			m[c.Name] += orderBy.String()
		}
		if duplicates != nil {
			m[c.Name] += fmt.Sprintf("%+v", *duplicates)
		}
		for _, r := range routes {
			if m[c.Name] += fmt.Sprintf("%+v %q %q", r.When, r.Servers, r.CallingAE); r.Reject != nil {
				m[c.Name] += r.Reject.String()
			}
			if m[c.Name] += fmt.Sprintf("%+v", r.Messages); r.Answer != nil {
				m[c.Name] += fmt.Sprintf("%+v", *r.Answer)
			}
		}
		if passive != nil {
			m[c.Name] += fmt.Sprintf("%+v", *passive)
		}
	}
	return m
}

// serverTexts does so for the servers, by SERVICE/SERVER.
func (p *plan) serverTexts() map[string]string {
	m := map[string]string{}
	for _, s := range p.services {
		for _, c := range s.cfg.Servers {
			text := fmt.Sprint(c.Address, c.Weight, c.Backup, c.MaxConnections, c.AETitle)
			for _, check := range c.Checks {
				text += " " + check.Name + " " + check.Fingerprint
			}
			m[s.cfg.Name+"/"+c.Name] = text
		}
	}
	return m
}
