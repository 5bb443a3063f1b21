package mllpgate

import (
	"fmt"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"gantry/balancing"
	"gantry/protocols/hl7"
)

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
