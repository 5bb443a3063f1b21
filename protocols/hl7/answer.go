package hl7

import "strings"

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
	a := Acknowledgement{Code: msa.Text(1), ControlID: msa.Text(2)}
	if codes := header.ErrorCodes(msg); len(codes) > 0 {
		a.Error = codes[0]
	}
	return a, nil
}

// MaxErrorCodes bounds what ErrorCodes returns.
const MaxErrorCodes = 32

// ErrorCodes returns the codes of table 0357 in an answer with this header, in order: those of
// ERR-3, in older versions ERR-1.4 with its repetitions, of each ERR segment, and that of MSA-6.
func (s Segment) ErrorCodes(msg []byte) []string {
	var codes []string
	add := func(code string) bool {
		code = strings.TrimSpace(code)
		if code != "" && len(codes) < MaxErrorCodes {
			codes = append(codes, code)
		}
		return code != ""
	}
	for e := range s.All(msg, "ERR") {
		if add(e.Component(3, 1)) {
			continue
		}
		for n := 1; n <= MaxErrorCodes; n++ { // one for each error
			place := cut(e.Field(1), e.Repetition, n)
			if place == nil {
				break
			}
			add(string(cut(cut(place, e.Delimiters.Component, 4), e.Subcomponent, 1)))
		}
	}
	if msa, ok := s.Find(msg, "MSA"); ok {
		add(msa.Component(6, 1))
	}
	return codes
}

// Positive tells AA and CA from everything else, an empty code included.
func (a Acknowledgement) Positive() bool {
	return a.Code == ApplicationAccept || a.Code == CommitAccept
}
