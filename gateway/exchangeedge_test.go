package gateway_test

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	codec "gantry/protocols/mllp"
)

// obliges answers everything, on every connection.
func (e *hl7Engine) obliges() *hl7Engine {
	go func() {
		for p := range e.met {
			go func() {
				defer p.Close()
				for {
					msg, err := p.next()
					if err != nil {
						return
					}
					if _, err := p.Write(codec.Append(nil, []byte(answerTo(msg, "AA")))); err != nil {
						return
					}
				}
			}()
		}
	}()
	e.t.Cleanup(func() { _ = e.l.Close(); close(e.met) })
	return e
}

// talkFrom is talk from an address of this machine.
func talkFrom(t testing.TB, source, addr string) *talker {
	t.Helper()
	d := net.Dialer{Timeout: patience, LocalAddr: &net.TCPAddr{IP: net.ParseIP(source)}}
	c, err := d.Dial("tcp", addr)
	require.NoError(t, err)
	return newTalker(t, c)
}

// asks sends a message and expects its answer.
func (p *talker) asks(id string) {
	p.t.Helper()
	p.sends(admission(id, id))
	require.Equal(p.t, "AA "+id, p.acked())
}

func TestLimitsOfAnExchange(t *testing.T) {
	e := newEngine(t).obliges()
	for _, tt := range []struct{ name, limits, other, refused string }{
		{"of the service", "{connections: 1}", "127.0.0.2", "connection-limit"},
		{"of one source", "{connections_per_source: 1}", "127.0.0.1", "source-limit"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			addr := freePort(t)
			h := start(t, hl7Service(addr, "  limits: "+tt.limits+"\n", e))
			h.await("S", "A", "up")
			first := talk(t, addr)
			first.asks("1")
			require.Equal(t, "reset", refused(t, tt.other, addr))
			require.Contains(t, exposition(t, h), `gantry_rejected_total{reason="`+tt.refused+`",service="S"} 1`)
			first.asks("2")
			require.NoError(t, first.Close())
			require.Eventually(t, func() bool { return h.InUse() == 0 }, patience, time.Millisecond)
			talkFrom(t, tt.other, addr).asks("3")
		})
	}
}

func TestAllowOfAnExchange(t *testing.T) {
	addr := freePort(t)
	h := start(t, hl7Service(addr, "  allow: [127.0.0.2/32]\n", newEngine(t).obliges()))
	h.await("S", "A", "up")
	talkFrom(t, "127.0.0.2", addr).asks("1")
	require.Equal(t, "reset", refused(t, "127.0.0.3", addr))
}

// One order holds over all addresses of a service.
func TestOneOrderOverAllAddresses(t *testing.T) {
	e := newEngine(t)
	one, two := freePort(t), freePort(t)
	h := start(t, hl7Service(one+"', '"+two, "order_by: PID-3.1|", e))
	h.await("S", "A", "up")
	a, b := talk(t, one), talk(t, two)
	a.sends(admission("1", "SAME"))
	p, first := e.meets()
	b.sends(admission("2", "SAME"))
	b.sends(admission("3", "SAME"))
	h.becomes("gantry_hl7_messages_waiting", "", 2)
	c := talk(t, two)
	c.sends(admission("4", "OTHER"))
	q, other := e.meets()
	require.Equal(t, "4", controlID(other), "another key waits for nobody")
	q.sends(answerTo(other, "AA"))
	require.Equal(t, "AA 4", c.acked())
	p.sends(answerTo(first, "AA"))
	require.Equal(t, "AA 1", a.acked())
	got := make(chan string, 4)
	for _, on := range []*talker{p, q} { // on either connection
		go func() {
			for m, err := on.next(); err == nil; m, err = on.next() {
				got <- controlID(m)
				_, _ = on.Write(codec.Append(nil, []byte(answerTo(m, "AA"))))
			}
		}()
	}
	require.Equal(t, "AA 2", b.acked())
	require.Equal(t, "AA 3", b.acked())
	require.Equal(t, "2", <-got)
	require.Equal(t, "3", <-got)
}

func TestExchangeOverIPv6(t *testing.T) {
	l, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Skip("no IPv6 here: ", err)
	}
	e := &hl7Engine{t: t, addr: l.Addr().String(), l: l, met: make(chan *talker, 64)}
	go func() {
		for c, err := l.Accept(); err == nil; c, err = l.Accept() {
			e.met <- &talker{halfConn: c.(halfConn), t: t}
		}
	}()
	e.obliges()
	free, err := net.Listen("tcp", "[::1]:0")
	require.NoError(t, err)
	addr := free.Addr().String()
	require.NoError(t, free.Close())
	h := start(t, hl7Service(addr, "", e))
	h.await("S", "A", "up")
	talk(t, addr).asks("1")
}

// A server without a port of its own is dialled at the port that the client came to: what came to
// different ports has different connections.
func TestServerWithoutAPortInAnExchange(t *testing.T) {
	a, b := newEngine(t), newEngine(t)
	_, one, _ := strings.Cut(a.addr, ":")
	_, two, _ := strings.Cut(b.addr, ":")
	text := hl7Service("127.0.0.9:"+one+"', '127.0.0.9:"+two, "", &hl7Engine{addr: "127.0.0.1"})
	text = strings.Replace(text, "{type: connect,", "{type: connect, port: "+one+",", 1)
	h := start(t, text)
	h.await("S", "A", "up")
	for range 2 {
		for port, e := range map[string]*hl7Engine{one: a, two: b} {
			c := talk(t, "127.0.0.9:"+port)
			c.sends(admission(port, "1"))
			p, msg := e.meets()
			require.Equal(t, port, controlID(msg))
			p.sends(answerTo(msg, "AA"))
			require.Equal(t, "AA "+port, c.acked())
			require.NoError(t, p.Close())
		}
	}
}

// A name that does not resolve is no server, and takes nothing away from the others.
func TestServerNameThatDoesNotResolve(t *testing.T) {
	lost := &hl7Engine{addr: "no-such-host.invalid:1"}
	t.Run("alone", func(t *testing.T) {
		addr := freePort(t)
		h := start(t, hl7Service(addr, "hold: 100ms, on_no_server: nak-ae|  panic: all\n", lost))
		h.await("S", "A", "down")
		c := talk(t, addr)
		c.sends(admission("1", "1"))
		require.Equal(t, "AE 1", c.acked())
		require.Zero(t, h.server("S", "A").Active)
	})
	t.Run("beside another", func(t *testing.T) {
		addr := freePort(t)
		h := start(t, hl7Service(addr, "", lost, newEngine(t).obliges()))
		h.await("S", "B", "up")
		c := talk(t, addr)
		for i := range 5 {
			c.asks(fmt.Sprint(i))
		}
	})
}

// max_connections bounds the connections, not the clients.
func TestMaxConnectionsOfAServer(t *testing.T) {
	e := newEngine(t)
	addr := freePort(t)
	h := start(t, strings.Replace(hl7Service(addr, "", e), "name: A,", "name: A, max_connections: 1,", 1))
	h.await("S", "A", "up")
	a, b := talk(t, addr), talk(t, addr)
	a.sends(admission("1", "1"))
	p, first := e.meets()
	b.sends(admission("2", "2"))
	h.becomes("gantry_hl7_messages_waiting", "", 1)
	p.sends(answerTo(first, "AA"))
	require.Equal(t, "AA 1", a.acked())
	second := p.hears()
	require.Equal(t, "2", controlID(second), "on the same connection")
	p.sends(answerTo(second, "AA"))
	require.Equal(t, "AA 2", b.acked())
}

// TestThousandClients: all at once, each has its own answers in its own order.
func TestThousandClients(t *testing.T) {
	const clients, messages = 1000, 5
	a, b := newEngine(t).obliges(), newEngine(t).obliges()
	addr := freePort(t)
	h := start(t, hl7Service(addr, "order_by: PID-3.1, connections_per_server: 16|", a, b))
	h.await("S", "A", "up")
	h.await("S", "B", "up")
	var wg sync.WaitGroup
	for i := range clients {
		c := talk(t, addr)
		require.NoError(t, c.SetDeadline(time.Now().Add(6*patience)))
		wg.Go(func() {
			for k := range messages {
				id := fmt.Sprintf("%d-%d", i, k)
				if _, err := c.Write(codec.Append(nil, []byte(admission(id, fmt.Sprint(i%7))))); err != nil {
					t.Error(err)
					return
				}
				if msg, err := c.next(); err != nil || !strings.Contains(msg, "\rMSA|AA|"+id+"\r") {
					t.Errorf("client %d: %q, %v", i, msg, err)
					return
				}
			}
		})
	}
	wg.Wait()
	require.Equal(t, int64(clients*messages), h.server("S", "A").Total+h.server("S", "B").Total)
	require.Zero(t, h.server("S", "A").Active+h.server("S", "B").Active)
	require.Equal(t, clients, h.InUse())
}
