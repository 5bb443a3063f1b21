package soaptalk

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/negotiate"
)

func TestHealthy(t *testing.T) {
	const mtom = `multipart/related; boundary=uuid:x; type=application/xop+xml; start="<r>"`
	partial := adhoc("urn:ihe:iti:2007:ResponseStatusType:PartialSuccess", errorsOf("XDSUnknownPatientId"))
	tests := []struct {
		name     string
		endpoint Endpoint
		answer   step
	}{
		{"Success", Endpoint{}, healthy},
		{"Success with a warning", Endpoint{}, reply(ok, soapType, soap(related, adhoc("Success", strings.ReplaceAll(errorsOf("XDSRegistryError"), "Type:Error", "Type:Warning"))))},
		{"in an MTOM package", Endpoint{}, reply(ok, mtom, "--uuid:x\r\nContent-ID: <r>\r\n\r\n"+soap(related, adhoc("Success", ""))+"\r\n--uuid:x--")},
		{"chunked, as text/xml", Endpoint{}, say("HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks(soap(related, adhoc("Success", ""))))},
		{"without a content type, to the end of the connection", Endpoint{}, say("HTTP/1.0 200 OK\r\n\r\n" + soap(related, adhoc("Success", "")))},
		{"refused as it should be", Endpoint{}, failure("XDSUnknownPatientId")},
		{"several refusals", Endpoint{}, failure("XDSStoredQueryMissingParam", "XDSUnknownStoredQuery")},
		{"refused in part", Endpoint{}, reply(ok, soapType, soap(related, partial))},
		{"refused as a plain RegistryResponse", Endpoint{}, reply(ok, soapType, soap(related, `<RegistryResponse xmlns="urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0" status="urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Failure">`+
			strings.ReplaceAll(strings.ReplaceAll(errorsOf("XDSUnknownStoredQuery"), "<rs:", "<"), "</rs:", "</")+`</RegistryResponse>`))},
		{"an error that is normal here", Endpoint{ExpectError: []string{"XDSRegistryError"}}, failure("XDSRegistryError", "XDSUnknownPatientId")},
		{"a fault that is normal here", Endpoint{ExpectError: []string{"InvalidSecurity"}}, reply("500 x", soapType, fault("Sender", "InvalidSecurity"))},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			result, _ := run(t, tt.endpoint, recv, tt.answer)
			require.Nil(t, result.Fault)
			require.Nil(t, result.Degraded)
			require.Nil(t, result.Warning)
		})
	}
}

// chunks sends a text with {id} in it in two chunks.
func chunks(text string) string {
	before, after, _ := strings.Cut(text, "{id}")
	hex := func(n int) string {
		return strings.ToLower(strings.TrimLeft(string([]byte{"0123456789ABCDEF"[n>>8&15], "0123456789ABCDEF"[n>>4&15], "0123456789ABCDEF"[n&15]}), "0"))
	}
	return hex(len(before)) + "\r\n" + before + "\r\n" + hex(idLen+4+len(after)) + "\r\n{id}" + after + "\r\n0\r\n\r\n"
}

func TestDegraded(t *testing.T) {
	secured := Endpoint{SecurityFile: securityFile(t, assertion)}
	tests := []struct {
		name     string
		endpoint Endpoint
		steps    []step
		reason   negotiate.Reason
		peer     string
		sentence string
	}{
		{"busy", Endpoint{}, []step{recv, failure("XDSRegistryBusy", "XDSUnknownPatientId")}, negotiate.ReasonBadStatus,
			"Failure XDSRegistryBusy XDSUnknownPatientId", "is too busy to answer (XDSRegistryBusy): overloaded, or it waits for its database"},
		{"part of it missing", Endpoint{}, []step{recv, reply(ok, soapType, soap(related, adhoc("urn:ihe:iti:2007:ResponseStatusType:PartialSuccess", "")))},
			negotiate.ReasonBadStatus, "PartialSuccess", "answers in part only (PartialSuccess), and does not say what is missing"},
		{"security header refused", secured, []step{recv, reply("500 Error", soapType, fault("Sender", "FailedAuthentication"))}, negotiate.ReasonRejected,
			"500 Internal Server Error, SOAP fault Sender/FailedAuthentication",
			"answers, but refuses the WS-Security header of security_file (FailedAuthentication): the assertion may have expired; if it has not, users are refused too"},
		{"security header wanted", Endpoint{}, []step{recv, reply(ok, soapType, fault("Sender", "InvalidSecurity"))}, negotiate.ReasonRejected,
			"200 OK, SOAP fault Sender/InvalidSecurity",
			"answers, but wants a WS-Security header (InvalidSecurity): give one in security_file, or accept this answer with expect_error: [InvalidSecurity]"},
		{"Expect never answered", Endpoint{ExpectContinue: true}, []step{head, pause(2 * time.Second), restOf, healthyNow}, negotiate.ReasonSlow, "",
			"does not answer Expect: 100-continue: clients that ask for it, such as .NET and curl, lose up to 1 s with each request; look at the proxies in front of it"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			result, _ := run(t, tt.endpoint, tt.steps...)
			require.Nil(t, result.Fault)
			require.NotNil(t, result.Degraded)
			require.Equal(t, tt.sentence, result.Degraded.Sentence)
			require.Equal(t, tt.reason, result.Degraded.Reason)
			require.Equal(t, tt.peer, result.Degraded.Peer)
			require.NotContains(t, result.Degraded.Peer+result.Degraded.Sentence, "SECRET")
		})
	}
}

// restOf reads the body of the request whose head was read.
func restOf(s *script) {
	r := s.heads[len(s.heads)-1]
	b := make([]byte, r.ContentLength)
	for n := 0; n < len(b); {
		k, err := s.reader.Read(b[n:])
		if n += k; err != nil {
			break
		}
	}
	s.bodies = append(s.bodies, string(b))
}

func healthyNow(s *script) { healthy(s) }

func TestExpectContinue(t *testing.T) {
	asked := Endpoint{ExpectContinue: true}
	result, played := run(t, asked, head, say("HTTP/1.1 100 Continue\r\n\r\n"), restOf, healthyNow)
	require.Nil(t, result.Words())
	require.Equal(t, "100-continue", played.heads[0].Header.Get("Expect"))
	require.Contains(t, played.bodies[0], "AdhocQueryRequest")
	require.Less(t, result.Duration, time.Millisecond)

	result, _ = run(t, asked, head, reply("417 Expectation Failed", html, "no"))
	require.Equal(t, "answers 417 Expectation Failed for /services/registry: it refuses Expect: 100-continue, which .NET and curl send; look at the proxy in front of it", result.Fault.Sentence)
	result, _ = run(t, asked, head, silent)
	require.Equal(t, negotiate.ReasonTimeout, result.Fault.Reason)
	require.Equal(t, negotiate.DefaultTimeout, result.Duration)
	result, _ = run(t, asked, head)
	require.Equal(t, negotiate.ReasonClosed, result.Fault.Reason)
}

func TestWarnings(t *testing.T) {
	const action = `<a:Action>urn:ihe:iti:2007:RegistryStoredQueryResponse</a:Action>`
	tests := []struct{ name, header, want string }{
		{"no RelatesTo", action, "answers without saying what it answers (no RelatesTo): strict clients refuse that"},
		{"RelatesTo unspecified", action + `<a:RelatesTo>http://www.w3.org/2005/08/addressing/unspecified</a:RelatesTo>`,
			"answers without saying what it answers (no RelatesTo): strict clients refuse that"},
		{"no action", `<a:RelatesTo>{id}</a:RelatesTo>`, "answers with another wsa:Action than the profile asks for: strict clients refuse that"},
		{"action of the request", `<a:Action>urn:ihe:iti:2007:RegistryStoredQuery</a:Action><a:RelatesTo>{id}</a:RelatesTo>`,
			"answers with another wsa:Action than the profile asks for: strict clients refuse that"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			result, _ := run(t, Endpoint{}, recv, reply(ok, soapType, soap(tt.header, adhoc("Success", ""))))
			require.True(t, result.OK())
			require.Equal(t, tt.want, result.Warning.Sentence)
		})
	}
}

const assertion = `<wsse:Security xmlns:wsse="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"><Assertion>TOPSECRET</Assertion></wsse:Security>`

func securityFile(t *testing.T, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "security.xml")
	require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
	return file
}

func TestRequestOnTheWire(t *testing.T) {
	result, played := run(t, Endpoint{Host: "xds.example", Path: "/x?y=z", SecurityFile: securityFile(t, "<?xml version='1.0'?>\n"+assertion+"\n")}, recv, healthy)
	require.Nil(t, result.Words())
	r, body := played.heads[0], played.bodies[0]
	require.Equal(t, "POST /x?y=z", r.Method+" "+r.RequestURI)
	require.Equal(t, "xds.example", r.Host)
	require.Equal(t, "gantry/1.2.3", r.Header.Get("User-Agent"))
	require.Equal(t, `application/soap+xml; charset=UTF-8; action="urn:ihe:iti:2007:RegistryStoredQuery"`, r.Header.Get("Content-Type"))
	require.EqualValues(t, len(body), r.ContentLength)
	require.True(t, r.Close)
	require.Contains(t, body, "<a:To>http://xds.example/x?y=z</a:To>")
	require.Contains(t, body, assertion+"</s:Header>")
	require.Regexp(t, regexp.MustCompile(`<a:MessageID>urn:uuid:67616e74-7279-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}</a:MessageID>`), body)

	_, again := run(t, Endpoint{}, recv, healthy)
	require.NotEqual(t, messageID.FindString(body), messageID.FindString(again.bodies[0]))

	_, played = run(t, Endpoint{Chunked: true, Packed: true}, recv, healthy)
	require.Equal(t, []string{"chunked"}, played.heads[0].TransferEncoding)
	require.Contains(t, played.heads[0].Header.Get("Content-Type"), `multipart/related; boundary="uuid:67616e74-7279-4`)
	require.Equal(t, "1.0", played.heads[0].Header.Get("MIME-Version"))
	require.Contains(t, played.bodies[0], "--uuid:67616e74-7279-4")
}

// TestSecurityFileIsReadAnew: an assertion is renewed without a word to gantry, and a file that
// is gone says nothing about the server.
func TestSecurityFileIsReadAnew(t *testing.T) {
	file := securityFile(t, assertion)
	_, played := run(t, Endpoint{SecurityFile: file}, recv, healthy)
	require.Contains(t, played.bodies[0], "TOPSECRET")
	require.NoError(t, os.WriteFile(file, []byte(strings.ReplaceAll(assertion, "TOPSECRET", "RENEWED")), 0o600))
	_, played = run(t, Endpoint{SecurityFile: file}, recv, healthy)
	require.Contains(t, played.bodies[0], "RENEWED")
	require.NoError(t, os.Remove(file))
	result, _ := run(t, Endpoint{SecurityFile: file})
	require.Equal(t, negotiate.ReasonLocal, result.Fault.Reason)
	require.Equal(t, "gantry could not check: security_file cannot be used (no such file or directory); this says nothing about the server", result.Fault.Sentence)
	require.False(t, result.Counts())
}

func TestValidate(t *testing.T) {
	tests := []struct {
		name     string
		endpoint Endpoint
		want     string
	}{
		{"all well", Endpoint{Path: "/x", Host: "xds.example:80", ExpectError: []string{"XDSRegistryError"}, SecurityFile: securityFile(t, assertion)}, ""},
		{"path", Endpoint{Path: "x"}, `path: "x"; write a path such as "/login?lang=en": it begins with / and has no blanks and no #`},
		{"host", Endpoint{Path: "/", Host: "a b"}, `host: "a b"; write a host name, with :port if needed, such as "viewer.example"`},
		{"code", Endpoint{Path: "/", ExpectError: []string{"X", "not one"}}, `expect_error[1]: "not one"; write an error code such as XDSRegistryError, or the subcode of a SOAP fault such as InvalidSecurity`},
		{"no such file", Endpoint{Path: "/", SecurityFile: "/nonexistent"}, `security_file: "/nonexistent"; give a file that holds one wsse:Security element: no such file or directory`},
		{"a folder", Endpoint{Path: "/", SecurityFile: "/"}, `security_file: "/"; give a file that holds one wsse:Security element: it is not a regular file`},
		{"a device without end", Endpoint{Path: "/", SecurityFile: "/dev/zero"}, `security_file: "/dev/zero"; give a file that holds one wsse:Security element: it is not a regular file`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			tt.endpoint.Validate(func(key, value, want string) { got += key + ": " + value + "; " + want })
			require.Equal(t, tt.want, got)
		})
	}
	file, got := securityFile(t, "PASSWORD"), ""
	(&Endpoint{Path: "/", SecurityFile: file}).Validate(func(_, _, want string) { got = want })
	require.Equal(t, "give a file that holds one wsse:Security element: not well-formed XML", got, "nothing of the file is shown")
}
