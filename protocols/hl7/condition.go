package hl7

// Answer is what a message asks its receiver to send back at once on the same
// connection. HL7 2.5.1, 2.9.2 and 2.9.3.
type Answer byte

// The four answers.
const (
	AnswerApplication Answer = iota // AA, AE or AR
	AnswerAccept                    // CA, CE or CR; an application answer may follow later
	AnswerMaybe                     // only on error, or only on success: silence is no failure
	AnswerNone                      // none: do not wait
)

// Answer tells what to expect for the message of this MSH, from MSH-15 and
// MSH-16. Both empty is the original mode; an acknowledgement that comes as a
// message in that mode is not acknowledged, though some receivers do.
func (s Segment) Answer() Answer {
	accept, application := s.conditions()
	switch {
	case accept == "" && application == "" && s.acknowledges():
		return AnswerMaybe
	case accept == "" && application == "":
		return AnswerApplication
	case accept == "AL":
		return AnswerAccept
	case accept == "ER" || accept == "SU":
		return AnswerMaybe
	case application == "AL":
		return AnswerApplication
	case application == "ER" || application == "SU":
		return AnswerMaybe
	}
	return AnswerNone
}

// AnswerError tells which kind of acknowledgement the sender of this MSH wants of an error that is found at once:
// AnswerAccept (CE, CR) or AnswerApplication (AE, AR), or AnswerNone where neither MSH-15 nor MSH-16 asks for one. An
// acknowledgement gets no AE or AR.
func (s Segment) AnswerError() Answer {
	accept, application := s.conditions()
	switch {
	case accept == "AL" || accept == "ER":
		return AnswerAccept
	case s.acknowledges():
		return AnswerNone
	case application == "AL" || application == "ER", accept == "" && application == "":
		return AnswerApplication
	}
	return AnswerNone
}

// acknowledges tells the messages that are acknowledgements: ACK, and MCF of old versions.
func (s Segment) acknowledges() bool {
	code := Value(s.Part(MessageType, 1, 0))
	return string(code) == "ACK" || string(code) == "MCF"
}

// Condition is the word of table 0155 in MSH-15 or MSH-16: AL, NE, ER or SU, "" for none. What the table does not have
// counts as none: who waits for an answer in vain has lost less than who loses one.
func (s Segment) Condition(field int) string { return condition(s.Field(field)) }

// conditions are those of MSH-15 and MSH-16, which every message is asked for.
func (s Segment) conditions() (accept, application string) {
	both := s.from(AcceptCondition)
	return condition(cut(both, s.Delimiters.Field, 1)), condition(cut(both, s.Delimiters.Field, 2))
}

func condition(field []byte) string {
	switch string(Value(field)) {
	case "AL":
		return "AL"
	case "NE":
		return "NE"
	case "ER":
		return "ER"
	case "SU":
		return "SU"
	}
	return ""
}
