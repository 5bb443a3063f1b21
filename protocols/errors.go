package protocols

import (
	"errors"
	"fmt"
)

// ErrShort says that the bytes seen so far are a good beginning and nothing
// more: read on and decode again from the same start. It is a state, not a
// failure, and therefore never wrapped by a decoder.
var ErrShort = errors.New("more bytes are needed")

// SyntaxError says that no further bytes can make sense of the input.
//
// Msg never quotes the input: what a peer sent may hold names of patients, and
// this error ends up in logs.
type SyntaxError struct {
	Proto  string // the codec's package name: "dicom", "mllp", "hl7"
	Offset int    // bytes from the start of the slice that was decoded
	Msg    string // what is wrong, lower case, without a full stop
	Limit  bool   // it is longer than the reader allows, and may be right otherwise
}

// Error gives "dicom: offset 74: item 20 runs past the end of the PDU".
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%s: offset %d: %s", e.Proto, e.Offset, e.Msg)
}
