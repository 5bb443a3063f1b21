package dicom

import (
	"encoding/binary"
	"errors"

	"gantry/protocols"
)

const (
	// pdvHeadLen is the head of a PDV: length 4, context id 1, control header 1.
	pdvHeadLen = 6
	// pdvLenSize is the part of the head that its length does not count.
	pdvLenSize = 4
	// maxPDVs bounds the list that DecodePDVs builds. One PDU holds one or two
	// in practice; 16 MiB of empty ones would make 2.8 million.
	maxPDVs = 4096

	pdvCommand = 1 << 0 // control header: command, not data set
	pdvLast    = 1 << 1 // control header: last fragment
)

// PDV is a presentation data value: a fragment of a command or of a data set.
// PS3.8 9.3.5.1 and Annex E.
type PDV struct {
	ContextID byte
	Command   bool // fragment of a command set, otherwise of a data set
	Last      bool // ends the command set or data set
	// Data shares memory with what it was decoded from.
	Data []byte
}

// NextPDV reads the first PDV of b, which is the body of a P-DATA-TF or its
// beginning, and returns what follows. It fails with protocols.ErrShort when b
// ends before the PDV does.
func NextPDV(b []byte) (p PDV, rest []byte, err error) {
	if len(b) < pdvHeadLen {
		return PDV{}, b, protocols.ErrShort
	}
	n := binary.BigEndian.Uint32(b)
	if n < pdvHeadLen-pdvLenSize || n > MaxDataPDU {
		return PDV{}, b, syntaxErrorf(0, "PDV of length %d, allowed are 2 to %d", n, MaxDataPDU)
	}
	end := pdvLenSize + int(n)
	if len(b) < end {
		return PDV{}, b, protocols.ErrShort
	}
	control := b[5] // bits 2 to 7 are not checked: PS3.8 Annex E.2
	return PDV{
		ContextID: b[4],
		Command:   control&pdvCommand != 0,
		Last:      control&pdvLast != 0,
		Data:      b[pdvHeadLen:end:end],
	}, b[end:], nil
}

// DecodePDVs reads all PDVs of a P-DATA-TF. The body is what follows the PDU
// header, all of it; so a PDV that runs past its end is a SyntaxError, as is an
// empty body and a body of more than 4096 PDVs. PDV.Data shares memory with it.
func DecodePDVs(body []byte) ([]PDV, error) {
	if len(body) == 0 {
		return nil, syntaxErrorf(0, "P-DATA-TF without a PDV")
	}
	var list []PDV
	for rest := body; len(rest) > 0; {
		at := len(body) - len(rest)
		p, after, err := NextPDV(rest)
		var syntax *protocols.SyntaxError
		switch {
		case errors.As(err, &syntax):
			syntax.Offset += at
			return nil, syntax
		case err != nil:
			return nil, syntaxErrorf(at, "PDV runs past the end of the P-DATA-TF")
		case len(list) == maxPDVs:
			return nil, syntaxErrorf(at, "more than %d PDVs in one P-DATA-TF", maxPDVs)
		}
		list, rest = append(list, p), after
	}
	return list, nil
}

// AppendPData adds one whole P-DATA-TF with the given PDVs to dst. The caller
// keeps the sum (data and 6 bytes for each PDV) within what the peer announced.
func AppendPData(dst []byte, pdvs ...PDV) []byte {
	start := len(dst)
	dst = appendHeader(dst, TypeData)
	for _, p := range pdvs {
		dst = binary.BigEndian.AppendUint32(dst, uint32(len(p.Data)+pdvHeadLen-pdvLenSize))
		dst = append(dst, p.ContextID, flag(p.Command)*pdvCommand|flag(p.Last)*pdvLast)
		dst = append(dst, p.Data...)
	}
	return setLength(dst, start)
}
