package dicom

import (
	"bytes"
	"encoding/binary"
	"strings"
)

// Item and sub-item types of the association PDUs. PS3.8 9.3.2, 9.3.3 and
// Annex D, PS3.7 Annex D.3.
const (
	itemApplicationContext = 0x10
	itemContextRQ          = 0x20 // in RQ: id, 3 reserved, one 30, one or more 40
	itemContextAC          = 0x21 // in AC: id, reserved, result, reserved, one 40
	itemAbstractSyntax     = 0x30 // UID, in 20
	itemTransferSyntax     = 0x40 // UID, in 20 and 21
	itemUserInformation    = 0x50 // holds all those below

	itemMaxLength       = 0x51 // 4 bytes
	itemClassUID        = 0x52 // UID of the implementation
	itemAsyncWindow     = 0x53 // operations invoked 2, performed 2; 0 = unlimited
	itemRole            = 0x54 // UID length 2, UID, SCU role 1, SCP role 1
	itemVersionName     = 0x55 // 1 to 16 characters
	itemExtended        = 0x56 // UID length 2, UID, information of the service
	itemCommonExtended  = 0x57 // version in the second byte; three lists of UIDs
	itemUserIdentityRQ  = 0x58 // may hold a password: never read
	itemUserIdentityAC  = 0x59 // may hold a ticket: never read
	itemHeadLen         = 4
	maxItemLen          = 1<<16 - 1
	contextItemFixedLen = 4 // of the value of 20 and 21, before the syntaxes
)

// item is one type-length-value entry; start and end are offsets in the PDU, so
// that complaints can name the place.
type item struct {
	kind       byte
	second     byte // reserved in all but 57, where it is a version
	start, end int
	pdu        []byte
}

func (it item) value() []byte { return it.pdu[it.start:it.end] }
func (it item) len() int      { return it.end - it.start }

// items walks over the entries between two offsets of a PDU.
type items struct {
	pdu      []byte
	pos, end int
}

func itemsOf(pdu []byte) items        { return items{pdu, HeaderLen + fixedAssociateLen, len(pdu)} }
func (it item) items(skip int) items  { return items{it.pdu, it.start + skip, it.end} }
func (w *items) more() bool           { return w.pos < w.end }
func (w *items) left() int            { return w.end - w.pos }
func uint16At(b []byte, i int) uint16 { return binary.BigEndian.Uint16(b[i:]) }

// next steps over one entry. An entry that says it is longer than what encloses
// it is an error: all offsets behind it would be guesses.
func (w *items) next() (item, error) {
	if w.left() < itemHeadLen {
		return item{}, syntaxErrorf(w.pos, "%d bytes left over, too few for an item", w.left())
	}
	head := w.pdu[w.pos:]
	it := item{kind: head[0], second: head[1], start: w.pos + itemHeadLen, pdu: w.pdu}
	it.end = it.start + int(uint16At(head, 2))
	if it.end > w.end {
		return item{}, syntaxErrorf(w.pos, "item %02X of length %d runs past its end by %d",
			it.kind, it.len(), it.end-w.end)
	}
	w.pos = it.end
	return it, nil
}

// each calls f for all entries until one fails.
func (w items) each(f func(item) error) error {
	for w.more() {
		it, err := w.next()
		if err != nil {
			return err
		}
		if err := f(it); err != nil {
			return err
		}
	}
	return nil
}

// appendItem adds an entry whose value is written by fill. A value that does
// not fit into the 16 bits of its length leaves no trace.
func appendItem(dst []byte, kind, second byte, fill func([]byte) []byte) []byte {
	start := len(dst)
	dst = fill(append(dst, kind, second, 0, 0))
	n := len(dst) - start - itemHeadLen
	if n > maxItemLen {
		return dst[:start]
	}
	binary.BigEndian.PutUint16(dst[start+2:], uint16(n))
	return dst
}

func appendTextItem(dst []byte, kind byte, text string) []byte {
	return appendItem(dst, kind, 0, func(b []byte) []byte { return append(b, text...) })
}

// appendUID adds a UID behind its own 2-byte length, as 54, 56 and 57 have it.
func appendUID(dst []byte, uid string) []byte {
	uid = uid[:min(len(uid), maxItemLen)]
	return append(binary.BigEndian.AppendUint16(dst, uint16(len(uid))), uid...)
}

// cutUID is the reverse; ok is false when the length claims more than there is.
func cutUID(b []byte) (uid string, rest []byte, ok bool) {
	if len(b) < 2 {
		return "", b, false
	}
	n := int(uint16At(b, 0))
	if len(b)-2 < n {
		return "", b, false
	}
	return trimUID(b[2 : 2+n]), b[2+n:], true
}

// trimUID drops the padding that the standard does not allow in items and that
// devices send all the same.
func trimUID(b []byte) string { return intern(bytes.TrimRight(b, "\x00 "), "") }

// trimAE drops what is not significant in an AE title: spaces on both sides
// (PS3.8 9.3.2) and NULs, which some devices pad with. Everything from the
// first NUL on is padding: that is how the C implementations read it.
func trimAE(b []byte) string {
	title, _, _ := strings.Cut(strings.TrimLeft(string(b), "\x00 "), "\x00")
	return strings.Trim(title, " ")
}
