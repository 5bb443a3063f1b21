package mllpgate

import (
	"bytes"
	"slices"

	"gantry/balancing"
	"gantry/protocols/hl7"
)

// MaxKeys is how many different keys one message may hold. A batch of more patients holds none: it waits for all before
// it on its connection, and all behind wait for it.
const MaxKeys = 1000

// Envelope is what of a message decides about its way. It shares memory with the message, and its own is used again by
// the next Read, so that reading allocates nothing once Keys has room.
type Envelope struct {
	// Header is MSH; of a batch BHS or FHS.
	Header hl7.Segment
	// ControlID is MSH-10, of a batch FHS-11 or else BHS-11, without spaces around it. It may be empty.
	ControlID []byte
	// Answer is what to expect; of a batch an application answer, whatever the messages in it say.
	Answer hl7.Answer
	// Batch is a frame with FHS or BHS, which is neither taken apart nor answered by the gateway.
	Batch bool
	// Answers is the number of messages: 1, but in a batch any number, 0 included.
	Answers int
	// Keys are those of the field that messages are ordered by, each once: its value in every segment of that name, in a
	// batch of every message, and what MRG says it was before. The first one is that of the first segment: of a merge
	// the surviving patient's. Empty where there is no such value, and where there are more than MaxKeys.
	Keys []balancing.Key

	first hl7.Segment // MSH; of a batch that of the first message in it
	msg   []byte
	ids   map[string]struct{} // control ids in a batch, once an answer has named another than its own
	led   bool                // the first of Keys stands in its place
	many  bool                // more than MaxKeys keys
}

// Read reads a message, ordered by a field or by none (nil). The error is a *protocols.SyntaxError: it is no HL7 message.
func (e *Envelope) Read(msg []byte, by *hl7.Path) error {
	e.Reset()
	header, err := hl7.DecodeHeader(msg)
	if err != nil {
		return err
	}
	e.Header, e.msg = header, msg
	if header.Batch() {
		e.readBatch(by)
		return nil
	}
	e.first, e.Answers, e.Answer = header, 1, header.Answer()
	e.ControlID = spaceless(header.Field(hl7.ControlID))
	if by != nil {
		e.hold(header, msg, *by)
	}
	return nil
}

// Reset lets go of the message; the memory for keys is kept for the next one.
func (e *Envelope) Reset() { *e = Envelope{Keys: e.Keys[:0]} }

func (e *Envelope) readBatch(by *hl7.Path) {
	e.Batch, e.Answer = true, hl7.AnswerApplication
	for h := range hl7.Headers(e.msg) {
		if !h.Batch() || len(e.ControlID) > 0 {
			break
		}
		e.ControlID = idIn(h)
	}
	for msg := range hl7.Messages(e.msg) {
		header, err := hl7.DecodeHeader(msg)
		if err != nil {
			continue // Messages gives none that is not readable
		}
		if e.Answers++; e.Answers == 1 {
			e.first = header
		}
		if by != nil && !e.many {
			e.hold(header, msg, *by)
		}
	}
}

// hold adds the keys of one message.
func (e *Envelope) hold(header hl7.Segment, msg []byte, by hl7.Path) {
	prior, merges := by.Prior()
	for s := range header.Segments(msg) {
		switch {
		case s.Is(by.Segment):
			if value := by.In(s); value != nil {
				e.lead(e.add(balancing.BytesKey(value)))
			}
		case merges && s.Is(prior.Segment):
			if value := prior.In(s); value != nil {
				e.add(balancing.BytesKey(value))
			}
		}
		if e.many {
			return
		}
	}
}

// lead puts the first key that is no prior one in front, where MRG came before it.
func (e *Envelope) lead(i int) {
	if !e.led && i > 0 {
		e.Keys[0], e.Keys[i] = e.Keys[i], e.Keys[0]
	}
	e.led = true
}

// add holds a key and tells its place, 0 when there are too many.
func (e *Envelope) add(key balancing.Key) int {
	if i := slices.Index(e.Keys, key); i >= 0 {
		return i
	}
	if e.many = len(e.Keys) == MaxKeys; e.many {
		e.Keys = e.Keys[:0]
		return 0
	}
	e.Keys = append(e.Keys, key)
	return len(e.Keys) - 1
}

// Fits tells whether MSA-2 of an answer names this message: it is the ControlID byte for byte, but for spaces around
// either. Of a batch it may be that of any header, or of any message in it.
func (e *Envelope) Fits(msa2 []byte) bool {
	id := spaceless(msa2)
	if !e.Batch || len(id) == 0 || bytes.Equal(id, e.ControlID) {
		return bytes.Equal(id, e.ControlID)
	}
	if e.ids == nil {
		e.readIDs()
	}
	_, fits := e.ids[string(id)]
	return fits
}

// readIDs notes all control ids in a batch: with an answer for each message in it, looking for every one would take as
// many passes as there are messages.
func (e *Envelope) readIDs() {
	e.ids = make(map[string]struct{}, e.Answers+1)
	for h := range hl7.Headers(e.msg) {
		e.ids[string(idIn(h))] = struct{}{}
	}
}

// idIn is the control id of a header in a batch.
func idIn(h hl7.Segment) []byte {
	if h.Batch() {
		return spaceless(h.Field(hl7.BatchControlID))
	}
	return spaceless(h.Field(hl7.ControlID))
}

// field is a field of the message by its number in MSH. A batch says itself who sends it to whom; what it leaves empty,
// and all else, is that of the first message in it.
func (e *Envelope) field(n int) (field []byte, d hl7.Delimiters) {
	if e.Batch && n >= hl7.SendingApplication && n <= hl7.ReceivingFacility {
		if field = hl7.Value(e.Header.Field(n)); field != nil {
			return field, e.Header.Delimiters
		}
	}
	return hl7.Value(e.first.Field(n)), e.first.Delimiters
}

func spaceless(b []byte) []byte { return bytes.Trim(b, " ") }
