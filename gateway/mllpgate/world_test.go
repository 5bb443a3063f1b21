package mllpgate

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/balancing"
	"gantry/protocols/hl7"
)

// scene is a router with everything around it under the test's control.
type scene struct {
	t       *testing.T
	now     time.Time
	set     *Settings
	servers []*balancing.Server
	router  *Router

	links   []*fakeLink // in the order of their dials
	ended   map[*Client]Why
	paused  map[*Client]bool
	answers map[*Client][]string // "CODE ID" each
	told    []string             // "ID ACK SERVER" of every message, once
	times   [][3]time.Duration   // answered, waited, took
	notices []Notice
	dead    map[*Link]bool // Send finds it closed
	pending int            // of every connection
	stuff   bool           // Send takes no more than a part
}

// fakeLink is a connection to a server.
type fakeLink struct {
	*Link
	sent   []string // control ids of the messages
	raw    []string
	closed bool
}

// newScene starts with two servers that are up.
func newScene(t *testing.T, change func(*Settings)) *scene {
	s := &scene{t: t, now: time.Unix(1000, 0), ended: map[*Client]Why{}, paused: map[*Client]bool{},
		answers: map[*Client][]string{}, dead: map[*Link]bool{}}
	for _, name := range []string{"A", "B"} {
		server := balancing.NewServer(balancing.ServerOptions{Name: name})
		server.SetHealth(balancing.Up, s.now)
		s.servers = append(s.servers, server)
	}
	s.set = &Settings{
		AckTimeout: 30 * time.Second, Hold: 5 * time.Second, LinkIdle: 5 * time.Minute, ClientIdle: time.Hour,
		LinksPerServer: 4, Pipelining: 1, ClientPipelines: 16, Memory: 1 << 20,
	}
	s.set.Routes = []Route{{Pool: s.pool(s.servers...)}}
	if change != nil {
		change(s.set)
	}
	if s.set.OrderBy != nil {
		s.set.Routes[0].Pool = s.keyedPool(s.servers...)
	}
	s.router = New(s, s.set)
	return s
}

func (s *scene) pool(servers ...*balancing.Server) *balancing.Pool {
	return balancing.NewPool(balancing.PoolOptions{Members: members(servers)})
}

func (s *scene) keyedPool(servers ...*balancing.Server) *balancing.Pool {
	return balancing.NewPool(balancing.PoolOptions{Members: members(servers),
		Persistence: balancing.NewPersistence(balancing.PersistenceOptions{Timeout: time.Hour, MaxEntries: 1000})})
}

func members(servers []*balancing.Server) (list []balancing.Member) {
	for _, m := range servers {
		list = append(list, balancing.Member{Server: m})
	}
	return list
}

func byPatient(s *Settings) {
	path, err := hl7.ParsePath("PID-3.1")
	if err != nil {
		panic(err)
	}
	s.OrderBy = &path
}

// World

func (s *scene) Dial(l *Link) {
	f := &fakeLink{Link: l}
	l.State = f
	s.links = append(s.links, f)
}

func (s *scene) Send(l *Link, frame []byte) (flushed, ok bool) {
	f := l.State.(*fakeLink)
	require.False(s.t, f.closed, "sent on a closed connection")
	if s.dead[l] {
		f.closed = true
		return false, false
	}
	require.Equal(s.t, byte(0x0b), frame[0])
	require.Equal(s.t, "\x1c\r", string(frame[len(frame)-2:]))
	msg := frame[1 : len(frame)-2]
	f.raw = append(f.raw, string(msg))
	if h, err := hl7.DecodeHeader(msg); err == nil {
		f.sent = append(f.sent, h.Text(hl7.ControlID))
	}
	return !s.stuff, true
}

func (s *scene) Pending(*Link) int { return s.pending }

func (s *scene) Drop(l *Link) {
	f := l.State.(*fakeLink)
	require.False(s.t, f.closed, "closed twice")
	f.closed = true
}

func (s *scene) Answer(c *Client, frames []byte) {
	require.NotContains(s.t, s.ended, c, "answered after the end")
	for _, frame := range strings.SplitAfter(string(frames), "\x1c\r") {
		if frame == "" {
			continue
		}
		msg := []byte(frame[1 : len(frame)-2])
		if isCommit(msg) {
			s.answers[c] = append(s.answers[c], fmt.Sprintf("%02X", msg[0]))
			continue
		}
		a, err := hl7.DecodeAcknowledgement(msg)
		require.NoError(s.t, err)
		s.answers[c] = append(s.answers[c], a.Code+" "+a.ControlID)
	}
}

func (s *scene) Pause(c *Client)  { s.paused[c] = true }
func (s *scene) Resume(c *Client) { s.paused[c] = false }

func (s *scene) End(c *Client, why Why) {
	require.NotContains(s.t, s.ended, c, "ended twice")
	s.ended[c] = why
}

func (s *scene) Tell(o *Outcome) {
	server := "-"
	if o.Server != nil {
		server = o.Server.Name()
	}
	s.times = append(s.times, [3]time.Duration{o.Answered, o.Waited, o.Took})
	s.told = append(s.told, fmt.Sprintf("%s %s %s", o.Envelope.ControlID, o.Ack, server))
}

func (s *scene) Notice(n Notice) { s.notices = append(s.notices, n) }

// What the test does.

var lastPort uint16

func (s *scene) client() *Client { return s.clientFrom("10.0.0.1") }

func (s *scene) clientFrom(addr string) *Client {
	lastPort++
	return s.router.Open(netip.AddrPortFrom(netip.MustParseAddr(addr), lastPort), 2575, s.now)
}

// message makes one with a control id and, unless it is "", a patient.
func msg(id, patient string) string {
	m := `MSH|^~\&|RIS|HOSPITAL|ENGINE|HOSPITAL|20260101||ADT^A08^ADT_A01|` + id + `|P|2.5` + "\r"
	if patient != "" {
		m += "PID|1||" + patient + "^^^SIM\r"
	}
	return m
}

func (s *scene) send(c *Client, id, patient string) { s.sendRaw(c, msg(id, patient)) }

func (s *scene) sendRaw(c *Client, m string) {
	s.t.Helper()
	require.NoError(s.t, s.router.Message(c, []byte(m), s.now))
}

// connect lets every dial that waits succeed.
func (s *scene) connect() {
	for i := 0; i < len(s.links); i++ {
		if l := s.links[i]; !l.ready && !l.gone && !l.closed {
			s.router.Dialed(l.Link, nil, s.now)
		}
	}
}

// at finds the connection on which a message stands that is not answered.
func (s *scene) at(id string) *fakeLink {
	s.t.Helper()
	for _, l := range s.links {
		for _, m := range l.out {
			if string(m.env.ControlID) == id {
				return l
			}
		}
	}
	require.Failf(s.t, "not sent", "message %s is outstanding nowhere", id)
	return nil
}

// sent tells whether a message is outstanding somewhere.
func (s *scene) sent(id string) bool {
	for _, l := range s.links {
		for _, m := range l.out {
			if string(m.env.ControlID) == id {
				return true
			}
		}
	}
	return false
}

func ack(code, id string, more ...string) []byte {
	return []byte("MSH|^~\\&|ENGINE|HOSPITAL|RIS|HOSPITAL|20260101||ACK^A08^ACK|R" + id + "|P|2.5\rMSA|" + code + "|" + id + "\r" + strings.Join(more, ""))
}

const internalError = "ERR|||207^Application internal error^HL70357|E\r"

// answer answers a message on the connection where it stands.
func (s *scene) answer(id, code string, more ...string) {
	s.t.Helper()
	s.router.Frame(s.at(id).Link, ack(code, id, more...), s.now)
}

// wait lets time pass, with the ticks of a busy router.
func (s *scene) wait(d time.Duration) {
	for end := s.now.Add(d); s.now.Before(end); {
		s.now = s.now.Add(TickEvery)
		s.router.Tick(s.now)
	}
}

func (s *scene) down(i int) {
	s.servers[i].SetHealth(balancing.Down, s.now)
	s.router.Changed(s.now)
}

func (s *scene) up(i int) {
	s.servers[i].SetHealth(balancing.Up, s.now)
	s.router.Changed(s.now)
}

// calm checks that nothing is left of any message.
func (s *scene) calm() {
	s.t.Helper()
	require.Zero(s.t, s.router.active, "messages")
	require.Zero(s.t, s.router.bytes, "bytes")
	require.Empty(s.t, s.router.order.queues, "keys")
	require.Empty(s.t, s.router.held, "held")
	for _, server := range s.servers {
		require.Zero(s.t, server.Active(), "counted in at %s", server.Name())
	}
	require.Zero(s.t, s.router.crowded, "crowded")
}
