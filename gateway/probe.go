package gateway

import (
	"context"
	"net"
	"strconv"
	"time"

	"gantry/gateway/admin"
	"gantry/gateway/config"
	"gantry/negotiate"
	"gantry/negotiate/transcript"
)

// History tells what is remembered of the checks of a server.
func (g *Gateway) History(service, server string) ([]admin.CheckHistory, error) {
	if _, err := g.locate(service, server); err != nil {
		return nil, err
	}
	var all []admin.CheckHistory
	for _, a := range g.plan.Load().checks {
		if a.key.Service != service || a.key.Server != server {
			continue
		}
		h := admin.CheckHistory{Name: a.check.Name, Type: a.check.Kind, State: negotiate.Checking.String()}
		if snap, ok := g.super.Snapshot(a.key); ok {
			h.State, h.Since, h.Count = snap.State.String(), snap.Since, snap.Health.String()
		}
		recent, failures := g.super.History(a.key)
		h.Recent, h.Failures = resultsOf(a.check, recent), resultsOf(a.check, failures)
		all = append(all, h)
	}
	return all, nil
}

// CheckOnce makes one configured check at once. It counts toward nothing.
func (g *Gateway) CheckOnce(ctx context.Context, service, server, check string, withTranscript bool) (admin.CheckResult, error) {
	if _, err := g.locate(service, server); err != nil {
		return admin.CheckResult{}, err
	}
	var known []string
	for _, a := range g.plan.Load().checks {
		if a.key.Service != service || a.key.Server != server {
			continue
		}
		if a.key.Check != check {
			known = append(known, a.key.Check)
			continue
		}
		if withTranscript {
			ctx = negotiate.WithTranscript(ctx)
		}
		r, err := g.super.Probe(ctx, a.backend.addressText(), a.check)
		return uncounted(a.check, r), err
	}
	return admin.CheckResult{}, &admin.NotFoundError{Kind: "check of " + service + "/" + server, Name: check, Known: known}
}

// Probe makes the checks of a service once, one after the other, against a
// target that need not be one of its servers. One that is gets its own checks.
func (g *Gateway) Probe(ctx context.Context, service, target string) ([]admin.CheckResult, error) {
	svc := g.plan.Load().service(service)
	if svc == nil {
		_, err := g.locate(service, "")
		return nil, err
	}
	host, port, err := splitTarget(target, int(svc.cfg.Listen[0].Port()))
	if err != nil {
		return nil, err
	}
	results := []admin.CheckResult{}
	checks, identity := svc.checksFor(host, port)
	for _, c := range checks {
		check, err := checkOf(service, target, c, g.opts.Version)
		if err != nil {
			return nil, err
		}
		r, err := g.super.Probe(ctx, identity, check)
		if err != nil {
			return nil, err
		}
		results = append(results, uncounted(check, r))
	}
	return results, nil
}

// splitTarget reads HOST:PORT, or HOST for the port that the service listens on.
func splitTarget(target string, otherwise int) (host string, port int, err error) {
	host, port, err = config.SplitAddress(target)
	if err != nil {
		return "", 0, &admin.InvalidError{Message: "target: " + err.Error()}
	}
	if port == 0 {
		port = otherwise
	}
	return host, port, nil
}

// checksFor are the checks of the server at that address, else those of the
// service, pointed there. They take turns with all others of the same identity.
func (s *service) checksFor(host string, port int) (_ []config.Check, identity string) {
	for i, sc := range s.cfg.Servers {
		if sc.Host == host && (sc.Port == port || sc.Port == 0 && port == int(s.cfg.Listen[0].Port())) {
			return sc.Checks, s.backends[i].addressText()
		}
	}
	checks := make([]config.Check, len(s.cfg.Checks))
	for i, c := range s.cfg.Checks {
		if c.Address == "" {
			c.Address = host
		}
		if c.Port == 0 {
			c.Port = port
		}
		checks[i] = c
	}
	return checks, net.JoinHostPort(host, strconv.Itoa(port))
}

func resultsOf(c negotiate.Check, rs []negotiate.Result) []admin.CheckResult {
	out := make([]admin.CheckResult, len(rs))
	for i, r := range rs {
		out[i] = resultOf(c, r)
	}
	return out
}

// uncounted is resultOf without a judgement, which one result alone is not.
func uncounted(c negotiate.Check, r negotiate.Result) admin.CheckResult {
	res := resultOf(c, r)
	res.State = ""
	return res
}

func resultOf(c negotiate.Check, r negotiate.Result) admin.CheckResult {
	res := admin.CheckResult{
		Check: c.Name, Type: c.Kind, Start: r.Start, DurationMS: milliseconds(r.Duration), Outcome: outcomeOf(r),
		State: r.State.String(), Message: sentenceOf(r), Excused: r.Excused,
	}
	for _, s := range r.Stages {
		res.Stages = append(res.Stages, admin.StageTime{Stage: string(s.Stage), MS: milliseconds(s.Took)})
	}
	if f := r.Words(); f != nil {
		res.Stage, res.Reason, res.Peer = string(f.Stage), string(f.Reason), f.Peer
	}
	if r.Transcript != nil {
		res.Transcript = transcript.Of(r.Transcript)
	}
	return res
}

func outcomeOf(r negotiate.Result) string {
	switch {
	case r.Excused != "":
		return admin.OutcomeExcused
	case r.Fault != nil && !r.Fault.Counts():
		return admin.OutcomeNotMade
	case r.Fault != nil:
		return admin.OutcomeFailed
	case r.Degraded != nil:
		return admin.OutcomeDegraded
	}
	return admin.OutcomePassed
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
