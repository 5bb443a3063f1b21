package conformance

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/conformance/peers"
)

// TestServerThatDies: the client of a server that is killed gets an A-ABORT by the service provider, not a bare end.
func TestServerThatDies(t *testing.T) {
	p := between(t)
	client := make(chan peers.Lines, 1)
	go func() {
		lines, _ := peers.Pynetdicom(t.Context(), t.TempDir(), "wait", p.door, "PYSCP", "PYSCU")
		client <- lines
	}()
	_, err := p.server.Await(within(t, 20*time.Second), "accepted calling=PYSCU")
	require.NoError(t, err)
	require.NoError(t, peers.Until(within(t, 10*time.Second), "the association is open", func() error {
		_, err := p.server.Await(t.Context(), "associate-ac")
		return err
	}))
	p.server.Kill()
	select {
	case lines := <-client:
		require.Len(t, lines.Of("a-abort", "way=received", "source=2", "reason=0"), 1, lines)
	case <-time.After(20 * time.Second):
		t.Fatal("the client still waits")
	}
	p.counts(1, "gantry_dicom_associations_total", `outcome="server-lost"`)
}

// TestServerOutOfResources: statuses A700 are counted, told in the log, and eject the server where the service says so
// and more than one client has met them; the associations themselves go on.
func TestServerOutOfResources(t *testing.T) {
	p := betweenWith(t, "passive: {failures: 2, eject: 1m, max_ejected: 100%}", "--status", "A700")
	sent := p.does("syntaxes", "--size", "1000").Of("sent")
	require.Len(t, sent.Of("sent", "status=a700"), len(sent))
	p.counts(len(sent), "gantry_dimse_responses_total", `command="C-STORE"`, `status_class="failure"`)
	line, err := p.gateway.Await(within(t, 10*time.Second), "association ended")
	require.NoError(t, err)
	require.Contains(t, line, "failure A700")
	require.Contains(t, line, "level=WARN")
	p.door = hopFrom(t, "127.0.0.20", p.door)
	require.NotEmpty(t, p.does("syntaxes", "--size", "1000").Of("sent", "status=a700"))
	require.NoError(t, p.gateway.AwaitState(within(t, 10*time.Second), "D0", "S", "ejected"))
}

// TestClientsOwnFaultsEjectNobody: what a client causes is counted and held against no server.
func TestClientsOwnFaultsEjectNobody(t *testing.T) {
	p := betweenWith(t, "passive: {failures: 2, eject: 1m, max_ejected: 100%}")
	for _, door := range []string{p.door, hopFrom(t, "127.0.0.20", p.door)} {
		p.door = door
		require.Len(t, p.does("move", "--destination", "NOBODY").Of("retrieved", "status=a801"), 1)
	}
	p.counts(2, "gantry_dimse_responses_total", `command="C-MOVE"`, `status_class="failure"`)
	p.counts(2, "gantry_dicom_associations_total", `outcome="released"`)
	s, err := p.gateway.Status(t.Context())
	require.NoError(t, err)
	require.Equal(t, "up", s.Server("D0", "S").State)
}

// TestTitlesTowardsTheServer: the server gets the titles of the configuration, the client its own back.
func TestTitlesTowardsTheServer(t *testing.T) {
	p := between(t)
	_, in := doors(t, raced(t), "routes: [{when: {calling_ae: [PYSCU]}, calling_ae: GATE}]", p.server.DICOM+" ae_title: NODE7")
	p.door = in[0]
	client := p.does("echo")
	require.Len(t, p.there().Of("associate-rq", "way=received", "called=NODE7", "calling=GATE"), 1, p.server.Log())
	require.Len(t, client.Of("associate-ac", "way=received", "called=PYSCP", "calling=PYSCU"), 1, client)
}

// TestNothingOfObjectsIsTold: no patient, instance, study, transaction or identity appears in what the gateway logs at
// its highest level, counts or shows.
func TestNothingOfObjectsIsTold(t *testing.T) {
	need(t, "curl")
	p := between(t, "--peer", "PYSCU=127.0.0.1:9")
	p.does("contexts,syntaxes,find,get,commit,mpps", "--size", "1000")
	p.counts(7, "gantry_dicom_associations_total", `outcome="released"`)
	said := p.gateway.Log()
	for _, path := range []string{"/metrics", "/api/v1/status", "/api/v1/events"} {
		out, err := peers.Run(t.Context(), "curl", "-sSf", p.gateway.Admin+path)
		require.NoError(t, err, out)
		said += out
	}
	require.Contains(t, said, "PYSCU", "what may be told is")
	for line := range strings.Lines(said) {
		for _, secret := range []string{"ZZ-GANTRY-77", "INVENTED", "invented.web.token", "2.25.7301"} {
			require.NotContains(t, line, secret)
		}
	}
}
