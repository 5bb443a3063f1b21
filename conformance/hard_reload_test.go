package conformance

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/conformance/peers"
)

// hospital is the configuration of the reload tests: one service that stays, with a server that stays,
// and parts that come and go with each generation.
type hospital struct {
	stays, second, guest string    // listen addresses
	servers              [3]string // the first stays
}

func newHospital(t *testing.T) hospital {
	h := hospital{stays: peers.FreeAddr(), second: peers.FreeAddr(), guest: peers.FreeAddr()}
	for i := range h.servers {
		h.servers[i] = serve(t, echo)
	}
	return h
}

// generation 0, 2, 4… has two servers and one listener; 1, 3, 5… has another second server, a second
// listener on the same service, and a service more.
func (h hospital) generation(n int) string {
	const head = "services:\n- {name: stays, protocol: tcp, listen: [%s], timeouts: {drain: 5m}, persistence: {by: none}," +
		" servers: [{name: one, address: %q}, {name: %s, address: %q}]}\n"
	if n%2 == 0 {
		return fmt.Sprintf(head, quoted(h.stays), h.servers[0], "two", h.servers[1])
	}
	return fmt.Sprintf(head, quoted(h.stays, h.second), h.servers[0], "three", h.servers[2]) +
		fmt.Sprintf("- {name: guest, protocol: tcp, listen: [%q], timeouts: {drain: 5m}, servers: [{name: one, address: %q}]}\n",
			h.guest, h.servers[0])
}

func quoted(list ...string) string { return `"` + strings.Join(list, `", "`) + `"` }

// TestReloadsUnderLoad: fifty reloads add and remove servers, listeners and a service. Clients of what
// stays do not notice: not one of their connections fails, not one long session ends.
func TestReloadsUnderLoad(t *testing.T) {
	const reloads = 50
	ctx := within(t, 3*time.Minute)
	h := newHospital(t)
	g := gateway(t, raced(t), h.generation(0))
	load := startLoad(h.stays)
	defer load.stop()

	for i := 1; i <= reloads; i++ {
		require.NoError(t, g.Write(h.generation(i)))
		require.NoError(t, g.Reload(ctx), "reload %d", i)
		seen := load.done.Load()
		require.NoError(t, peers.Until(ctx, "clients went on after the reload", func() error {
			if load.done.Load() < seen+20 && load.failed() == nil {
				return fmt.Errorf("%d connections", load.done.Load()-seen)
			}
			return nil
		}))
		requireListening(t, h.guest, i%2 == 1)
		requireListening(t, h.second, i%2 == 1)
	}
	load.stop()
	require.NoError(t, load.failed())
	t.Logf("%d connections and %d words on long sessions during %d reloads, none failed",
		load.done.Load(), load.words.Load(), reloads)
}

// requireListening shows that an address answers an echo, or refuses.
func requireListening(t *testing.T, addr string, want bool) {
	t.Helper()
	c, err := dialQuick(addr)
	if !want {
		require.Error(t, err, "%s was removed and still listens", addr)
		return
	}
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, exchange(c))
}

// load is a crowd of well-behaved clients of an echo service: two that come and go without a pause, and
// two that stay.
type load struct {
	done, words atomic.Int64
	err         atomic.Pointer[error]
	ctx         context.Context
	cancel      context.CancelFunc
	all         sync.WaitGroup
}

func startLoad(addr string) *load {
	l := &load{}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	for range 2 {
		l.all.Go(func() { l.comeAndGo(addr) })
		l.all.Go(func() { l.stay(addr) })
	}
	return l
}

func (l *load) stop() { l.cancel(); l.all.Wait() }

func (l *load) failed() error {
	if err := l.err.Load(); err != nil {
		return *err
	}
	return nil
}

func (l *load) note(what string, err error) bool {
	if err != nil {
		err = fmt.Errorf("%s: %w", what, err)
		l.err.CompareAndSwap(nil, &err)
	}
	return err == nil
}

func (l *load) comeAndGo(addr string) {
	for l.ctx.Err() == nil {
		c, err := net.DialTimeout("tcp", addr, 5*time.Second)
		if !l.note("connecting", err) {
			return
		}
		_ = c.SetDeadline(time.Now().Add(5 * time.Second))
		ok := l.note("short session", exchange(c))
		c.Close()
		if !ok {
			return
		}
		l.done.Add(1)
	}
}

func (l *load) stay(addr string) {
	c, err := net.DialTimeout("tcp", addr, 5*time.Second)
	if !l.note("connecting", err) {
		return
	}
	defer c.Close()
	pace(func() bool {
		_ = c.SetDeadline(time.Now().Add(5 * time.Second))
		l.words.Add(1)
		return l.note("long session", exchange(c)) && l.ctx.Err() == nil
	})
}

// TestBrokenFileChangesNothing: a file with mistakes is answered with all of them, and everything goes on
// as it was, the old configuration's hash included.
func TestBrokenFileChangesNothing(t *testing.T) {
	ctx := within(t, time.Minute)
	h := newHospital(t)
	g := gateway(t, raced(t), h.generation(0))
	before, err := g.Status(ctx)
	require.NoError(t, err)
	session := dial(t, h.stays)
	require.NoError(t, exchange(session))

	broken := strings.Replace(h.generation(1), "protocol: tcp", "protocl: tcp, algorithm: best", 1)
	require.NoError(t, g.Write(broken))
	refused := requireRefused(t, g.Reload(ctx))
	for _, mistake := range []string{"gantry.yaml", "services[0].protocl", "did you mean", "services[0].algorithm"} {
		require.Contains(t, refused.Body, mistake)
	}
	after, err := g.Status(ctx)
	require.NoError(t, err)
	require.Equal(t, before.Config.Hash, after.Config.Hash)
	require.False(t, after.Config.OK, "the status says that the last reload failed")
	require.NotEmpty(t, after.Config.Problems)
	require.NoError(t, exchange(session))
	requireListening(t, h.stays, true)
	requireListening(t, h.guest, false)

	require.NoError(t, g.Write(h.generation(1)))
	require.NoError(t, g.Reload(ctx), "the mended file")
	require.NoError(t, exchange(session))
	requireListening(t, h.guest, true)
}

func requireRefused(t *testing.T, err error) *peers.StatusError {
	t.Helper()
	var refused *peers.StatusError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, http.StatusUnprocessableEntity, refused.Code)
	return refused
}

// TestAddressInUseAtStart: one clear sentence and exit code 1.
func TestAddressInUseAtStart(t *testing.T) {
	ctx := within(t, time.Minute)
	taken := serve(t, echo)
	g, err := peers.StartGantry(ctx, raced(t), t.TempDir(), tcpService(taken, serve(t, echo)))
	require.Error(t, err)
	code, err := g.ExitCode(ctx)
	require.NoError(t, err)
	require.Equal(t, 1, code, "it wrote:\n%s", g.Log())
	require.Contains(t, g.Log(), taken)
	require.Contains(t, g.Log(), "address already in use")
	sane(t, g)
}

// TestAddressInUseAtReload: the reload is refused as a whole. What it had opened before it met the taken
// address is closed again, and the second try after the address is free works.
func TestAddressInUseAtReload(t *testing.T) {
	ctx := within(t, time.Minute)
	h := newHospital(t)
	g := gateway(t, raced(t), h.generation(0))
	taken, err := net.Listen("tcp", h.guest)
	require.NoError(t, err)
	defer taken.Close()
	require.NoError(t, g.Write(h.generation(1)))
	requireRefused(t, g.Reload(ctx)) // the first refusal may leave lazily opened descriptors of the runtime
	before, err := g.Descriptors()
	require.NoError(t, err)

	for range 20 {
		refused := requireRefused(t, g.Reload(ctx))
		require.Contains(t, refused.Body, h.guest)
		require.Contains(t, refused.Body, "in use")
		requireListening(t, h.second, false)
		requireListening(t, h.stays, true)
	}
	require.NoError(t, peers.Until(ctx, "no descriptor is left over", func() error {
		now, err := g.Descriptors()
		if err == nil && now > before+4 { // sessions of the probes above may still be ending
			err = fmt.Errorf("%d descriptors, were %d", now, before)
		}
		return err
	}))
	require.NoError(t, taken.Close())
	require.NoError(t, g.Reload(ctx))
	requireListening(t, h.guest, true)
	requireListening(t, h.second, true)
}
