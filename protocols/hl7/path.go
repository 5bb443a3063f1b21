package hl7

import (
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
)

// The largest numbers of a Path.
const (
	MaxField     = 999
	MaxComponent = 99 // and subcomponent
)

// Path names a place in a message, such as PID-3.1: the first component of field 3 of segment PID. Fields, components
// and subcomponents are counted from 1, those of MSH, FHS and BHS with their separator as field 1. A component or
// subcomponent of 0 stands for the whole. Of a field that repeats it means the first repetition.
type Path struct {
	Segment                        string
	Field, Component, Subcomponent int
}

// ParsePath reads SEGMENT-FIELD[.COMPONENT[.SUBCOMPONENT]], such as PID-3.1 or ZPV-2.
func ParsePath(text string) (Path, error) {
	segment, numbers, ok := strings.Cut(text, "-")
	switch {
	case !ok:
		return Path{}, errors.New("no field, as the 3 of PID-3")
	case !segmentName(segment):
		return Path{}, errors.New("the name of a segment has three capitals or digits")
	}
	p := Path{Segment: segment}
	parts := strings.Split(numbers, ".")
	if len(parts) > 3 {
		return Path{}, errors.New("more than a field, a component and a subcomponent")
	}
	for i, to := range []*int{&p.Field, &p.Component, &p.Subcomponent}[:len(parts)] {
		most := MaxComponent
		if i == 0 {
			most = MaxField
		}
		n, err := strconv.ParseUint(parts[i], 10, 16)
		if err != nil || n < 1 || n > uint64(most) || parts[i][0] == '0' {
			return Path{}, fmt.Errorf("%s %q is not a number from 1 to %d", [...]string{"field", "component", "subcomponent"}[i], parts[i], most)
		}
		*to = int(n)
	}
	return p, nil
}

// segmentName: HL7 2.5.1, 2.5.2; Z segments are a site's own.
func segmentName(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < 'A' || c > 'Z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return len(s) == 3
}

// String is the path as ParsePath reads it.
func (p Path) String() string {
	s := p.Segment + "-" + strconv.Itoa(p.Field)
	if p.Component > 0 || p.Subcomponent > 0 {
		s += "." + strconv.Itoa(max(p.Component, 1))
	}
	if p.Subcomponent > 0 {
		s += "." + strconv.Itoa(p.Subcomponent)
	}
	return s
}

// Find returns what stands at the path in the first segment of that name, without spaces around it; nil when the
// segment or the value is absent, or is the null value "" of HL7. The slice shares memory with the message.
func (p Path) Find(header Segment, msg []byte) []byte {
	if found, ok := header.Find(msg, p.Segment); ok {
		return p.In(found)
	}
	return nil
}

// Each returns what stands at the path in every segment of that name which has a value there, in order.
func (p Path) Each(header Segment, msg []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) { p.each(header, msg, yield) }
}

func (p Path) each(header Segment, msg []byte, yield func([]byte) bool) {
	for s := range header.All(msg, p.Segment) {
		if value := p.In(s); value != nil && !yield(value) {
			return
		}
	}
}

// In returns what stands at the path in a segment of that name, as Find does.
func (p Path) In(s Segment) []byte {
	return Value(s.Part(p.Field, p.Component, p.Subcomponent))
}

// Value is a field or a part of one without the spaces around it; nil when nothing is left, or the null value "",
// which says that there is none. HL7 2.5.1, 2.5.3.
func Value(b []byte) []byte {
	for len(b) > 0 && b[0] == ' ' {
		b = b[1:]
	}
	for len(b) > 0 && b[len(b)-1] == ' ' {
		b = b[:len(b)-1]
	}
	if len(b) == 0 || string(b) == `""` {
		return nil
	}
	return b
}

// priors are the fields of MRG that hold what a field was before a merge. HL7 2.5.1, 3.4.9.
var priors = [...]struct {
	segment    string
	field, mrg int
}{
	{"PID", 2, 4}, {"PID", 3, 1}, {"PID", 4, 2}, {"PID", 18, 3}, {"PV1", 19, 5}, {"PV1", 50, 6},
}

// Prior is where a merge says what stood at this path before: MRG-1.1 for PID-3.1. ok is false when MRG has nothing
// of the kind.
func (p Path) Prior() (prior Path, ok bool) {
	for _, e := range priors {
		if e.segment == p.Segment && e.field == p.Field {
			return Path{"MRG", e.mrg, p.Component, p.Subcomponent}, true
		}
	}
	return Path{}, false
}
