package dicom

import (
	"bytes"
	"encoding/binary"
)

// elementHeadLen is group 2, element 2, length 4: Implicit VR Little Endian.
const elementHeadLen = 8

// Elements of group 0000 that Command has a field for. PS3.7 Annex E.1.
const (
	tagGroupLength       uint16 = 0x0000
	tagAffectedClass     uint16 = 0x0002
	tagRequestedClass    uint16 = 0x0003
	tagCommandField      uint16 = 0x0100
	tagMessageID         uint16 = 0x0110
	tagRespondedTo       uint16 = 0x0120
	tagMoveDestination   uint16 = 0x0600
	tagPriority          uint16 = 0x0700
	tagDataSetType       uint16 = 0x0800
	tagStatus            uint16 = 0x0900
	tagErrorComment      uint16 = 0x0902
	tagAffectedInstance  uint16 = 0x1000
	tagRequestedInstance uint16 = 0x1001
	tagEventType         uint16 = 0x1002
	tagActionType        uint16 = 0x1008
	tagRemaining         uint16 = 0x1020
	tagCompleted         uint16 = 0x1021
	tagFailed            uint16 = 0x1022
	tagWarning           uint16 = 0x1023
	tagOriginatorAE      uint16 = 0x1030
	tagOriginatorMsgID   uint16 = 0x1031
)

// elements in ascending order, which is the order of the wire.
var elements = [...]uint16{
	tagAffectedClass, tagRequestedClass, tagCommandField, tagMessageID, tagRespondedTo, tagMoveDestination,
	tagPriority, tagDataSetType, tagStatus, tagErrorComment, tagAffectedInstance, tagRequestedInstance,
	tagEventType, tagActionType, tagRemaining, tagCompleted, tagFailed, tagWarning, tagOriginatorAE,
	tagOriginatorMsgID,
}

// text gives the field of an element that holds text; nil for all others.
func (c *Command) text(tag uint16) *string {
	switch tag {
	case tagAffectedClass:
		return &c.AffectedSOPClassUID
	case tagRequestedClass:
		return &c.RequestedSOPClassUID
	case tagMoveDestination:
		return &c.MoveDestination
	case tagErrorComment:
		return &c.ErrorComment
	case tagAffectedInstance:
		return &c.AffectedSOPInstanceUID
	case tagRequestedInstance:
		return &c.RequestedSOPInstanceUID
	case tagOriginatorAE:
		return &c.MoveOriginatorAE
	}
	return nil
}

// number gives the field of an element that holds a number of two bytes; nil for all others, and for the counters
// of sub-operations while there is no place for them.
func (c *Command) number(tag uint16) *uint16 {
	switch tag {
	case tagCommandField:
		return &c.Field
	case tagMessageID:
		return &c.MessageID
	case tagRespondedTo:
		return &c.MessageIDBeingRespondedTo
	case tagPriority:
		return &c.Priority
	case tagDataSetType:
		return &c.DataSetType
	case tagStatus:
		return &c.Status
	case tagEventType:
		return &c.EventTypeID
	case tagActionType:
		return &c.ActionTypeID
	case tagOriginatorMsgID:
		return &c.MoveOriginatorMessageID
	}
	if s := c.SubOperations; s != nil {
		return s.counter(tag)
	}
	return nil
}

func (s *SubOperations) counter(tag uint16) *uint16 {
	switch tag {
	case tagRemaining:
		return &s.Remaining
	case tagCompleted:
		return &s.Completed
	case tagFailed:
		return &s.Failed
	case tagWarning:
		return &s.Warning
	}
	return nil
}

// counts tells the counters of sub-operations from other elements.
func counts(tag uint16) bool { return tag >= tagRemaining && tag <= tagWarning }

// spaced tells AE titles and text, which are padded with spaces, from UIDs, which are padded with NULs.
func spaced(tag uint16) bool {
	return tag == tagMoveDestination || tag == tagErrorComment || tag == tagOriginatorAE
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

// trimElement drops padding. UIDs are padded with NUL, but spaces are met as well, and the reverse.
func trimElement(tag uint16, value []byte) []byte {
	if spaced(tag) {
		return bytes.Trim(value, "\x00 ")
	}
	return bytes.TrimRight(value, "\x00 ")
}

// appendElement writes the element when the command has it.
func (c *Command) appendElement(dst []byte, tag uint16) []byte {
	if text := c.text(tag); text != nil {
		return appendText(dst, tag, *text)
	}
	n := c.number(tag)
	if n == nil || *n == 0 && !c.requires(tag) {
		return dst
	}
	dst = appendElementHead(dst, tag, 2)
	return binary.LittleEndian.AppendUint16(dst, *n)
}

func appendText(dst []byte, tag uint16, text string) []byte {
	if text == "" {
		return dst
	}
	dst = appendElementHead(dst, tag, len(text)+len(text)%2)
	dst = append(dst, text...)
	switch {
	case len(text)%2 == 0:
		return dst
	case spaced(tag):
		return append(dst, ' ')
	}
	return append(dst, 0)
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
	return counts(tag)
}

func appendElementHead(dst []byte, tag uint16, n int) []byte {
	dst = append(dst, 0, 0)
	dst = binary.LittleEndian.AppendUint16(dst, tag)
	return binary.LittleEndian.AppendUint32(dst, uint32(n))
}
