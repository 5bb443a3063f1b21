package dicomtalk

import (
	"fmt"

	"gantry/negotiate"
)

// passage is a negotiate.Passage in the making. All its bytes are masked but those that were shown.
type passage struct {
	negotiate.Passage
	whole   []byte // the unit
	visible []bool // of the first MaxShown bytes
	dropped int    // notes that found no place
}

func (n *narrator) passage(u unit) *passage {
	shown := min(len(u.Data), MaxShown)
	return &passage{whole: u.Data, visible: make([]bool, shown),
		Passage: negotiate.Passage{Sent: u.Sent, At: u.At, More: len(u.Data) - shown + u.more}}
}

// show unmasks a range of bytes.
func (p *passage) show(from, to int) {
	for i := max(from, 0); i < min(to, len(p.visible)); i++ {
		p.visible[i] = true
	}
}

// showEmpty unmasks a range if there is nothing in it but zeros.
func (p *passage) showEmpty(from, to int) {
	for _, b := range p.whole[from:to] {
		if b != 0 {
			return
		}
	}
	p.show(from, to)
}

// note adds a fact.
func (p *passage) note(format string, args ...any) {
	if len(p.Notes) == MaxNotes {
		p.dropped++
		return
	}
	p.Notes = append(p.Notes, fmt.Sprintf(format, args...))
}

// done masks what was not shown.
func (p *passage) done() negotiate.Passage {
	if p.dropped > 0 {
		p.Notes = append(p.Notes, fmt.Sprintf("and %d more", p.dropped))
	}
	p.Bytes = append([]byte(nil), p.whole[:len(p.visible)]...)
	for from := 0; from < len(p.visible); from++ {
		to := from
		for to < len(p.visible) && !p.visible[to] {
			to++
		}
		p.Mask(from, to)
		from = max(from, to)
	}
	return p.Passage
}
