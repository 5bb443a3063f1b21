package config

import (
	"errors"

	"gantry/gateway/dicomgate"
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
