package gateway

import (
	"crypto/tls"
	"fmt"
	"net"
	"strconv"
	"time"

	"gantry/balancing"
	"gantry/gateway/admin"
	"gantry/gateway/config"
	"gantry/gateway/relay"
	"gantry/negotiate"
)

// assignment is one check of one server, ready to be given to the supervisor.
type assignment struct {
	key     negotiate.Key
	backend *backend
	check   negotiate.Check
}

// assignmentsOf builds the checks of a service.
func assignmentsOf(s *service, version string) ([]assignment, error) {
	var all []assignment
	for i, sc := range s.cfg.Servers {
		for _, cc := range sc.Checks {
			check, err := checkOf(s.cfg.Name, sc.Name, cc, version)
			if err != nil {
				return nil, fmt.Errorf("service %s, server %s, check %s: %w", s.cfg.Name, sc.Name, cc.Name, err)
			}
			check.Witness = newWitness(s.backends[i]).begin
			all = append(all, assignment{
				key:     negotiate.Key{Service: s.cfg.Name, Server: sc.Name, Check: cc.Name},
				backend: s.backends[i], check: check,
			})
		}
	}
	return all, nil
}

func checkOf(service, server string, c config.Check, version string) (negotiate.Check, error) {
	where := net.JoinHostPort(c.Address, strconv.Itoa(c.Port))
	secure, err := tlsOf(c.TLS)
	if err != nil {
		return negotiate.Check{}, err
	}
	prober, err := c.Settings.Prober(negotiate.Target{
		Service: service, Server: server, Host: c.Address, Port: c.Port, Secure: secure != nil, AETitle: c.AETitle, Version: version,
	})
	if err != nil {
		return negotiate.Check{}, err
	}
	return negotiate.Check{
		Name: c.Name, Kind: c.Type, Address: func() (string, error) { return where, nil },
		TLS: secure, Prober: prober, Interval: c.Interval, Timeout: c.Timeout,
		FastInterval: c.FastInterval, DownInterval: c.DownInterval, MaxLatency: c.MaxLatency,
		Rise: c.Rise, Fall: c.Fall, Jitter: c.Jitter, Fingerprint: c.Fingerprint,
	}, nil
}

// tlsOf says how a check speaks TLS, nil when it does not.
func tlsOf(c *config.TLS) (*tls.Config, error) { return c.Client() }

// watch tells the supervisor what the plan in force wants watched. Servers in
// maint are not.
func (g *Gateway) watch() {
	g.watching.Lock()
	defer g.watching.Unlock()
	g.reconcile()
}

// reconcile is watch for those who hold watching already.
func (g *Gateway) reconcile() {
	wanted := map[negotiate.Key]negotiate.Assignment{}
	for _, a := range g.plan.Load().checks {
		if a.backend.server.Admin() == balancing.Maint {
			continue
		}
		wanted[a.key] = negotiate.Assignment{
			Check: a.check, Initial: a.backend.initial(a.key.Check),
			// A server that several services share is checked for one at a time.
			Identity: a.backend.addressText(),
		}
	}
	g.super.Reconcile(wanted)
	// A monitor may have turned between the reading of its state and now, or
	// know more than a server that is new under its name.
	for _, a := range g.plan.Load().checks {
		now := time.Now()
		g.followed(a.backend, a.backend.follow(a.key.Check, g.asker(a.key), now), now)
	}
}

func (g *Gateway) asker(key negotiate.Key) func() (negotiate.Status, bool) {
	return func() (negotiate.Status, bool) { return g.super.Snapshot(key) }
}

// checked is told of every result.
func (g *Gateway) checked(key negotiate.Key, r negotiate.Result) { g.metrics.checked(key, r) }

// judged is told when a check turned. The server follows.
func (g *Gateway) judged(key negotiate.Key, from, to negotiate.State, r negotiate.Result) {
	svc := g.plan.Load().service(key.Service)
	if svc == nil {
		return
	}
	b := svc.find(key.Server)
	if b == nil || b.server.Admin() == balancing.Maint {
		return
	}
	now := time.Now()
	v := b.follow(key.Check, g.asker(key), now)
	g.events.add(admin.Event{
		Time: now, Kind: "state", Service: key.Service, Server: key.Server, Check: key.Check,
		From: from.String(), To: to.String(), Message: sentenceOf(r),
	})
	g.followed(b, v, now)
	g.tellUsable(svc)
}

// followed does what a judgement has for consequences, whoever noticed it first.
func (g *Gateway) followed(b *backend, v verdict, now time.Time) {
	if v.from == v.to {
		return
	}
	b.changes.Add(1)
	if v.held > 0 {
		g.tellHeld(b, v, now)
	}
	if v.to == balancing.Down && b.cuts() {
		g.abort(b, endServerDown)
	}
}

// abort ends what a server has: its sessions, which are counted, and the messages that it was sent
// and has not answered.
func (g *Gateway) abort(b *backend, why relay.End) int {
	if s := g.plan.Load().service(b.service); s != nil {
		if board := s.vip.switchboard.Load(); board != nil {
			board.cut(b.server)
		}
	}
	return b.abort(why)
}

// tellHeld says that a server is well again and not trusted yet.
func (g *Gateway) tellHeld(b *backend, v verdict, now time.Time) {
	sentence := fmt.Sprintf("held back for %s: its checks pass, but it went down at least %d times within a short time",
		negotiate.Seconds(v.held), v.offences)
	g.log.Warn(sentence, "service", b.service, "server", b.server.Name())
	g.events.add(admin.Event{
		Time: now, Kind: "held", Service: b.service, Server: b.server.Name(),
		From: v.from.String(), To: b.server.State(), Message: sentence,
	})
}

// tellUsable says when a service has lost its last usable server, whatever the
// reason, and when it has one again. The caller's generation may be an old one;
// what the one in force can offer counts.
func (g *Gateway) tellUsable(svc *service) {
	v := svc.vip
	v.looking.Lock()
	defer v.looking.Unlock()
	svc = g.plan.Load().service(svc.cfg.Name)
	if svc == nil || svc.vip != v {
		return
	}
	if b := v.switchboard.Load(); b != nil {
		b.changed()
	}
	now := svc.pool.Standing()
	if v.standing == now {
		return
	}
	v.standing = now
	switch now {
	case balancing.Without:
		g.log.Error("no server of the service is usable", "service", svc.cfg.Name)
	case balancing.Panicking:
		g.log.Error("no server of the service is usable: those judged down serve (panic: all)", "service", svc.cfg.Name)
	case balancing.Makeshift:
		g.log.Warn("only servers that are held or ejected are left: they serve", "service", svc.cfg.Name)
	default:
		g.log.Info("the service has a usable server again", "service", svc.cfg.Name)
	}
}

// sentenceOf says a result in words.
func sentenceOf(r negotiate.Result) string {
	switch {
	case r.Fault != nil && r.Excused != "":
		return r.Fault.Error() + " (not counted: " + r.Excused + ")"
	case r.Fault != nil:
		return r.Fault.Error()
	case r.Degraded != nil:
		return r.Degraded.Error()
	case r.Warning != nil:
		return "passed, but: " + r.Warning.Error()
	case r.Excused != "":
		return "not asked: " + r.Excused
	case r.Start.IsZero():
		return ""
	}
	return "passed"
}
