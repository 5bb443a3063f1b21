package conformance

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/conformance/peers"
)

// hapiStand is a gateway between HAPI and python-hl7, each of which is before it and behind it.
type hapiStand struct {
	ctx          context.Context
	gateway      *peers.Gantry
	java, python [2]*peers.Receiver
	toJava       string // the address of the service in front of the receivers on HAPI; it keeps the order of patients
	toPython     string
}

// TestMessageByMessageWithHAPI: senders on HAPI, whose initiator waits for the answer with the MSA-2 of its message, and
// mllp_send, in front of receivers on HAPI and on python-hl7.
func TestMessageByMessageWithHAPI(t *testing.T) {
	need(t, "javac", "HAPI", "mllp_send")
	t.Parallel()
	s := &hapiStand{ctx: within(t, 2*time.Minute), toJava: peers.FreeAddr(), toPython: peers.FreeAddr()}
	s.java = startTwo(t, s.ctx, peers.StartHAPI)
	s.python = startTwo(t, s.ctx, func(ctx context.Context, dir string) (*peers.Receiver, error) {
		return peers.StartHL7ReceiverFor(ctx, dir, "latin-1", 16<<20)
	})
	s.gateway = gateway(t, raced(t), "services:\n"+hl7Service("JAVA", s.toJava, "order_by: PID-3.1", s.java[0].MLLP, s.java[1].MLLP)+
		hl7Service("PYTHON", s.toPython, "", s.python[0].MLLP, s.python[1].MLLP))
	allUp(t, s.ctx, s.gateway, "JAVA", 2)
	allUp(t, s.ctx, s.gateway, "PYTHON", 2)

	t.Run("several threads on each connection", s.threads)
	t.Run("accept acknowledgements", s.enhanced)
	t.Run("to python-hl7", s.hapiToPython)
	t.Run("from python-hl7", s.pythonToHAPI)
	t.Run("character sets and sizes", s.bytes)
	for _, r := range append(s.java[:], s.python[:]...) {
		require.Empty(t, complaints.FindAllString(r.Log(), -1))
	}
}

// feed lets a sender on HAPI send all it has to; nothing is sent twice, and nothing comes that nobody waits for.
func (s *hapiStand) feed(t *testing.T, addr string, f peers.HAPIFeed) map[string]string {
	t.Helper()
	p, err := peers.HAPISend(s.ctx, t.TempDir(), addr, f)
	require.NoError(t, err)
	t.Cleanup(p.Stop)
	return hapiAnswers(t, s.ctx, p)
}

// hapiAnswers waits for a sender's end: the code that it got for each control id.
func hapiAnswers(t *testing.T, ctx context.Context, p *peers.Process) map[string]string {
	t.Helper()
	_, err := p.Await(ctx, "finished")
	require.NoError(t, err)
	require.NotContains(t, p.Log(), "again ")
	return answersIn(t, p.Log())
}

// answersIn are the codes by control id. HAPI tells of answers that nobody waits for; there must be none.
func answersIn(t *testing.T, log string) map[string]string {
	t.Helper()
	codes := map[string]string{}
	for line := range strings.Lines(log) {
		require.NotContains(t, line, "Unexpected Message")
		require.NotContains(t, line, "Unsolicited Message")
		require.NotContains(t, line, "foreign ")
		if id, code, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "acked "), " "); ok && strings.HasPrefix(line, "acked ") {
			require.NotContains(t, codes, id, "acknowledged twice")
			codes[id] = code
		}
	}
	return codes
}

// once checks that these messages came once each, and all with the code.
func once(t *testing.T, codes map[string]string, code string, got map[string]int, total int) {
	t.Helper()
	require.Len(t, codes, total)
	require.Len(t, got, total)
	for id, c := range codes {
		require.Equal(t, code, c, id)
		require.Equal(t, 1, got[id], id)
	}
}

// threads: HAPI sends the messages of several patients over one connection at the same time and finds each one's answer.
// A patient's messages come in order, and to one receiver.
func (s *hapiStand) threads(t *testing.T) {
	codes := s.feed(t, s.toJava, peers.HAPIFeed{Connections: 3, Threads: 4, Count: 30, Prefix: "THREADS"})
	once(t, codes, "AA", times(t, s.ctx, "THREADS", s.java[:]...), 3*4*30)
	at := map[string]int{}
	for i, r := range s.java {
		all := receipts(r.Log(), "THREADS")
		require.NotEmpty(t, all, "its share")
		last := map[string]int{}
		for _, got := range all {
			cut := strings.LastIndexByte(got.id, '-')
			patient := got.id[:cut]
			n, err := strconv.Atoi(got.id[cut+1:])
			require.NoError(t, err)
			require.Equal(t, last[patient], n, "of %s", patient)
			last[patient]++
			at[patient] |= 1 << i
		}
	}
	require.Len(t, at, 12)
	for patient, where := range at {
		require.NotEqual(t, 3, where, "%s is at both receivers", patient)
	}
}

func (s *hapiStand) enhanced(t *testing.T) {
	codes := s.feed(t, s.toJava, peers.HAPIFeed{Connections: 2, Threads: 2, Count: 10, Prefix: "ACCEPT", Accept: "AL", Application: "NE"})
	once(t, codes, "CA", times(t, s.ctx, "ACCEPT", s.java[:]...), 40)
	n, err := s.gateway.Metric(s.ctx, "gantry_hl7_messages_total", `ack="CA"`)
	require.NoError(t, err)
	require.EqualValues(t, 40, n)
}

func (s *hapiStand) hapiToPython(t *testing.T) {
	codes := s.feed(t, s.toPython, peers.HAPIFeed{Connections: 3, Threads: 2, Count: 30, Prefix: "CROSS"})
	once(t, codes, "AA", times(t, s.ctx, "CROSS", s.python[:]...), 180)
	for _, r := range s.python {
		require.NotEmpty(t, receipts(r.Log(), "CROSS"), "its share")
	}
}

func (s *hapiStand) pythonToHAPI(t *testing.T) {
	mllpSend(t, s.ctx, "BACK", s.toJava, 50)
	got := times(t, s.ctx, "BACK", s.java[:]...)
	require.Len(t, got, 50)
	for id, n := range got {
		require.Equal(t, 1, n, id)
	}
}

// bytes: a sender on HAPI writes what MSH-18 says, a receiver on HAPI reads it so, and one on python-hl7 byte by byte.
func (s *hapiStand) bytes(t *testing.T) {
	for where, at := range map[string]struct {
		addr string
		to   [2]*peers.Receiver
	}{"HAPI": {s.toJava, s.java}, "python-hl7": {s.toPython, s.python}} {
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			var files []string
			sums := map[string]string{}
			for _, m := range charsetMessages(where) {
				file := filepath.Join(t.TempDir(), m.id)
				require.NoError(t, os.WriteFile(file, m.raw, 0o600))
				sum := sha256.Sum256(m.raw)
				files, sums[m.id] = append(files, file), hex.EncodeToString(sum[:])
			}
			p, err := peers.HAPISendFiles(s.ctx, t.TempDir(), at.addr, files...)
			require.NoError(t, err)
			t.Cleanup(p.Stop)
			require.Len(t, hapiAnswers(t, s.ctx, p), len(sums))
			got := map[string]string{}
			for _, r := range at.to {
				for _, m := range receipts(heard(t, s.ctx, r), "BYTES-"+where) {
					got[m.id] = m.sum
				}
			}
			require.Equal(t, sums, got, "SHA-256 of what was sent and of what came")
		})
	}
}

type rawMessage struct {
	id  string
	raw []byte
}

// charsetMessages are messages in several character sets and sizes. In GB 18030 and Big5 second bytes look like ASCII;
// of Big5 even like delimiters.
func charsetMessages(where string) (all []rawMessage) {
	for i, m := range []struct{ charset, name, text string }{
		{"8859/1", "M\xdcLLER^J\xd6RG", "ohne Befund"},
		{"UNICODE UTF-8", "MÜLLER^山田 太郎", "Ελλάδα, Łódź, 日本"},
		{"GB 18030-2000", "\xc0\xee^\xd0\xa1\xc3\xf7", "\x81\x30\x84\x36 \x81\x40\x81\x5b"}, // the first of four bytes, 30 and 36 are digits; 40 is @, 5B is [
		{"BIG-5", "\xb3\xaf^\xa4p\xa9\xfa", "\xa5\x5c \xa4\x7c"},                            // 5C is \, 7C is |
		{"", "LARGE", strings.Repeat("No finding. ", 64<<10/12+1) + "."},
		{"", "LARGER", strings.Repeat("JVBERi0x", 5<<20/8)},
	} {
		id := fmt.Sprintf("BYTES-%s-%d", where, i)
		charset := ""
		if m.charset != "" {
			charset = "||||||" + m.charset
		}
		all = append(all, rawMessage{id, fmt.Appendf(nil, "MSH|^~\\&|WARD|TEST|GANTRY|TEST|20240101120000||ORU^R01^ORU_R01|%s|T|2.5.1%s\r"+
			"PID|1||ZZ-GANTRY-%d^^^TEST||%s\rOBR|1|A1||CT1\rOBX|1|TX|REPORT||%s||||||F\r", id, charset, i, m.name, m.text)})
	}
	return all
}
