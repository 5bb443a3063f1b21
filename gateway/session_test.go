package gateway_test

import (
	"context"
	"encoding/hex"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/protocols/dicom"
)

func TestClientReachesAServerAndStays(t *testing.T) {
	a, b := serve(t, "A"), serve(t, "B")
	addr := freePort(t)
	h := start(t, tcpService(addr, "", a, b))
	h.await("S", "A", "up")
	h.await("S", "B", "up")
	home := dial(t, addr).greeting(t)
	for range 10 {
		require.Equal(t, home, dial(t, addr).greeting(t), "persistence by source address")
	}
	for _, source := range []string{"127.0.0.2", "127.0.0.3", "127.0.0.4"} {
		require.NotEqual(t, home, dialFrom(t, source, addr).greeting(t), "others go where fewer connections are")
	}
}

func TestFailedDialGoesToTheNextServerAndAsksForACheck(t *testing.T) {
	a, b := serve(t, "A"), serve(t, "B")
	addr := freePort(t)
	h := start(t, strings.ReplaceAll(tcpService(addr, "  distribution: failover\n", a, b), "interval: 200ms, fast_interval: 100ms", "interval: 1h"))
	h.await("S", "A", "up")
	h.await("S", "B", "up")
	require.Equal(t, "A", dial(t, addr).greeting(t))
	a.stop()
	require.Equal(t, "B", dial(t, addr).greeting(t), "within the same connection")
	h.await("S", "A", "down") // an hour before its interval
}

func TestNoServer(t *testing.T) {
	for _, tt := range []struct {
		name, protocol string
		send           []byte
		want           string // what the client gets before the end, in hex
	}{
		{"tcp is closed", "tcp", nil, ""},
		{"dicom gets A-ASSOCIATE-RJ 2/3/1", "dicom", request("CT1", "PACS"), "03 00 00000004 00 02 03 01"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			addr := freePort(t)
			dead := &named{name: "A", addr: freePort(t)}
			h := start(t, strings.Replace(tcpService(addr, "", dead), "protocol: tcp", "protocol: "+tt.protocol, 1))
			h.await("S", "A", "down")
			c := dial(t, addr)
			_, err := c.Write(tt.send)
			require.NoError(t, err)
			got, _ := io.ReadAll(c.r)
			require.Equal(t, strings.ReplaceAll(tt.want, " ", ""), hex.EncodeToString(got))
		})
	}
}

func TestNoServerForMLLP(t *testing.T) {
	addr := freePort(t)
	h := start(t, strings.Replace(tcpService(addr, "", &named{name: "A", addr: freePort(t)}), "protocol: tcp", "protocol: mllp", 1))
	h.await("S", "A", "down")
	require.Equal(t, "reset", refused(t, "127.0.0.1", addr), "at once, without waiting for a message")
}

// request is an A-ASSOCIATE-RQ for verification.
func request(calling, called string) []byte {
	rq := dicom.AssociateRQ{
		CalledAE: called, CallingAE: calling,
		Contexts:        []dicom.PresentationContext{{ID: 1, AbstractSyntax: dicom.VerificationUID, TransferSyntaxes: []string{dicom.ImplicitVRLittleEndianUID}}},
		UserInformation: dicom.UserInformation{MaxLength: 16384, ImplementationClassUID: "2.25.316427"},
	}
	return rq.Append(nil)
}

func TestDICOMFirstUnit(t *testing.T) {
	whole := string(request("CT1", "PACS"))
	broken := []byte(whole)
	broken[74] = 0x10 // the application context item …
	broken[76], broken[77] = 0xff, 0xff
	for _, tt := range []struct {
		name string
		send []string
		want string // what the client gets, in hex; the server gets nothing
	}{
		{"another protocol", []string{"GET / HTTP/1.1\r\n\r\n"}, "07 00 00000004 0000 02 01"},
		{"another PDU first", []string{"\x05\x00\x00\x00\x00\x04\x00\x00\x00\x00"}, "07 00 00000004 0000 02 02"},
		{"impossible length", []string{"\x01\x00\x7f\xff\xff\xff"}, "07 00 00000004 0000 02 06"},
		{"item past the end", []string{string(broken)}, "07 00 00000004 0000 02 06"},
		{"item past the end, in pieces", []string{string(broken[:5]), string(broken[5:70]), string(broken[70:])}, "07 00 00000004 0000 02 06"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := serve(t, "A")
			addr := freePort(t)
			h := start(t, strings.Replace(tcpService(addr, "", a), "protocol: tcp", "protocol: dicom", 1))
			h.await("S", "A", "up")
			before := h.server("S", "A").Total
			c := dial(t, addr)
			for _, part := range tt.send {
				_, err := io.WriteString(c, part)
				require.NoError(t, err)
			}
			got, err := io.ReadAll(c.r)
			require.NoError(t, err)
			require.Equal(t, strings.ReplaceAll(tt.want, " ", ""), hex.EncodeToString(got))
			require.Equal(t, before, h.server("S", "A").Total, "no server was dialled")
		})
	}
}

func TestSilentClientIsCutAndNoServerDialled(t *testing.T) {
	a := serve(t, "A")
	addr := freePort(t)
	h := start(t, strings.Replace(tcpService(addr, "  timeouts: {handshake: 100ms}\n", a), "protocol: tcp", "protocol: dicom", 1))
	h.await("S", "A", "up")
	require.Equal(t, "closed", dial(t, addr).ended())
	require.Zero(t, h.server("S", "A").Total)
}

func TestLimits(t *testing.T) {
	a := serve(t, "A")
	for _, tt := range []struct {
		name, limits, other string
		refused             string
	}{
		{"of the service", "{connections: 1}", "127.0.0.2", "connection-limit"},
		{"of one source", "{connections_per_source: 1}", "127.0.0.1", "source-limit"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			addr := freePort(t)
			h := start(t, tcpService(addr, "  limits: "+tt.limits+"\n", a))
			h.await("S", "A", "up")
			first := dial(t, addr)
			require.Equal(t, "A", first.greeting(t))
			require.Equal(t, "reset", refused(t, tt.other, addr))
			require.Contains(t, exposition(t, h), `gantry_rejected_total{reason="`+tt.refused+`",service="S"} 1`)
			require.NoError(t, first.Close())
			require.Eventually(t, func() bool { return h.server("S", "A").Active == 0 }, patience, time.Millisecond)
			require.Equal(t, "A", dialFrom(t, tt.other, addr).greeting(t), "served again at once")
		})
	}
}

func TestDICOMOverTheLimitIsTold(t *testing.T) {
	addr, a := freePort(t), newArchive(t)
	start(t, dicomService(addr, "  limits: {connections: 1}\n", a))
	together(t, addr, "CT1", a)
	second := dicomClient(t, addr)
	second.says(request("CT2", "PACS"))
	require.Equal(t, rjFull, second.hears())
}

func TestAllow(t *testing.T) {
	a := serve(t, "A")
	addr := freePort(t)
	h := start(t, tcpService(addr, "  allow: [127.0.0.2/32]\n", a))
	h.await("S", "A", "up")
	require.Equal(t, "A", dialFrom(t, "127.0.0.2", addr).greeting(t))
	require.Equal(t, "reset", refused(t, "127.0.0.3", addr))
}

func TestMLLPWaitsForTheFirstByte(t *testing.T) {
	a := serve(t, "A")
	addr := freePort(t)
	h := start(t, strings.Replace(tcpService(addr, "  timeouts: {handshake: 50ms}\n", a), "protocol: tcp", "protocol: mllp", 1))
	h.await("S", "A", "up")
	c := dial(t, addr)
	require.NoError(t, c.SetReadDeadline(time.Now().Add(400*time.Millisecond)))
	_, err := c.Read(make([]byte, 1))
	require.ErrorContains(t, err, "timeout", "silent for longer than the handshake, and still there")
	require.Zero(t, h.server("S", "A").Total)
	require.NoError(t, c.SetReadDeadline(time.Now().Add(patience)))
	_, err = io.WriteString(c, "\x0bMSH")
	require.NoError(t, err)
	require.Equal(t, "A", c.greeting(t))
}

func TestServerWithoutAPortGetsTheClientsPort(t *testing.T) {
	a := serve(t, "A") // on 127.0.0.1:port; the gateway takes the same port on 127.0.0.9
	_, port, _ := strings.Cut(a.addr, ":")
	h := start(t, "services:\n- name: S\n  protocol: tcp\n  listen: ['127.0.0.9:"+port+"']\n  checks: ["+quickChecks+"]\n  servers: [{name: A, address: 127.0.0.1}]\n")
	h.await("S", "A", "up")
	require.Equal(t, "A", dial(t, "127.0.0.9:"+port).greeting(t))
}

func TestServerByName(t *testing.T) {
	a := serve(t, "A")
	_, port, _ := strings.Cut(a.addr, ":")
	addr := freePort(t)
	h := start(t, "services:\n- name: S\n  protocol: tcp\n  listen: ['"+addr+"']\n  checks: ["+quickChecks+"]\n  servers: [{name: A, address: 'localhost:"+port+"'}, {name: B, address: 'no-such-host.invalid:1'}]\n")
	h.await("S", "A", "up")
	require.Equal(t, "A", dial(t, addr).greeting(t))
}

func TestOnDownClose(t *testing.T) {
	for _, tt := range []struct{ word, end string }{{"close", "reset"}, {"drain", ""}} {
		t.Run(tt.word, func(t *testing.T) {
			a := serve(t, "A")
			addr := freePort(t)
			h := start(t, tcpService(addr, "  on_down: "+tt.word+"\n", a))
			h.await("S", "A", "up")
			c := dial(t, addr)
			require.Equal(t, "A", c.greeting(t))
			require.NoError(t, a.l.Close()) // new connections fail, this one lives
			h.await("S", "A", "down")
			if tt.end == "" {
				c.echo(t, "still here")
				return
			}
			require.Equal(t, tt.end, c.ended())
		})
	}
}

func TestStopDrains(t *testing.T) {
	for _, tt := range []struct {
		name, timeouts string
		finish         bool
	}{
		{"the session finishes", "", true},
		{"the deadline cuts it", "  timeouts: {drain: 150ms}\n", false},
		{"no time to drain", "  timeouts: {drain: 0s}\n", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := serve(t, "A")
			addr := freePort(t)
			h := start(t, tcpService(addr, tt.timeouts, a))
			h.await("S", "A", "up")
			c := dial(t, addr)
			require.Equal(t, "A", c.greeting(t))
			stopped := make(chan error, 1)
			go func() { stopped <- h.Stop(context.Background()) }()
			if tt.finish {
				require.Eventually(t, func() bool { return h.Ready() != nil }, patience, time.Millisecond)
				c.echo(t, "still here while stopping")
				require.NoError(t, c.Close())
			} else {
				require.Equal(t, "reset", c.ended())
			}
			require.NoError(t, <-stopped)
		})
	}
}

// Clients over a limit are told, but only a few at a time: they must not use up
// what the other services need.
func TestOverTheLimitHoldsLittle(t *testing.T) {
	a := serve(t, "A")
	addr := freePort(t)
	h := start(t, strings.Replace(tcpService(addr, "  limits: {connections_per_source: 1}\n", a), "protocol: tcp", "protocol: dicom", 1))
	h.await("S", "A", "up")
	for range 100 {
		if c, err := net.Dial("tcp", addr); err == nil {
			defer c.Close()
		}
	}
	require.Eventually(t, func() bool {
		return strings.Contains(exposition(t, h), `gantry_rejected_total{reason="source-limit",service="S"} 83`)
	}, patience, 5*time.Millisecond, "100 came: one is served, 16 are being told")
	require.Contains(t, exposition(t, h), "gantry_connections_in_use 17\n")
	require.Eventually(t, func() bool { return strings.Contains(exposition(t, h), "gantry_connections_in_use 1\n") }, patience, 5*time.Millisecond,
		"not for long")
}
