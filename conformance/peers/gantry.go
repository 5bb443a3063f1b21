package peers

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// Build builds the gateway from this tree into dir and returns the program's path. With race the race
// detector watches it: right for correctness, useless for speed and memory.
func Build(ctx context.Context, dir string, race bool) (string, error) {
	file, args := filepath.Join(dir, "gantry"), []string{"build", "-buildvcs=false"}
	if race {
		file, args = file+"-race", append(args, "-race")
	}
	cmd := exec.CommandContext(ctx, "go", append(args, "-o", file, "gantry/cmd/gantry")...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building cmd/gantry: %w\n%s", err, out)
	}
	return file, nil
}

// Gantry is a running gateway.
type Gantry struct {
	*Process
	Admin  string // base URL
	Config string // the configuration file it was started with
}

// StartGantry writes the configuration under dir, starts the program and returns when /readyz says so.
// The configuration is everything but the admin section, which StartGantry adds.
func StartGantry(ctx context.Context, program, dir, yaml string) (*Gantry, error) {
	g, err := prepare(dir, yaml)
	if err != nil {
		return nil, err
	}
	return g, g.run(ctx, Command{Name: "gantry", Path: program, Args: []string{"run", "--config", g.Config}})
}

// StartGantryLimited is StartGantry under a hard limit of open descriptors.
func StartGantryLimited(ctx context.Context, program, dir, yaml string, descriptors int) (*Gantry, error) {
	g, err := prepare(dir, yaml)
	if err != nil {
		return nil, err
	}
	script := fmt.Sprintf(`ulimit -n %d && exec "$0" run --config "$1"`, descriptors)
	return g, g.run(ctx, Command{Name: "gantry", Path: "/bin/sh", Args: []string{"-c", script, program, g.Config}})
}

func prepare(dir, yaml string) (*Gantry, error) {
	admin := FreeAddr()
	g := &Gantry{Admin: "http://" + admin, Config: filepath.Join(dir, "gantry.yaml")}
	return g, g.Write(yaml)
}

func (g *Gantry) run(ctx context.Context, c Command) (err error) {
	if g.Process, err = Start(c); err != nil {
		return err
	}
	return untilReady(ctx, g.Process, func() error { return callJSON(ctx, "GET", g.Admin+"/readyz", nil, nil) })
}

// Write replaces the configuration file in one step; a reload is the caller's business.
func (g *Gantry) Write(yaml string) error {
	text := fmt.Sprintf("admin: {listen: %q}\n%s", g.Admin[len("http://"):], yaml)
	next := g.Config + ".next"
	if err := os.WriteFile(next, []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(next, g.Config)
}

// Reload asks the running gateway to read its file again. Problems in the file are a *StatusError 422.
func (g *Gantry) Reload(ctx context.Context) error {
	return callJSON(ctx, "POST", g.Admin+"/api/v1/reload", nil, nil)
}

// Status is what the gateway says about itself.
func (g *Gantry) Status(ctx context.Context) (Status, error) {
	var s Status
	return s, callJSON(ctx, "GET", g.Admin+"/api/v1/status", nil, &s)
}

// ServerChange is an administrative order: a state (ready, drain, maint), a weight, or both.
type ServerChange struct {
	Admin  string `json:"admin,omitempty"`
	Weight int    `json:"weight,omitempty"`
}

// SetServer gives the order.
func (g *Gantry) SetServer(ctx context.Context, service, server string, c ServerChange) error {
	body, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return callJSON(ctx, "PUT", g.Admin+"/api/v1/services/"+service+"/servers/"+server, body, nil)
}

// AwaitState waits until the server's effective state is the given word.
func (g *Gantry) AwaitState(ctx context.Context, service, server, want string) error {
	return Until(ctx, service+"/"+server+" is "+want, func() error {
		s, err := g.Status(ctx)
		if err != nil {
			return err
		}
		if got := s.Server(service, server).State; got != want {
			return fmt.Errorf("it is %q", got)
		}
		return nil
	})
}

// Terminate sends SIGTERM and waits for the gentle end: the exit code.
func (g *Gantry) Terminate(ctx context.Context) (int, error) {
	if err := g.Signal(syscall.SIGTERM); err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	return g.ExitCode(ctx)
}
