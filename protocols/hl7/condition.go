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
// MSH-16. Both empty is the original mode.
func (s Segment) Answer() Answer {
	accept, application := s.condition(AcceptCondition), s.condition(ApplicationCondition)
	switch {
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
// AnswerAccept (CE, CR) or AnswerApplication (AE, AR), or AnswerNone where neither MSH-15 nor MSH-16 asks for one.
func (s Segment) AnswerError() Answer {
	accept, application := s.condition(AcceptCondition), s.condition(ApplicationCondition)
	switch {
	case accept == "AL" || accept == "ER":
		return AnswerAccept
	case application == "AL" || application == "ER", accept == "" && application == "":
		return AnswerApplication
	}
	return AnswerNone
}

// condition is a field with a word of table 0155. What the table does not have counts as empty: who waits for an
// answer in vain has lost less than who loses one.
func (s Segment) condition(field int) string {
	switch string(Value(s.Field(field))) {
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
