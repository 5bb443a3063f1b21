package relay_test

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

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
	before := processorTime(b)
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
	b.ReportMetric(float64(processorTime(b)-before)/float64(b.N), "cpu-ns/op")
}

// processorTime is what this process has used, peers included. Unlike the clock it
// says the same beside other work.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u unix.Rusage
	require.NoError(b, unix.Getrusage(unix.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func benchRelay(b *testing.B) *relay.Relay {
	b.Helper()
	listen(b) // opens the descriptors of Go's own poller, which stay
	return newRelay(b, relay.Options{Loops: 1})
}

// BenchmarkFlowPingPong is a message through a flow, to a server that echoes, and
// back.
func BenchmarkFlowPingPong(b *testing.B) {
	r := benchRelay(b)
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
	r := benchRelay(b)
	b.ReportAllocs()
	before := processorTime(b)
	for b.Loop() {
		client, server, h := pair(b, r, relay.Limits{})
		require.NoError(b, client.Close())
		require.NoError(b, server.Close())
		h.wait(b)
	}
	b.ReportMetric(float64(processorTime(b)-before)/float64(b.N), "cpu-ns/op")
}
