package gateway

import (
	"net/netip"
	"slices"
	"strings"

	"gantry/balancing"
	"gantry/gateway/dicomgate"
	"gantry/protocols/dicom"
)

// route is where the associations go that a rule of the configuration names.
type route struct {
	index     int // in the file, from 0
	pool      *balancing.Pool
	part      string        // keeps what persistence remembers of it apart; "" for the whole service
	reject    *dicom.Reject // the gateway answers so instead
	callingAE string        // towards the server; "" = as the client says
}

// routesOf compiles the routes of a service. The last one is for whatever no rule
// names: all servers.
func routesOf(s *service, pools func([]balancing.Member) *balancing.Pool, members []balancing.Member) (dicomgate.Routes, []*route) {
	var rules dicomgate.Routes
	var all []*route
	for i, c := range s.cfg.Routes {
		r := &route{index: i, pool: s.pool, reject: c.Reject, callingAE: c.CallingAE}
		if len(c.Servers) > 0 {
			r.pool = pools(membersNamed(c.Servers, members))
			r.part = partOf(c.Servers)
		}
		rules, all = append(rules, c.When), append(all, r)
	}
	return rules, append(all, &route{pool: s.pool})
}

// membersNamed are those members, in the order of the names.
func membersNamed(names []string, members []balancing.Member) []balancing.Member {
	var named []balancing.Member
	for _, name := range names {
		for _, m := range members {
			if m.Server.Name() == name {
				named = append(named, m)
			}
		}
	}
	return named
}

// partOf names a set of servers, whatever their order: rules that share it share
// what is remembered, also after a reload that moved them about.
func partOf(names []string) string {
	return strings.Join(slices.Sorted(slices.Values(names)), "\x00")
}

// routeOf finds the route of a request.
func (s *service) routeOf(rq *dicom.AssociateRQ, source netip.Addr) *route {
	if i := s.rules.Find(rq, source); i >= 0 {
		return s.routes[i]
	}
	return s.routes[len(s.routes)-1]
}

// keyOf is what the service remembers a client by.
func (s *service) keyOf(callingAE string, source netip.Addr) balancing.Key {
	if s.cfg.Persistence.By == "calling-ae" {
		return balancing.NameKey(s.foldAE(callingAE))
	}
	return balancing.AddrKey(source)
}

// foldAE gives titles that count as the same one form.
func (s *service) foldAE(title string) string {
	return dicomgate.FoldTitle(title, s.cfg.DICOM.IgnoreAECase)
}
