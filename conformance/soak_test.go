package conformance

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/conformance/peers"
	"gantry/fixtures/viewer"
	"gantry/fixtures/xds"
	"gantry/gateway/config"
	"gantry/negotiate"
)

// Of the soak.
const (
	soakTime     = 40 * time.Second // SOAK in the environment makes it longer
	soakInterval = 300 * time.Millisecond
	soakIdle     = 4 // associations that keep the workers of one archive waiting
)

// soakServer is one server of the soak, and its checks in YAML. Each has a service of its own.
type soakServer struct {
	name, protocol, address string
	checks                  []string
}

// TestSoak: no false alarm. Healthy servers are checked by every kind, often, while clients keep every
// processor of the machine busy through the same gateway. No judgement may move.
func TestSoak(t *testing.T) {
	need(t, "Orthanc", "storescp", "dcmqrscp", "wlmscpfs", "dump2dcm", "echoscu", "mllp_send", "javac", "HAPI", "nginx")
	lasts := soakTime
	if text := os.Getenv("SOAK"); text != "" {
		var err error
		lasts, err = time.ParseDuration(text)
		require.NoError(t, err, "SOAK")
	}
	ctx := within(t, lasts+3*time.Minute)
	servers := soakServers(t, ctx)
	kinds, number := soakKinds(servers)
	require.Equal(t, config.Kinds(), kinds, "every kind takes part")

	yaml, entrances := soakConfig(servers)
	g := gateway(t, raced(t), yaml)
	for _, s := range servers {
		require.NoError(t, g.AwaitState(ctx, s.name, "one", "up"))
	}
	measure := func(metric string, labels ...string) float64 {
		v, err := g.Metric(ctx, metric, labels...)
		require.NoError(t, err)
		return v
	}
	const made, failed, moved = "gantry_check_duration_seconds_count", "gantry_check_failures_total", "gantry_server_state_changes_total"
	madeBefore, failedBefore, movedBefore := soakMade(measure, made), measure(failed), measure(moved)
	busyBefore, allBefore := processors()
	// not dcmqrscp: it answers C000 now and then when several of its processes store at once, and that is no false alarm
	l := startSoakLoad(ctx, entrances("orthanc", "orthanc", "storescp", "storescp"), entrances("python-hl7", "HAPI"))
	slowest := soakWatch(t, ctx, g, servers, lasts)
	busy, all := processors()
	require.NoError(t, l.end(), "of the clients' work")

	changes := measure(moved) - movedBefore
	t.Logf("%s, %d checks of %d kinds on %d servers: %.0f made, %.0f failed, slowest %.0f ms (%s), %.0f state changes; "+
		"load: %d objects, %d messages, %d failed, %d left without an answer by Orthanc; processors %.0f %% busy", lasts, number, len(kinds), len(servers),
		soakMade(measure, made)-madeBefore, measure(failed)-failedBefore, slowest.DurationMS, slowest.Check, changes,
		l.objects.Load(), l.messages.Load(), l.failed.Load(), l.excused.Load(), 100*(busy-busyBefore)/(all-allBefore))
	require.Zero(t, changes, "state changes")
	require.Greater(t, soakMade(measure, made)-madeBefore, float64(number)*lasts.Seconds()/3, "checks made")
	for _, s := range servers {
		require.NoError(t, g.AwaitState(ctx, s.name, "one", "up"))
	}
}

// soakMade counts checks by the stage that each of them begins with.
func soakMade(measure func(string, ...string) float64, metric string) float64 {
	return measure(metric, `stage="connect"`) + measure(metric, `stage="ask"`, `check="exec"`)
}

// soakWatch looks at every result until the time is over, and returns the slowest.
func soakWatch(t *testing.T, ctx context.Context, g *peers.Gantry, servers []soakServer, lasts time.Duration) (slowest peers.CheckResult) {
	over := time.After(lasts)
	tick := time.NewTicker(5 * soakInterval) // the gateway remembers ten
	defer tick.Stop()
	complaints := 0
	for {
		select {
		case <-over:
			return slowest
		case <-tick.C:
		}
		for _, s := range servers {
			results, err := g.Results(ctx, s.name, "one")
			require.NoError(t, err)
			for _, r := range results {
				if r.DurationMS > slowest.DurationMS {
					slowest = r
					slowest.Check += " of " + s.name
				}
				if r.Outcome != "passed" && complaints < 20 {
					complaints++
					t.Logf("%s of %s after %.0f ms: %s: %s", r.Check, s.name, r.DurationMS, r.Outcome, r.Message)
				}
			}
		}
	}
}

// soakServers starts one of each peer, and a fixture where there is none. The archive "idle" has as many
// silent associations as Orthanc has workers: a new one is answered after a second.
func soakServers(t *testing.T, ctx context.Context) []soakServer {
	archive := []string{"type: dicom-echo", "type: dicom-associate, profile: ct", "type: dicom-find", "type: dicom-store, read_back: true"}
	servers := []soakServer{
		{"orthanc", "dicom", soakOrthanc(t, ctx, "orthanc"), archive},
		{"idle", "dicom", soakOrthanc(t, ctx, "idle"), archive},
		{"dcmqrscp", "dicom", archiveOf(16)(t, ctx), archive},
		{"storescp", "dicom", storescp(t, ctx), []string{"type: dicom-echo", "type: dicom-store", "type: dicom-associate, profile: mr"}},
		{"wlmscpfs", "dicom", worklist(t, ctx), []string{"type: dicom-echo", "type: dicom-find, model: worklist, patient_id: " + peers.WorklistPatient}},
		{"python-hl7", "mllp", hl7Address(t, ctx, peers.StartHL7Receiver), []string{"type: mllp"}},
		{"HAPI", "mllp", hl7Address(t, ctx, peers.StartHAPI), []string{"type: mllp"}},
	}
	t.Cleanup(keepIdle(ctx, servers[1].address, soakIdle))

	documents, err := xds.Start(xds.Options{Role: xds.Both})
	require.NoError(t, err)
	t.Cleanup(func() { documents.Close() })
	page, err := viewer.Start(viewer.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { page.Close() })
	dir := t.TempDir()
	cert, key := selfSigned(t, dir)
	web, err := peers.StartViewer(ctx, dir, "viewer", cert, key)
	require.NoError(t, err)
	t.Cleanup(web.Stop)
	trust := fmt.Sprintf("tls: {server_name: %s, ca_file: %q}", viewerName, cert)
	return append(servers,
		soakServer{"xds", "tcp", documents.Addr(), []string{"type: xds-registry",
			"type: xds-repository, repository_uid: " + xds.RepositoryUniqueID + ", document_uid: " + xds.DocumentUniqueID}},
		soakServer{"viewer", "tcp", page.Addr(), []string{"type: http, scheme: https, path: /login, tls: {verify: false}"}},
		soakServer{"nginx", "tcp", web.Addr, []string{"type: http, scheme: https, path: /login, expect_body: Viewer, " + trust,
			"type: tls, expiry_days: 0, " + trust, "type: connect", "type: exec, command: [/bin/true]"}})
}

func soakOrthanc(t *testing.T, ctx context.Context, name string) string {
	o, err := peers.StartOrthanc(ctx, name, t.TempDir())
	require.NoError(t, err)
	t.Cleanup(o.Stop)
	return o.DICOM
}

// soakConfig is the file: everything at its default but the intervals, and the timeout, which would follow
// the interval. entrances are the services' addresses.
func soakConfig(servers []soakServer) (yaml string, entrances func(names ...string) []string) {
	var b strings.Builder
	listen := map[string]string{}
	b.WriteString("allow_exec: true\nservices:\n")
	for _, s := range servers {
		listen[s.name] = peers.FreeAddr()
		fmt.Fprintf(&b, "- name: %s\n  protocol: %s\n  listen: [%q]\n  timeouts: {drain: 1s}\n  servers: [{name: one, address: %q}]\n  checks:\n",
			s.name, s.protocol, listen[s.name], s.address)
		for _, c := range s.checks {
			fmt.Fprintf(&b, "  - {%s, interval: %s, timeout: %s}\n", c, soakInterval, negotiate.DefaultTimeout)
		}
	}
	return b.String(), func(names ...string) (list []string) {
		for _, name := range names {
			list = append(list, listen[name])
		}
		return list
	}
}

// soakKinds are the kinds of all checks in alphabetical order, and how many checks there are.
func soakKinds(servers []soakServer) (kinds []string, checks int) {
	for _, s := range servers {
		for _, c := range s.checks {
			kind, _, _ := strings.Cut(strings.TrimPrefix(c, "type: "), ",")
			kinds = append(kinds, kind)
			checks++
		}
	}
	slices.Sort(kinds)
	return slices.Compact(kinds), checks
}
