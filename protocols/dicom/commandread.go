package dicom

import (
	"encoding/binary"
	"sync"
)

// DecodeCommand reads a whole command set, that is all its fragments put
// together: see Assembler. Elements that are not in the table of this package
// are stepped over. A set without a command field, and a response without a
// status or without the identifier it answers to, is a SyntaxError: a missing
// status must never be read as 0000, success.
func DecodeCommand(b []byte) (*Command, error) {
	r := commandReader{c: &Command{}}
	if err := r.read(b); err != nil {
		return nil, err
	}
	return r.c, nil
}

// commandReader reads command sets. Used again, it writes over the command that it read before, and reads without
// allocating as long as texts repeat or are registered UIDs.
type commandReader struct {
	c    *Command
	subs *SubOperations // place for the counters; nil: made when they are met
	// blurred leaves out what names an object or a patient: instance UIDs and the peer's own text.
	blurred bool
}

// blurredReaders lends the readers of Scanners: a command is looked at for a moment, connections last for hours.
var blurredReaders = sync.Pool{New: func() any {
	return &commandReader{c: &Command{}, subs: &SubOperations{}, blurred: true}
}}

func (r *commandReader) read(b []byte) error {
	if len(b) > MaxCommand {
		return syntaxErrorf(0, "command set of %d bytes, allowed are %d", len(b), MaxCommand)
	}
	old := *r.c
	*r.c = Command{DataSetType: NoDataSet}
	var seen mandatory
	for at := 0; at < len(b); {
		tag, value, err := nextElement(b, at)
		if err != nil {
			return err
		}
		if err := r.set(tag, value, at, &old); err != nil {
			return err
		}
		seen.note(tag, value)
		at += elementHeadLen + len(value)
	}
	return seen.complete(r.c.IsResponse(), len(b))
}

// set stores a value in the field that the tag belongs to, if there is one. An empty value is the same as an absent
// one.
func (r *commandReader) set(tag uint16, value []byte, at int, old *Command) error {
	if len(value) == 0 {
		return nil
	}
	if text := r.c.text(tag); text != nil {
		if !r.blurred || !identifying(tag) {
			*text = intern(trimElement(tag, value), *old.text(tag))
		}
		return nil
	}
	if counts(tag) && r.c.SubOperations == nil {
		r.makeRoom()
	}
	n := r.c.number(tag)
	if n == nil {
		return nil
	}
	if len(value) != 2 {
		return syntaxErrorf(at, "element (0000,%04X) of %d bytes, must be 2", tag, len(value))
	}
	*n = binary.LittleEndian.Uint16(value)
	return nil
}

func (r *commandReader) makeRoom() {
	if r.subs == nil {
		r.c.SubOperations = &SubOperations{}
		return
	}
	*r.subs = SubOperations{}
	r.c.SubOperations = r.subs
}

// identifying tells the elements that may lead to a patient.
func identifying(tag uint16) bool {
	return tag == tagAffectedInstance || tag == tagRequestedInstance || tag == tagErrorComment
}

// mandatory notes the elements without which a command has no meaning: the first in all commands, the others in
// responses.
type mandatory struct{ field, respondedTo, status bool }

func (m *mandatory) note(tag uint16, value []byte) {
	if len(value) == 0 {
		return
	}
	switch tag {
	case tagCommandField:
		m.field = true
	case tagRespondedTo:
		m.respondedTo = true
	case tagStatus:
		m.status = true
	}
}

func (m *mandatory) complete(response bool, end int) error {
	missing := tagStatus
	switch {
	case !m.field:
		missing = tagCommandField
	case !response || m.respondedTo && m.status:
		return nil
	case !m.respondedTo:
		missing = tagRespondedTo
	}
	return syntaxErrorf(end, "command set without element (0000,%04X)", missing)
}
