package dicom

import (
	"encoding/binary"
	"strings"
)

// elementHeadLen is group 2, element 2, length 4: Implicit VR Little Endian.
const elementHeadLen = 8

// Elements of group 0000 that the code names. PS3.7 Annex E.1.
const (
	tagGroupLength     uint16 = 0x0000
	tagCommandField    uint16 = 0x0100
	tagMessageID       uint16 = 0x0110
	tagRespondedTo     uint16 = 0x0120
	tagPriority        uint16 = 0x0700
	tagDataSetType     uint16 = 0x0800
	tagStatus          uint16 = 0x0900
	tagEventType       uint16 = 0x1002
	tagActionType      uint16 = 0x1008
	tagRemaining       uint16 = 0x1020
	tagWarning         uint16 = 0x1023
	tagOriginatorMsgID uint16 = 0x1031
)

// element binds one element of the command set to a field of Command.
// Exactly one of text and number is set.
type element struct {
	tag    uint16
	pad    byte // NUL for UI, space for AE and LO
	text   func(*Command) *string
	number func(*Command) *uint16
}

// elements in ascending order, which is the order of the wire.
var elements = []element{
	{tag: 0x0002, text: func(c *Command) *string { return &c.AffectedSOPClassUID }},
	{tag: 0x0003, text: func(c *Command) *string { return &c.RequestedSOPClassUID }},
	{tag: tagCommandField, number: func(c *Command) *uint16 { return &c.Field }},
	{tag: tagMessageID, number: func(c *Command) *uint16 { return &c.MessageID }},
	{tag: tagRespondedTo, number: func(c *Command) *uint16 { return &c.MessageIDBeingRespondedTo }},
	{tag: 0x0600, pad: ' ', text: func(c *Command) *string { return &c.MoveDestination }},
	{tag: tagPriority, number: func(c *Command) *uint16 { return &c.Priority }},
	{tag: tagDataSetType, number: func(c *Command) *uint16 { return &c.DataSetType }},
	{tag: tagStatus, number: func(c *Command) *uint16 { return &c.Status }},
	{tag: 0x0902, pad: ' ', text: func(c *Command) *string { return &c.ErrorComment }},
	{tag: 0x1000, text: func(c *Command) *string { return &c.AffectedSOPInstanceUID }},
	{tag: 0x1001, text: func(c *Command) *string { return &c.RequestedSOPInstanceUID }},
	{tag: tagEventType, number: func(c *Command) *uint16 { return &c.EventTypeID }},
	{tag: tagActionType, number: func(c *Command) *uint16 { return &c.ActionTypeID }},
	{tag: tagRemaining, number: func(c *Command) *uint16 { return &c.operations().Remaining }},
	{tag: 0x1021, number: func(c *Command) *uint16 { return &c.operations().Completed }},
	{tag: 0x1022, number: func(c *Command) *uint16 { return &c.operations().Failed }},
	{tag: tagWarning, number: func(c *Command) *uint16 { return &c.operations().Warning }},
	{tag: 0x1030, pad: ' ', text: func(c *Command) *string { return &c.MoveOriginatorAE }},
	{tag: tagOriginatorMsgID, number: func(c *Command) *uint16 { return &c.MoveOriginatorMessageID }},
}

// operations makes room for the counters when the first of them is met.
func (c *Command) operations() *SubOperations {
	if c.SubOperations == nil {
		c.SubOperations = &SubOperations{}
	}
	return c.SubOperations
}

// nextElement cuts the element at an offset of the command set.
func nextElement(b []byte, at int) (tag uint16, value []byte, err error) {
	rest := b[at:]
	if len(rest) < elementHeadLen {
		return 0, nil, syntaxErrorf(at, "%d bytes left over, too few for an element", len(rest))
	}
	if group := binary.LittleEndian.Uint16(rest); group != 0 {
		return 0, nil, syntaxErrorf(at, "element of group %04X in a command set", group)
	}
	tag = binary.LittleEndian.Uint16(rest[2:])
	n := binary.LittleEndian.Uint32(rest[4:])
	if uint64(n) > uint64(len(rest)-elementHeadLen) {
		return 0, nil, syntaxErrorf(at, "element (0000,%04X) of length %d runs past the end", tag, n)
	}
	return tag, rest[elementHeadLen : elementHeadLen+int(n)], nil
}

// set stores a value in the field that the tag belongs to, if there is one. An
// empty value is the same as an absent one.
func (c *Command) set(tag uint16, value []byte, at int) error {
	for _, e := range elements {
		if e.tag != tag || len(value) == 0 {
			continue
		}
		if e.text != nil {
			*e.text(c) = e.trim(value)
			return nil
		}
		if len(value) != 2 {
			return syntaxErrorf(at, "element (0000,%04X) of %d bytes, must be 2", tag, len(value))
		}
		*e.number(c) = binary.LittleEndian.Uint16(value)
	}
	return nil
}

// trim drops padding. UIDs are padded with NUL, but spaces are met as well, and
// the reverse.
func (e element) trim(value []byte) string {
	if e.pad == ' ' {
		return strings.Trim(string(value), "\x00 ")
	}
	return trimUID(value)
}

// append writes the element when its command has it.
func (e element) append(dst []byte, c *Command) []byte {
	if e.text != nil {
		return e.appendText(dst, *e.text(c))
	}
	if e.tag >= tagRemaining && e.tag <= tagWarning && c.SubOperations == nil {
		return dst
	}
	n := *e.number(c)
	if n == 0 && !c.requires(e.tag) {
		return dst
	}
	dst = appendElementHead(dst, e.tag, 2)
	return binary.LittleEndian.AppendUint16(dst, n)
}

func (e element) appendText(dst []byte, text string) []byte {
	if text == "" {
		return dst
	}
	dst = appendElementHead(dst, e.tag, len(text)+len(text)%2)
	dst = append(dst, text...)
	if len(text)%2 != 0 {
		dst = append(dst, e.pad)
	}
	return dst
}

// requires tells which numbers are written even when they are zero.
func (c *Command) requires(tag uint16) bool {
	switch tag {
	case tagCommandField, tagDataSetType:
		return true
	case tagMessageID:
		return !c.IsResponse() && c.Field != CCancelRQ
	case tagRespondedTo:
		return c.IsResponse() || c.Field == CCancelRQ
	case tagStatus:
		return c.IsResponse()
	case tagPriority:
		return c.Field == CStoreRQ || c.Field == CFindRQ || c.Field == CGetRQ || c.Field == CMoveRQ
	case tagOriginatorMsgID:
		return c.MoveOriginatorAE != ""
	}
	return tag >= tagRemaining && tag <= tagWarning
}

func appendElementHead(dst []byte, tag uint16, n int) []byte {
	dst = append(dst, 0, 0)
	dst = binary.LittleEndian.AppendUint16(dst, tag)
	return binary.LittleEndian.AppendUint32(dst, uint32(n))
}
