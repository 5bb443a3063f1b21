package mllpack

import (
	"errors"
	"fmt"
	"strings"

	"gantry/negotiate"
	"gantry/protocols"
	"gantry/protocols/hl7"
	"gantry/protocols/mllp"
)

// fault is one of the asking stage.
func fault(r negotiate.Reason, sentence string) *negotiate.Fault {
	return &negotiate.Fault{Stage: negotiate.StageAsk, Reason: r, Sentence: sentence}
}

// unsent explains a message that could not be written as a whole.
func (t *talk) unsent(err error) *negotiate.Fault {
	what := "in the middle of a message of " + bytesOf(t.size)
	return negotiate.LostWrite(negotiate.StageAsk, t.conn, err, negotiate.Words{
		Silent: "does not take a message of " + bytesOf(t.size) + " within " + negotiate.Within(t.ctx) + ": its channel is stopped, or it is hung",
		Closed: "closes the connection " + what + t.tooLarge(),
		Reset:  "resets the connection " + what + t.tooLarge(),
	})
}

// large is the size in bytes from which on a message may be too much for a receiver's buffer.
const large = 64 << 10

// itsSize names the size of a message that may be too large.
func (t *talk) itsSize() string {
	if t.size < large {
		return ""
	}
	return " a message of " + bytesOf(t.size)
}

func (t *talk) tooLarge() string {
	if t.size < large {
		return t.why()
	}
	return ": its buffer or its limit for messages is smaller"
}

// why lists what makes a receiver close or fall silent without a word.
func (t *talk) why() string {
	why := ": it does not accept this address, its channel is stopped"
	if !t.secure {
		why += ", it expects TLS"
	}
	if t.own {
		return why + ", or it fails over the message (its type " + t.kind + ", its character set, its size)"
	}
	return why + ", or it closes on types that it does not know: then write a message that it knows and name its file with message"
}

// lost explains a wait that ended without an answer.
func (t *talk) lost(err error) *negotiate.Fault {
	var f *negotiate.Fault
	switch {
	case t.frames.Partial():
		f = negotiate.Lost(negotiate.StageAsk, err, negotiate.Words{
			Silent: "begins to acknowledge, but does not finish within " + negotiate.Within(t.ctx) + ": very slow, or hung in the middle",
			Closed: "closes the connection in the middle of its acknowledgement",
			Reset:  "resets the connection in the middle of its acknowledgement",
		})
	case t.commit != "":
		f = negotiate.Lost(negotiate.StageAsk, err, negotiate.Words{
			Silent: "stores the message (" + t.commit + "), but its application does not acknowledge within " + negotiate.Within(t.ctx) +
				": the application behind it is stopped; if " + t.commit + " is enough, add CA to expect",
			Closed: "stores the message (" + t.commit + "), then closes the connection before its application acknowledges",
			Reset:  "stores the message (" + t.commit + "), then resets the connection before its application acknowledges",
		})
	default:
		f = negotiate.Lost(negotiate.StageAsk, err, negotiate.Words{
			Silent: "accepts TCP but does not acknowledge a message within " + negotiate.Within(t.ctx) +
				": its channel is stopped or paused, it is hung, or other senders hold all its connections",
			Closed: "closes the connection instead of acknowledging" + t.itsSize() + t.tooLarge(),
			Reset:  "resets the connection instead of acknowledging" + t.itsSize() + t.tooLarge(),
		})
		f.Busy = f.Reason == negotiate.ReasonTimeout && !t.heard
	}
	return f
}

// foreign explains bytes that are in no frame, by what usually begins so.
func (t *talk) foreign(b []byte) *negotiate.Fault {
	head := string(b[:min(len(b), 5)])
	switch {
	case strings.HasPrefix(head, "MSH") || strings.HasPrefix(head, "MSA"):
		return fault(negotiate.ReasonMalformed, "acknowledges without MLLP framing (no 0B in front): senders wait for it in vain; switch MLLP on for its answers")
	case strings.HasPrefix(head, "\x15\x03") && !t.secure:
		return fault(negotiate.ReasonMalformed, "answers with a TLS alert: this port expects MLLP over TLS; add tls: {} to the check")
	case b[0] == mllp.CommitAck || b[0] == mllp.CommitNak:
		return fault(negotiate.ReasonMalformed, fmt.Sprintf("answers with the bare byte %02X, without MLLP framing: senders wait for an acknowledgement in vain", b[0]))
	case strings.HasPrefix(head, "HTTP"), strings.HasPrefix(head, "SSH"), strings.HasPrefix(head, "<"), strings.HasPrefix(head, "220"):
		return fault(negotiate.ReasonMalformed, "answers with text of another protocol, not with HL7: the port belongs to another service")
	default:
		return fault(negotiate.ReasonMalformed, fmt.Sprintf("answers with bytes that are not MLLP (first one %02X): the port belongs to another service, or its MLLP framing is off", b[0]))
	}
}

// badFrame explains a frame that cannot be read. A SyntaxError never quotes what it read.
func (t *talk) badFrame(err error) *negotiate.Fault {
	if len(t.buf) > MaxAnswer {
		f := fault(negotiate.ReasonOversized, "answers with more than "+bytesOf(MaxAnswer)+" in one frame: that is no acknowledgement")
		f.Err = err
		return f
	}
	why := ""
	var syntax *protocols.SyntaxError
	if errors.As(err, &syntax) {
		why = " (" + syntax.Msg + ")"
	}
	f := fault(negotiate.ReasonMalformed, "answers with a broken MLLP frame"+why+": its HL7 software is broken")
	f.Err = err
	return f
}

func (t *talk) notHL7(frame []byte) *negotiate.Fault {
	if len(frame) == 0 {
		return fault(negotiate.ReasonMalformed, "answers with an empty frame: senders take that for no acknowledgement")
	}
	return fault(negotiate.ReasonMalformed, "answers with a frame that holds no HL7 message (it does not begin with MSH): its acknowledgements are set up wrongly")
}

func (t *talk) noAcknowledgement(echo bool) *negotiate.Fault {
	if echo {
		return fault(negotiate.ReasonMismatch, "sends our own message back: an echo service answers on this port, not a receiver")
	}
	return fault(negotiate.ReasonMalformed, "answers with an HL7 message that acknowledges nothing (no MSA segment): its acknowledgements are set up wrongly")
}

func (t *talk) unknownCode(code string) *negotiate.Fault {
	if code == "" {
		return fault(negotiate.ReasonMalformed, "acknowledges without a code (MSA-1 is empty): senders cannot tell whether the message was taken")
	}
	return fault(negotiate.ReasonMalformed, "acknowledges with "+shown(code)+" in MSA-1, which is none of AA, AE, AR, CA, CE and CR: its acknowledgements are set up wrongly")
}

func (t *talk) lowerCase(code string) *negotiate.Fault {
	return fault(negotiate.ReasonMalformed, "acknowledges with "+code+" in lower case: strict senders do not know that code; its acknowledgements are set up wrongly")
}

func (t *talk) tooMuch() *negotiate.Fault {
	return fault(negotiate.ReasonOversized, "sends messages without end instead of an acknowledgement: another sender's answers, or a broken HL7 software")
}

func (t *talk) withoutTrailer() *negotiate.Fault {
	return fault(negotiate.ReasonMalformed, "acknowledges, but leaves out the CR at the end of its frame: strict senders wait for it in vain")
}

// mismatched explains an acknowledgement of something else. MSA-2 itself is not quoted.
func (t *talk) mismatched(a answer) *negotiate.Fault {
	f := fault(negotiate.ReasonMismatch, "acknowledges, but not our message: MSA-2 is not the control id that was sent; it mixes up its answers, and senders may count a message as taken that is lost")
	if strings.TrimSpace(a.ControlID) == "" {
		f.Sentence = "acknowledges without saying which message (MSA-2 is empty): senders cannot match it, and strict ones send again"
	}
	f.Peer = peer(a)
	return f
}

func (t *talk) foreignFirst() *negotiate.Fault {
	return fault(negotiate.ReasonMismatch, "acknowledges another message first, then ours: a late answer to an earlier sender may be taken for this one's")
}

func (t *talk) nak() *negotiate.Fault {
	f := fault(negotiate.ReasonBadStatus, "refuses to store the message (MLLP release 2, commit answer 15): look at its log, its disk and its database")
	f.Peer = "MLLP commit 15"
	return f
}

// status is a negative acknowledgement, with its words.
func status(a answer, sentence string) *negotiate.Fault {
	f := fault(negotiate.ReasonBadStatus, sentence)
	f.Peer = peer(a)
	return f
}

func (t *talk) illness(a answer, code string) *negotiate.Fault {
	return status(a, "acknowledges with "+a.Code+", error "+code+" ("+meaning(code)+"): it takes messages but cannot work on them; look at its log, its database and its disk"+t.unlessAlways(code))
}

// unlessAlways helps with receivers that answer so to whatever they do not know.
func (t *talk) unlessAlways(code string) string {
	if t.own {
		return ""
	}
	return "; if that is its answer to types that it does not know, write expect_error: [" + code + "]"
}

func (t *talk) trouble(a answer) *negotiate.Fault {
	return status(a, "acknowledges with "+a.Code+" and a text about its database, queue or disk: it takes messages but cannot work on them; its log says more")
}

func (t *talk) rejected(a answer) *negotiate.Fault {
	return status(a, "does not take the message: it acknowledges with "+code(a)+"; look at its log, or write what is right into expect or expect_error")
}

func (t *talk) unexpected(a answer) *negotiate.Fault {
	var want []string
	if len(t.expect) > 0 {
		want = append(want, strings.Join(t.expect, ", "))
	}
	if len(t.expectError) > 0 {
		want = append(want, "error "+strings.Join(t.expectError, ", "))
	}
	return status(a, "acknowledges with "+code(a)+" where "+strings.Join(want, " and ")+" is expected: its log says why")
}

func (t *talk) accepted(a answer, code string) *negotiate.Fault {
	return status(a, "acknowledges with "+a.Code+" and error "+code+" ("+meaning(code)+"), which expect allows: it may be ill; say with expect_error which errors are right")
}

// code is MSA-1 with the first error code, as far as they may be shown.
func code(a answer) string {
	if a.release == 2 {
		return "commit answer " + a.said()
	}
	switch {
	case len(a.errors) == 0 && a.positive():
		return a.Code
	case len(a.errors) == 0:
		return a.Code + " and no error code"
	}
	e := shown(a.errors[0])
	if words := meaning(a.errors[0]); words != "" {
		e += " (" + words + ")"
	}
	return a.Code + ", error " + e
}

// peer is what the server said, in codes: its free text may quote the message.
func peer(a answer) string {
	if a.release == 2 {
		return "MLLP commit " + a.said()
	}
	said := "MSA " + a.Code
	for _, e := range a.errors[:min(len(a.errors), 3)] {
		said += ", ERR " + shown(e)
	}
	return negotiate.PeerWords(said)
}

func meaning(code string) string { return hl7.ErrorWords(code) }

// shown is a code that may be shown: one that is short, and of letters and digits. Anything else could
// be a value from a message.
func shown(code string) string {
	if len(code) <= maxShown && codeLike([]byte(code)) {
		return code
	}
	return "something that is no code"
}

// maxShown is the longest code of an acknowledgement or error that is shown.
const maxShown = 8

// bytesOf writes a size as people say it.
func bytesOf(n int) string {
	switch {
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 4096:
		return fmt.Sprintf("%d KiB", n>>10)
	default:
		return fmt.Sprintf("%d bytes", n)
	}
}
