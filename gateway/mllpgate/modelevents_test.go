package mllpgate

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
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
	return pick(m, m.senders, func(s *sender) bool { return s.alive() && !s.paused && !s.eof && !s.bad })
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

func (m *model) dial(t *rapid.T) {
	m.with(t)
	k := pick(m, m.links, func(k *mlink) bool { return !k.open && !k.closed })
	if k == nil {
		return
	}
	if !m.calm && rapid.IntRange(0, 3).Draw(t, "fails") == 0 {
		k.closed = true
		m.forget(k.Server)
		m.router.Dialed(k.Link, errRefused, m.now)
		return
	}
	k.open = true
	m.router.Dialed(k.Link, nil, m.now)
}

// forget lets the keys of a server find another one.
func (m *model) forget(s *balancing.Server) {
	for key, home := range m.homes {
		if home == s {
			delete(m.homes, key)
		}
	}
}

// text is an answer that there is only once.
func (m *model) text(e *entry, code, id string) []byte {
	text := string(ack(code, id, fmt.Sprintf("ZZZ|%d\r", len(m.tokens))))
	m.tokens[text] = e
	return []byte(text)
}

// answer is the right one to an outstanding message.
func (m *model) answer(t *rapid.T) {
	m.with(t)
	k := pick(m, m.links, func(k *mlink) bool { return !k.closed && slices.ContainsFunc(k.out, expects) })
	if k != nil {
		m.reply(k, pick(m, k.out, expects))
	}
}

// owe counts an answer: only the last one, unless there is one for each message of a batch.
func (e *entry) owe() {
	if e.owed++; len(e.batch) == 0 {
		e.owed = 1
	}
}

func expects(e *entry) bool { return e.answer != answerNone }

func (m *model) reply(k *mlink, e *entry) {
	codes := []string{"AA", "AA", "AE", "AR", "207", "06", "15"}
	if e.answer == hl7.AnswerAccept {
		codes = []string{"CA", "CA", "CE", "CR", "06"}
	}
	code, id := rapid.SampledFrom(codes).Draw(m.T, "code"), e.id
	switch {
	case m.calm && e.answer == hl7.AnswerAccept:
		code = "CA"
	case m.calm:
		code = "AA"
	}
	if m.set.AnswerEach && len(e.batch) > 0 && code != "06" && code != "15" {
		id = e.batch[min(e.owed, len(e.batch)-1)]
	} else if m.set.Loose && len(k.out) == 1 && len(k.done) == 0 && rapid.IntRange(0, 3).Draw(m.T, "wrong id") == 0 {
		id = "W"
	}
	switch code {
	case "06", "15":
		if e != k.out[slices.IndexFunc(k.out, expects)] {
			return
		}
		b := []byte{0x06}
		if code == "15" {
			b = []byte{0x15}
		} else {
			e.extra++
		}
		e.commit = string(b)
		e.owe()
		m.router.Frame(k.Link, b, m.now)
	case "207":
		text := string(m.text(e, "AR", id)) + internalError
		m.tokens[text] = e
		e.owe()
		if len(m.set.RetryOn) > 0 && !strings.HasPrefix(e.frame, "BHS") {
			m.refused(k, e)
		}
		m.router.Frame(k.Link, []byte(text), m.now)
	default:
		if code == "CA" {
			e.extra++
		}
		text := m.text(e, code, id)
		e.owe()
		m.router.Frame(k.Link, text, m.now)
	}
}

// refused lets another server have it.
func (m *model) refused(k *mlink, e *entry) {
	k.out = slices.DeleteFunc(k.out, func(o *entry) bool { return o == e })
	e.on = nil
	e.allowed++
	e.owed = 1
	m.moved(e)
}

// lateAnswer is one more to a message that the router does not wait for any more.
func (m *model) lateAnswer(t *rapid.T) {
	m.with(t)
	k := pick(m, m.links, func(k *mlink) bool { return !k.closed && len(k.done) > 0 })
	if k == nil {
		return
	}
	i := rapid.IntRange(0, len(k.done)-1).Draw(t, "which")
	e := k.done[i]
	if e.extra == 0 && e.told != AckNone {
		return
	}
	k.done = slices.Delete(k.done, i, i+1)
	text := m.text(e, "AA", e.id)
	m.lates[string(text)] = true
	m.router.Frame(k.Link, text, m.now)
}

// doubled is an answer that was given before.
func (m *model) doubled(t *rapid.T) {
	m.with(t)
	k := pick(m, m.links, func(k *mlink) bool { return !k.closed && len(k.done) > 0 })
	if k == nil || m.set.Loose {
		return
	}
	e := rapid.SampledFrom(k.done).Draw(t, "which")
	if e.extra > 0 && e.answer != hl7.AnswerAccept || e.told == AckNone ||
		slices.ContainsFunc(k.out, func(o *entry) bool { return o.id == e.id || slices.Contains(o.batch, e.id) }) ||
		slices.ContainsFunc(k.done, func(o *entry) bool { return o != e && o.id == e.id }) {
		return // nobody could tell
	}
	code := "AA"
	if e.answer == hl7.AnswerAccept {
		code = "CA"
	}
	text := ack(code, e.id, "ZZZ|doubled\r")
	m.router.Frame(k.Link, text, m.now)
	m.check(len(k.out) > 0 || k.closed, "the connection goes on after a doubled answer")
}

func (m *model) foreign(t *rapid.T) {
	m.with(t)
	k := pick(m, m.links, func(k *mlink) bool { return !k.closed && k.open })
	if k == nil || m.set.Loose {
		return
	}
	m.router.Frame(k.Link, rapid.SampledFrom([][]byte{ack("AA", "foreign"), []byte("Service unavailable"), []byte("MSH|^~\\&|\r")}).Draw(t, "text"), m.now)
}

func (m *model) lose(t *rapid.T) {
	m.with(t)
	if k := pick(m, m.links, func(k *mlink) bool { return !k.closed && k.open }); k != nil && rapid.IntRange(0, 1).Draw(t, "really") == 0 {
		m.fail(k)
		m.router.Lost(k.Link, m.now)
	}
}

func (m *model) flushed(t *rapid.T) {
	m.with(t)
	if k := pick(m, m.links, func(k *mlink) bool { return !k.closed && k.partial }); k != nil {
		k.partial = false
		m.router.Flushed(k.Link, m.now)
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

// invariants hold after every event.
func (m *model) invariants(t *rapid.T) {
	m.with(t)
	r := m.router
	for _, s := range m.servers {
		n := 0
		for _, st := range r.all {
			if st.server == s {
				n += len(st.waiting)
			}
		}
		for _, k := range m.links {
			if k.Server == s {
				n += len(k.Link.out)
				m.check(k.closed == k.gone, "a connection of one side alone")
			}
		}
		m.check(int(s.Active()) == n, "%d counted at %s, %d are there", s.Active(), s.Name(), n)
	}
	active, size := 0, 0
	for _, k := range m.links {
		m.check(len(k.out) == len(k.Link.out), "%d outstanding, the router knows %d", len(k.out), len(k.Link.out))
		for _, o := range k.Link.out {
			if active++; o.client == nil {
				size += len(o.frame)
			}
		}
	}
	for _, s := range m.senders {
		if s.alive() {
			m.check(s.client.Waiting() <= max(r.set.ClientPipelines, 6), "%d messages of one client", s.client.Waiting())
			m.check(s.paused || len(s.client.queue) < r.set.ClientPipelines, "it is not stopped")
			for _, o := range s.client.queue {
				size += len(o.frame)
				if o.state < sent {
					active++
				}
			}
		}
	}
	m.check(r.active == active, "%d active, %d known", r.active, active)
	m.check(r.bytes == size, "%d bytes, %d known", r.bytes, size)
	m.check(r.guard.bytes+r.guard.recent <= 3000, "guard: %d and %d bytes", r.guard.bytes, r.guard.recent)
	m.check(len(r.guard.entries) <= 4, "guard: %d entries", len(r.guard.entries))
	for _, c := range r.crowds {
		for _, o := range c.messages[:min(len(c.messages), 1)] {
			for _, st := range r.all {
				fits := st.server.Usable() && r.set.Routes[o.route].Pool.Has(st.server) && !slices.Contains(o.tried, st.server) && st.port == o.source.port
				m.check(m.stale || !fits || st.refuses(m.now) || !st.roomy(r.set, m.now) || r.keyOf(o, &r.set.Routes[o.route]) != balancing.Key{},
					"a message crowds beside a free place")
			}
		}
	}
}

// finish ends all faults: everybody gets an answer, and nothing is left.
func (m *model) finish() {
	m.calm = true
	for _, s := range m.servers {
		s.SetHealth(balancing.Up, m.now)
		s.SetAdmin(balancing.Ready)
		s.SetAside(balancing.InUse, m.now)
	}
	clear(m.homes)
	m.router.Changed(m.now)
	for range 400 {
		for i := 0; i < len(m.links); i++ {
			k := m.links[i]
			if !k.closed && !k.open {
				k.open = true
				m.router.Dialed(k.Link, nil, m.now)
			}
			if !k.closed && k.partial {
				k.partial = false
				m.router.Flushed(k.Link, m.now)
			}
			for !k.closed && slices.ContainsFunc(k.out, expects) {
				m.reply(k, k.out[slices.IndexFunc(k.out, expects)])
			}
		}
		if m.router.active == 0 {
			break
		}
		m.now = m.now.Add(TickEvery)
		m.router.Tick(m.now)
	}
	m.invariants(m.T)
	for _, e := range m.entries {
		m.check(e.told != "", "serial %d of %s was never told", e.serial, e.from.addr)
	}
	for _, s := range m.senders {
		if s.alive() {
			m.check(len(s.client.queue) == 0, "unanswered at the end")
			m.check(!s.paused || s.bad, "paused for ever")
			m.check(s.next() == nil, "serial %d has no answer", s.nextSerial())
		}
	}
	m.router.Drain(m.now)
	m.check(m.router.Clients() == 0, "clients are left")
	r := m.router
	m.check(r.bytes == 0 && r.crowded == 0 && len(r.held) == 0 && len(r.order.queues) == 0 && len(r.starved) == 0 && len(r.guard.flying) == 0 && r.guard.recent == 0,
		"residue: %d bytes, %d crowded, %d held, %d keys, %d starved, %d flying, %d recent",
		r.bytes, r.crowded, len(r.held), len(r.order.queues), len(r.starved), len(r.guard.flying), r.guard.recent)
}

func (s *sender) nextSerial() int {
	if e := s.next(); e != nil {
		return e.serial
	}
	return -1
}
