package mllpgate

import (
	"bytes"
	"flag"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gantry/balancing"
	"gantry/protocols/hl7"
)

// entry is one frame that a client sent, and what the model knows of it.
type entry struct {
	serial  int // the same for identical frames
	id      string
	from    *sender
	keys    []string
	frame   string
	answer  hl7.Answer
	batch   []string // the ids in it
	told    string
	sends   int
	allowed int // times that it may be sent
	on      *mlink
	sentAt  time.Time
	owed    int // answers that it is to get; of what was answered alone
	got     int // of them, delivered
	extra   int // application answers that may follow
	commit  string
	later   bool // no more may be sent: what was before it has failed
}

// sender is a client connection.
type sender struct {
	client  *Client
	addr    netip.Addr
	entries []*entry
	paused  bool
	ended   bool // by the router
	gone    bool // by itself
	eof     bool
	bad     bool // it sent what is no HL7
}

// mlink is a connection to a server, as the server sees it.
type mlink struct {
	*Link
	open    bool
	closed  bool
	out     []*entry // not answered in full
	done    []*entry // answered, or given up waiting for: more may be said of them
	partial bool
}

// model is a World that knows what may happen.
type model struct {
	*rapid.T
	now     time.Time
	set     *Settings
	servers []*balancing.Server
	router  *Router
	senders []*sender
	links   []*mlink
	entries []*entry // all, in the order in which they came
	tokens  map[string]*entry
	lates   map[string]bool // of the tokens, those that are not the first answer
	known   map[*Envelope]*entry
	current *entry // being received
	homes   map[string]*balancing.Server
	cutting bool
	stale   bool // a server has changed, and the router does not know yet
	calm    bool // no faults any more
	ids     []string
}

func (m *model) check(ok bool, format string, args ...any) {
	m.Helper()
	if !ok {
		m.Fatalf(format, args...)
	}
}

func newModel(t *rapid.T) *model {
	m := &model{T: t, now: time.Unix(1000, 0), tokens: map[string]*entry{}, known: map[*Envelope]*entry{}, lates: map[string]bool{}, homes: map[string]*balancing.Server{}}
	for i := range rapid.IntRange(1, 3).Draw(t, "servers") {
		s := balancing.NewServer(balancing.ServerOptions{Name: string(rune('A' + i))})
		s.SetHealth(balancing.Up, m.now)
		m.servers = append(m.servers, s)
	}
	m.ids = []string{"1", "2", "3", "4", "5", "6", "7", "8"}[:rapid.SampledFrom([]int{1, 3, 8}).Draw(t, "ids")]
	m.set = m.settings(rapid.Bool().Draw(t, "keys"))
	m.router = New(m, m.set)
	return m
}

// settings draws some. Whether messages have keys stays.
func (m *model) settings(keys bool) *Settings {
	s := &Settings{
		AckTimeout: 10 * time.Second, LinkIdle: time.Minute, ClientIdle: time.Hour,
		Hold:             rapid.SampledFrom([]time.Duration{0, time.Second, 5 * time.Second}).Draw(m.T, "hold"),
		OnNoServer:       rapid.SampledFrom([]Policy{Close, NakAE, NakAR}).Draw(m.T, "no server"),
		OnUnknownOutcome: rapid.SampledFrom([]Policy{Close, NakAE, Resend}).Draw(m.T, "unknown"),
		LinksPerServer:   rapid.IntRange(1, 3).Draw(m.T, "links"),
		Pipelining:       rapid.IntRange(1, 3).Draw(m.T, "pipelining"),
		ClientPipelines:  rapid.IntRange(1, 6).Draw(m.T, "client pipelining"),
		Memory:           rapid.SampledFrom([]int{300, 1 << 20}).Draw(m.T, "memory"),
		AnswerEach:       rapid.Bool().Draw(m.T, "each"),
	}
	if s.Pipelining == 1 {
		s.Loose = rapid.Bool().Draw(m.T, "loose")
	}
	if rapid.Bool().Draw(m.T, "retry") {
		s.RetryOn = []Verdict{{"AR", "207"}}
	}
	if rapid.IntRange(0, 3).Draw(m.T, "guard") == 0 {
		s.Guard = GuardSettings{For: time.Minute, Entries: 4, Memory: 2000}
	}
	if keys {
		byPatient(s)
	} else {
		s.BySource = rapid.IntRange(0, 3).Draw(m.T, "by source") == 0
	}
	options := balancing.PoolOptions{Members: members(m.servers)}
	if keys || s.BySource {
		options.Persistence = balancing.NewPersistence(balancing.PersistenceOptions{Timeout: time.Hour, MaxEntries: 1000})
	}
	s.Routes = []Route{{Pool: balancing.NewPool(options)}}
	if rapid.Bool().Draw(m.T, "routes") {
		s.Rules = Rules{{SendingApplication: Patterns{"LAB"}}}
		options.Members = options.Members[:1]
		s.Routes = []Route{{Pool: balancing.NewPool(options), Part: "lab"}, s.Routes[0]}
	}
	return s
}

func (m *model) link(l *Link) *mlink { return l.State.(*mlink) }

func (m *model) sender(c *Client) *sender { return c.State.(*sender) }

// World

func (m *model) Dial(l *Link) {
	k := &mlink{Link: l}
	l.State = k
	m.links = append(m.links, k)
	n := 0
	for _, o := range m.links {
		if o.Server == l.Server && o.Port == l.Port && !o.closed && !o.resting {
			n++
		}
	}
	m.check(n <= m.set.LinksPerServer, "%d connections to %s", n, l.Server.Name())
}

func (m *model) Send(l *Link, frame []byte) (flushed, ok bool) {
	k := m.link(l)
	m.check(k.open && !k.closed && !k.partial, "sent on a connection that is not open or not free")
	if !m.calm && rapid.IntRange(0, 9).Draw(m.T, "dead") == 0 {
		m.fail(k)
		return false, false
	}
	k.partial = !m.calm && rapid.IntRange(0, 4).Draw(m.T, "partial") == 0
	if msg := frame[1 : len(frame)-2]; !isCommit(msg) {
		m.sent(k, m.entry(&l.station.waiting[0].env))
	}
	return !k.partial, true
}

func (m *model) Pending(*Link) int { return 0 }

func (m *model) Drop(l *Link) {
	k := m.link(l)
	m.check(!k.closed, "closed twice")
	late := slices.ContainsFunc(k.out, func(e *entry) bool { return !m.now.Before(e.sentAt.Add(m.set.AckTimeout)) })
	m.check(len(l.out) == 0 || m.cutting || late, "closed with messages outstanding")
	m.fail(k)
}

// fail ends a connection: what is outstanding may be sent again where the policy says so.
func (m *model) fail(k *mlink) {
	k.closed = true
	m.forget(k.Server)
	for _, e := range k.out {
		e.on = nil
		if !slices.ContainsFunc(k.Link.out, func(o *message) bool { return string(o.frame[1:len(o.frame)-2]) == e.frame }) {
			continue // answered by what closes it
		}
		if m.set.OnUnknownOutcome == Resend {
			e.allowed++
		}
		m.moved(e)
	}
	k.out = nil
}

// moved lets the keys of a message find another server.
func (m *model) moved(e *entry) {
	for _, key := range e.keys {
		delete(m.homes, key)
		delete(m.homes, key+"/lab")
	}
}

func (m *model) Answer(c *Client, frames []byte) {
	s := m.sender(c)
	m.check(!s.ended && !s.gone, "answered after the end")
	for _, frame := range bytes.SplitAfter(frames, []byte("\x1c\r")) {
		if len(frame) > 0 {
			m.delivered(s, string(frame[1:len(frame)-2]))
		}
	}
}

func (m *model) Pause(c *Client) {
	s := m.sender(c)
	m.check(!s.paused && !s.ended && !s.gone, "paused twice, or after the end")
	s.paused = true
}

func (m *model) Resume(c *Client) {
	s := m.sender(c)
	m.check(s.paused && !s.ended && !s.gone, "resumed without a pause, or after the end")
	s.paused = false
}

func (m *model) End(c *Client, why Why) {
	s := m.sender(c)
	m.check(!s.ended && !s.gone, "ended twice")
	s.ended = true
	failed := slices.ContainsFunc(s.entries, func(e *entry) bool {
		return e.told == AckUnknown || e.told == AckClosed || e.told == AckDuplicate
	})
	m.check(why != WhyUnknown && why != WhyNoServer || failed, "ended: %s", why)
}

func (m *model) Notice(Notice) {}

func (m *model) Tell(o *Outcome) {
	e := m.entry(o.Envelope)
	m.check(e.told == "", "told twice")
	e.told = o.Ack
	if (o.Ack == AckUnknown || o.Ack == AckClosed || o.Ack == AckNAK) && !m.set.Guard.on() {
		m.behind(e)
	}
	if e.on != nil { // given up waiting for, or answered
		k := e.on
		e.on = nil
		k.out = slices.DeleteFunc(k.out, func(o *entry) bool { return o == e })
		k.done = append(k.done, e)
		if o.Ack == AckNone && e.answer == answerMaybe {
			e.extra++
		}
	}
}

func (g *GuardSettings) on() bool { return g.For > 0 }

// behind forbids what came after a message that failed to be sent.
func (m *model) behind(e *entry) {
	for _, o := range m.entries[slices.Index(m.entries, e)+1:] {
		shares := o.from == e.from || slices.ContainsFunc(o.keys, func(k string) bool { return slices.Contains(e.keys, k) })
		o.later = o.later || shares && o.on == nil && o.told == ""
	}
}

// entry is what a message of the router stands for.
func (m *model) entry(env *Envelope) *entry {
	e := m.known[env]
	if e == nil {
		e = m.current
		m.known[env] = e
	}
	m.check(e.frame == string(env.msg), "the bytes are another one's")
	return e
}

// sent checks that a message may be sent now.
func (m *model) sent(k *mlink, e *entry) {
	m.check(e.told == "", "sent what is told to be %s", e.told)
	m.check(e.on == nil, "sent while it is outstanding")
	e.sends++
	m.check(e.sends <= e.allowed, "sent %d times, %d allowed", e.sends, e.allowed)
	m.check(!e.later, "sent behind the back of a failure")
	m.check(m.stale || k.Server.Health() != balancing.Down && k.Server.Admin() == balancing.Ready, "sent to a server that takes none")
	for _, o := range m.entries {
		shares := slices.ContainsFunc(o.keys, func(k string) bool { return slices.Contains(e.keys, k) })
		m.check(o.on == nil || !shares, "equal keys are outstanding")
		if o == e {
			break
		}
		waits := shares || o.from == e.from && (len(e.keys) == 0 || len(o.keys) == 0)
		m.check(m.set.Guard.on() || !waits || o.told != "", "sent before one that came before it")
	}
	m.home(k, e)
	e.on, e.sentAt = k, m.now
	k.out = append(k.out, e)
	most := m.set.Pipelining
	m.check(len(k.out) <= most, "%d outstanding", len(k.out))
}

// home checks that equal keys go to one server while it can be used.
func (m *model) home(k *mlink, e *entry) {
	if len(e.keys) == 0 || m.set.OrderBy == nil {
		return
	}
	key := e.keys[0]
	if strings.Contains(e.frame, "|LAB|") {
		key += "/lab"
	}
	home := m.homes[key]
	m.check(home == nil || home == k.Server || !home.Usable(), "key %s went to %s before", key, e.id)
	m.homes[key] = k.Server
}

// delivered checks an answer to a client.
func (m *model) delivered(s *sender, answer string) {
	e := m.tokens[answer]
	if e == nil && len(answer) == 1 { // which one it is for it does not say
		e = s.next()
		m.check(e != nil, "a commit answer that nobody waits for")
		if e.told == AckDuplicate {
			e.owed, e.got = 1, 1
			return
		}
		m.check(e.commit == answer, "the commit answer of another one")
	}
	if e == nil { // the gateway's own, or of a message with the same frame
		e = s.next()
		m.check(e != nil, "an answer that nobody waits for")
		a, err := hl7.DecodeAcknowledgement([]byte(answer))
		m.check(err == nil && strings.Contains(answer, "|GANTRY") && a.ControlID == e.id, "answer %q", answer)
		m.check(e.told == AckNAK || e.told == AckUnknown || e.told == AckDuplicate, "NAK of what is %q", e.told)
		e.owed, e.got = 1, 1
		return
	}
	next := s.next()
	extra := m.lates[answer] && next != e && e.from == s && e.got == e.owed && e.extra > 0
	if !extra && next != nil && next.frame == e.frame {
		next.got++
		if next != e {
			next.owed = max(e.owed, 1)
		}
		return
	}
	its := e.from == s && e.got == e.owed
	if m.set.Guard.on() { // a copy may have taken its place
		its = slices.ContainsFunc(s.entries, func(o *entry) bool { return o.frame == e.frame })
	}
	m.check(its && (e.extra > 0 || m.set.Guard.on()), "the answer to %s, serial %d, is another one's", e.id, e.serial)
	e.extra--
}

// next is the message that is to be answered next.
func (s *sender) next() *entry {
	for _, e := range s.entries {
		if e.told == AckNone || e.told == AckDuplicate && e.answer == answerNone {
			continue
		}
		if e.owed == 0 || e.got < e.owed {
			return e
		}
	}
	return nil
}

// checksInSuite is how many interleavings are tried unless -rapid.checks says more.
const checksInSuite = "2000"

func TestModel(t *testing.T) {
	if checks := flag.Lookup("rapid.checks"); checks != nil && checks.Value.String() == checks.DefValue {
		_ = flag.Set(checks.Name, checksInSuite)
		defer func() { _ = flag.Set(checks.Name, checks.DefValue) }()
	}
	rapid.Check(t, func(t *rapid.T) {
		m := newModel(t)
		t.Repeat(map[string]func(*rapid.T){
			"open": m.open, "message": m.message, "message again": m.message, "copy": m.copy, "leave": m.leave, "half-close": m.halfClose,
			"garbage": m.garbage, "commit": m.commitByte, "dial": m.dial, "dial ": m.dial, "answer": m.answer, "answer ": m.answer, "answers": m.answer,
			"late": m.lateAnswer, "foreign": m.foreign, "doubled": m.doubled, "lost": m.lose, "flushed": m.flushed,
			"tick": m.tick, "server": m.server, "changed": m.changed, "configure": m.configure, "cut": m.cut, "": m.invariants,
		})
		m.finish()
	})
}
