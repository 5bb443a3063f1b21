package dicomtalk

import (
	"encoding/binary"
	"fmt"

	"gantry/protocols/dicom"
)

const (
	commandTag = 0 // group of the command set
)

// data tells a P-DATA-TF, PDV by PDV.
func (n *narrator) data(w *way, p *passage) {
	for at := dicom.HeaderLen; at < len(p.whole); {
		pdv, _, err := dicom.NextPDV(p.whole[at:])
		if err != nil {
			p.note("malformed from byte %d on", at)
			return
		}
		start := at + pdvHead
		p.show(at, start)
		if pdv.Command {
			n.command(w, p, pdv, start)
		} else {
			n.dataSet(w, p, pdv, start)
		}
		at = start + len(pdv.Data)
	}
}

// context names a presentation context.
func (n *narrator) context(id byte) string {
	if service := n.services[id]; service != "" {
		return fmt.Sprintf("context %d (%s)", id, service)
	}
	return fmt.Sprintf("context %d (not proposed)", id)
}

// command tells a command set once its last fragment is there. Bytes are shown of those that are in one piece.
func (n *narrator) command(w *way, p *passage, pdv dicom.PDV, start int) {
	if len(w.command)+len(pdv.Data) > dicom.MaxCommand {
		w.command = nil
		p.note("%s: command set of more than %s", n.context(pdv.ContextID), count(dicom.MaxCommand))
		return
	}
	if !pdv.Last {
		w.command = append(w.command, pdv.Data...)
		p.note("%s: %s of a command set, which goes on", n.context(pdv.ContextID), count(len(pdv.Data)))
		return
	}
	set, whole := pdv.Data, len(w.command) == 0
	if !whole {
		set = append(w.command, pdv.Data...)
	}
	w.command, w.set = nil, nil // a data set that was not finished will not be
	c, err := dicom.DecodeCommand(set)
	if err != nil {
		p.note("%s: malformed command set", n.context(pdv.ContextID))
		return
	}
	p.note("%s: %s", n.context(pdv.ContextID), c.Name())
	for at := 0; at < len(set); {
		e, err := dicom.DecodeElementHead(set[at:], false)
		if err != nil || uint64(e.Length) > uint64(len(set)-at-e.HeadLen) {
			return
		}
		value := set[at+e.HeadLen : at+e.HeadLen+int(e.Length)]
		text, known := n.commandValue(w.sent, e.Tag, value)
		p.note("%v %s", e.Tag, text)
		if whole && known {
			p.show(start+at, start+at+e.HeadLen+len(value))
		}
		at += e.HeadLen + len(value)
	}
}

// commandElements are the elements of the command set that are shown. PS3.7 annex E.1. The error comment
// (0000,0902) is not among them: it may quote the data set.
var commandElements = map[uint16]string{
	0x0000: "group length", 0x0002: "affected SOP class", 0x0003: "requested SOP class", 0x0100: "command",
	0x0110: "message id", 0x0120: "answers message", 0x0600: "move destination", 0x0700: "priority",
	0x0800: "data set", 0x0900: "status", 0x0901: "offending element", 0x0903: "error id",
	0x1000: "affected SOP instance", 0x1001: "requested SOP instance", 0x1002: "event type", 0x1008: "action type",
	0x1020: "remaining sub-operations", 0x1021: "completed sub-operations", 0x1022: "failed sub-operations",
	0x1023: "sub-operations with warnings", 0x1030: "move originator", 0x1031: "move originator's message",
}

// commandValue puts an element of the command set into words; known is false when it must stay masked.
func (n *narrator) commandValue(sent bool, tag dicom.Tag, value []byte) (text string, known bool) {
	word, known := commandElements[tag.Element()]
	if !known || tag.Group() != commandTag {
		return fmt.Sprintf("%s, masked", count(len(value))), false
	}
	switch number := littleEndian(value); tag.Element() {
	case 0x0002, 0x0003, 0x1000, 0x1001:
		uid := trimmed(value)
		if uid != "" && !n.uid(sent, uid) {
			return word + ", masked", false
		}
		return word + " " + name(uid), true
	case 0x0600, 0x1030:
		ok := len(value) <= dicom.AETitleLen && printable(value)
		return word + ", masked", ok && len(value) == 0
	case 0x0100:
		c := dicom.Command{Field: uint16(number)}
		return fmt.Sprintf("%s %04X %s", word, number, c.Name()), len(value) == 2
	case 0x0800:
		if number == int(dicom.NoDataSet) {
			return word + ": none", len(value) == 2
		}
		return word + ": follows", len(value) == 2
	case 0x0900:
		return fmt.Sprintf("%s %04X %s", word, number, dicom.StatusClassOf(uint16(number))), len(value) == 2
	case 0x0901:
		return word + ", " + count(len(value)), len(value)%4 == 0 && len(value) <= 4
	default:
		return fmt.Sprintf("%s %d", word, number), len(value) == 2 || len(value) == 4
	}
}

// littleEndian reads a number of two or four bytes; others are 0.
func littleEndian(b []byte) int {
	switch len(b) {
	case 2:
		return int(binary.LittleEndian.Uint16(b))
	case 4:
		return int(binary.LittleEndian.Uint32(b))
	}
	return 0
}

// dataSet tells a fragment of a data set.
func (n *narrator) dataSet(w *way, p *passage, pdv dicom.PDV, start int) {
	if w.set == nil {
		w.set = map[byte]*setWalk{}
	}
	walk := w.set[pdv.ContextID]
	how := "begins"
	switch {
	case walk == nil && pdv.Last:
		how = "whole"
	case walk != nil && pdv.Last:
		how = "ends"
	case walk != nil:
		how = "goes on"
	}
	if walk == nil {
		walk = n.newSetWalk(n.syntaxes[pdv.ContextID])
		w.set[pdv.ContextID] = walk
	}
	p.note("%s: %s of a data set, %s", n.context(pdv.ContextID), count(len(pdv.Data)), how)
	walk.fragment(p, pdv.Data, start)
	if pdv.Last {
		delete(w.set, pdv.ContextID)
	}
}
