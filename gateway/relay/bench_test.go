package relay_test

import (
	"io"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"gantry/gateway/relay"
)

// benchLinks is how many connections talk at once.
const benchLinks = 64

// message is about the size of an HL7 admission.
var message = make([]byte, 512)

// converse has every connection say a message and read it back, b.N times in all.
func converse(b *testing.B, clients []*net.TCPConn) {
	b.Helper()
	b.ReportAllocs()
	b.SetBytes(int64(len(message)))
	b.ResetTimer()
	var wg sync.WaitGroup
	for i, c := range clients {
		wg.Go(func() {
			buf := make([]byte, len(message))
			for range (b.N + len(clients) - 1 - i) / len(clients) {
				if _, err := c.Write(message); err != nil {
					b.Error(err)
					return
				}
				if _, err := io.ReadFull(c, buf); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
}

// BenchmarkFlowPingPong is a message through a flow, to a server that echoes, and
// back.
func BenchmarkFlowPingPong(b *testing.B) {
	r := newRelay(b, relay.Options{Loops: 1})
	var clients []*net.TCPConn
	for range benchLinks {
		client, server, _ := pair(b, r, relay.Limits{})
		clients = append(clients, client)
		go func() { _, _ = io.Copy(struct{ io.Writer }{server}, struct{ io.Reader }{server}) }()
	}
	converse(b, clients)
}

// BenchmarkFlowShort is a flow from its adoption to its end.
func BenchmarkFlowShort(b *testing.B) {
	r := newRelay(b, relay.Options{Loops: 1})
	b.ReportAllocs()
	for b.Loop() {
		client, server, h := pair(b, r, relay.Limits{})
		require.NoError(b, client.Close())
		require.NoError(b, server.Close())
		h.wait(b)
	}
}
