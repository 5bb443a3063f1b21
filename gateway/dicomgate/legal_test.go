package dicomgate_test

import (
	"pgregory.net/rapid"

	"gantry/gateway/dicomgate"
	"gantry/protocols/dicom"
)

// counts are what the plainest of counters knows of a conversation.
type counts struct {
	requests              map[[2]uint16]int // by performer and command
	responses             map[[3]uint16]int // and class
	stored, sent, matches int
	subs                  dicomgate.SubTotals
	waiting, asking       int
}

// lane is what one side has to say: whole messages one behind the other, and what happens when a byte of them has passed.
type lane struct {
	t       *rapid.T
	context byte
	b       []byte
	passed  int
	when    map[int][]func() // by the number of bytes that have passed
	bounds  map[int]bool     // where a PDU ends
	inside  map[int]int      // bytes that are left of a data set fragment, where one has begun and not ended
}

func newLane(t *rapid.T) *lane {
	return &lane{t: t, when: map[int][]func(){}, bounds: map[int]bool{0: true}, inside: map[int]int{}}
}

// say queues a message in random PDUs and PDVs. atCommand happens with the last byte of its command, atEnd with the
// last of all.
func (l *lane) say(c dicom.Command, atCommand, atEnd func()) {
	set := c.Append(nil)
	var pdvs []dicom.PDV
	pdvs = l.split(pdvs, set, true)
	commands := len(pdvs)
	if c.HasDataSet() {
		pdvs = l.split(pdvs, make([]byte, rapid.IntRange(0, 300).Draw(l.t, "data")), false)
	}
	for done := 0; done < len(pdvs); {
		n := rapid.IntRange(1, len(pdvs)-done).Draw(l.t, "PDVs in the PDU")
		at := len(l.b) + dicom.HeaderLen
		l.b = dicom.AppendPData(l.b, pdvs[done:done+n]...)
		for _, p := range pdvs[done : done+n] {
			at += 6
			for i := 0; !p.Command && i < len(p.Data); i++ {
				l.inside[at+i] = len(p.Data) - i
			}
			at += len(p.Data)
			if done++; done == commands {
				l.at(at, atCommand)
			}
		}
		l.bounds[len(l.b)] = true
	}
	l.at(len(l.b), atEnd)
}

func (l *lane) at(offset int, f func()) {
	if f != nil {
		l.when[offset] = append(l.when[offset], f)
	}
}

// split cuts into up to four fragments, some of them empty.
func (l *lane) split(pdvs []dicom.PDV, b []byte, command bool) []dicom.PDV {
	for range rapid.IntRange(0, 3).Draw(l.t, "further fragments") {
		n := rapid.IntRange(0, len(b)).Draw(l.t, "fragment")
		pdvs = append(pdvs, dicom.PDV{ContextID: l.context, Command: command, Data: b[:n]})
		b = b[n:]
	}
	return append(pdvs, dicom.PDV{ContextID: l.context, Command: command, Last: true, Data: b})
}

// pass moves on by n bytes, and lets happen what happens there.
func (l *lane) pass(n int) []byte {
	from := l.passed
	for range n {
		l.passed++
		for _, f := range l.when[l.passed] {
			f()
		}
	}
	return l.b[from:l.passed]
}

func (l *lane) left() int { return len(l.b) - l.passed }

// legal is a conversation that both peers may have by the standard, beside what a plain counter makes of it.
type legal struct {
	t              *rapid.T
	window         int
	client, server *lane
	open           int // operations of the client that are not over
	begun          int
	id             uint16
	whole          map[uint16]bool // requests of the client that have passed
	early          map[uint16]bool // those that were answered before
	count          counts
}

func newLegal(t *rapid.T, window int) *legal {
	return &legal{t: t, window: window, client: newLane(t), server: newLane(t),
		whole: map[uint16]bool{}, early: map[uint16]bool{},
		count: counts{requests: map[[2]uint16]int{}, responses: map[[3]uint16]int{}}}
}

func (g *legal) lane(side dicomgate.Side) *lane {
	if side == dicomgate.Client {
		return g.client
	}
	return g.server
}

// ask lets a side send a request; then happens when all of it has passed. A C-STORE may be refused before its end.
func (g *legal) ask(from dicomgate.Side, field uint16, with bool, then func(id uint16)) {
	g.id++
	c := dicom.Command{Field: field, MessageID: g.id, DataSetType: dicom.NoDataSet}
	if with {
		c.DataSetType = dicom.WithDataSet
	}
	g.lane(from).context = contextOf(field)
	id := g.id
	refused := field == dicom.CStoreRQ && from == dicomgate.Client && rapid.IntRange(0, 3).Draw(g.t, "refused early") == 0
	g.lane(from).say(c,
		func() {
			g.count.requests[[2]uint16{uint16(from ^ 1), field}]++
			if refused {
				g.tell(from^1, field, id, dicom.StatusOutOfResources, false, nil)
			}
		},
		func() {
			switch {
			case from == dicomgate.Server:
				g.count.asking++
			case g.early[id]:
			case field != dicom.CMoveRQ:
				g.count.waiting++
			}
			g.whole[id] = true
			if !refused {
				then(id)
			}
		})
}

// tell lets a side respond.
func (g *legal) tell(from dicomgate.Side, field, id, status uint16, with bool, subs *dicom.SubOperations) {
	c := dicom.Command{Field: field | dicom.ResponseBit, MessageIDBeingRespondedTo: id, Status: status,
		DataSetType: dicom.NoDataSet, SubOperations: subs}
	if with {
		c.DataSetType = dicom.WithDataSet
	}
	g.lane(from).context = contextOf(field)
	class := dicom.StatusClassOf(status)
	g.lane(from).say(c, func() {
		g.count.responses[[3]uint16{uint16(from), field, uint16(class)}]++
		good := class == dicom.ClassSuccess || class == dicom.ClassWarning
		switch {
		case field == dicom.CStoreRQ && good && from == dicomgate.Server:
			g.count.stored++
		case field == dicom.CStoreRQ && good:
			g.count.sent++
		case field == dicom.CFindRQ && class == dicom.ClassPending:
			g.count.matches++
		}
		if class == dicom.ClassPending {
			return
		}
		if subs != nil {
			g.count.subs.Completed += uint32(subs.Completed)
			g.count.subs.Failed += uint32(subs.Failed)
			g.count.subs.Warning += uint32(subs.Warning)
		}
		switch {
		case from == dicomgate.Client:
			g.count.asking--
		case !g.whole[id]:
			g.early[id] = true
		case field != dicom.CMoveRQ:
			g.count.waiting--
		}
	}, func() {
		if from == dicomgate.Server && class != dicom.ClassPending {
			g.open--
		}
	})
}

// contextOf is the presentation context of a talk for a command.
func contextOf(field uint16) byte {
	switch field {
	case dicom.CFindRQ, dicom.CCancelRQ:
		return 3
	case dicom.CMoveRQ:
		return 5
	case dicom.CGetRQ:
		return 7
	case dicom.NActionRQ, dicom.NEventReportRQ:
		return 9
	}
	return 1
}
