package mllpack

import (
	"bytes"
	"slices"
	"strings"

	"gantry/negotiate"
	"gantry/protocols/hl7"
	"gantry/protocols/mllp"
)

// answer is one acknowledgement.
type answer struct {
	hl7.Acknowledgement
	errors  []string // all error codes
	text    string   // MSA and ERR in small letters, to look for words in; never shown
	release int      // of MLLP: 2 for a commit answer, which is one byte and has no MSA
}

// ours reports whether it acknowledges the message that was sent. A commit answer has no control id.
func (a answer) ours(id string) bool {
	return a.release == 2 || strings.TrimSpace(a.ControlID) == id
}

// positive tells AA, CA and 06.
func (a answer) positive() bool { return a.Positive() }

// said is the code in the terms of the protocol that it came in.
func (a answer) said() string {
	switch {
	case a.release != 2:
		return a.Code
	case a.positive():
		return "06"
	default:
		return "15"
	}
}

// read takes an acknowledgement out of a frame.
func (t *talk) read(frame []byte) (answer, *negotiate.Fault) {
	if mllp.IsCommit(frame) {
		code := hl7.CommitAccept
		if frame[0] == mllp.CommitNak {
			code = hl7.CommitReject
		}
		return answer{Acknowledgement: hl7.Acknowledgement{Code: code}, release: 2}, nil
	}
	frame = bytes.TrimLeft(frame, "\r\n") // parsers step over empty lines
	header, err := hl7.DecodeHeader(frame)
	if err != nil {
		return answer{}, t.notHL7(frame)
	}
	ack, err := hl7.DecodeAcknowledgement(frame)
	if err != nil {
		return answer{}, t.noAcknowledgement(header.Text(hl7.ControlID) == t.id)
	}
	said := strings.TrimSpace(ack.Code)
	if ack.Code = strings.ToUpper(said); !slices.Contains(codes, ack.Code) {
		return answer{}, t.unknownCode(said)
	}
	if ack.Code != said {
		negotiate.Degrade(t.ctx, t.lowerCase(said))
	}
	a := answer{Acknowledgement: ack, errors: header.ErrorCodes(frame), release: 1}
	for _, name := range []string{"MSA", "ERR"} {
		for s := range header.All(frame, name) {
			a.text += string(bytes.ToLower(s.Bytes()[:min(len(s.Bytes()), maxText)]))
		}
	}
	a.text = withoutIDs(a.text, ack.ControlID, t.id)
	return a, nil
}

// withoutIDs takes control ids out of a text: their letters are random, and may make any word.
func withoutIDs(text string, ids ...string) string {
	for _, id := range ids {
		if id = strings.ToLower(strings.TrimSpace(id)); len(id) > 2 {
			text = strings.ReplaceAll(text, id, " ")
		}
	}
	return text
}

// maxText bounds what is searched of one segment, in bytes.
const maxText = 4096

// wantsMore reports whether the server has only said that it stored the message, and the operator
// wants to hear the application.
func (t *talk) wantsMore(a answer) bool {
	return a.Code == hl7.CommitAccept && (t.twice || a.release == 2) &&
		len(t.expect) > 0 && !slices.Contains(t.expect, hl7.CommitAccept)
}

// commitBack tells a server that speaks release 2 that its acknowledgement has arrived; it would send it again.
func (t *talk) commitBack(a answer) {
	if t.commit == "06" && a.release == 1 {
		_, _ = t.conn.Write(mllp.Append(nil, []byte{mllp.CommitAck}))
	}
}

// judge says what an acknowledgement means: nil is healthy.
func (t *talk) judge(a answer) *negotiate.Fault {
	if len(t.expect) > 0 || len(t.expectError) > 0 {
		return t.judgeExpected(a)
	}
	switch {
	case a.positive():
		return nil
	case a.release == 2:
		return t.nak()
	case t.unrouted(a):
		return nil
	case ill(a.errors) != "":
		return t.illness(a, ill(a.errors))
	case slices.ContainsFunc(a.errors, byDesign):
		return nil
	case troubled(a.text):
		return t.trouble(a)
	case t.own:
		return t.rejected(a)
	}
	return nil
}

// judgeExpected goes by what the operator expects.
func (t *talk) judgeExpected(a answer) *negotiate.Fault {
	listed := slices.Contains(t.expect, a.Code)
	allowed := slices.ContainsFunc(a.errors, func(code string) bool { return slices.Contains(t.expectError, code) })
	switch {
	case a.positive() && (len(t.expect) == 0 || listed):
		return nil
	case !a.positive() && allowed && (listed || !slices.ContainsFunc(t.expect, negative)):
		return nil
	case !a.positive() && listed && len(t.expectError) == 0:
		if code := ill(a.errors); code != "" && !t.unrouted(a) {
			negotiate.Warn(t.ctx, t.accepted(a, code))
		}
		return nil
	case a.release == 2 && !a.positive():
		return t.nak()
	}
	return t.unexpected(a)
}

func negative(code string) bool {
	return code != hl7.ApplicationAccept && code != hl7.CommitAccept
}

// ill returns the code by which a receiver says that it cannot work, "" if there is none.
func ill(codes []string) string {
	for _, code := range codes {
		if code == hl7.ErrorLocked || code == hl7.ErrorInternal {
			return code
		}
	}
	return ""
}

// byDesign are codes of table 0357 for a message that a healthy receiver does not want: its content
// (100 to 104), or its type, event, processing id or version (200 to 203).
func byDesign(code string) bool {
	return len(code) == 3 && (code >= "100" && code <= "104" || code >= "200" && code <= "203")
}

// unrouted recognises the receiver of HAPI, the most common library: it knows no destination for the
// type of the built-in message, and says so with error 207.
func (t *talk) unrouted(a answer) bool {
	return !t.own && strings.Contains(a.text, "no appropriate destination")
}

// troubled finds the words by which receivers without error codes tell that they are ill.
func troubled(text string) bool {
	for _, word := range []string{"database", "queue", "disk", "sql", "jdbc"} {
		if strings.Contains(text, word) {
			return true
		}
	}
	return false
}
