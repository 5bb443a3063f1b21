package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gantry/gateway/admin"
	"gantry/gateway/config"
	"gantry/gateway/relay"
	"gantry/negotiate"
)

// Options are what a Gateway needs to know. ConfigFile is required.
type Options struct {
	// ConfigFile is the path of the YAML file; Reload reads it again.
	ConfigFile string
	// Version is shown in the status and in gantry_build_info.
	Version string
	// Logger gets all lines; nil discards them.
	Logger *slog.Logger
	// Registry gets the metrics and is what /metrics shows; nil makes one.
	Registry *Registry
}

// Gateway is the running thing. Make it with New; Start, Reload and Stop may be
// called from any goroutine.
type Gateway struct {
	opts    Options
	log     *slog.Logger
	started time.Time

	budget  *budget
	relay   *relay.Relay
	super   *negotiate.Supervisor
	metrics *metrics
	events  *eventRing
	page    atomic.Pointer[adminServer]

	plan atomic.Pointer[plan]
	last atomic.Pointer[attempt]

	changing sync.Mutex // held by Start, Reload and Stop
	phase    atomic.Int32
	ports    map[netip.AddrPort]*port // under changing
	drains   drains
	goneMu   sync.Mutex
	gone     []gone        // servers that a reload took away; under goneMu
	watching sync.Mutex    // held while the supervisor is told what to watch
	ejecting sync.Mutex    // one ejection at a time, so that max_ejected holds
	house    chan struct{} // closed to end the housekeeping
	housed   sync.WaitGroup
}

// The phases of a Gateway's life.
const (
	phaseNew int32 = iota
	phaseServing
	phaseDraining
	phaseStopped
)

// attempt is how the last reload went.
type attempt struct {
	ok       bool
	at       time.Time
	problems []admin.Problem
}

// Interface guard.
var _ admin.Control = (*Gateway)(nil)

// New reads the configuration. It opens nothing yet; a bad file comes back as
// config.Problems.
func New(o Options) (*Gateway, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Registry == nil {
		o.Registry = NewRegistry()
	}
	cfg, _, err := config.Load(o.ConfigFile)
	if err != nil {
		return nil, err
	}
	g := &Gateway{
		opts: o, log: o.Logger,
		events: newEventRing(maxEvents),
		ports:  map[netip.AddrPort]*port{},
		house:  make(chan struct{}),
	}
	p, err := compile(cfg, nil, o.Version)
	if err != nil {
		return nil, err
	}
	g.plan.Store(p)
	g.last.Store(&attempt{ok: true})
	g.metrics = newMetrics(o.Registry, g)
	return g, nil
}

// Config returns the configuration in force. It must not be changed.
func (g *Gateway) Config() *config.Config { return g.plan.Load().config }

// Start opens the listeners, the checks and the admin address, all of it or
// nothing: after an error everything is closed again.
func (g *Gateway) Start(ctx context.Context) error {
	g.changing.Lock()
	defer g.changing.Unlock()
	if g.phase.Load() != phaseNew {
		return errors.New("the gateway was started before")
	}
	g.started = time.Now() // before the admin address can be asked for it
	if err := g.open(ctx); err != nil {
		g.closeAll()
		return err
	}
	g.phase.Store(phaseServing)
	p := g.plan.Load()
	g.last.Store(&attempt{ok: true, at: g.started})
	g.housed.Go(g.housekeeping)
	g.events.add(admin.Event{Time: g.started, Kind: "start", Message: "gateway " + g.opts.Version + " started"})
	for _, s := range p.services {
		g.log.Info("listening", "service", s.cfg.Name, "listen", strings.Join(texts(s.cfg.Listen), " "))
	}
	g.log.Info("serving", "services", len(p.services), "connections_max", g.budget.limit())
	return nil
}

// open makes the long-lived parts and puts the first plan in force.
func (g *Gateway) open(ctx context.Context) error {
	p := g.plan.Load()
	limits, err := descriptorLimits(p.listenCount())
	if err != nil {
		return err
	}
	g.budget = newBudget(limits.connections)
	if g.relay, err = relay.New(relay.Options{MaxPipes: limits.pipes, OnPanic: g.panicked}); err != nil {
		return err
	}
	g.super = negotiate.NewSupervisor(negotiate.Options{
		Logger: g.log, MaxRunning: limits.checks, OnResult: g.checked, OnChange: g.judged,
	})
	page, err := g.openAdmin(p.config.Admin, limits.admin)
	if err != nil {
		return err
	}
	g.page.Store(page)
	p.lookUp(ctx)
	if g.ports, err = g.bind(p, nil); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	p.commit(time.Now(), g.followed)
	g.switchboards(nil, p)
	putInForce(p, g.ports)
	g.watch()
	return nil
}

// AdminAddr is the address of the admin page as it is bound, HOST:PORT.
func (g *Gateway) AdminAddr() string {
	if page := g.page.Load(); page != nil {
		return page.addr()
	}
	return ""
}

// Ready is nil while the gateway takes new sessions.
func (g *Gateway) Ready() error {
	switch g.phase.Load() {
	case phaseServing:
		return nil
	case phaseNew:
		return errors.New("starting: the listeners are not open yet")
	case phaseDraining:
		return errors.New("stopping: running sessions may finish, new ones are not taken")
	}
	return errors.New("stopped")
}

// Stop closes the listeners, lets the sessions finish for as long as each
// service's timeouts.drain or ctx allows, aborts the rest, and gives everything
// back. The admin address answers until the end. The error is ctx's, when
// sessions had to be aborted because it ended.
func (g *Gateway) Stop(ctx context.Context) error {
	if !g.beginStop() {
		return nil
	}
	err := g.drained(ctx)
	g.changing.Lock()
	defer g.changing.Unlock()
	g.closeAll()
	g.phase.Store(phaseStopped)
	g.log.Info("stopped")
	return err
}

// beginStop takes no more clients and gives the running sessions their
// deadlines. It returns false when there is nothing to stop, or somebody does.
func (g *Gateway) beginStop() bool {
	g.changing.Lock()
	defer g.changing.Unlock()
	if !g.phase.CompareAndSwap(phaseServing, phaseDraining) {
		return false
	}
	g.log.Info("stopping: sessions may finish within timeouts.drain, a second signal cuts them", "sessions", g.budget.inUse())
	g.closePorts(g.ports)
	for _, s := range g.plan.Load().services {
		g.retire(s, s.backends)
		if b := s.vip.switchboard.Load(); b != nil {
			b.retire(g, s.cfg.Timeouts.Drain)
		}
	}
	return true
}

// drained waits until no session is left or ctx ends.
func (g *Gateway) drained(ctx context.Context) error {
	select {
	case <-g.budget.empty():
		return nil
	case <-ctx.Done():
		g.log.Warn("sessions are cut: the stop was ordered a second time, or its time is over", "sessions", g.budget.inUse())
		return ctx.Err()
	}
}

// closeAll gives back what open took. The relay ends what still runs.
func (g *Gateway) closeAll() {
	g.closePorts(g.ports)
	if g.phase.Load() != phaseNew {
		close(g.house)
	}
	if g.super != nil {
		g.super.Close()
	}
	if g.relay != nil {
		g.relay.Close()
	}
	g.drains.stop()
	if page := g.page.Load(); page != nil {
		page.close()
	}
	g.housed.Wait()
}

// panicked reports a fault of our own; the session it struck has been ended.
func (g *Gateway) panicked(v any, stack []byte) {
	g.log.Error("internal error; the session it struck was ended, please report this", "err", fmt.Sprint(v), "stack", string(stack))
}

func (g *Gateway) enginePanicked(v any) { g.panicked(v, debug.Stack()) }

// housekeepingEvery is how often names are looked up again and expired
// persistence entries are cleared away.
const housekeepingEvery = time.Second

// expireMost bounds the entries cleared of one table in one go, so that no
// table is held for long.
const expireMost = 20_000

func (g *Gateway) housekeeping() {
	tick := time.NewTicker(housekeepingEvery)
	defer tick.Stop()
	for {
		select {
		case <-g.house:
			return
		case now := <-tick.C:
			p := g.plan.Load()
			for _, s := range p.services {
				if s.table != nil {
					s.table.Expire(now, expireMost)
				}
				for _, b := range s.backends {
					b.refresh(now, &g.housed)
				}
				g.releaseAll(s, now)
				g.cutOverdue(s, now)
				g.watchSilence(s, now)
			}
			g.forgetGone()
		}
	}
}
