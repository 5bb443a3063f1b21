package dicom

import (
	"encoding/binary"
	"fmt"

	"gantry/protocols"
)

// UndefinedLength is the length of a sequence, an item or pixel data that ends with a delimiter. PS3.5 7.1.1.
const UndefinedLength uint32 = 0xFFFFFFFF

// Tag names a data element: group in the upper 16 bits, element in the lower ones.
type Tag uint32

// Tags that structure a data set. PS3.5 7.5.
const (
	TagItem              Tag = 0xFFFEE000
	TagItemDelimiter     Tag = 0xFFFEE00D
	TagSequenceDelimiter Tag = 0xFFFEE0DD
)

// Group is the first half of the tag.
func (t Tag) Group() uint16 { return uint16(t >> 16) }

// Element is the second half of the tag.
func (t Tag) Element() uint16 { return uint16(t) }

// String gives "(0010,0020)".
func (t Tag) String() string { return fmt.Sprintf("(%04X,%04X)", t.Group(), t.Element()) }

// ElementHead is what stands before the value of a data element. PS3.5 7.1.
type ElementHead struct {
	Tag     Tag
	VR      string // two letters; empty in Implicit VR, and for items and delimiters
	Length  uint32 // of the value in bytes, as the peer claims, or UndefinedLength
	HeadLen int    // of what stands before the value: 8 or 12
}

// DecodeElementHead reads the head of the data element that b begins with, in Explicit or Implicit VR
// Little Endian. It fails with protocols.ErrShort while bytes are missing, and with a SyntaxError when
// the VR is not two capital letters. The length is not compared with anything.
func DecodeElementHead(b []byte, explicit bool) (ElementHead, error) {
	if len(b) < elementHeadLen {
		return ElementHead{}, protocols.ErrShort
	}
	le := binary.LittleEndian
	h := ElementHead{Tag: Tag(le.Uint16(b))<<16 | Tag(le.Uint16(b[2:])), HeadLen: elementHeadLen}
	if !explicit || h.Tag.Group() == TagItem.Group() {
		h.Length = le.Uint32(b[4:])
		return h, nil
	}
	if !capital(b[4]) || !capital(b[5]) {
		return ElementHead{}, syntaxErrorf(4, "element %v without a value representation", h.Tag)
	}
	h.VR = string(b[4:6])
	if !longForm[h.VR] {
		h.Length = uint32(le.Uint16(b[6:]))
		return h, nil
	}
	if h.HeadLen += 4; len(b) < h.HeadLen {
		return ElementHead{}, protocols.ErrShort
	}
	h.Length = le.Uint32(b[8:])
	return h, nil
}

// longForm are the VRs with a length of 32 bits behind two reserved bytes. PS3.5 table 7.1-1.
var longForm = map[string]bool{"OB": true, "OD": true, "OF": true, "OL": true, "OV": true, "OW": true, "SQ": true,
	"SV": true, "UC": true, "UN": true, "UR": true, "UT": true, "UV": true}

func capital(c byte) bool { return 'A' <= c && c <= 'Z' }
