package gateway_test

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
	"net/http/httptest"

	"gantry/gateway"
	"gantry/gateway/admin"
)

// exposition is what /metrics would show.
func exposition(t testing.TB, h *house) string {
	t.Helper()
	rec := httptest.NewRecorder()
	promhttp.HandlerFor(h.registry, promhttp.HandlerOpts{}).ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
	return rec.Body.String()
}

func TestReloadKeepsWhatStays(t *testing.T) {
	a, b := serve(t, "A"), serve(t, "B")
	addr, other := freePort(t), freePort(t)
	h := start(t, tcpService(addr, "", a))
	h.await("S", "A", "up")
	c := dial(t, addr)
	require.Equal(t, "A", c.greeting(t))

	diff, err := h.reload(strings.Replace(tcpService(addr, "", a, b), "listen: ['"+addr+"']", "listen: ['"+addr+"', '"+other+"']", 1))
	require.NoError(t, err)
	require.True(t, diff.Changed)
	require.Equal(t, []string{"S/B"}, diff.Servers.Added)
	require.Equal(t, []string{other}, diff.Listeners.Added)
	require.Equal(t, []string{"S"}, diff.Services.Changed)

	require.Equal(t, "up", h.server("S", "A").State, "health is kept")
	require.Equal(t, int64(1), h.server("S", "A").Total, "counters are kept")
	c.echo(t, "the session goes on")
	h.await("S", "B", "up")
	require.Equal(t, "A", dial(t, other).greeting(t), "persistence is kept, on the new listener too")

	diff, err = h.reload(tcpService(other, "", b))
	require.NoError(t, err)
	require.Equal(t, []string{"S/A"}, diff.Servers.Removed)
	require.Equal(t, []string{addr}, diff.Listeners.Removed)
	c.echo(t, "sessions of a removed server may finish")
	require.Equal(t, "B", dial(t, other).greeting(t))
	_, err = net.Dial("tcp", addr)
	require.ErrorIs(t, err, unix.ECONNREFUSED)
	require.NotContains(t, exposition(t, h), `server="A"`, "no series of a removed server")
}

func TestReloadDrainDeadline(t *testing.T) {
	a, b := serve(t, "A"), serve(t, "B")
	addr := freePort(t)
	h := start(t, tcpService(addr, "  timeouts: {drain: 100ms}\n", a))
	h.await("S", "A", "up")
	c := dial(t, addr)
	require.Equal(t, "A", c.greeting(t))
	_, err := h.reload(tcpService(addr, "  timeouts: {drain: 100ms}\n", b))
	require.NoError(t, err)
	require.Equal(t, "reset", c.ended())
}

func TestReloadOfTheSameFileChangesNothing(t *testing.T) {
	a := serve(t, "A")
	h := start(t, tcpService(freePort(t), "", a))
	diff, err := h.Reload(context.Background())
	require.NoError(t, err)
	require.False(t, diff.Changed)
}

func TestReloadNamesChangedRoutes(t *testing.T) {
	a := newArchive(t)
	file := dicomService(freePort(t), "  dicom: {accept_called_ae: [PACS]}\n  routes: [{when: {calling_ae: [CT1]}, reject: no-reason}]\n", a)
	h := start(t, file)
	diff, err := h.reload(file + "# a comment\n")
	require.NoError(t, err)
	require.Empty(t, diff.Services.Changed)
	for old, with := range map[string]string{"[PACS]": "[VNA]", "[CT1]": "[CT2]", "reject: no-reason": "reject: 2/1/1"} {
		diff, err = h.reload(replaced(t, file, old, with))
		require.NoError(t, err)
		require.Equal(t, []string{"PACS"}, diff.Services.Changed, with)
	}
	diff, err = h.reload(replaced(t, file, "{name: A,", "{name: A, ae_title: ARCHIVE,"))
	require.NoError(t, err)
	require.Equal(t, []string{"PACS/A"}, diff.Servers.Changed)
}

func TestReloadNamesOnlyWhatChanged(t *testing.T) {
	a := serve(t, "A")
	file := tcpService(freePort(t), "  passive: {failures: 3}\n", a)
	h := start(t, file)
	diff, err := h.reload(file + "# a comment\n")
	require.NoError(t, err)
	require.Empty(t, diff.Services.Changed)
	require.Empty(t, diff.Servers.Changed)
	diff, err = h.reload(strings.Replace(file, "failures: 3", "failures: 4", 1))
	require.NoError(t, err)
	require.Equal(t, []string{"S"}, diff.Services.Changed)
	diff, err = h.reload(strings.Replace(file, "  passive: {failures: 3}\n", "", 1))
	require.NoError(t, err)
	require.Equal(t, []string{"S"}, diff.Services.Changed)
}

func TestBrokenFileChangesNothing(t *testing.T) {
	a := serve(t, "A")
	addr := freePort(t)
	h := start(t, tcpService(addr, "", a))
	h.await("S", "A", "up")
	hash := h.Status().Config.Hash
	_, err := h.reload("services:\n- name: S\n  protocl: tcp\n")
	var refused *admin.ReloadError
	require.ErrorAs(t, err, &refused)
	require.NotEmpty(t, refused.Problems)
	st := h.Status().Config
	require.Equal(t, hash, st.Hash)
	require.False(t, st.OK)
	require.NotEmpty(t, st.Problems)
	require.Contains(t, exposition(t, h), "gantry_config_last_reload_successful 0")
	require.Equal(t, "A", dial(t, addr).greeting(t))
	_, err = h.reload(tcpService(addr, "", a)) // what is in force already
	require.NoError(t, err)
	require.True(t, h.Status().Config.OK)
}

func TestBusyListenerAtReloadLeaksNothing(t *testing.T) {
	a := serve(t, "A")
	addr, fresh, busy := freePort(t), freePort(t), serve(t, "busy").addr
	// No check may be under way while descriptors are counted.
	file := strings.ReplaceAll(tcpService(addr, "", a), "interval: 200ms, fast_interval: 100ms", "interval: 1h")
	h := start(t, file)
	h.await("S", "A", "up")
	before := descriptors(t)
	_, err := h.reload(strings.Replace(file, "listen: ['", "listen: ['"+fresh+"', '"+busy+"', '", 1))
	require.ErrorContains(t, err, "cannot listen on "+busy)
	var refused *admin.ReloadError
	require.ErrorAs(t, err, &refused)
	require.Empty(t, refused.Problems)
	require.Eventually(t, func() bool { return descriptors(t) <= before }, patience, time.Millisecond, "descriptors leaked")
	_, err = net.Dial("tcp", fresh)
	require.ErrorIs(t, err, unix.ECONNREFUSED)
	require.Equal(t, "A", dial(t, addr).greeting(t))
}

func descriptors(t testing.TB) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	return len(list)
}

func TestBusyListenerAtStart(t *testing.T) {
	busy := serve(t, "busy")
	file := t.TempDir() + "/gantry.yaml"
	write(t, file, tcpService(busy.addr, "", serve(t, "A")))
	g, err := gateway.New(gateway.Options{ConfigFile: file})
	require.NoError(t, err)
	before := descriptors(t)
	err = g.Start(context.Background())
	require.ErrorContains(t, err, "service S: cannot listen on "+busy.addr+": address already in use")
	require.True(t, errors.Is(err, unix.EADDRINUSE))
	require.Eventually(t, func() bool { return descriptors(t) <= before }, patience, time.Millisecond, "descriptors leaked")
}

func TestWeightsAcrossReloads(t *testing.T) {
	a := serve(t, "A")
	addr := freePort(t)
	file := tcpService(addr, "", a)
	h := start(t, file)
	forty := 40
	require.NoError(t, h.SetServer("S", "A", admin.ServerChange{Weight: &forty}))
	_, err := h.reload(file + "# another comment\n")
	require.NoError(t, err)
	require.Equal(t, 40, h.server("S", "A").Weight, "a person's weight survives a reload that does not name another")
	_, err = h.reload(strings.Replace(file, "{name: A,", "{name: A, weight: 70,", 1))
	require.NoError(t, err)
	require.Equal(t, 70, h.server("S", "A").Weight)
}

func TestAdministrativeStates(t *testing.T) {
	a, b := serve(t, "A"), serve(t, "B")
	addr := freePort(t)
	h := start(t, tcpService(addr, "  distribution: failover\n", a, b))
	h.await("S", "A", "up")
	h.await("S", "B", "up")
	c := dial(t, addr)
	require.Equal(t, "A", c.greeting(t))
	set := func(word string) {
		t.Helper()
		require.NoError(t, h.SetServer("S", "A", admin.ServerChange{Admin: &word}))
	}
	set("drain")
	require.Equal(t, "drain", h.server("S", "A").State)
	require.Equal(t, "B", dial(t, addr).greeting(t), "persistence may not override drain")
	c.echo(t, "running sessions finish")
	set("maint")
	require.Equal(t, "maint", h.server("S", "A").State)
	require.Equal(t, "not checked", h.server("S", "A").Checks[0].Message)
	set("ready")
	h.await("S", "A", "up")
	require.Equal(t, "A", dialFrom(t, "127.0.0.2", addr).greeting(t))

	word := "off"
	var invalid *admin.InvalidError
	require.ErrorAs(t, h.SetServer("S", "A", admin.ServerChange{Admin: &word}), &invalid)
	var unknown *admin.NotFoundError
	require.ErrorAs(t, h.SetServer("S", "C", admin.ServerChange{Admin: &word}), &unknown)
	kinds := map[string]bool{}
	for _, e := range h.Events() {
		kinds[e.Kind] = true
	}
	require.Equal(t, map[string]bool{"start": true, "state": true, "admin": true}, kinds)
}

// The names are the contract with dashboards and alert rules.
func TestMetricNames(t *testing.T) {
	a := serve(t, "A")
	addr := freePort(t)
	h := start(t, tcpService(addr, "", a))
	h.await("S", "A", "up")
	require.Equal(t, "A", dial(t, addr).greeting(t))
	text := exposition(t, h)
	for _, name := range []string{
		`server_up{server="A",service="S"} 1`, `server_state{server="A",service="S",state="up"} 1`, `server_weight{`,
		`server_state_changes_total{`, `check_up{check="connect",server="A",service="S"} 1`,
		`check_duration_seconds_bucket{check="connect",server="A",service="S",stage="connect"`,
		`connections_active{`, `connections_total{server="A",service="S"} 1`, `connection_failures_total{reason="refused"`,
		`bytes_total{direction="in"`, `bytes_total{direction="out"`, `persistence_entries{service="S"} 1`, `dial_duration_seconds_count{service="S"} 1`,
		`rejected_total{reason="no-server"`, `config_last_reload_successful 1`, `config_last_reload_success_timestamp_seconds `,
		`config_info{hash="`, `build_info{`,
	} {
		require.Contains(t, text, "\ngantry_"+name)
	}
}

// mllp is the tcp service of the tests, with another protocol and little time
// to drain.
func mllp(addr, timeouts string, servers ...*named) string {
	return strings.Replace(tcpService(addr, "  timeouts: "+timeouts+"\n", servers...), "protocol: tcp", "protocol: mllp", 1)
}

// stopWithin fails when Stop has to wait for something that has no deadline.
func (h *house) stopWithin(d time.Duration) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	require.NoError(h.t, h.Stop(ctx), "Stop waited for more than %s", d)
}

func TestSilentClientOfAnOldConfigurationGetsTheNewOne(t *testing.T) {
	a, b := serve(t, "A"), serve(t, "B")
	addr := freePort(t)
	h := start(t, mllp(addr, "{drain: 0s}", a))
	h.await("S", "A", "up")
	c := dial(t, addr)
	require.Eventually(t, func() bool { return strings.Contains(exposition(t, h), "gantry_connections_in_use 1\n") }, patience, time.Millisecond)
	_, err := h.reload(mllp(addr, "{drain: 0s}", b))
	require.NoError(t, err)
	h.await("S", "B", "up")
	_, err = c.Write([]byte("x"))
	require.NoError(t, err)
	require.Equal(t, "B", c.greeting(t))
	h.stopWithin(patience)
}

// A session that is being dialled when the deadline comes must not slip
// through.
func TestDialUnderWayAtTheDrainDeadline(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	a := &named{name: "A", addr: l.Addr().String(), l: l, open: map[net.Conn]bool{}}
	t.Cleanup(a.stop)
	addr := freePort(t)
	h := start(t, strings.Replace(tcpService(addr, "  timeouts: {drain: 0s, connect: 20s}\n", a), quickChecks, "{type: connect, interval: 1h}", 1))
	h.await("S", "A", "up")
	fillBacklog(t, l.(*net.TCPListener))
	dial(t, addr)
	require.Eventually(t, func() bool { return h.server("S", "A").Active == 1 }, patience, time.Millisecond)
	stopped := make(chan error, 1)
	go func() { stopped <- h.Stop(context.Background()) }()
	require.Eventually(t, func() bool { return h.Ready() != nil }, patience, time.Millisecond)
	go a.accept(l) // only now does the server answer
	require.NoError(t, <-stopped)
}

// fillBacklog makes the kernel drop further connections until somebody accepts.
func fillBacklog(t testing.TB, l *net.TCPListener) {
	t.Helper()
	raw, err := l.SyscallConn()
	require.NoError(t, err)
	require.NoError(t, raw.Control(func(fd uintptr) { err = unix.Listen(int(fd), 0) }))
	require.NoError(t, err)
	for range 8 {
		c, err := net.DialTimeout("tcp", l.Addr().String(), 200*time.Millisecond)
		if err != nil {
			return
		}
		t.Cleanup(func() { _ = c.Close() })
	}
	t.Fatal("the accept queue does not fill")
}

// Nobody may be served under a configuration that is refused in the end.
func TestRefusedReloadServesNobody(t *testing.T) {
	a, b, busy := serve(t, "A"), serve(t, "B"), serve(t, "busy")
	addr := freePort(t)
	h := start(t, tcpService(addr, "", a))
	h.await("S", "A", "up")
	var fresh []string
	for range 20 {
		fresh = append(fresh, freePort(t))
	}
	stop, served := make(chan struct{}), make(chan bool, len(fresh))
	for _, f := range fresh {
		go func() {
			for {
				select {
				case <-stop:
					served <- false
					return
				default:
				}
				if c, err := net.DialTimeout("tcp", f, patience); err == nil {
					n, _ := c.Read(make([]byte, 8))
					_ = c.Close()
					if n > 0 {
						served <- true
						return
					}
				}
			}
		}()
	}
	_, err := h.reload(strings.Replace(tcpService(addr, "", b), "listen: ['", "listen: ['"+strings.Join(fresh, "', '")+"', '"+busy.addr+"', '", 1))
	require.ErrorContains(t, err, "cannot listen on "+busy.addr)
	close(stop)
	for range fresh {
		require.False(t, <-served)
	}
	h.stopWithin(patience)
}

func TestServerMovesWhileItsCheckStays(t *testing.T) {
	a, b, check := serve(t, "A"), serve(t, "B"), serve(t, "check")
	_, port, _ := strings.Cut(check.addr, ":")
	addr := freePort(t)
	file := strings.Replace(tcpService(addr, "", a), "{type: connect,", "{type: connect, port: "+port+",", 1)
	h := start(t, file)
	h.await("S", "A", "up")
	_, err := h.reload(strings.Replace(file, a.addr, b.addr, 1))
	require.NoError(t, err)
	h.await("S", "A", "up")
	require.Equal(t, "B", dial(t, addr).greeting(t))
}

func TestListenAddressGetsNarrower(t *testing.T) {
	a := serve(t, "A")
	_, port, _ := strings.Cut(freePort(t), ":")
	h := start(t, tcpService("0.0.0.0:"+port, "", a))
	h.await("S", "A", "up")
	_, err := h.reload(tcpService("127.0.0.5:"+port, "", a))
	require.NoError(t, err)
	require.Equal(t, "A", dial(t, "127.0.0.5:"+port).greeting(t))
	_, err = net.Dial("tcp", "127.0.0.6:"+port)
	require.ErrorIs(t, err, unix.ECONNREFUSED)
}

// Scrapes and status calls while things change; the race detector looks on.
func TestWatchedFromOutsideAllTheTime(t *testing.T) {
	a := serve(t, "A")
	addr := freePort(t)
	h := start(t, tcpService(addr, "  persistence: {by: none}\n", a))
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
				exposition(t, h)
				h.Status()
			}
		}
	}()
	word := []string{"maint", "ready", "drain", "ready"}
	for i := range 8 {
		_, err := h.reload(tcpService(addr, []string{"", "  persistence: {by: none}\n"}[i%2], a))
		require.NoError(t, err)
		require.NoError(t, h.SetServer("S", "A", admin.ServerChange{Admin: &word[i%4]}))
	}
	close(stop)
	<-done
	h.await("S", "A", "up")
}
