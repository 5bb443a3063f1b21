package hl7

// Acknowledgement is what an answer says. It has no text of the peer: that may
// quote the message.
type Acknowledgement struct {
	Code      string // MSA-1
	ControlID string // MSA-2; must equal MSH-10 of what was sent
	// Error is the first code of table 0357 (ERR-3, in older versions ERR-1.4
	// or MSA-6), "" when there is none.
	Error string
}

// DecodeAcknowledgement reads an answer of any message type, such as ACK, RSP
// or NMR: what makes it one is its MSA segment. Without MSH or MSA it is a
// SyntaxError.
func DecodeAcknowledgement(msg []byte) (Acknowledgement, error) {
	header, err := DecodeHeader(msg)
	if err != nil {
		return Acknowledgement{}, err
	}
	msa, ok := header.Find(msg, "MSA")
	if !ok {
		return Acknowledgement{}, syntaxErrorf(0, "answer without an MSA segment")
	}
	a := Acknowledgement{Code: msa.Text(1), ControlID: msa.Text(2), Error: msa.Component(6, 1)}
	if e, ok := header.Find(msg, "ERR"); ok {
		a.Error = firstOf(e.Component(3, 1), string(cut([]byte(e.Component(1, 4)), e.Subcomponent, 1)), a.Error)
	}
	return a, nil
}

// Positive tells AA and CA from everything else, an empty code included.
func (a Acknowledgement) Positive() bool {
	return a.Code == ApplicationAccept || a.Code == CommitAccept
}

func firstOf(list ...string) string {
	for _, s := range list {
		if s != "" {
			return s
		}
	}
	return ""
}
