package dicomtalk

import (
	"bytes"
	"strings"

	"gantry/negotiate"
	"gantry/protocols/dicom"
)

// Query is a search, PS3.4 C.4.1.
type Query struct {
	Context    byte
	SOPClass   string
	Identifier []byte // Implicit VR Little Endian
	// Key and Value are what each match should say, such as its Study Instance UID; an empty Value makes every match
	// a stray. A match that does not name the key is taken at its word.
	Key   dicom.Tag
	Value string
	// Most is how many answers are read before the search is cancelled; at least 1.
	Most int
}

// Found is what a search brought.
type Found struct {
	Matches int  // those that were asked for
	Strays  int  // those that were not
	Endless bool // they went on although the search was cancelled; the conversation is over
	// Refused says that the server found the search unfit for its SOP class. It lives, and is noted as degraded.
	Refused bool
}

// Find searches: C-FIND-RQ, matches, final answer. The fault is nil when the search was carried out,
// whatever it found.
func (t *Talk) Find(q Query) (found Found, fault *negotiate.Fault) {
	id, fault := t.Send("C-FIND", Message{
		Context: q.Context,
		Command: dicom.Command{AffectedSOPClassUID: q.SOPClass, Field: dicom.CFindRQ, DataSetType: dicom.WithDataSet},
		Data:    bytes.NewReader(q.Identifier), Size: len(q.Identifier),
	})
	if fault != nil {
		return found, fault
	}
	canceled := false
	for range q.Most + MaxAfterCancel {
		rsp, fault := t.Response(dicom.CFindRQ, q.Context, id)
		if fault != nil {
			return found, fault
		}
		if dicom.StatusClassOf(rsp.Status) != dicom.ClassPending {
			found.Refused = BadQuestion(rsp.Status)
			return found, t.finished(rsp, canceled)
		}
		if fault := t.match(q, rsp, &found); fault != nil {
			return found, fault
		}
		if !canceled && found.Matches+found.Strays >= q.Most {
			canceled = true
			if fault := t.cancel(q.Context, id); fault != nil {
				return found, fault
			}
		}
	}
	found.Endless = true
	t.Drop()
	return found, nil
}

// match reads and counts one match.
func (t *Talk) match(q Query, rsp *dicom.Command, found *Found) *negotiate.Fault {
	if !rsp.HasDataSet() {
		return t.Mismatch("answers C-FIND with a match that has no content: its DICOM software is broken")
	}
	set, fault := t.DataSet(q.Context)
	if fault != nil {
		return fault
	}
	switch value, named := valueOf(set, q.Key); {
	case q.Value != "" && (!named || value == q.Value):
		found.Matches++
	default:
		found.Strays++
	}
	return nil
}

// finished judges the end of a search. PS3.4 table C.4-1.
func (t *Talk) finished(rsp *dicom.Command, canceled bool) *negotiate.Fault {
	switch dicom.StatusClassOf(rsp.Status) {
	case dicom.ClassSuccess, dicom.ClassWarning:
		return nil
	case dicom.ClassCancel:
		if canceled {
			return nil
		}
	}
	return t.Failed(rsp)
}

// valueOf finds the text of an element of the first level in an identifier; ok is false when it is absent, empty
// or behind something that cannot be read.
func valueOf(set []byte, tag dicom.Tag) (value string, ok bool) {
	for len(set) > 0 {
		e, err := dicom.DecodeElementHead(set, false)
		if err != nil || uint64(e.Length) > uint64(len(set)-e.HeadLen) {
			return "", false
		}
		if e.Tag == tag {
			value = strings.Trim(string(set[e.HeadLen:e.HeadLen+int(e.Length)]), "\x00 ")
			return value, value != ""
		}
		set = set[e.HeadLen+int(e.Length):]
	}
	return "", false
}
