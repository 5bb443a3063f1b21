package admin

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Error is an API error as the client reads it and the handler writes it:
// {"error": {"code": "not_found", "message": "no service is called \"HL8\"; there is HL7"}}.
type Error struct {
	Status  int    `json:"-"`       // the HTTP status
	Code    string `json:"code"`    // one of a closed set, for programs
	Message string `json:"message"` // one sentence, for people
	// Problems are those of a refused configuration (422 only).
	Problems []Problem `json:"problems,omitempty"`
}

func (e *Error) Error() string { return e.Message }

// The codes of [Error]: programs may rely on them.
const (
	codeBadRequest   = "bad_request"            // 400
	codeUnauthorized = "unauthorized"           // 401
	codeForbidden    = "forbidden"              // 403
	codeNotFound     = "not_found"              // 404
	codeMethod       = "method_not_allowed"     // 405
	codeTooLarge     = "too_large"              // 413
	codeMediaType    = "unsupported_media_type" // 415
	codeRefused      = "configuration_refused"  // 422
	codeInternal     = "internal"               // 500
	codeBusy         = "busy"                   // 503
	codeNotReady     = "not_ready"              // 503
)

type errorBody struct {
	Error *Error `json:"error"`
}

// asError maps what a Control returned to what the caller reads.
func asError(err error) *Error {
	var own *Error
	var missing *NotFoundError
	var invalid *InvalidError
	var refused *ReloadError
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &missing):
		return &Error{Status: http.StatusNotFound, Code: codeNotFound, Message: missing.Error()}
	case errors.As(err, &invalid):
		return &Error{Status: http.StatusBadRequest, Code: codeBadRequest, Message: invalid.Error()}
	case errors.As(err, &refused):
		return &Error{Status: http.StatusUnprocessableEntity, Code: codeRefused, Message: refused.Error(),
			Problems: refused.Problems}
	default:
		return &Error{Status: http.StatusInternalServerError, Code: codeInternal, Message: err.Error()}
	}
}

func writeError(w http.ResponseWriter, err error) {
	e := asError(err)
	writeJSON(w, e.Status, errorBody{e})
}

// writeJSON encodes before it writes, so that a value that cannot be encoded becomes a 500 and not half an answer.
func writeJSON(w http.ResponseWriter, status int, v any) {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // the answer is never part of a page; "<" in a sentence stays readable
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		status = http.StatusInternalServerError
		b.Reset()
		fmt.Fprintf(&b, "{\"error\": {\"code\": %q, \"message\": \"the answer could not be encoded\"}}\n", codeInternal)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	io.WriteString(w, b.String()) // an error here is the caller's connection: nobody is left to tell
}

func writeText(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	io.WriteString(w, text)
}

func notFound(w http.ResponseWriter, r *http.Request) {
	writeError(w, &Error{Status: http.StatusNotFound, Code: codeNotFound,
		Message: fmt.Sprintf("nothing is served at %s; GET / lists what is", r.URL.Path)})
}

func methodNotAllowed(allow string) http.Handler {
	if allow == http.MethodGet {
		allow = "GET, HEAD"
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", allow)
		writeError(w, &Error{Status: http.StatusMethodNotAllowed, Code: codeMethod,
			Message: fmt.Sprintf("%s does not take %s; use %s", r.URL.Path, r.Method, allow)})
	})
}

// filled turns nil into an empty list: a program that reads the answer never meets null.
func filled[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

// filled returns a copy without nil lists, at every depth. What Control returned is not written to.
func (s Status) filled() Status {
	s.Config.Problems = filled(s.Config.Problems)
	services := make([]ServiceStatus, len(s.Services))
	for i, v := range s.Services {
		servers := make([]ServerStatus, len(v.Servers))
		for j, r := range v.Servers {
			r.Checks = filled(r.Checks)
			servers[j] = r
		}
		v.Listen, v.Servers = filled(v.Listen), servers
		services[i] = v
	}
	s.Services, s.Leaving = services, filled(s.Leaving)
	return s
}

func (d Reloaded) filled() Reloaded {
	for _, x := range []*Difference{&d.Services, &d.Servers, &d.Listeners} {
		x.Added, x.Removed, x.Changed = filled(x.Added), filled(x.Removed), filled(x.Changed)
	}
	return d
}

// Server finds a server by the names of its service and its own; ok is false when there is none.
func (s Status) Server(service, server string) (found ServerStatus, ok bool) {
	for _, v := range s.Services {
		if v.Name != service {
			continue
		}
		for _, r := range v.Servers {
			if r.Name == server {
				return r, true
			}
		}
	}
	return ServerStatus{}, false
}
