package dicomtalk

import (
	"fmt"
	"slices"

	"github.com/suyashkumar/dicom/pkg/tag"

	"gantry/protocols/dicom"
)

// setWalk goes through a data set that comes in fragments and tells its elements: tag, name, length, and the
// value of the few that cannot belong to a patient.
type setWalk struct {
	*narrator
	explicit bool
	skip     int  // bytes of a value that is still under way
	blind    bool // something was not understood: all that follows is masked
}

// newSetWalk begins a data set of a transfer syntax; an unknown one is read as Implicit VR Little Endian.
func (n *narrator) newSetWalk(syntax string) *setWalk {
	w := &setWalk{narrator: n, explicit: syntax != "" && syntax != dicom.ImplicitVRLittleEndianUID}
	// Big endian and deflated data sets cannot be read this way.
	w.blind = slices.Contains([]string{"1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"}, syntax)
	return w
}

// fragment tells the elements of the next fragment, which stands at an offset of the passage. Sequences are
// entered; so their elements follow as if they were of the first level.
func (w *setWalk) fragment(p *passage, b []byte, start int) {
	at := min(w.skip, len(b))
	w.skip -= at
	for at < len(b) && !w.blind {
		head, err := dicom.DecodeElementHead(b[at:], w.explicit)
		element, known := lookUp(head, w.explicit)
		if err != nil || !known {
			w.blind = true // an element that two fragments share is not looked at either
			break
		}
		p.show(start+at, start+at+head.HeadLen)
		at += head.HeadLen
		if element.structure || head.Length == dicom.UndefinedLength {
			if element.vr == "SQ" {
				p.note("%v %s, sequence", head.Tag, element.name)
			}
			w.blind = !element.structure
			continue
		}
		rest := b[at:]
		if uint64(head.Length) > uint64(len(rest)) {
			p.note("%v %s, %d bytes, masked", head.Tag, element.name, head.Length)
			w.skip = int(head.Length) - len(rest)
			return
		}
		value := rest[:head.Length]
		text, harmless := w.value(p.Sent, element, head.Tag, value)
		p.note("%v %s%s", head.Tag, element.name, text)
		if harmless {
			p.show(start+at, start+at+len(value))
		}
		at += len(value)
	}
	if w.blind && at < len(b) {
		p.note("%s that are not understood, masked", count(len(b)-at))
	}
}

// element is what the dictionary knows.
type element struct {
	name, vr  string
	structure bool // a sequence, an item or a delimiter: what is inside follows
}

// lookUp finds an element in the dictionary of PS3.6. Private elements, and those that it does not have, are not
// known: what looks like their head may be anything.
func lookUp(h dicom.ElementHead, explicit bool) (element, bool) {
	switch h.Tag {
	case dicom.TagItem, dicom.TagItemDelimiter, dicom.TagSequenceDelimiter:
		return element{structure: true}, true
	}
	info, err := tag.Find(tag.Tag{Group: h.Tag.Group(), Element: h.Tag.Element()})
	if err != nil || len(info.VRs) == 0 || explicit && !slices.Contains(info.VRs, h.VR) {
		return element{}, false
	}
	e := element{name: info.Keyword, vr: info.VRs[0]}
	e.structure = e.vr == "SQ"
	return e, true
}

// levels are the values of (0008,0052). PS3.4 C.6.
var levels = []string{"PATIENT", "STUDY", "SERIES", "IMAGE"}

// value tells the value of an element when it is harmless by its tag and by its form: UIDs, the query level and
// numbers that describe pixels.
func (w *setWalk) value(sent bool, e element, t dicom.Tag, value []byte) (text string, harmless bool) {
	plain := trimmed(value)
	switch {
	case len(value) == 0:
		return ", empty", true
	case e.vr == "UI" && w.uid(sent, plain):
		return " " + dicom.UIDName(plain), true
	case t == tagQueryLevel && slices.Contains(levels, plain):
		return " " + plain, true
	case t.Group() == groupPixels && e.vr == "US" && len(value) == 2:
		return fmt.Sprintf(" %d", littleEndian(value)), true
	}
	return fmt.Sprintf(", %s, masked", count(len(value))), false
}

const tagQueryLevel dicom.Tag = 0x00080052

// groupPixels describes pixels.
const groupPixels = 0x0028
