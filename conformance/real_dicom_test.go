package conformance

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/conformance/peers"
)

// archives is a dicom service on two ports in front of two Orthanc.
type archives struct {
	gateway   *peers.Gantry
	ports     [2]string
	orthancs  [2]*peers.Orthanc
	directory string
}

// pacs is the service; the options are YAML lines of it. Its check comes only every 10 s, so that whatever
// happens sooner happens because live traffic asked for a check and because moving counts go fast.
const pacs = `services:
- name: PACS
  protocol: dicom
  listen: [%q, %q]
  algorithm: round-robin
  slow_start: 0s
  timeouts: {drain: 1s, handshake: 5s}
  %s
  checks:
  - {type: dicom-echo, interval: 10s, timeout: 1s, fast_interval: 500ms, down_interval: 500ms, rise: 2, fall: 3}
  servers:
  - {name: A, address: %q}
  - {name: B, address: %q}
`

func startArchives(t *testing.T, ctx context.Context, options string) archives {
	t.Helper()
	need(t, "Orthanc", "storescu", "echoscu")
	a := archives{ports: [2]string{peers.FreeAddr(), peers.FreeAddr()}, directory: t.TempDir()}
	for i, name := range []string{"A", "B"} {
		o, err := peers.StartOrthanc(ctx, name, a.directory)
		require.NoError(t, err)
		t.Cleanup(func() { o.Stop() }) // the process of that moment: a test may have restarted it
		a.orthancs[i] = o
	}
	a.gateway = gateway(t, raced(t), fmt.Sprintf(pacs, a.ports[0], a.ports[1], options,
		a.orthancs[0].DICOM, a.orthancs[1].DICOM))
	for _, name := range []string{"A", "B"} {
		require.NoError(t, a.gateway.AwaitState(ctx, "PACS", name, "up"))
	}
	return a
}

func (a archives) stored(t *testing.T, ctx context.Context) (counts [2]int) {
	t.Helper()
	for i, o := range a.orthancs {
		n, err := o.Instances(ctx)
		require.NoError(t, err)
		counts[i] = n
	}
	return counts
}

func objects(t *testing.T, dir string, study, n int) []string {
	t.Helper()
	files, err := peers.WriteObjects(dir, study, n, 16<<10)
	require.NoError(t, err)
	return files
}

// TestEveryObjectIsStoredOnce: storescu sends 200 objects in 20 associations through both ports; the two
// Orthanc together count 200, and each took its share.
func TestEveryObjectIsStoredOnce(t *testing.T) {
	ctx := within(t, 2*time.Minute)
	a := startArchives(t, ctx, "persistence: {by: none}")
	for study := range 20 {
		require.NoError(t, peers.Store(ctx, a.ports[study%2], objects(t, a.directory, study, 10)))
	}
	counts := a.stored(t, ctx)
	require.Equal(t, 200, counts[0]+counts[1])
	require.Equal(t, counts[0], counts[1], "round-robin over equal servers")
}

// TestArchiveIsKilledAndComesBack: kill -9 of one Orthanc in the middle of the work. Every storescu that
// starts afterwards succeeds, also before any check has noticed; after fall failed checks, fast_interval
// apart, nothing more goes to the dead one; when it is back it serves again after rise good checks.
func TestArchiveIsKilledAndComesBack(t *testing.T) {
	ctx := within(t, 2*time.Minute)
	a := startArchives(t, ctx, "persistence: {by: none}")
	study := 0
	store := func() {
		study++
		require.NoError(t, peers.Store(ctx, a.ports[study%2], objects(t, a.directory, study, 2)))
	}
	total := func() int64 {
		s, err := a.gateway.Status(ctx)
		require.NoError(t, err)
		return s.Server("PACS", "A").Total
	}
	for range 4 {
		store()
	}
	before := a.stored(t, ctx)
	require.Equal(t, [2]int{4, 4}, before)

	victim := storeWithoutEnd(t, ctx, a) // an association on A, in the middle of its objects
	a.orthancs[0].Kill()
	killed := time.Now()
	store() // one of these two is meant for the dead server, which makes the gateway ask at once
	store()
	select { // the client whose server died is told so; it does not wait for something
	case err := <-victim:
		require.Error(t, err)
	case <-time.After(5 * time.Second):
		t.Fatal("storescu still waits for the killed archive")
	}
	// fall × fast_interval with 20 % jitter, and two seconds for the two storescu and a busy machine; without
	// the fast checks it would take more than twenty.
	require.NoError(t, a.gateway.AwaitState(ctx, "PACS", "A", "down"))
	noticed := time.Since(killed)
	require.Less(t, noticed, 3*600*time.Millisecond+2*time.Second)
	frozen := total()
	for range 6 {
		store()
	}
	require.Equal(t, frozen, total(), "associations opened to a server that is down")

	restarted := time.Now()
	require.NoError(t, a.orthancs[0].Restart(ctx))
	require.NoError(t, a.gateway.AwaitState(ctx, "PACS", "A", "up"))
	t.Logf("down %.1f s after kill -9, up %.1f s after its restart began", noticed.Seconds(), time.Since(restarted).Seconds())
	for range 4 {
		store()
	}
	after := a.stored(t, ctx)
	require.Equal(t, study*2, after[0]+after[1]-1, "every object is stored, and once; the interrupted client's one as well")
	require.Equal(t, before[0]+1+4, after[0], "the returned server has its share again")
}

// storeWithoutEnd starts a storescu that sends the same object a million times, and returns when server A
// has it. The channel gets its end.
func storeWithoutEnd(t *testing.T, ctx context.Context, a archives) <-chan error {
	t.Helper()
	ended := make(chan error, 1)
	files := objects(t, a.directory, 999, 1)
	go func() { ended <- peers.Store(ctx, a.ports[0], files, "--repeat", "1000000") }()
	require.NoError(t, peers.Until(ctx, "the endless storescu works", func() error {
		s, err := a.gateway.Status(ctx)
		if err == nil && (s.Server("PACS", "A").Active != 1 || a.stored(t, ctx)[0] != 5) {
			err = fmt.Errorf("%+v", s.Services)
		}
		return err
	}))
	return ended
}

// TestPersistence: objects of one source address go to one archive for as long as the entry lives; they
// move only while that archive is unusable, and stay where they moved.
func TestPersistence(t *testing.T) {
	const sources = 8
	ctx := within(t, 2*time.Minute)
	a := startArchives(t, ctx, "persistence: {by: source-ip, timeout: 1h}")
	paths := make([]string, sources) // storescu cannot choose its address; a hop in between can
	for i := range paths {
		paths[i] = hopFrom(t, fmt.Sprintf("127.0.0.%d", 20+i), a.ports[0])
	}
	round := 0
	homes := func() (where [sources]int) { // the archive to which each source's next study went
		round++
		for i, path := range paths {
			require.NoError(t, peers.Store(ctx, path, objects(t, a.directory, round*100+i, 1)))
		}
		for home, o := range a.orthancs {
			if !o.Running() {
				continue
			}
			studies, err := o.Studies(ctx)
			require.NoError(t, err)
			for i := range paths {
				if studies[peers.StudyUID(round*100+i)] {
					where[i] = home
				}
			}
		}
		return where
	}
	first := homes()
	require.Contains(t, first, 0)
	require.Contains(t, first, 1)
	require.Equal(t, first, homes(), "every source stays")

	a.orthancs[0].Kill()
	require.NoError(t, a.gateway.AwaitState(ctx, "PACS", "A", "down"))
	allB := [sources]int{1, 1, 1, 1, 1, 1, 1, 1}
	require.Equal(t, allB, homes(), "all move while their server is unusable")
	require.NoError(t, a.orthancs[0].Restart(ctx))
	require.NoError(t, a.gateway.AwaitState(ctx, "PACS", "A", "up"))
	require.Equal(t, allB, homes(), "and stay where they moved")
}

// TestPersistenceEnds: after the timeout the next association is balanced anew.
func TestPersistenceEnds(t *testing.T) {
	ctx := within(t, time.Minute)
	a := startArchives(t, ctx, "persistence: {by: source-ip, timeout: 3s}")
	last := func() [2]int64 {
		s, err := a.gateway.Status(ctx)
		require.NoError(t, err)
		return [2]int64{s.Server("PACS", "A").Total, s.Server("PACS", "B").Total}
	}
	var elsewhere bool
	require.NoError(t, peers.Echo(ctx, a.ports[0]))
	home := last()
	require.NoError(t, peers.Echo(ctx, a.ports[1]))
	again := last()
	require.Equal(t, [2]int64{2 * home[0], 2 * home[1]}, again, "the same server through the other port")
	for range 4 { // round-robin moves on at the next free choice; four tries are more than it needs
		quiet := time.NewTimer(3500 * time.Millisecond) // longer than the entry lives
		<-quiet.C
		require.NoError(t, peers.Echo(ctx, a.ports[0]))
		now := last()
		if elsewhere = now[0] > 0 && now[1] > 0; elsewhere {
			break
		}
	}
	require.True(t, elsewhere, "the entry outlives its timeout")
}

// hopFrom forwards connections to addr from the given source address, as a client with that address.
func hopFrom(t *testing.T, source, addr string) string {
	from := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(source)}, Timeout: 5 * time.Second}
	return serve(t, func(c *net.TCPConn) {
		out, err := from.Dial("tcp", addr)
		if err != nil {
			return
		}
		defer out.Close()
		go func() { _, _ = io.Copy(out, c); _ = out.(*net.TCPConn).CloseWrite() }()
		_, _ = io.Copy(c, out)
	})
}

// TestQueryRetrieveThroughTheGateway: DCMTK's own archive and clients speak C-STORE, C-FIND and C-GET
// through the gateway without noticing it, and storescp takes objects too.
func TestQueryRetrieveThroughTheGateway(t *testing.T) {
	need(t, "dcmqrscp", "storescu", "findscu", "getscu", "echoscu")
	ctx := within(t, time.Minute)
	dir := t.TempDir()
	archive, err := peers.StartArchive(ctx, dir)
	require.NoError(t, err)
	t.Cleanup(archive.Stop)
	addr := peers.FreeAddr()
	gateway(t, raced(t), fmt.Sprintf("services:\n- {name: QR, protocol: dicom, listen: [%q], timeouts: {drain: 1s}, servers: [{name: Q, address: %q}]}\n",
		addr, archive.DICOM))

	require.NoError(t, peers.Store(ctx, addr, objects(t, dir, 5, 3)))
	found, err := peers.FindStudies(ctx, addr, "PatientID=ZZ-5", "StudyInstanceUID")
	require.NoError(t, err)
	require.Contains(t, found, peers.StudyUID(5))
	got := t.TempDir()
	n, err := peers.GetStudy(ctx, addr, peers.StudyUID(5), got)
	require.NoError(t, err)
	require.Equal(t, 3, n)
}

// TestTheServerGetsThePortTheClientCameTo: a server without a port is reached on 104 by those who came to
// 104 and on 11112 by those who came to 11112 (here: two free ports).
func TestTheServerGetsThePortTheClientCameTo(t *testing.T) {
	const server = "127.0.0.9" // same ports as the gateway's own address, another address
	ports := [2]int{peers.FreePort(), peers.FreePort()}
	var sessions [2]atomic.Int64
	for i, port := range ports {
		serveOn(t, fmt.Sprintf("%s:%d", server, port), func(c *net.TCPConn) {
			if exchangeBack(c) == nil {
				sessions[i].Add(1)
			}
		})
	}
	gateway(t, raced(t), fmt.Sprintf("services:\n- {name: two, protocol: tcp, listen: ['127.0.0.1:%d', '127.0.0.1:%d'],"+
		" timeouts: {drain: 1s}, checks: [{type: connect, port: %d}], servers: [{name: one, address: %s}]}\n",
		ports[0], ports[1], ports[0], server))
	for i, port := range ports {
		for range 3 {
			require.NoError(t, exchange(dial(t, fmt.Sprintf("127.0.0.1:%d", port))))
		}
		require.Eventually(t, func() bool { return sessions[i].Load() == 3 }, 10*time.Second, time.Millisecond)
	}
}
