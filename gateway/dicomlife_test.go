package gateway_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"gantry/gateway"
	"gantry/gateway/admin"
)

func replaced(t testing.TB, text, old, with string) string {
	t.Helper()
	require.Contains(t, text, old)
	return strings.Replace(text, old, with, 1)
}

// gatewayOf makes a gateway that is not started.
func gatewayOf(t testing.TB, services string) (*gateway.Gateway, error) {
	t.Helper()
	file := t.TempDir() + "/gantry.yaml"
	write(t, file, services)
	return gateway.New(gateway.Options{ConfigFile: file, Version: "test", Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry()})
}

// counts gives the values of a metric by those of its labels, in the order of their
// names and without the service's, such as "released,A".
func (h *house) counts(name string) map[string]float64 {
	h.t.Helper()
	families, err := h.registry.Gather()
	require.NoError(h.t, err)
	values := map[string]float64{}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				if l.GetName() != "service" {
					labels = append(labels, l.GetValue())
				}
			}
			values[strings.Join(labels, ",")] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return values
}

// becomes waits for a count.
func (h *house) becomes(name, labels string, want float64) {
	h.t.Helper()
	require.Eventually(h.t, func() bool { return h.counts(name)[labels] == want }, patience, tick,
		"%s{%s} did not become %v", name, labels, want)
}

// Whoever remains of an association hears an A-ABORT of the provider, where one
// fits between two PDUs; nothing is put into the midst of one: that connection ends
// as the other one did.
func TestLostPeers(t *testing.T) {
	for _, tt := range []struct {
		name    string
		act     func(client, server *dicomPeer)
		client  string // what the client hears
		server  string // what the server hears
		outcome string
	}{
		{"the server closes", func(_, s *dicomPeer) { s.Close() }, abortLost, "-", "server-lost"},
		{"the server resets", func(_, s *dicomPeer) { s.reset() }, abortLost, "-", "server-lost"},
		{"the server closes in the midst of a PDU", func(c, s *dicomPeer) {
			s.says(stored(1, 0)[:20])
			_, err := c.Read(make([]byte, 20))
			require.NoError(c.t, err)
			s.Close()
			_, err = c.Read(make([]byte, 1))
			require.ErrorIs(c.t, err, io.EOF)
		}, "", "-", "server-lost"},
		{"the server resets in the midst of a PDU", func(c, s *dicomPeer) {
			s.says(stored(1, 0)[:20])
			_, err := c.Read(make([]byte, 20))
			require.NoError(c.t, err)
			s.reset()
			_, err = c.Read(make([]byte, 1))
			require.ErrorIs(c.t, err, syscall.ECONNRESET)
		}, "", "-", "server-lost"},
		{"the server closes when it is asked for the release", func(c, s *dicomPeer) {
			c.says(bytesOf(c.t, releaseRQ))
			require.Equal(s.t, releaseRQ, s.hears())
			s.Close()
		}, abortLost, "-", "server-lost"},
		{"the server resets when it is asked for the release", func(c, s *dicomPeer) {
			c.says(bytesOf(c.t, releaseRQ))
			require.Equal(s.t, releaseRQ, s.hears())
			s.reset()
		}, abortLost, "-", "server-lost"},
		{"the client closes when it is asked for the release", func(c, s *dicomPeer) {
			s.says(bytesOf(s.t, releaseRQ))
			require.Equal(c.t, releaseRQ, c.hears())
			c.Close()
		}, "-", abortLost, "client-lost"},
		{"the client closes", func(c, _ *dicomPeer) { c.Close() }, "-", abortLost, "client-lost"},
		{"the client resets", func(c, _ *dicomPeer) { c.reset() }, "-", abortLost, "client-lost"},
		{"the client resets in the midst of a PDU", func(c, s *dicomPeer) {
			c.says(object(1, 100)[:30])
			_, err := s.Read(make([]byte, 30))
			require.NoError(s.t, err)
			c.reset()
		}, "-", "", "client-lost"},
		{"the client aborts", func(c, _ *dicomPeer) { c.says(bytesOf(c.t, abortUser)) }, "-", abortUser, "aborted-by-client"},
		{"the server aborts", func(_, s *dicomPeer) { s.says(bytesOf(s.t, abortLost)) }, abortLost, "-", "aborted-by-server"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			addr, a := freePort(t), newArchive(t)
			h := start(t, dicomService(addr, "", a))
			client, server := together(t, addr, "CT1", a)
			tt.act(client, server)
			if tt.client != "-" {
				require.Equal(t, tt.client, heard(client))
				client.Close()
			}
			if tt.server != "-" {
				require.Equal(t, tt.server, heard(server))
				server.Close()
			}
			h.becomes("gantry_dicom_associations_total", tt.outcome+",A", 1)
		})
	}
}

// A peer that has asked for the release may end its side before it has the reply:
// that FIN is passed on, and the reply still comes.
func TestReleaseAskedWithAnEnd(t *testing.T) {
	for _, byServer := range []bool{false, true} {
		t.Run(map[bool]string{false: "by the client", true: "by the server"}[byServer], func(t *testing.T) {
			addr, a := freePort(t), newArchive(t)
			h := start(t, dicomService(addr, "", a))
			one, other := together(t, addr, "CT1", a)
			if byServer {
				one, other = other, one
			}
			one.says(bytesOf(t, releaseRQ))
			require.NoError(t, one.CloseWrite())
			require.Equal(t, releaseRQ, other.hears())
			require.Equal(t, "", other.hears(), "a FIN is a FIN")
			other.says(bytesOf(t, releaseRP))
			other.Close()
			require.Equal(t, releaseRP, one.hears())
			require.Equal(t, "", one.hears())
			one.Close()
			h.becomes("gantry_dicom_associations_total", "released,A", 1)
		})
	}
}

// heard is the last whole PDU before the end, "" for none, whether the end is a FIN
// or a reset.
func heard(p *dicomPeer) string {
	var all bytes.Buffer
	_, _ = all.ReadFrom(p)
	if all.Len() < 10 {
		return ""
	}
	return hex.EncodeToString(all.Bytes()[all.Len()-10:])
}

// Peers that do not close after a release are closed after a while: some never do,
// and their servers run out of places.
func TestReleasedAssociationIsClosed(t *testing.T) {
	addr, a := freePort(t), newArchive(t)
	h := start(t, dicomService(addr, "", a))
	client, server := together(t, addr, "CT1", a)
	client.says(bytesOf(t, releaseRQ))
	require.Equal(t, releaseRQ, server.hears())
	server.says(bytesOf(t, releaseRP))
	require.Equal(t, releaseRP, client.hears())
	require.Equal(t, "", client.hears(), "neither has closed")
	require.Equal(t, "", server.hears())
	h.becomes("gantry_dicom_associations_total", "released,A", 1)
}

func TestDrainDeadlineAborts(t *testing.T) {
	addr, a := freePort(t), newArchive(t)
	h := start(t, dicomService(addr, "  timeouts: {drain: 3s}\n", a))
	client, server := together(t, addr, "CT2", a)
	client.says(object(1, 1200))
	_ = server.pdu()
	_ = server.pdu()
	drain := "drain"
	require.NoError(t, h.SetServer("PACS", "A", admin.ServerChange{Admin: &drain}))
	words := regexp.MustCompile(`^1 association, 1\.[0-9] kB so far, CT2 → A$`)
	require.Eventually(t, func() bool { return words.MatchString(h.server("PACS", "A").Left.Words) }, patience, tick)
	require.False(t, h.server("PACS", "A").Left.Until.IsZero())
	require.Equal(t, abortLost, client.hears())
	require.Equal(t, abortLost, server.hears())
	client.Close()
	server.Close()
	h.becomes("gantry_dicom_associations_total", "cut,A", 1)
	require.Equal(t, 0, h.server("PACS", "A").Left.Sessions)
}

func TestDrainedServerThatIsReadyAgainIsNotCut(t *testing.T) {
	addr, a := freePort(t), newArchive(t)
	h := start(t, dicomService(addr, "  timeouts: {drain: 1s}\n", a))
	client, server := together(t, addr, "CT2", a)
	for _, to := range []string{"drain", "ready"} {
		require.NoError(t, h.SetServer("PACS", "A", admin.ServerChange{Admin: &to}))
	}
	require.Nil(t, h.server("PACS", "A").Left)
	require.NoError(t, client.SetReadDeadline(time.Now().Add(2500*time.Millisecond)))
	_, err := client.Read(make([]byte, 1))
	require.ErrorContains(t, err, "timeout")
	server.says(stored(1, 0))
}

// What servers answer is counted by command, class and SOP class; the log has one
// line for the association.
func TestAnswersAreCountedAndLogged(t *testing.T) {
	addr, a := freePort(t), newArchive(t)
	lines := &lockedLines{}
	h := startLogged(t, "log: {sessions: true}\n"+dicomService(addr, "", a), slog.New(slog.NewTextHandler(lines, nil)))
	client, server := together(t, addr, "CT1", a)
	for i, status := range []uint16{0, 0xB000, 0xA700} {
		id := uint16(i + 1)
		client.says(object(id, 5000))
		_ = server.pdu()
		_ = server.pdu()
		server.says(stored(id, status))
		_ = client.pdu()
	}
	client.says(bytesOf(t, releaseRQ))
	require.Equal(t, releaseRQ, server.hears())
	server.says(bytesOf(t, releaseRP))
	require.Equal(t, releaseRP, client.hears())
	client.Close()
	server.Close()
	h.becomes("gantry_dicom_associations_total", "released,A", 1)
	for labels, want := range map[string]float64{"C-STORE,A,success": 1, "C-STORE,A,warning": 1, "C-STORE,A,failure": 1} {
		require.Equal(t, want, h.counts("gantry_dimse_responses_total")[labels], labels)
	}
	require.Equal(t, 1.0, h.counts("gantry_dimse_responses_by_sop_class_total")["C-STORE,CTImageStorage,success"])
	line := lines.with("association ended")
	for _, part := range []string{"called_ae=PACS", "calling_ae=CT1", "server=A", "outcome=released", "objects=2", "C-STORE 3", "A700"} {
		require.Contains(t, line, part)
	}
}

// lockedLines collects log lines.
type lockedLines struct {
	mu  sync.Mutex
	all []string
}

func (l *lockedLines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, string(b))
	return len(b), nil
}

func (l *lockedLines) with(text string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range l.all {
		if strings.Contains(line, text) {
			return line
		}
	}
	return ""
}

// A server that is out of resources is ejected when clients of more than one
// address say so, and for nothing that clients may have caused.
func TestFailingServerIsEjected(t *testing.T) {
	for _, tt := range []struct {
		name    string
		status  uint16
		clients int
		state   string
	}{
		{"out of resources, met by two clients", 0xA700, 2, "ejected"},
		{"out of resources, met by one", 0xA700, 1, "up"},
		{"objects that do not fit their SOP class", 0xA900, 2, "up"},
		{"not authorized", 0x0124, 2, "up"},
		{"processing failure", 0x0110, 2, "up"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			addr, a, b := freePort(t), newArchive(t), newArchive(t)
			h := start(t, dicomService(addr, failover+"  passive: {failures: 4}\n", a, b))
			h.await("PACS", "A", "up")
			for i := range 4 {
				fails(t, addr, i%tt.clients, a, tt.status)
			}
			h.becomes("gantry_dicom_associations_total", "released,A", 4)
			h.await("PACS", "A", tt.state)
		})
	}
}

// fails stores one object from the n-th client address, which gets the status.
func fails(t *testing.T, addr string, n int, a *archive, status uint16) {
	t.Helper()
	client := dicomClientFrom(t, fmt.Sprintf("127.0.7.%d", n+1), addr)
	rq := proposal("PACS", "CT1", ctImage)
	client.says(rq.Append(nil))
	server := a.accepts()
	_ = client.pdu()
	client.says(object(1, 100))
	_ = server.pdu()
	_ = server.pdu()
	server.says(stored(1, status))
	_ = client.pdu()
	client.says(bytesOf(t, releaseRQ))
	_ = server.pdu()
	server.says(bytesOf(t, releaseRP))
	_ = client.pdu()
	client.Close()
	server.Close()
}

// A server may close associations in which nothing happens; one that closes while a
// request waits has failed.
func TestHangingUp(t *testing.T) {
	for _, tt := range []struct {
		name    string
		waiting bool
		state   string
	}{
		{"while a request waits", true, "ejected"},
		{"on a client that waits for nothing", false, "up"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			addr, a, b := freePort(t), newArchive(t), newArchive(t)
			h := start(t, dicomService(addr, failover+"  passive: {failures: 2}\n", a, b))
			h.await("PACS", "A", "up")
			for i := range 2 {
				client := dicomClientFrom(t, fmt.Sprintf("127.0.7.%d", i+1), addr)
				rq := proposal("PACS", "CT1", ctImage)
				client.says(rq.Append(nil))
				server := a.accepts()
				_ = client.pdu()
				if tt.waiting {
					client.says(object(1, 100))
					_ = server.pdu()
					_ = server.pdu()
				}
				server.Close()
				require.Equal(t, abortLost, client.hears())
				client.Close()
			}
			h.becomes("gantry_dicom_associations_total", "server-lost,A", 2)
			h.await("PACS", "A", tt.state)
		})
	}
}

func TestServerThatOwesAResponse(t *testing.T) {
	addr, a, b := freePort(t), newArchive(t), newArchive(t)
	h := start(t, dicomService(addr, failover+"  passive: {failures: 2}\n  dicom: {response_timeout: 1s}\n", a, b))
	h.await("PACS", "A", "up")
	for i := range 2 {
		client := dicomClientFrom(t, fmt.Sprintf("127.0.7.%d", i+1), addr)
		rq := proposal("PACS", "CT1", ctImage)
		client.says(rq.Append(nil))
		_ = a.accepts()
		_ = client.pdu()
		client.says(object(1, 100))
	}
	h.await("PACS", "A", "ejected")
}

func TestInspectionOff(t *testing.T) {
	addr, a := freePort(t), newArchive(t)
	h := start(t, dicomService(addr, "  dicom: {inspect: false}\n", a))
	client, server := together(t, addr, "CT1", a)
	client.says(object(1, 100))
	_ = server.pdu()
	_ = server.pdu()
	server.says(stored(1, 0))
	_ = client.pdu()
	require.NoError(t, client.CloseWrite())
	require.Equal(t, "", server.hears(), "a FIN is a FIN")
	server.Close()
	require.Equal(t, "", client.hears())
	h.becomes("gantry_dicom_associations_total", "ended,A", 1)
	require.Empty(t, h.counts("gantry_dimse_responses_total"))
}

// With panic: all a server that is down serves before nobody does, whatever on_down
// says about those that were there when it went down.
func TestPanicServesWhereServersCloseOnDown(t *testing.T) {
	addr, a := freePort(t), newArchive(t)
	h := start(t, replaced(t, dicomService(addr, "  panic: all\n  on_down: close\n", a), "{type: connect, interval: 1h}",
		"{type: dicom-echo, interval: 1h, fall: 1, timeout: 100ms}"))
	p, _ := a.asked() // the check, which gets no answer
	h.await("PACS", "A", "down")
	p.Close()
	together(t, addr, "CT1", a)
}
