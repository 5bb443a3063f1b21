package admin

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestErrors holds every error form of the API: status, code, and the sentence.
func TestErrors(t *testing.T) {
	const server = "/api/v1/services/DICOM/servers/PACS2"
	put := func(body string) exchange { return exchange{method: "PUT", path: server, body: body, header: asJSON} }
	tests := []struct {
		name    string
		x       exchange
		status  int
		code    string
		message string
	}{
		{"no such path", exchange{method: "GET", path: "/api/v2/status"}, 404, "not_found",
			"nothing is served at /api/v2/status; GET / lists what is"},
		{"wrong method", exchange{method: "DELETE", path: "/api/v1/status"}, 405, "method_not_allowed",
			"/api/v1/status does not take DELETE; use GET, HEAD"},
		{"reading a change", exchange{method: "GET", path: server}, 405, "method_not_allowed",
			server + " does not take GET; use PUT"},
		{"posting to the index", exchange{method: "POST", path: "/"}, 405, "method_not_allowed",
			"/ does not take POST; use GET, HEAD"},
		{"unknown service", exchange{method: "PUT", path: "/api/v1/services/HL8/servers/A", body: `{"weight":1}`, header: asJSON},
			404, "not_found", `no service is called "HL8"; there is DICOM`},
		{"unknown server", exchange{method: "PUT", path: "/api/v1/services/DICOM/servers/A", body: `{"weight":1}`, header: asJSON},
			404, "not_found", `no server is called "A"; there is PACS 1, PACS2`},
		{"empty body", put(""), 400, "bad_request", `the body is empty; send a JSON object with "admin" and "weight"`},
		{"empty change", put("{}"), 400, "bad_request", `the change is empty; give "admin", "weight" or both`},
		{"null", put("null"), 400, "bad_request", `the change is empty; give "admin", "weight" or both`},
		{"unknown field", put(`{"wieght":5}`), 400, "bad_request", `unknown field "wieght"; this call takes "admin" and "weight"`},
		{"unknown word", put(`{"admin":"off"}`), 400, "bad_request", `"admin" is "off"; use ready, drain or maint`},
		{"weight of nothing", put(`{"weight":0}`), 400, "bad_request", `"weight" is 0; use 1 to 256`},
		{"weight too large", put(`{"weight":257}`), 400, "bad_request", `"weight" is 257; use 1 to 256`},
		{"weight in words", put(`{"weight":"heavy"}`), 400, "bad_request", `"weight" cannot be a JSON string`},
		{"weight in parts", put(`{"weight":1.5}`), 400, "bad_request", `"weight" cannot be a JSON number 1.5`},
		{"a list", put(`[1]`), 400, "bad_request", `the body is a JSON array; send an object with "admin" and "weight"`},
		{"two objects", put(`{"weight":5}{"weight":6}`), 400, "bad_request", "more follows the JSON object; send one object"},
		{"junk behind", put(`{"weight":5} x`), 400, "bad_request", "more follows the JSON object; send one object"},
		{"cut off", put(`{"weight":`), 400, "bad_request", "the body is not JSON: unexpected EOF"},
		{"not JSON", put(`weight=5`), 400, "bad_request", "the body is not JSON: invalid character 'w' looking for beginning of value at byte 1"},
		{"too large", put(strings.Repeat(" ", maxBody+1)), 413, "too_large", "the body is larger than 4096 bytes"},
		{"a form", exchange{method: "PUT", path: server, body: `{"weight":5}`, header: map[string]string{"Content-Type": "text/plain"}},
			415, "unsupported_media_type", `the body is "text/plain"; send Content-Type: application/json`},
		{"no content type", exchange{method: "PUT", path: server, body: `{"weight":5}`},
			415, "unsupported_media_type", `the body is ""; send Content-Type: application/json`},
		{"reload with a body", exchange{method: "POST", path: "/api/v1/reload", body: `{"file":"x"}`, header: asJSON},
			400, "bad_request", "this call takes no body"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := tt.x.do(t, options(newFake()))
			requireError(t, w, tt.status, tt.code, tt.message)
		})
	}
}

func requireError(t *testing.T, w *http.Response, status int, code, message string) {
	t.Helper()
	var b errorBody
	require.Equal(t, "application/json", w.Header.Get("Content-Type"))
	require.NoError(t, json.Unmarshal([]byte(text(t, w)), &b))
	require.Equal(t, message, b.Error.Message)
	require.Equal(t, code, b.Error.Code)
	require.Equal(t, status, w.StatusCode)
}

func TestReloadErrors(t *testing.T) {
	tests := []struct {
		name    string
		err     error
		status  int
		message string
		golden  string
	}{
		{"problems in the file", &ReloadError{Problems: []Problem{problem, problem}}, 422,
			"the configuration has 2 problems; the old one stays in force", "reload-problems.json"},
		{"an address in use", &ReloadError{Err: errors.New("10.12.1.100:104 is in use by another program")}, 422,
			"10.12.1.100:104 is in use by another program", "reload-in-use.json"},
		{"anything else", errors.New("the gateway is stopping"), 500, "the gateway is stopping", "reload-other.json"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newFake()
			c.refusal = tt.err
			w := exchange{method: "POST", path: "/api/v1/reload"}.do(t, options(c))
			require.Equal(t, tt.status, w.StatusCode)
			golden(t, tt.golden, text(t, w))
		})
	}
}

func TestServerGoneBetweenChangeAndAnswer(t *testing.T) {
	c := newFake()
	gone := &vanishing{c}
	w := exchange{method: "PUT", path: "/api/v1/services/DICOM/servers/PACS2", body: `{"weight":5}`, header: asJSON}.do(t, options(gone))
	requireError(t, w, 404, "not_found", `no server is called "DICOM/PACS2"`)
}

// vanishing is a gateway whose servers a reload removes right after a change.
type vanishing struct{ *fakeControl }

func (v *vanishing) Status() Status { return Status{} }
