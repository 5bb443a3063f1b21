package dicomtalk

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"gantry/negotiate"
	"gantry/protocols/dicom"
)

// Bounds of what Narrate shows.
const (
	// MaxShown bounds the bytes of one PDU that are shown.
	MaxShown = 1024
	// MaxNotes bounds the facts that are told about one PDU: 128 presentation contexts, and what else an
	// association has.
	MaxNotes = 192
)

// Narrate puts a conversation into words, PDU by PDU. Everything is masked that is not known to be
// harmless: of data sets and commands only the UIDs of DICOM itself and those that gantry sent, the query level
// and what describes pixels are shown, of association requests no user identity, and of what is no DICOM
// from the first byte on the first negotiate.Shown bytes.
func Narrate(chunks []negotiate.Chunk) []negotiate.Passage {
	n := &narrator{syntaxes: map[byte]string{}, services: map[byte]string{}, ours: map[string]bool{}}
	n.ways[1].sent = true
	for _, c := range chunks {
		w := &n.ways[0]
		if c.Sent {
			w = &n.ways[1]
		}
		n.hear(w, c)
	}
	for i := range n.ways {
		n.rest(&n.ways[i])
	}
	slices.SortStableFunc(n.told, func(a, b negotiate.Passage) int { return cmp.Compare(a.At, b.At) })
	return n.told
}

// narrator remembers what later PDUs need of earlier ones.
type narrator struct {
	ways     [2]way // received, sent
	services map[byte]string
	syntaxes map[byte]string // agreed transfer syntaxes
	ours     map[string]bool // UIDs that gantry sent
	told     []negotiate.Passage
}

// way is one direction.
type way struct {
	sent    bool
	pending []byte            // the beginning of a PDU
	at      []mark            // when its bytes came
	lost    int               // bytes that were not recorded
	heard   bool              // a whole PDU has come
	foreign bool              // not DICOM (any more)
	command []byte            // fragments of a command set
	set     map[byte]*setWalk // nil until needed
}

// mark says that the bytes from an offset of pending on came at a time.
type mark struct {
	from int
	at   time.Duration
}

// hear takes one chunk and tells the PDUs that it completes.
func (n *narrator) hear(w *way, c negotiate.Chunk) {
	w.lost += c.Lost
	if len(c.Data) == 0 {
		return
	}
	if len(w.pending) == 0 {
		w.at = w.at[:0]
	}
	w.at = append(w.at, mark{len(w.pending), c.At})
	w.pending = append(w.pending, c.Data...)
	for !w.foreign {
		kind, length, err := dicom.DecodeHeader(w.pending)
		if err == nil {
			err = dicom.CheckLength(kind, length, 0)
			if err == nil && len(w.pending)-dicom.HeaderLen < int(length) {
				return
			}
		}
		switch {
		case err == nil:
			n.pdu(w, kind, w.take(dicom.HeaderLen+int(length)))
		case len(w.pending) < dicom.HeaderLen && (len(w.pending) == 0 || dicom.PDUType(w.pending[0]).Valid()):
			return
		default:
			w.foreign = true
		}
	}
}

// unit is one PDU, or what is left of one, and when it began.
type unit struct {
	negotiate.Chunk
	more int
}

// take cuts the first n bytes off.
func (w *way) take(n int) unit {
	u := unit{Chunk: negotiate.Chunk{Sent: w.sent, At: w.at[0].at, Data: w.pending[:n:n]}}
	w.pending = w.pending[n:]
	last := 0
	for i := range w.at {
		if w.at[i].from -= n; w.at[i].from <= 0 {
			last = i
		}
	}
	w.at = w.at[last:]
	return u
}

// rest tells what is left at the end: the beginning of a PDU, or bytes that are no DICOM.
func (n *narrator) rest(w *way) {
	if len(w.pending) == 0 && w.lost == 0 {
		return
	}
	if len(w.pending) == 0 {
		n.told = append(n.told, negotiate.Passage{Sent: w.sent, At: n.last(), Title: count(w.lost) + " more, not recorded", More: w.lost})
		return
	}
	u := w.take(len(w.pending))
	u.more = w.lost
	p := n.passage(u)
	total := len(u.Data) + u.more
	kind, length, err := dicom.DecodeHeader(u.Data)
	switch {
	case w.foreign && err == nil:
		p.Title = fmt.Sprintf("%v with a length of %d bytes, which is not allowed: %s", kind, length, count(total))
	case w.foreign:
		p.Title = "not DICOM, " + count(total)
	case w.lost > 0:
		p.Title = "beginning of a PDU, and what came after it: " + count(total)
	case err == nil:
		p.Title = fmt.Sprintf("%v, only %d of %d bytes", kind, total, dicom.HeaderLen+int(length))
	default:
		p.Title = "beginning of a PDU, " + count(total)
	}
	if !w.foreign || !w.heard {
		p.show(0, dicom.HeaderLen)
	}
	if w.foreign && !w.heard { // later it may be the middle of a data set
		p.show(0, negotiate.Shown)
	}
	n.told = append(n.told, p.done())
}

// uid tells whether a UID is shown: one that names a study or an image stands for a patient.
func (n *narrator) uid(sent bool, uid string) bool {
	if !isUID(uid) {
		return false
	}
	if sent && len(n.ours) < MaxNotes {
		n.ours[uid] = true
	}
	return n.ours[uid] || strings.HasPrefix(uid, dicomRoot)
}

// dicomRoot begins the UIDs that the standard gives out, PS3.6 annex A.
const dicomRoot = "1.2.840.10008."

// last is the time of the latest passage.
func (n *narrator) last() (at time.Duration) {
	for _, p := range n.told {
		at = max(at, p.At)
	}
	return at
}

// pdu tells one whole PDU.
func (n *narrator) pdu(w *way, kind dicom.PDUType, u unit) {
	w.heard = true
	p := n.passage(u)
	p.Title = kind.String() + ", " + count(len(u.Data))
	p.show(0, dicom.HeaderLen)
	switch kind {
	case dicom.TypeAssociateRQ, dicom.TypeAssociateAC:
		n.association(p, kind)
	case dicom.TypeAssociateRJ:
		rj, _ := dicom.DecodeReject(u.Data)
		p.show(0, len(u.Data))
		p.note("%v", rj)
	case dicom.TypeAbort:
		a, _ := dicom.DecodeAbort(u.Data)
		p.show(0, len(u.Data))
		p.note("%v", a)
	case dicom.TypeData:
		n.data(w, p)
	default: // a release: four bytes without meaning
		p.showEmpty(dicom.HeaderLen, len(u.Data))
	}
	n.told = append(n.told, p.done())
}

func count(n int) string {
	if n == 1 {
		return "1 byte"
	}
	return strconv.Itoa(n) + " bytes"
}
