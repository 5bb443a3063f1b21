package conformance

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/conformance/peers"
	"gantry/protocols/mllp"
)

// odd is what a sender writes, and what comes of it. In raw, {ID} stands for the message of that control id and <ID> for its
// frame as it should be.
type odd struct {
	name, raw string
	arrive    string // control ids of the messages that must arrive, in order
	byByte    bool   // written byte by byte
	fin       bool   // the sender ends its side behind raw
	closed    bool   // the gateway closes the connection, after the answers that are due
}

var oddFraming = []odd{
	{name: "as it should be", raw: "<1>", arrive: "1"},
	{name: "LF between", raw: "<1>\n<2>\n", arrive: "1 2"},
	{name: "CRLF between", raw: "\r\n<1>\r\n<2>\r\n", arrive: "1 2"},
	{name: "NUL between", raw: "<1>\x00<2>\x00", arrive: "1 2"},
	{name: "junk in front", raw: "HELLO<1>", arrive: "1"},
	{name: "two in one piece", raw: "<1><2>", arrive: "1 2"},
	{name: "byte by byte", raw: "<1><2>", arrive: "1 2", byByte: true},
	{name: "without the last CR, then silence", raw: "\x0b{1}\x1c", arrive: "1"},
	{name: "without the last CR, then the next one", raw: "\x0b{1}\x1c<2>", arrive: "1 2"},
	{name: "without the last CR, then the end", raw: "\x0b{1}\x1c", fin: true, arrive: "1", closed: true},
	{name: "the end twice", raw: "<1>\x1c\r<2>", arrive: "1 2"},
	{name: "byte order mark", raw: "\x0b\xef\xbb\xbf{1}\x1c\r", arrive: "1"},
	{name: "an empty frame", raw: "\x0b\x1c\r<1>", arrive: "1"},
	{name: "0B inside", raw: "<VT>", arrive: "VT"},
	{name: "bytes of no character set", raw: "<HIGH>", arrive: "HIGH"},
	{name: "more than 64 KiB", raw: "<LONG>", arrive: "LONG"},
	{name: "cut, then the next one", raw: "\x0bMSH|^~\\&|WARD|TE<2>", arrive: "2"},
	{name: "cut behind a segment, then the next one", raw: "\x0b{1}<2>", arrive: "2"},
	{name: "cut, then the end", raw: "\x0b{1}", fin: true, closed: true},
	{name: "whole, then cut by the end", raw: "<1>\x0b{2}", fin: true, arrive: "1", closed: true},
	{name: "1C inside", raw: "\x0b{1}\x1cNTE|1\r\x1c\r", closed: true},
	{name: "UTF-16", raw: "\x0b\xfe\xff\x00M\x00S\x00H\x00|\x1c\r", closed: true},
	{name: "UTF-16 without a mark", raw: "\x0bM\x00S\x00H\x00|\x00\x1c\r", closed: true},
	{name: "no HL7 in the frame", raw: "\x0bHELLO\x1c\r", closed: true},
	{name: "a message, then no HL7", raw: "<1>\x0bHELLO\x1c\r", arrive: "1", closed: true},
	{name: "another protocol", raw: strings.Repeat("GET / HTTP/1.1\r\nHost: x\r\n\r\n", 4000), closed: true},
}

// extra is what stands at the end of a message with such a control id.
var extra = map[string]string{
	"VT":   "NTE|1||a\x0bb\x0bMS\r",
	"HIGH": "NTE|1||\x80\x81\xa0\xc3\x28\xfe\xff\r",
	"LONG": strings.Repeat("NTE|1||No finding.\r", 100<<10/19),
}

// oddMessage is the message of a control id in a case.
func oddMessage(prefix, id string) string { return string(admitted(prefix+id)) + extra[id] }

// wireOf fills in the messages.
func (o odd) wireOf(prefix string) string {
	raw := o.raw
	for _, id := range []string{"1", "2", "VT", "HIGH", "LONG"} {
		msg := oddMessage(prefix, id)
		raw = strings.NewReplacer("{"+id+"}", msg, "<"+id+">", string(mllp.Append(nil, []byte(msg)))).Replace(raw)
	}
	return raw
}

// framed is a kind of receiver: what it got whose control id begins with a prefix.
type framed struct {
	name string
	addr string
	got  func(prefix string) []receipt
}

// TestOddFramingArrivesExact: what senders do to MLLP, in front of receivers that forgive nothing (one that checks every byte,
// HAPI, python-hl7). Exactly the whole messages arrive, each once and unchanged; cut ones never; where nobody can know what is
// a message the connection is closed.
func TestOddFramingArrivesExact(t *testing.T) {
	need(t, "mllp_send", "javac", "HAPI")
	t.Parallel()
	ctx := within(t, 2*time.Minute)
	strict := startStrict(t, ctx)
	java, err := peers.StartHAPI(ctx, t.TempDir())
	require.NoError(t, err)
	t.Cleanup(java.Stop)
	python, err := peers.StartHL7ReceiverFor(ctx, t.TempDir(), "latin-1", 1<<20)
	require.NoError(t, err)
	t.Cleanup(python.Stop)
	kinds := []framed{{"STRICT", strict.Addr().String(), strict.got},
		{"HAPI", java.MLLP, func(prefix string) []receipt { return receipts(heard(t, ctx, java), prefix) }},
		{"PYTHON", python.MLLP, func(prefix string) []receipt { return receipts(heard(t, ctx, python), prefix) }}}
	yaml := "services:\n"
	listen := map[string]string{}
	for _, k := range kinds {
		listen[k.name] = peers.FreeAddr()
		yaml += hl7Service(k.name, listen[k.name], "", k.addr)
	}
	g := gateway(t, raced(t), yaml)
	for _, k := range kinds {
		allUp(t, ctx, g, k.name, 1)
	}
	t.Run("to", func(t *testing.T) {
		for _, k := range kinds {
			t.Run(k.name, func(t *testing.T) {
				t.Parallel()
				for n, o := range oddFraming {
					t.Run(o.name, func(t *testing.T) { o.play(t, ctx, listen[k.name], fmt.Sprintf("ODD%02d-", n), k) })
				}
			})
		}
	})
	require.Empty(t, strict.complaint())
	require.Empty(t, complaints.FindAllString(java.Log(), -1))
	require.Empty(t, complaints.FindAllString(python.Log(), -1))
}

// play is one case, and one message after it on a connection of its own: when that is answered, all that was to
// arrive before has arrived.
func (o odd) play(t *testing.T, ctx context.Context, addr, prefix string, k framed) {
	c, err := dialWire(ctx, addr)
	require.NoError(t, err)
	defer c.Close()
	o.write(t, c, o.wireOf(prefix))
	if o.fin {
		require.NoError(t, c.Conn.(*net.TCPConn).CloseWrite())
	}
	var want []receipt
	for _, id := range strings.Fields(o.arrive) {
		isAcked(t, c, prefix+id)
		sum := sha256.Sum256([]byte(oddMessage(prefix, id)))
		want = append(want, receipt{prefix + id, hex.EncodeToString(sum[:])})
	}
	if o.closed {
		_, err := c.hears()
		require.True(t, isOver(err), "%v: the connection is to be closed", err)
	}
	after, err := dialWire(ctx, addr)
	require.NoError(t, err)
	defer after.Close()
	msg := oddMessage("AFTER-"+prefix, "")
	_, err = after.Write(mllp.Append(nil, []byte(msg)))
	require.NoError(t, err)
	isAcked(t, after, "AFTER-"+prefix)
	require.Equal(t, want, k.got(prefix))
	require.Len(t, k.got("AFTER-"+prefix), 1)
}

func (o odd) write(t *testing.T, c *wire, raw string) {
	t.Helper()
	size := len(raw)
	if o.byByte {
		size = 1
	}
	for at := 0; at < len(raw); at += size {
		if _, err := io.WriteString(c, raw[at:at+size]); !o.closed { // who is cut off cannot write all it has
			require.NoError(t, err)
		}
	}
}
