package config

import (
	"errors"

	"gantry/gateway/dicomgate"
	"gantry/gateway/mllpgate"
)

// reader makes a parser of a form out of one that says with an *Unfit what is wrong.
func reader[T any](parse func(string) (T, error)) func(string) (any, error) {
	return func(text string) (any, error) {
		v, err := parse(text)
		return v, unfit(text, err)
	}
}

// parseReject reads a rejection; the type has room for none.
func parseReject(text string) (any, error) {
	r, err := dicomgate.ParseReject(text)
	if _, messages := mllpgate.ParseReject(text); err != nil && messages == nil {
		return nil, wrong("an answer of protocol mllp", "write a word such as calling-ae-not-recognized, or RESULT/SOURCE/REASON such as 2/1/1")
	}
	return &r, unfit(text, err)
}

// unfit says what is wrong, and which word was probably meant.
func unfit(text string, err error) error {
	var u *dicomgate.Unfit
	if !errors.As(err, &u) {
		return err
	}
	if w := nearest(text, u.Known); w != "" {
		return wrong(u.What, suggestion(w)+" Otherwise "+u.Want)
	}
	return wrong(u.What, u.Want)
}
