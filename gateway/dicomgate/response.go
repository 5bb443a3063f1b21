package dicomgate

import (
	"slices"

	"gantry/protocols/dicom"
)

// Response is one DIMSE response that has passed: a server's to the client, or a client's to the server where those two
// change roles (the C-STOREs of a C-GET, N-EVENT-REPORT).
type Response struct {
	From    Side   // who performed the operation
	Command uint16 // the field of the request, such as dicom.CStoreRQ; any number
	// SOPClass is the abstract syntax of the presentation context, a UID that the client chose; empty when the context was
	// never proposed.
	SOPClass string
	Status   uint16
	Class    dicom.StatusClass // dicom.ClassPending: further responses follow
	// Sub has the counters of C-MOVE and C-GET, nil without any. It is valid during the call only.
	Sub *dicom.SubOperations
	// Objects is 1 when the response says that an object was stored, with or without a warning.
	Objects int
}

// Final tells the last response to a request from those before it.
func (r Response) Final() bool { return r.Class != dicom.ClassPending }

// command sorts the commands of one side.
func (a *Association) command(from Side, contextID byte, c *dicom.Command) {
	switch {
	case c.IsResponse():
		a.response(from, contextID, c)
	case c.Field != dicom.CCancelRQ: // which has no response
		a.request(from, c)
	}
}

func (a *Association) request(from Side, c *dicom.Command) {
	a.sum.of(from.other(), c.Field).Requests++
	w := &a.ways[from]
	w.messageID, w.field, w.open, w.answered = c.MessageID, c.Field, true, false
	if !c.HasDataSet() {
		a.complete(from)
	}
}

func (a *Association) data(from Side, last bool) {
	if last && a.ways[from].open {
		a.complete(from)
	}
}

// complete notes that the request under way is whole, and waits for its answer from now on.
func (a *Association) complete(from Side) {
	w := &a.ways[from]
	w.open = false
	switch {
	case w.answered:
	case from == Server && w.field == dicom.CStoreRQ:
		a.sending++
	case from == Server:
		a.asking++
	case w.field == dicom.CMoveRQ:
		a.moving++
	default:
		a.waiting++
	}
}

func (a *Association) response(from Side, contextID byte, c *dicom.Command) {
	r := Response{
		From: from, Command: c.Field &^ dicom.ResponseBit, SOPClass: a.sopClass(contextID),
		Status: c.Status, Class: dicom.StatusClassOf(c.Status), Sub: c.SubOperations,
	}
	stored := r.Class == dicom.ClassSuccess || r.Class == dicom.ClassWarning
	if stored && r.Command == dicom.CStoreRQ {
		r.Objects = 1
	}
	a.sum.add(r, c.MessageIDBeingRespondedTo)
	if from == Server {
		a.healthy = a.healthy || stored
		if symptom, ok := r.Blame(); ok {
			a.blame(symptom)
		}
	}
	if r.Final() {
		a.answered(from, c)
	}
	if a.listener != nil {
		a.listener.Response(r)
	}
}

// answered takes a final response off what waits.
func (a *Association) answered(from Side, c *dicom.Command) {
	asker := &a.ways[from.other()]
	unseen := asker.scanner.Blind()
	if c.Field == dicom.CGetRSP && (unseen || a.waiting <= 1) && from == Server {
		a.sending = 0 // its sub-operations are over; with several C-GETs those of the others may not be
	}
	switch {
	case asker.open && !unseen && asker.messageID == c.MessageIDBeingRespondedTo:
		asker.answered = true // before it was whole: it will not wait
	case from == Client && c.Field == dicom.CStoreRSP:
		a.sending -= min(a.sending, 1)
	case from == Client:
		a.asking -= min(a.asking, 1)
	case unseen:
		a.resync(c)
	case c.Field == dicom.CMoveRSP:
		a.moving -= min(a.moving, 1)
	default:
		a.waiting -= min(a.waiting, 1)
	}
}

// resync finds the client's direction again: a client that may have one operation outstanding has ended its message when
// that is answered, and begins its next PDU after it has seen the answer.
func (a *Association) resync(c *dicom.Command) {
	if a.invoked != 1 || a.waiting+a.moving > 1 || a.asking+a.sending > 0 {
		return
	}
	w := &a.ways[Client]
	w.open, a.waiting, a.moving = false, 0, 0
	w.scanner.Resync()
	a.guessed = mayComeEarly(c)
}

// mayComeEarly tells the final responses during which the client may still be in the middle of a PDU: a refusal of a
// message that has not ended, and any end of what a C-CANCEL may be under way for.
func mayComeEarly(c *dicom.Command) bool {
	switch c.Field {
	case dicom.CFindRSP, dicom.CMoveRSP, dicom.CGetRSP:
		return true
	}
	class := dicom.StatusClassOf(c.Status)
	return class != dicom.ClassSuccess && class != dicom.ClassWarning
}

// sopClass finds the abstract syntax of a presentation context.
func (a *Association) sopClass(contextID byte) string {
	i := slices.IndexFunc(a.contexts, func(p proposal) bool { return p.id == contextID })
	if i < 0 {
		return ""
	}
	return a.contexts[i].uid
}
