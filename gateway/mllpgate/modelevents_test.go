package mllpgate

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"pgregory.net/rapid"

	"gantry/balancing"
	"gantry/protocols/hl7"
)

// pick draws one of those that fit; nil when there is none.
func pick[T any](m *model, list []*T, fits func(*T) bool) *T {
	var ok []*T
	for _, x := range list {
		if fits(x) {
			ok = append(ok, x)
		}
	}
	if len(ok) == 0 {
		return nil
	}
	return rapid.SampledFrom(ok).Draw(m.T, "which")
}

func (m *model) with(t *rapid.T) { m.T = t }

func (s *sender) alive() bool { return !s.ended && !s.gone }

func (m *model) open(t *rapid.T) {
	m.with(t)
	if len(m.senders) > 30 {
		return
	}
	s := &sender{addr: netip.AddrFrom4([4]byte{10, 0, 0, byte(rapid.IntRange(1, 2).Draw(t, "address"))})}
	ports := 2
	if m.set.OrderBy != nil { // a server may refuse at one port what it takes at another: a key has one home alone
		ports = 1
	}
	s.client = m.router.Open(netip.AddrPortFrom(s.addr, uint16(1000+len(m.senders))), uint16(rapid.IntRange(1, ports).Draw(t, "port")), m.now)
	s.client.State = s
	m.senders = append(m.senders, s)
}

func (m *model) listening() *sender {
	s := pick(m, m.senders, func(s *sender) bool { return s.alive() && !s.paused && !s.eof && !s.bad })
	if s == nil || m.router.Full(s.client) {
		return nil
	}
	m.check(m.router.bytes <= m.set.Memory, "more memory than there is")
	return s
}

var kinds = []string{"", "", "", "", "AL|AL", "AL|NE", "ER|", "NE|AL", "NE|NE", "SU|NE"}

func (m *model) message(t *rapid.T) {
	m.with(t)
	s := m.listening()
	if s == nil {
		return
	}
	e := &entry{serial: len(m.entries), from: s, id: rapid.SampledFrom(m.ids).Draw(t, "id")}
	app := rapid.SampledFrom([]string{"RIS", "RIS", "LAB"}).Draw(t, "application")
	head := func(kind, id string) string {
		return `MSH|^~\&|` + app + `|H|E|H|20260101||` + kind + "|" + id + "|P|2.5|||" + rapid.SampledFrom(kinds).Draw(t, "kind") + fmt.Sprintf("\rZZZ|%d\r", e.serial)
	}
	patients := []string{"P1", "P2", "P3"}
	pid := func() string {
		p := rapid.SampledFrom(append(patients, "")).Draw(t, "patient")
		if p != "" && !slices.Contains(e.keys, p) {
			e.keys = append(e.keys, p)
		}
		return "PID|||" + p + "\r"
	}
	switch rapid.IntRange(0, 9).Draw(t, "form") {
	case 0:
		prior := rapid.SampledFrom(patients).Draw(t, "prior")
		e.frame = head("ADT^A40", e.id) + pid() + "MRG|" + prior + "\r"
		if !slices.Contains(e.keys, prior) {
			e.keys = append(e.keys, prior)
		}
	case 1:
		e.batch = []string{}
		e.frame = `BHS|^~\&|` + app + "|H|E|H|20260101||||" + e.id + "\r"
		for i := range rapid.IntRange(0, 3).Draw(t, "messages") {
			id := fmt.Sprint(e.id, "-", i)
			e.batch = append(e.batch, id)
			e.frame += head("ADT^A08", id) + pid()
		}
	default:
		e.frame = head("ADT^A08", e.id) + pid()
	}
	if m.set.OrderBy == nil {
		e.keys = nil
	}
	h, _ := hl7.DecodeHeader([]byte(e.frame))
	if e.answer = h.Answer(); h.Batch() {
		e.answer = hl7.AnswerApplication
	}
	m.receive(e)
}

// copy sends a frame once more, from any connection.
func (m *model) copy(t *rapid.T) {
	m.with(t)
	s := m.listening()
	if s == nil || !m.set.Guard.on() || len(m.entries) == 0 {
		return
	}
	e := *rapid.SampledFrom(m.entries).Draw(t, "frame")
	if e.batch != nil || e.answer == answerMaybe {
		return // how many answers the second one gets depends on when it comes, and on the first
	}
	m.receive(&entry{serial: e.serial, from: s, id: e.id, keys: e.keys, frame: e.frame, answer: e.answer, batch: e.batch})
}

func (m *model) receive(e *entry) {
	e.allowed = 1
	flying := m.set.Guard.on() && slices.ContainsFunc(m.entries, func(o *entry) bool {
		return o.frame == e.frame && o.from.addr == e.from.addr && o.on != nil && o.got == 0 && o.owed < 2
	})
	m.entries = append(m.entries, e)
	e.from.entries = append(e.from.entries, e)
	m.current = e
	err := m.router.Message(e.from.client, []byte(e.frame), m.now)
	m.check(err == nil, "%v", err)
	if q := e.from.client.queue; len(q) > 0 && string(q[len(q)-1].env.msg) == e.frame {
		m.entry(&q[len(q)-1].env)
	}
	m.check(!flying || e.told == AckDuplicate, "the same frame is under way")
}

func (m *model) leave(t *rapid.T) {
	m.with(t)
	if s := pick(m, m.senders, (*sender).alive); s != nil {
		s.gone = true
		m.router.Gone(s.client, m.now)
	}
}

func (m *model) halfClose(t *rapid.T) {
	m.with(t)
	if s := m.listening(); s != nil {
		s.eof = true
		m.router.Finished(s.client, m.now)
	}
}

func (m *model) garbage(t *rapid.T) {
	m.with(t)
	if s := m.listening(); s != nil && rapid.IntRange(0, 3).Draw(t, "really") == 0 {
		s.bad = true
		_ = m.router.Message(s.client, []byte("HELLO"), m.now)
	}
}

func (m *model) commitByte(t *rapid.T) {
	m.with(t)
	if s := m.listening(); s != nil {
		_ = m.router.Message(s.client, []byte{0x06}, m.now)
	}
}

func (m *model) tick(t *rapid.T) {
	m.with(t)
	m.now = m.now.Add(rapid.SampledFrom([]time.Duration{TickEvery, 300 * time.Millisecond, time.Second, 3 * time.Second, 11 * time.Second}).Draw(t, "time"))
	m.router.Tick(m.now)
}

func (m *model) server(t *rapid.T) {
	m.with(t)
	s := rapid.SampledFrom(m.servers).Draw(t, "server")
	switch rapid.IntRange(0, 5).Draw(t, "change") {
	case 0:
		s.SetHealth(balancing.Down, m.now)
	case 1:
		s.SetHealth(balancing.Up, m.now)
	case 2:
		s.SetAdmin(balancing.Drain)
	case 3:
		s.SetAdmin(balancing.Ready)
	case 4:
		s.SetAside(balancing.Ejected, m.now)
	case 5:
		s.SetAside(balancing.InUse, m.now)
	}
	clear(m.homes)
	if m.stale = rapid.Bool().Draw(m.T, "told later"); !m.stale {
		m.router.Changed(m.now)
	}
}

func (m *model) changed(t *rapid.T) {
	m.with(t)
	m.stale = false
	m.router.Changed(m.now)
}

func (m *model) configure(t *rapid.T) {
	m.with(t)
	if rapid.IntRange(0, 2).Draw(t, "really") > 0 {
		return
	}
	was := m.set
	m.set = m.settings(was.OrderBy != nil)
	m.set.Guard, m.set.AnswerEach = was.Guard, was.AnswerEach
	clear(m.homes)
	m.router.Configure(m.set, m.now)
}

func (m *model) cut(t *rapid.T) {
	m.with(t)
	m.cutting = true
	s := rapid.SampledFrom(m.servers).Draw(t, "server")
	m.forget(s)
	m.router.Cut(s, m.now)
	m.cutting = false
}
