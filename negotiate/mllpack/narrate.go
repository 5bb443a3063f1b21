package mllpack

import (
	"bytes"
	"fmt"
	"strings"

	"gantry/negotiate"
	"gantry/protocols/hl7"
	"gantry/protocols/mllp"
)

// MaxNarrated bounds the bytes of one frame that a transcript shows.
const MaxNarrated = 8 << 10

// Narrate puts a conversation into words, frame by frame. A segment is a line; the values of
// all that may say something of a patient are masked.
func (p *probe) Narrate(chunks []negotiate.Chunk) []negotiate.Passage {
	var told []negotiate.Passage
	sent := ""
	heard := map[bool]bool{} // whether a side (sent or not) has said anything
	for _, c := range negotiate.Joined(chunks) {
		for data := c.Data; len(data) > 0; {
			unit, whole := cutFrame(data)
			data = data[len(unit):]
			if len(bytes.TrimSpace(unit)) == 0 {
				continue
			}
			passage := tell(unit, whole, sent)
			if !passage.Text && heard[c.Sent] && !mllp.IsCommit(inside(unit)) {
				// Not what it speaks instead: it may be the middle of a message.
				passage.Bytes, passage.More = nil, len(unit)
			}
			heard[c.Sent] = true
			passage.Sent, passage.At = c.Sent, c.At
			told = append(told, passage)
			if c.Sent {
				sent = controlIDOf(unit)
			}
		}
		if n := len(told); c.Lost > 0 && n > 0 {
			told[n-1].More += c.Lost
		}
	}
	return told
}

// cutFrame returns the first frame of b with its framing bytes, or what stands in front of one. whole
// is false for a frame without an end.
func cutFrame(b []byte) (unit []byte, whole bool) {
	if b[0] != mllp.StartBlock {
		if i := bytes.IndexByte(b, mllp.StartBlock); i > 0 {
			return b[:i], false
		}
		return b, false
	}
	if i := bytes.Index(b, []byte{mllp.EndBlock, mllp.Trailer}); i >= 0 {
		return b[:i+2], true
	}
	return b, false
}

// inside is a frame without its framing bytes and the empty lines that it begins with.
func inside(unit []byte) []byte {
	msg := bytes.TrimSuffix(bytes.TrimPrefix(unit, []byte{mllp.StartBlock}), []byte{mllp.EndBlock, mllp.Trailer})
	return bytes.TrimLeft(msg, "\r\n")
}

func controlIDOf(unit []byte) string {
	header, err := hl7.DecodeHeader(inside(unit))
	if err != nil {
		return ""
	}
	return header.Text(hl7.ControlID)
}

// tell describes one frame; sent is the control id of the message before it that gantry sent.
func tell(unit []byte, whole bool, sent string) negotiate.Passage {
	msg := inside(unit)
	framed := unit[0] == mllp.StartBlock
	header, err := hl7.DecodeHeader(msg)
	switch {
	case framed && whole && mllp.IsCommit(msg):
		return negotiate.Passage{Title: "MLLP release 2 commit answer", Notes: []string{commitNote(msg[0])}, Bytes: bytes.Clone(unit)}
	case err != nil || !framed || !punctuation(header.Delimiters.Field):
		n := min(len(unit), negotiate.Shown)
		return negotiate.Passage{Title: foreignTitle(framed, len(unit)), Bytes: bytes.Clone(unit[:n]), More: len(unit) - n}
	}
	p := negotiate.Passage{
		Title: fmt.Sprintf("HL7 %s in an MLLP frame of %d bytes", kindOf(header), len(unit)),
		Notes: notes(header, msg, sent), Text: true,
	}
	if !whole {
		p.Title += ", without its end"
	}
	n := min(len(msg), MaxNarrated)
	p.Bytes, p.More = bytes.Clone(msg[:n]), len(msg)-n
	maskSegments(&p, header.Delimiters)
	return p
}

func commitNote(b byte) string {
	if b == mllp.CommitAck {
		return "06: stored"
	}
	return "15: not stored"
}

func foreignTitle(framed bool, n int) string {
	if framed {
		return fmt.Sprintf("an MLLP frame of %d bytes that is not HL7", n)
	}
	return fmt.Sprintf("%d bytes outside of any MLLP frame", n)
}

// notes are the facts that a check goes by.
func notes(header hl7.Segment, msg []byte, sent string) []string {
	ack, err := hl7.DecodeAcknowledgement(msg)
	if err != nil {
		return nil
	}
	var notes []string
	if errorLike([]byte(ack.Code)) {
		notes = append(notes, "MSA-1 "+ack.Code)
	}
	switch {
	case strings.TrimSpace(ack.ControlID) == "":
		notes = append(notes, "MSA-2 is empty")
	case sent != "" && strings.TrimSpace(ack.ControlID) == sent:
		notes = append(notes, "MSA-2 is the control id that was sent")
	default:
		notes = append(notes, "MSA-2 is not the control id that was sent")
	}
	for _, e := range header.ErrorCodes(msg) {
		if errorLike([]byte(e)) {
			notes = append(notes, strings.TrimSpace("error "+e+" "+hl7.ErrorWords(e)))
		}
	}
	return notes
}
