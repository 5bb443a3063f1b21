package config

import (
	"fmt"
	"slices"
	"strings"

	"gantry/gateway/dicomgate"
)

// routeRules checks the routes of a service, each by itself and beside those before it.
func (d *decoder) routeRules(s *Service, path string) {
	for i := range s.Routes {
		sub := fmt.Sprintf("%s.routes[%d]", path, i)
		d.routeDoes(sub, whatToDo[s.Protocol])
		d.routeServers(s, &s.Routes[i], sub)
		d.routeCanMatch(s, i, path)
	}
}

// whatToDo completes a route that says nothing.
var whatToDo = map[string]string{
	"dicom": "add servers: [NAME], reject: WORD, or calling_ae: TITLE",
	"mllp":  "add servers: [NAME], or reject: AR",
}

// routeDoes: a route says one thing to do.
func (d *decoder) routeDoes(path, todo string) {
	has := func(key string) bool { _, ok := d.places[path+"."+key]; return ok }
	switch {
	case has("reject") && has("servers"):
		d.add(d.places[path+".reject"], path+".reject", "stands beside servers: a route serves or rejects", "", "remove one of them")
	case has("reject") && has("calling_ae"):
		d.add(d.places[path+".calling_ae"], path+".calling_ae", "stands beside reject: no request is forwarded that it could be written into", "", "remove one of them")
	case !has("reject") && !has("servers") && !has("calling_ae") && !d.troubled(path):
		d.add(d.places[path], path, "says nothing about what to do", "", todo)
	}
}

// routeServers: they are the service's own, each once.
func (d *decoder) routeServers(s *Service, r *Route, path string) {
	names := make([]string, 0, len(s.Servers))
	for _, server := range s.Servers {
		names = append(names, server.Name)
	}
	for i, name := range r.Servers {
		sub := fmt.Sprintf("%s.servers[%d]", path, i)
		switch {
		case name == "":
		case slices.Contains(r.Servers[:i], name):
			d.add(d.places[sub], sub, "server is named twice in one route", quoted(name), "remove one")
		case !slices.Contains(names, name):
			d.add(d.places[sub], sub, "no server of this service has that name", quoted(name), suggest(name, names))
		}
	}
}

// routed is what routes are about.
var routed = map[string]string{"dicom": "requests", "mllp": "messages"}

// routeCanMatch: a route that no request can reach was meant to do something.
func (d *decoder) routeCanMatch(s *Service, i int, path string) {
	r, sub := &s.Routes[i], fmt.Sprintf("%s.routes[%d]", path, i)
	for j := range s.Routes[:i] {
		earlier := fmt.Sprintf("%s.routes[%d]", path, j)
		all := s.Routes[j].always()
		if !all && !s.Routes[j].same(r) || d.troubled(earlier+".when") || d.troubled(sub+".when") {
			continue
		}
		which := "the same"
		if all {
			which = "all"
		}
		d.add(d.places[sub], sub, fmt.Sprintf("never matches: the route on line %d takes %s %s before", d.places[earlier].line, which, routed[s.Protocol]), "",
			"put it before that one, or remove it")
		return
	}
	c := s.DICOM
	d.titlesCanCome(path, sub, "called_ae", r.When.CalledAE, c.AcceptCalledAE, c.IgnoreAECase)
	d.titlesCanCome(path, sub, "calling_ae", r.When.CallingAE, c.AcceptCallingAE, c.IgnoreAECase)
}

// titlesCanCome reports titles that are turned away before any route is looked at.
func (d *decoder) titlesCanCome(service, route, key string, titles, accepted dicomgate.Patterns, fold bool) {
	if d.troubled(service + ".dicom.accept_" + key) {
		return
	}
	for i, p := range titles {
		if p != "" && p.Literal() && !accepted.Match(string(p), fold) {
			sub := fmt.Sprintf("%s.when.%s[%d]", route, key, i)
			d.add(d.places[sub], sub, "never comes here: accept_"+key+" does not have it", quoted(string(p)), "add it there, or remove it here")
		}
	}
}

// troubled tells whether something was wrong at or below a path. What could not be read seems to ask for less than it
// does.
func (d *decoder) troubled(path string) bool {
	return slices.ContainsFunc(d.problems, func(p Problem) bool { return strings.HasPrefix(p.Path, path) })
}
