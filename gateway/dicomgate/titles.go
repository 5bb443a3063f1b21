package dicomgate

import (
	"bytes"

	"gantry/protocols/dicom"
)

// titlesEnd is where both AE titles of an association PDU end; the called one stands before the calling one.
const titlesEnd = dicom.CallingAEOffset + dicom.AETitleLen

// RewriteTitles returns a copy of a whole A-ASSOCIATE-RQ with other AE titles, padded with spaces and cut to 16 bytes;
// an empty title stays what it is. All other bytes and all lengths are those of the original. PS3.8 9.3.2.
func RewriteTitles(rq []byte, called, calling string) []byte {
	out := bytes.Clone(rq)
	if len(out) < titlesEnd {
		return out
	}
	putTitle(out[dicom.CalledAEOffset:dicom.CallingAEOffset], called)
	putTitle(out[dicom.CallingAEOffset:titlesEnd], calling)
	return out
}

func putTitle(field []byte, title string) {
	if title == "" {
		return
	}
	for n := copy(field, title); n < len(field); n++ {
		field[n] = ' '
	}
}

// RestoreTitles writes the AE titles that the client sent, padding included, into the server's A-ASSOCIATE-AC, which has
// to repeat them: a client must not see what was rewritten. PS3.8 9.3.3.
func RestoreTitles(ac, originalRQ []byte) {
	if len(ac) >= titlesEnd && len(originalRQ) >= titlesEnd {
		copy(ac[dicom.CalledAEOffset:titlesEnd], originalRQ[dicom.CalledAEOffset:titlesEnd])
	}
}
