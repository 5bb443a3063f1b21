package conformance

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/conformance/peers"
)

// TestNoServerIsDialledForARudeClient: whoever does not send a whole association request never costs a
// server a connection, because one silent connection blocks a simple DICOM server for half a minute.
func TestNoServerIsDialledForARudeClient(t *testing.T) {
	const handshake = 2 * time.Second
	var dialled atomic.Int64
	server := serve(t, func(c *net.TCPConn) {
		dialled.Add(1)
		_, _ = io.Copy(io.Discard, c)
	})
	health := serve(t, func(*net.TCPConn) {}) // checks knock on another door
	addr := peers.FreeAddr()
	gateway(t, raced(t), fmt.Sprintf(`services:
- name: PACS
  protocol: dicom
  listen: [%q]
  timeouts: {handshake: %s, drain: 1s}
  checks: [{type: connect, port: %s}]
  servers: [{name: A, address: %q}]
`, addr, handshake, portOf(health), server))

	// an A-ASSOCIATE-RQ that announces 180 bytes and then has no more to say
	incomplete := []byte{1, 0, 0, 0, 0, 180, 0, 1, 0, 0}
	for _, rude := range []struct {
		name string
		do   func(*testing.T)
		soon bool // refused as soon as it is understood, without waiting for the handshake time
	}{
		{"echoscu that speaks TLS", func(t *testing.T) {
			need(t, "echoscu")
			require.Error(t, peers.Echo(t.Context(), addr, "--anonymous-tls"))
		}, true},
		{"curl", func(t *testing.T) {
			need(t, "curl")
			_, err := peers.Run(t.Context(), "curl", "-sS", "http://"+addr+"/")
			require.Error(t, err)
		}, true},
		{"another PDU first", func(t *testing.T) { // A-RELEASE-RQ before any association
			sendAndWaitForTheEnd(t, addr, []byte{5, 0, 0, 0, 0, 4, 0, 0, 0, 0})
		}, true},
		{"a length beyond reason", func(t *testing.T) {
			sendAndWaitForTheEnd(t, addr, []byte{1, 0, 0x7f, 0xff, 0xff, 0xff, 0, 1})
		}, true},
		{"silence", func(t *testing.T) { sendAndWaitForTheEnd(t, addr, nil) }, false},
		{"half a request", func(t *testing.T) { sendAndWaitForTheEnd(t, addr, incomplete) }, false},
		{"one byte a second", func(t *testing.T) { drip(t, addr, bytes.Repeat(incomplete, 20)) }, false},
	} {
		t.Run(rude.name, func(t *testing.T) {
			start := time.Now()
			rude.do(t)
			took := time.Since(start)
			require.Zero(t, dialled.Load(), "connections to the server")
			require.Less(t, took, handshake+1500*time.Millisecond, "the client is sent away")
			if !rude.soon {
				require.GreaterOrEqual(t, took, handshake-50*time.Millisecond, "but not before its time")
			} else {
				require.Less(t, took, handshake, "what cannot become a request is refused at once")
			}
		})
	}
	// the proof that the counter can count: a whole request does reach the server
	c := dial(t, addr)
	_, err := c.Write(associateRQ)
	require.NoError(t, err)
	require.NoError(t, peers.Until(within(t, 10*time.Second), "the server is dialled", func() error {
		if dialled.Load() != 1 {
			return errors.New("not yet")
		}
		return nil
	}))
}

// sendAndWaitForTheEnd returns when the gateway has ended the connection, gently or not.
func sendAndWaitForTheEnd(t *testing.T, addr string, b []byte) {
	t.Helper()
	c := dial(t, addr)
	if len(b) > 0 {
		_, err := c.Write(b)
		require.NoError(t, err)
	}
	_, err := io.ReadAll(c) // an A-ABORT before the end is allowed
	require.NotErrorIs(t, err, os.ErrDeadlineExceeded)
}

// drip sends one byte a second until the gateway ends the connection.
func drip(t *testing.T, addr string, b []byte) {
	t.Helper()
	c := dial(t, addr)
	ended := make(chan struct{})
	go func() { defer close(ended); _, _ = io.ReadAll(c) }()
	second := time.NewTicker(time.Second)
	defer second.Stop()
	for i := range b {
		_, _ = c.Write(b[i : i+1])
		select {
		case <-ended:
			return
		case <-second.C:
		}
	}
	t.Fatal("dripped a whole request's worth of seconds without being stopped")
}

func portOf(addr string) string { return addr[strings.LastIndexByte(addr, ':')+1:] }

// associateRQ is a small whole A-ASSOCIATE-RQ: called ANY-SCP, calling CONFORM, Verification in Implicit
// VR Little Endian (PS3.8 9.3.2). Written out here because the proof must not lean on our own encoder.
var associateRQ = func() []byte {
	item := func(typ byte, value string) string {
		return string([]byte{typ, 0, byte(len(value) >> 8), byte(len(value))}) + value
	}
	body := "\x00\x01\x00\x00" + // protocol version 1, reserved
		fmt.Sprintf("%-16s%-16s", "ANY-SCP", "CONFORM") + strings.Repeat("\x00", 32) +
		item(0x10, "1.2.840.10008.3.1.1.1") + // application context
		item(0x20, "\x01\x00\x00\x00"+ // presentation context 1
			item(0x30, "1.2.840.10008.1.1")+ // abstract syntax: Verification
			item(0x40, "1.2.840.10008.1.2")) + // transfer syntax
		item(0x50, item(0x51, "\x00\x00\x40\x00")) // user information: maximum length 16,384
	return append([]byte{1, 0, 0, 0, 0, byte(len(body))}, body...)
}()
