package admin

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
)

// maxBody bounds a request body. The largest sound one is some forty bytes; the rest is room for white space.
const maxBody = 4 << 10

// Validate checks the words and bounds of a change and that it asks for anything at all. Its errors are *InvalidError.
func (c ServerChange) Validate() error {
	if c.Admin == nil && c.Weight == nil {
		return &InvalidError{`the change is empty; give "admin", "weight" or both`}
	}
	if c.Admin != nil {
		switch *c.Admin {
		case AdminReady, AdminDrain, AdminMaint:
		default:
			return &InvalidError{fmt.Sprintf(`"admin" is %q; use ready, drain or maint`, *c.Admin)}
		}
	}
	if c.Weight != nil && (*c.Weight < MinWeight || *c.Weight > MaxWeight) {
		return &InvalidError{fmt.Sprintf(`"weight" is %d; use %d to %d`, *c.Weight, MinWeight, MaxWeight)}
	}
	return nil
}

// readJSON decodes a strict body into v: application/json, at most maxBody, no unknown field, nothing behind the value.
// takes names the known fields for the sentence.
func readJSON(w http.ResponseWriter, r *http.Request, v any, takes string) error {
	body, err := readBody(w, r)
	if err != nil {
		return err
	}
	if len(body) == 0 {
		return badRequest("the body is empty; send a JSON object with %s", takes)
	}
	dec := json.NewDecoder(strings.NewReader(string(body)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return badJSON(err, takes)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return badRequest("more follows the JSON object; send one object")
	}
	return nil
}

// noBody accepts an empty body, or an empty object from callers that always send one.
func noBody(w http.ResponseWriter, r *http.Request) error {
	body, err := readBody(w, r)
	if err != nil {
		return err
	}
	if text := strings.TrimSpace(string(body)); text != "" && text != "{}" {
		return badRequest("this call takes no body")
	}
	return nil
}

// readBody returns the bounded body. A body must say that it is JSON: a browser cannot send that to another site
// without asking first (CORS preflight), a plain HTML form cannot send it at all.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, &Error{Status: http.StatusRequestEntityTooLarge, Code: codeTooLarge,
			Message: fmt.Sprintf("the body is larger than %d bytes", maxBody)}
	case err != nil:
		return nil, badRequest("the body could not be read: %s", err)
	}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if len(body) > 0 && kind != "application/json" {
		return nil, &Error{Status: http.StatusUnsupportedMediaType, Code: codeMediaType,
			Message: fmt.Sprintf("the body is %q; send Content-Type: application/json", r.Header.Get("Content-Type"))}
	}
	return body, nil
}

// badJSON puts encoding/json's errors into words that name no Go type.
func badJSON(err error, takes string) error {
	var wrong *json.UnmarshalTypeError
	var broken *json.SyntaxError
	unknown, isUnknown := strings.CutPrefix(err.Error(), "json: unknown field ")
	switch {
	case isUnknown:
		return badRequest("unknown field %s; this call takes %s", unknown, takes)
	case errors.As(err, &wrong) && wrong.Field == "":
		return badRequest("the body is a JSON %s; send an object with %s", wrong.Value, takes)
	case errors.As(err, &wrong):
		return badRequest("%q cannot be a JSON %s", wrong.Field, wrong.Value)
	case errors.As(err, &broken):
		return badRequest("the body is not JSON: %s at byte %d", broken, broken.Offset)
	default: // io.ErrUnexpectedEOF: the object is cut off
		return badRequest("the body is not JSON: %s", err)
	}
}

func badRequest(format string, args ...any) error {
	return &Error{Status: http.StatusBadRequest, Code: codeBadRequest, Message: fmt.Sprintf(format, args...)}
}
