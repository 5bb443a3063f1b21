package dicomtalk

import (
	"bytes"
	"encoding/binary"
	"fmt"

	library "github.com/suyashkumar/dicom"
	"github.com/suyashkumar/dicom/pkg/tag"
)

// Element is one element of a data set: its tag in the dictionary of the standard and its value: []string, []int, or
// the []Element of one item.
type Element struct {
	Tag   tag.Tag
	Value any
}

// Text is an element with one value of text; an empty one asks for the value in a search.
func Text(t tag.Tag, value string) Element {
	if value == "" {
		return Element{t, []string{}}
	}
	return Element{t, []string{value}}
}

// Number is an element with one whole number.
func Number(t tag.Tag, value int) Element { return Element{t, []int{value}} }

// Sequence is an element with one item.
func Sequence(t tag.Tag, item ...Element) Element { return Element{t, item} }

// Encode writes elements, which must be in ascending order, in Implicit VR Little Endian without a file's header.
// Sequences and their items have undefined lengths.
func Encode(elements ...Element) ([]byte, error) {
	var buf bytes.Buffer
	w, err := library.NewWriter(&buf)
	if err != nil {
		return nil, err
	}
	w.SetTransferSyntax(binary.LittleEndian, true)
	for _, e := range elements {
		whole, err := e.build()
		if err != nil {
			return nil, fmt.Errorf("element %v: %w", e.Tag, err)
		}
		if err := w.WriteElement(whole); err != nil {
			return nil, fmt.Errorf("element %v: %w", e.Tag, err)
		}
	}
	return buf.Bytes(), nil
}

// build turns an element, and the items in it, into the library's.
func (e Element) build() (*library.Element, error) {
	item, ok := e.Value.([]Element)
	if !ok {
		return library.NewElement(e.Tag, e.Value)
	}
	var inside []*library.Element
	for _, e := range item {
		whole, err := e.build()
		if err != nil {
			return nil, err
		}
		inside = append(inside, whole)
	}
	return library.NewElement(e.Tag, [][]*library.Element{inside})
}
