package gateway

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"gantry/balancing"
	"gantry/gateway/config"
	"gantry/gateway/dicomgate"
)

// plan is one generation of the configuration, ready to be used. Nothing in it
// changes; what lives longer hangs on it by pointers.
type plan struct {
	config   *config.Config
	services []*service // in file order
	byName   map[string]*service
	byListen map[netip.AddrPort]*service
	checks   []assignment
	loaded   time.Time
}

// service is one generation of a virtual service.
type service struct {
	cfg      config.Service
	vip      *vip
	pool     *balancing.Pool
	table    *balancing.Persistence // nil: none
	backends []*backend             // in file order
	byServer map[*balancing.Server]*backend
	aeTitle  map[*backend]string // dicom: the called AE title that a server wants to read
	rules    dicomgate.Routes    // of the routes, in order
	routes   []*route            // one more than rules: the last is for everybody else
	sessions bool                // log.sessions
}

// compile makes a plan. Backends and vips of the generation before are used
// again where they are the same ones; they are not touched until commit.
func compile(cfg *config.Config, before *plan, version string) (*plan, error) {
	p := &plan{config: cfg, byName: map[string]*service{}, byListen: map[netip.AddrPort]*service{}, loaded: time.Now()}
	for i := range cfg.Services {
		s := newService(cfg.Services[i], before.service(cfg.Services[i].Name))
		s.sessions = cfg.Log.Sessions
		p.services = append(p.services, s)
		p.byName[s.cfg.Name] = s
		for _, a := range s.cfg.Listen {
			p.byListen[a] = s
		}
		checks, err := assignmentsOf(s, version)
		if err != nil {
			return nil, err
		}
		p.checks = append(p.checks, checks...)
	}
	return p, nil
}

// service finds a service by name; a nil plan has none.
func (p *plan) service(name string) *service {
	if p == nil {
		return nil
	}
	return p.byName[name]
}

func newService(cfg config.Service, before *service) *service {
	s := &service{cfg: cfg, byServer: map[*balancing.Server]*backend{}, aeTitle: map[*backend]string{}}
	if before != nil {
		s.vip = before.vip
	} else {
		s.vip = newVIP()
	}
	s.table = s.vip.tableFor(cfg.Persistence)
	members := make([]balancing.Member, 0, len(cfg.Servers))
	for _, sc := range cfg.Servers {
		b := before.backend(sc.Name, sc.Address)
		if b == nil {
			b = newBackend(cfg.Name, sc, cfg.SlowStart)
		}
		s.backends = append(s.backends, b)
		s.byServer[b.server] = b
		s.aeTitle[b] = sc.AETitle
		members = append(members, balancing.Member{Server: b.server, Backup: sc.Backup})
	}
	pool := func(members []balancing.Member) *balancing.Pool {
		return balancing.NewPool(balancing.PoolOptions{
			Members: members, Algorithm: algorithmOf(cfg.Algorithm), Distribution: distributionOf(cfg.Distribution),
			Persistence: s.table, Panic: cfg.Panic == "all",
		})
	}
	s.pool = pool(members)
	s.rules, s.routes = routesOf(s, pool, members)
	return s
}

// backend finds the backend of the same identity: name and address. A server
// that moved is another server.
func (s *service) backend(name, address string) *backend {
	if s == nil {
		return nil
	}
	for i, b := range s.backends {
		if b.server.Name() == name && s.cfg.Servers[i].Address == address {
			return b
		}
	}
	return nil
}

// find returns the backend of a server name, nil if there is none.
func (s *service) find(name string) *backend {
	for _, b := range s.backends {
		if b.server.Name() == name {
			return b
		}
	}
	return nil
}

// commit applies the plan's numbers to the things that live longer, and tells
// what that changed. It is the step that cannot fail.
func (p *plan) commit(now time.Time, tell func(*backend, verdict, time.Time)) {
	for _, s := range p.services {
		s.vip.commit(s.table, s.cfg.Persistence)
		for i, b := range s.backends {
			tell(b, b.commit(&s.cfg, s.cfg.Servers[i], now), now)
		}
	}
}

// lookUp finds the addresses of servers that are given by name. A name that
// does not resolve is no failure: the server is unusable until it does.
func (p *plan) lookUp(ctx context.Context) {
	var all sync.WaitGroup
	for _, s := range p.services {
		for _, b := range s.backends {
			if b.addr.Load() == nil {
				all.Go(func() { b.lookUp(ctx) })
			}
		}
	}
	all.Wait()
}

func (p *plan) listenCount() int { return len(p.byListen) }

// The configuration has checked these words; an unknown one means the default.
func algorithmOf(word string) balancing.Algorithm {
	a, _ := balancing.ParseAlgorithm(word)
	return a
}

func distributionOf(word string) balancing.Distribution {
	d, _ := balancing.ParseDistribution(word)
	return d
}
