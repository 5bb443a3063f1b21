package config

import (
	"fmt"
	"net/netip"
	"time"
)

// rules checks what no single value shows. It runs after problems too, and passes over what could not be read.
func (d *decoder) rules(doc *document) {
	d.adminRules(doc.Admin)
	seen := newListeners(d, doc.Admin)
	names := map[string]int{}
	for i := range doc.Services {
		s, path := &doc.Services[i], fmt.Sprintf("services[%d]", i)
		d.unique(names, s.Name, path, "service")
		d.serviceRules(doc, s, path)
		seen.addAll(s, path)
	}
	for i := range doc.Services {
		d.loops(&doc.Services[i], fmt.Sprintf("services[%d]", i), seen)
	}
	d.checkNames(d.base.Checks, "defaults")
	d.mayRun(doc, d.base.Checks, "defaults")
	d.backoffRules(&d.base, "defaults")
}

// adminRules: what is not on loopback is reachable by others, and asks for a token.
func (d *decoder) adminRules(a Admin) {
	listen, err := netip.ParseAddrPort(a.Listen)
	_, tokenGiven := d.places["admin.token"]
	if err == nil && !listen.Addr().IsLoopback() && !tokenGiven {
		d.add(d.near("admin", "listen"), "admin.listen", "not a loopback address, and admin.token is missing", quoted(a.Listen),
			"add token: ${NAME} or file:PATH, or listen on 127.0.0.1")
	}
}

// unique notes a name and reports its second use.
func (d *decoder) unique(names map[string]int, name, path, what string) {
	if name == "" {
		return
	}
	p := d.near(path, "name")
	if line, twice := names[name]; twice {
		d.add(p, path+".name", fmt.Sprintf("%s name is used twice", what), quoted(name), fmt.Sprintf("choose another; the first is on line %d", line))
		return
	}
	names[name] = p.line
}

// serviceRules checks one service within itself.
func (d *decoder) serviceRules(doc *document, s *Service, path string) {
	d.checkNames(s.Checks, path)
	d.mayRun(doc, s.Checks, path)
	d.backoffRules(s, path)
	d.dicomRules(s, path)
	d.mllpRules(s, path)
	names, addresses := map[string]int{}, map[string]int{}
	for i := range s.Servers {
		server, sub := &s.Servers[i], fmt.Sprintf("%s.servers[%d]", path, i)
		d.unique(names, server.Name, sub, "server")
		d.uniqueAddress(addresses, server, sub)
		d.checkNames(server.Checks, sub)
		d.mayRun(doc, server.Checks, sub)
		if server.AETitle != "" && s.Protocol != "dicom" && s.Protocol != "" {
			d.add(d.near(sub, "ae_title"), sub+".ae_title", "only a server of a dicom service has this key", "protocol "+s.Protocol, "remove it")
		}
		d.needsPort(s, server, sub)
	}
}

// backoffRules: a time that doubles must begin below its end.
func (d *decoder) backoffRules(s *Service, path string) {
	if p := s.Passive; p != nil {
		d.doubles(path+".passive", "eject", p.Eject, "max_eject", p.MaxEject)
	}
	d.doubles(path+".flapping", "hold", s.Flapping.Hold, "max_hold", s.Flapping.MaxHold)
}

// doubles reports a first time that is longer than the longest. What comes from the defaults is reported there.
func (d *decoder) doubles(path, first string, from time.Duration, longest string, to time.Duration) {
	if _, own := d.places[path]; own && from > to {
		d.add(d.near(path, first), join(path, first), "longer than "+longest,
			shownDuration(from), fmt.Sprintf("at most %s, or a longer %s", shownDuration(to), longest))
	}
}

// uniqueAddress: a server listed twice would get twice its share and be judged twice, by mistake as a rule.
func (d *decoder) uniqueAddress(seen map[string]int, server *Server, path string) {
	if server.Host == "" {
		return
	}
	p, key := d.near(path, "address"), fmt.Sprintf("%s|%d", server.Host, server.Port)
	if line, twice := seen[key]; twice {
		d.add(p, path+".address", "server address is used twice in one service", quoted(server.Address),
			fmt.Sprintf("the first is on line %d; use weight for a larger share", line))
		return
	}
	seen[key] = p.line
}

// needsPort: port 0 means that the system chooses, and no server listens on what it chose.
func (d *decoder) needsPort(s *Service, server *Server, path string) {
	for _, l := range s.Listen {
		if l.IsValid() && l.Port() == 0 && server.Host != "" && server.Port == 0 {
			d.add(d.near(path, "address"), path+".address", "port is missing while the service listens on port 0", quoted(server.Address), "write HOST:PORT")
			return
		}
	}
}

// checkNames: a check's name stands for it in metrics. Its default is the type, so two of a type need names.
func (d *decoder) checkNames(checks []Check, path string) {
	names := map[string]int{}
	for i, c := range checks {
		sub := fmt.Sprintf("%s.checks[%d]", path, i)
		at, ok := d.places[sub]
		if !ok || c.Name == "" {
			continue // inherited: reported where it stands
		}
		if _, own := d.places[sub+".name"]; own {
			at = d.places[sub+".name"]
		}
		if line, twice := names[c.Name]; twice {
			d.add(at, sub, "check name is used twice", quoted(c.Name), fmt.Sprintf("give one of them a name of its own; the first is on line %d", line))
			continue
		}
		names[c.Name] = at.line
	}
}

// mayRun: a program runs with the rights of the gateway, so a person must have said once that this is wanted.
func (d *decoder) mayRun(doc *document, checks []Check, path string) {
	if doc.AllowExec {
		return
	}
	for i, c := range checks {
		sub := fmt.Sprintf("%s.checks[%d]", path, i)
		if at, own := d.places[sub+".type"]; own && kinds[c.Type].runs {
			d.add(at, sub+".type", "a check of type "+c.Type+" runs a program on this machine, and allow_exec is not true", "",
				"write allow_exec: true at the top of the file, or use another check")
		}
	}
}
