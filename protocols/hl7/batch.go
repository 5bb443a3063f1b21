package hl7

import "iter"

// Batch tells whether this is the header of a batch (BHS), or of a file of batches (FHS). HL7 2.5.1, 2.10.3.
func (s Segment) Batch() bool {
	name := s.name()
	return string(name) == "FHS" || string(name) == "BHS"
}

// Merge tells whether the message of this MSH merges, moves or changes identifiers, by MSH-9.2: A18, A34 to A36 and
// A40 to A47. HL7 2.5.1, 3.3.
func (s Segment) Merge() bool {
	event := Value(s.Part(MessageType, 2, 0))
	if len(event) != 3 || event[0] != 'A' {
		return false
	}
	switch event[1] {
	case '1':
		return event[2] == '8'
	case '3':
		return event[2] >= '4' && event[2] <= '6'
	case '4':
		return event[2] >= '0' && event[2] <= '7'
	}
	return false
}

// Messages returns the messages inside a batch, each from its MSH up to the next MSH, or header or trailer of a batch,
// without a copy. A message that is in no batch is its only one.
func Messages(batch []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) { eachMessage(batch, yield) }
}

func eachMessage(batch []byte, yield func([]byte) bool) {
	begin := -1
	for l := newLines(batch); ; {
		at := len(batch) - len(l.rest)
		raw, more := l.next()
		if begin >= 0 && (!more || divides(raw)) {
			if !yield(batch[begin:at:at]) {
				return
			}
			begin = -1
		}
		switch {
		case !more:
			return
		case len(raw) > 3 && string(raw[:3]) == "MSH" && separator(raw[3]):
			begin = at
		}
	}
}

// divides tells the lines of a batch that belong to no message before them.
func divides(raw []byte) bool {
	if len(raw) < 3 || len(raw) > 3 && !separator(raw[3]) {
		return false
	}
	switch string(raw[:3]) {
	case "MSH", "BHS", "FHS", "BTS", "FTS":
		return true
	}
	return false
}

// Headers returns the headers in a batch, each with its own delimiters: FHS, BHS and the MSH of each message, in order.
func Headers(batch []byte) iter.Seq[Segment] {
	return func(yield func(Segment) bool) { eachHeader(batch, yield) }
}

func eachHeader(batch []byte, yield func(Segment) bool) {
	for l := newLines(batch); ; {
		raw, more := l.next()
		if !more {
			return
		}
		if !isHeader(raw) {
			continue
		}
		if h, ok := headerOf(raw); ok && !yield(h) {
			return
		}
	}
}
