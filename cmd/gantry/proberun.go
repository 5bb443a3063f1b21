package main

import (
	"context"
	"fmt"
	"os"
	"syscall"
	"time"

	"gantry/gateway/config"
	"gantry/negotiate"
)

// probing is one command `gantry probe`: a check, and what to do with its results.
type probing struct {
	*surroundings
	kind, target string
	check        negotiate.Check
	verbose      int
	count        int // 0 = until interrupted
	interval     time.Duration
	json         bool
	said         string // the last sentence of a series
}

// newProbing reads target and flags. Whatever is wrong with them is bad usage, each flag in a line of its own.
func newProbing(s *surroundings, kind string, args []string, own *keyFlags, f *probeFlags) (*probing, error) {
	if err := f.validate(); err != nil {
		return nil, err
	}
	about := aboutKind(kind)
	t, err := parseTarget(args[0], about)
	if err != nil {
		return nil, err
	}
	given := map[string][]string{}
	own.given(given)
	f.keys.given(given)
	if about.program && len(args) > 1 {
		if given["command"] != nil {
			return nil, badUsage("write the program either behind -- or with --command")
		}
		given["command"] = args[1:]
	}
	if about.program && given["command"] == nil {
		return nil, badUsage("the program is missing; write it behind --, by its absolute path")
	}
	if err := t.addTo(given, own); err != nil {
		return nil, err
	}
	c, problems := config.NewCheck(kind, given, config.Options{Getenv: func(name string) (string, bool) { v := s.getenv(name); return v, v != "" }})
	if len(problems) > 0 {
		return nil, badFlags(problems)
	}
	check, err := probeCheck(c, t)
	if err != nil {
		return nil, badUsage("%s", err)
	}
	return &probing{surroundings: s, kind: kind, target: args[0], check: check,
		verbose: *f.verbose, count: *f.count, interval: *f.interval, json: f.output.value == "json"}, nil
}

// addTo gives the keys that a URL stands for. A flag that says the same thing again could only contradict it.
func (t target) addTo(given map[string][]string, own *keyFlags) error {
	if t.scheme == "" {
		return nil
	}
	for key, value := range map[string]string{"scheme": t.scheme, "path": t.path} {
		switch _, twice := given[key]; {
		case own.byKey[key] == nil || value == "":
		case twice:
			return badUsage("--%s and a URL: say it once", key)
		default:
			given[key] = []string{value}
		}
	}
	if own.byKey["scheme"] == nil && t.scheme == "https" {
		given["tls"] = nil
	}
	return nil
}

// badFlags is the usage error of what the configuration would call problems of a check.
func badFlags(problems config.Problems) error {
	lines := make([]string, len(problems))
	for i, p := range problems {
		lines[i] = "--" + flagOf(p.Path) + ": " + p.Message
		if p.Message == "is missing" {
			lines[i], p.Want = "--"+flagOf(p.Path)+" is missing", ""
		}
		if p.Got != "" {
			lines[i] += " (got " + p.Got + ")"
		}
		if p.Want != "" {
			lines[i] += "; " + p.Want
		}
	}
	return flagErrors(lines)
}

// probeCheck makes the check that the gateway would make.
func probeCheck(c config.Check, t target) (negotiate.Check, error) {
	secure, err := c.TLS.Client()
	if err != nil {
		return negotiate.Check{}, err
	}
	prober, err := c.Settings.Prober(negotiate.Target{Host: t.host, Port: t.port, Secure: secure != nil, Version: buildInfo().version})
	if err != nil {
		return negotiate.Check{}, err
	}
	address := t.address()
	return negotiate.Check{Name: c.Name, Kind: c.Type, Address: func() (string, error) { return address, nil },
		TLS: secure, Prober: prober, Timeout: c.Timeout, MaxLatency: c.MaxLatency}, nil
}

// run carries the check out, once or often, and ends with the exit code that tells the server's state.
func (p *probing) run(ctx context.Context) error {
	if p.verbose > 0 {
		ctx = negotiate.WithTranscript(ctx)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	arrived, release := p.signals(os.Interrupt, syscall.SIGTERM)
	defer release()
	go func() {
		select {
		case <-arrived:
			cancel()
		case <-ctx.Done():
		}
	}()
	if p.count == 1 {
		return p.once(ctx)
	}
	return p.often(ctx)
}

func (p *probing) once(ctx context.Context) error {
	r := negotiate.Run(ctx, p.check)
	if err := p.show(r); err != nil {
		return err
	}
	return exitWith(exitCode(r))
}

func (p *probing) show(r negotiate.Result) error {
	if p.json {
		return printJSON(p.out, p.report(r))
	}
	_, err := fmt.Fprint(p.out, p.text(r))
	return err
}

// often repeats the check. A run that the person's own interrupt ended is no result.
func (p *probing) often(ctx context.Context) error {
	sum := &probeSummary{}
	tick := time.NewTicker(p.interval)
	defer tick.Stop()
	for n := 1; p.count == 0 || n <= p.count; n++ {
		r := negotiate.Run(ctx, p.check)
		if ctx.Err() != nil {
			break
		}
		sum.add(r)
		if err := p.showLine(n, r); err != nil {
			return err
		}
		if n == p.count {
			break
		}
		select {
		case <-tick.C:
			continue
		case <-ctx.Done():
		}
		break
	}
	if err := p.showSummary(sum); err != nil {
		return err
	}
	return exitWith(sum.exitCode())
}

// exitWith ends the command with a code and no further words.
func exitWith(code int) error {
	if code == probeHealthy {
		return nil
	}
	return saidError{code}
}

// exitCode is the verdict on one result.
func exitCode(r negotiate.Result) int {
	switch {
	case !judged(r):
		return probeNotMade
	case r.Fault != nil:
		return probeUnhealthy
	case r.Degraded != nil:
		return probeDegraded
	}
	return probeHealthy
}

// judged reports whether a result says anything about the server: not when this machine is at fault, or the check.
func judged(r negotiate.Result) bool {
	return r.Fault == nil || r.Fault.Counts() && r.Fault.Reason != negotiate.ReasonInternal
}

// verdicts are the words for the exit codes.
var verdicts = map[int]string{
	probeHealthy: "healthy", probeDegraded: "degraded", probeUnhealthy: "unhealthy", probeNotMade: "not-made",
}

// verdictColours are their colours.
var verdictColours = map[int]string{probeHealthy: green, probeDegraded: yellow, probeUnhealthy: red, probeNotMade: yellow}
