package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"gantry/conformance/peers"
)

// contender is one way from a client to a server.
type contender struct {
	name string
	// start puts the contender in front of server; dicom says whether it carries DICOM. A nil process
	// means that nothing stands in between.
	start func(ctx context.Context, dir, server string, dicom bool) (*peers.Process, string, error)
}

const (
	direct  = "direct"
	haproxy = "HAProxy"
	splice  = "HAProxy, splice"
	nginx   = "nginx stream"
	gantry  = "Gantry"
)

// contenders are measured in this order, round by round. Without a program there is no Gantry: that
// is how the first baseline was taken.
func contenders(program string) []contender {
	all := []contender{
		{direct, func(_ context.Context, _, server string, _ bool) (*peers.Process, string, error) {
			return nil, server, nil
		}},
		{haproxy, startHAProxy(false)},
		{splice, startHAProxy(true)},
		{nginx, func(ctx context.Context, dir, server string, _ bool) (*peers.Process, string, error) {
			return opened(peers.StartNginxStream(ctx, dir, server))
		}},
	}
	if program != "" {
		all = append(all, contender{gantry, startGantry(program)})
	}
	return all
}

func startHAProxy(forced bool) func(context.Context, string, string, bool) (*peers.Process, string, error) {
	return func(ctx context.Context, dir, server string, _ bool) (*peers.Process, string, error) {
		return opened(peers.StartHAProxy(ctx, dir, server, forced))
	}
}

func opened(m *peers.Middle, err error) (*peers.Process, string, error) {
	if err != nil {
		return nil, "", err
	}
	return m.Process, m.Addr, nil
}

func startGantry(program string) func(context.Context, string, string, bool) (*peers.Process, string, error) {
	return startGantryWith(program, "")
}

// startGantryWith adds keys to the service.
func startGantryWith(program, keys string) func(context.Context, string, string, bool) (*peers.Process, string, error) {
	return func(ctx context.Context, dir, server string, dicom bool) (*peers.Process, string, error) {
		addr, protocol := peers.FreeAddr(), "tcp"
		if dicom {
			protocol = "dicom"
		}
		g, err := peers.StartGantry(ctx, program, dir, fmt.Sprintf(
			"services:\n- {name: bench, protocol: %s, listen: [%q], %stimeouts: {drain: 1s}, servers: [{name: one, address: %q}]}\n",
			protocol, addr, keys, server))
		if err != nil {
			return nil, "", err
		}
		return g.Process, addr, g.AwaitState(ctx, "bench", "one", "up")
	}
}

// running is a started contender.
type running struct {
	contender
	*peers.Process
	addr string
}

// startAll starts every contender in front of server, each in a folder of its own.
func startAll(ctx context.Context, all []contender, dir, server string, dicom bool) ([]running, error) {
	var up []running
	for _, c := range all {
		r, err := startOne(ctx, c, dir, server, dicom)
		if err != nil {
			stopAll(up)
			return nil, err
		}
		up = append(up, r)
	}
	return up, nil
}

func startOne(ctx context.Context, c contender, dir, server string, dicom bool) (running, error) {
	own, err := os.MkdirTemp(dir, "contender-")
	if err != nil {
		return running{}, err
	}
	p, addr, err := c.start(ctx, filepath.Clean(own), server, dicom)
	if err != nil {
		return running{}, fmt.Errorf("%s: %w", c.name, err)
	}
	return running{c, p, addr}, nil
}

func stopAll(up []running) {
	for _, r := range up {
		r.Stop() // of a nil process: nothing
	}
}
