package xdsrepository

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gantry/fixtures/xds"
	"gantry/negotiate"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// check runs one check against an address.
func check(t *testing.T, address string, s Settings) negotiate.Result {
	t.Helper()
	if s.Path == "" {
		s.Path = "/services/repository"
	}
	s.Validate(func(key, got, want string) { t.Errorf("%s: %s; %s", key, got, want) })
	at := netip.MustParseAddrPort(address)
	p, err := s.Prober(negotiate.Target{Server: "XDS2", Host: at.Addr().String(), Port: int(at.Port())})
	require.NoError(t, err)
	return negotiate.Run(negotiate.WithTranscript(t.Context()), negotiate.Check{
		Address: func() (string, error) { return address, nil }, Prober: p})
}

var messageID = regexp.MustCompile(`MessageID>([^<]*)<`)

// repository answers every question with a status and a content, and behind the envelope with
// the parts of a package if there are any; closing false cuts the package off.
func repository(t *testing.T, a answer) (address string, asked *string) {
	t.Helper()
	asked = new(string)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		*asked = string(body)
		envelope := `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://www.w3.org/2005/08/addressing"><s:Header>` +
			`<a:Action>urn:ihe:iti:2007:RetrieveDocumentSetResponse</a:Action><a:RelatesTo>` + messageID.FindStringSubmatch(*asked)[1] + `</a:RelatesTo></s:Header><s:Body>` +
			`<x:RetrieveDocumentSetResponse xmlns:x="urn:ihe:iti:xds-b:2007" xmlns:rs="urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0">` +
			`<rs:RegistryResponse status="urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:` + a.status + `">` + a.errors + `</rs:RegistryResponse>` + a.content +
			`</x:RetrieveDocumentSetResponse></s:Body></s:Envelope>`
		if a.parts == "" {
			w.Header().Set("Content-Type", "application/soap+xml")
			_, _ = io.WriteString(w, envelope)
			return
		}
		w.Header().Set("Content-Type", `multipart/related; type="application/xop+xml"; start="<r@x>"; boundary=uuid:b`)
		_, _ = io.WriteString(w, "--uuid:b\r\nContent-ID: <r@x>\r\n\r\n"+envelope+strings.ReplaceAll(a.parts, "\n", "\r\n"))
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String(), asked
}

type answer struct{ status, errors, content, parts string }

func failing(code string) answer {
	return answer{status: "Failure", errors: `<rs:RegistryErrorList><rs:RegistryError errorCode="` + code + `"/></rs:RegistryErrorList>`}
}

// document is a DocumentResponse; its content is XML.
func document(id, content string) string {
	return `<x:DocumentResponse><x:RepositoryUniqueId>1.2.3</x:RepositoryUniqueId><x:DocumentUniqueId>` + id +
		`</x:DocumentUniqueId><x:mimeType>text/plain</x:mimeType><x:Document>` + content + `</x:Document></x:DocumentResponse>`
}

const (
	include = `<i:Include xmlns:i="http://www.w3.org/2004/08/xop/include" href="cid:doc%40x"/>`
	whole   = "\n--uuid:b\ncontent-id: <doc@x>\n\nhello\n--uuid:b--\n"
	empty   = "\n--uuid:b\ncontent-id: <doc@x>\n\n\n--uuid:b--\n"
	cut     = "\n--uuid:b\ncontent-id: <doc@x>\n\nhel"
	sha1    = "AAF4C61DDCC5E8A2DABEDE0F3B482CD9AEA9434D" // of "hello"
)

func TestImpossible(t *testing.T) {
	known := Settings{RepositoryUID: "1.2.3"}
	tests := []struct {
		name     string
		settings Settings
		answer   answer
		sentence string // of the fault; empty = healthy
		warning  string
	}{
		{"unknown repository", Settings{}, failing("XDSUnknownRepositoryId"), "", ""},
		{"unknown document", Settings{}, failing("XDSDocumentUniqueIdError"), "", ""},
		{"unknown document of its own", known, failing("XDSDocumentUniqueIdError"), "", ""},
		{"a refusal with the severity Warning", known, answer{status: "Failure", errors: `<rs:RegistryErrorList><rs:RegistryError errorCode="XDSDocumentUniqueIdError" severity="urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:Warning"/></rs:RegistryErrorList>`}, "", ""},
		{"does not know itself", known, failing("XDSUnknownRepositoryId"),
			"does not know its own id (XDSUnknownRepositoryId for repository_uid 1.2.3): its configuration has changed, or another repository answers here", ""},
		{"registry gone", known, failing("XDSRegistryNotAvailable"),
			"reports XDSRegistryNotAvailable: the repository cannot reach its registry; look at the registry and the way to it", ""},
		{"catch-all", known, failing("XDSRepositoryError"),
			"reports XDSRepositoryError: something behind it fails, often its database; the log of XDS2 says why. Where this is its normal answer, list it in expect_error", ""},
		{"Success without a document", known, answer{status: "Success"}, "",
			"reports Success for a document that does not exist, and delivers none: clients cannot tell that it is missing"},
		{"a document nobody issued", known, answer{status: "Success", content: document("1", "aGVsbG8=")},
			"delivers a document under an id that nobody has issued: it does not look at the question, or mixes up answers", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			address, asked := repository(t, tt.answer)
			result := check(t, address, tt.settings)
			require.Contains(t, *asked, "<x:DocumentUniqueId>"+impossibleDocument+"</x:DocumentUniqueId>")
			switch {
			case tt.sentence != "":
				require.NotNil(t, result.Fault)
				require.Equal(t, tt.sentence, result.Fault.Sentence)
			case tt.warning != "":
				require.True(t, result.OK())
				require.Equal(t, tt.warning, result.Warning.Sentence)
			default:
				require.Nil(t, result.Words())
			}
		})
	}
}

func TestTestDocument(t *testing.T) {
	plain := Settings{RepositoryUID: "1.2.3", DocumentUID: "1.2.3.4"}
	exact := Settings{RepositoryUID: "1.2.3", DocumentUID: "1.2.3.4", DocumentSize: 5, DocumentSHA1: sha1}
	delivered := func(content, parts string) answer {
		return answer{status: "Success", content: document("1.2.3.4", content), parts: parts}
	}
	tests := []struct {
		name     string
		settings Settings
		answer   answer
		sentence string // empty = healthy
	}{
		{"inline", exact, delivered("aGVsbG8=", ""), ""},
		{"attached", exact, delivered(include, whole), ""},
		{"any size", plain, delivered(include, whole), ""},
		{"0 bytes", plain, delivered(include, empty), "delivers the test document without content (0 bytes): its store cannot be read"},
		{"no element", plain, delivered("", ""), "delivers the test document without content (0 bytes): its store cannot be read"},
		{"attachment missing", plain, delivered(include, "\n--uuid:b--\n"), "delivers the test document, but it refers to an attachment that did not come: its store cannot be read, or its software is broken"},
		{"broken base64", plain, delivered("!", ""), "delivers the test document, but it is not valid base64: its store cannot be read, or its software is broken"},
		{"cut off", plain, delivered(include, cut), "answers 200 OK, but its MTOM package breaks off before the closing boundary: documents reach users cut off"},
		{"another size", Settings{RepositoryUID: "1.2.3", DocumentUID: "1.2.3.4", DocumentSize: 9}, delivered(include, whole),
			"delivers the test document with 5 bytes where 9 are expected: it is cut off, or another one"},
		{"changed", exact, delivered("SEVMTE8=", ""), "delivers the test document, but its content has changed (SHA-1 does not match): its store is damaged, or it is another document"},
		{"another document", plain, answer{status: "Success", content: document("9.9", "aGVsbG8=")}, "delivers another document than the test document: it mixes up answers"},
		{"none", plain, answer{status: "Success"}, "reports Success, but does not deliver the test document: its store cannot be read"},
		{"gone", plain, failing("XDSDocumentUniqueIdError"), "does not have the test document (XDSDocumentUniqueIdError): an empty, restored or wrong store"},
		{"wrong repository", plain, failing("XDSUnknownRepositoryId"), "does not know its own id (XDSUnknownRepositoryId for repository_uid 1.2.3): its configuration has changed, or another repository answers here"},
		{"refused otherwise", plain, failing("XDSMissingHomeCommunityId"), "refuses the test document (XDSMissingHomeCommunityId)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			address, _ := repository(t, tt.answer)
			result := check(t, address, tt.settings)
			for _, p := range result.Transcript {
				require.NotContains(t, string(p.Bytes), "hello")
			}
			if tt.sentence == "" {
				require.Nil(t, result.Words())
				return
			}
			require.NotNil(t, result.Fault)
			require.Equal(t, tt.sentence, result.Fault.Sentence)
		})
	}
}

// TestSimulated goes through the simulated repository.
func TestSimulated(t *testing.T) {
	server, err := xds.Start(xds.Options{Role: xds.Repository})
	require.NoError(t, err)
	defer server.Close()
	whole := Settings{RepositoryUID: xds.RepositoryUniqueID, DocumentUID: xds.DocumentUniqueID, DocumentSize: len(xds.Document)}
	for name, s := range map[string]Settings{
		"nothing known": {}, "home": {HomeCommunity: "1.2"}, "repository known": {RepositoryUID: xds.RepositoryUniqueID}, "document known": whole,
		"chunked": {Chunked: true}, "expecting": {ExpectContinue: true},
	} {
		require.Nil(t, check(t, server.Addr(), s).Words(), name)
	}
	server.SetFaults(xds.Faults{Code: "XDSRepositoryBusy"})
	require.Equal(t, "is too busy to answer (XDSRepositoryBusy): overloaded, or it waits for its database", check(t, server.Addr(), whole).Degraded.Sentence)
	server.Stop()
	require.Equal(t, negotiate.ReasonRefused, check(t, server.Addr(), whole).Fault.Reason)
}

func TestValidate(t *testing.T) {
	all := Settings{Path: "/r", RepositoryUID: "1.2.3", DocumentUID: "1.2^x", DocumentSize: 1, DocumentSHA1: sha1, HomeCommunity: "1.2"}
	tests := []struct {
		name   string
		change func(*Settings)
		want   string
	}{
		{"all", func(*Settings) {}, ""},
		{"repository", func(s *Settings) { s.RepositoryUID = "x" }, `repository_uid: "x"; write an OID, such as 1.2.3.4`},
		{"document", func(s *Settings) { s.DocumentUID = "<x>" }, `document_uid: "<x>"; write the document's unique id, such as 1.2.3.4.5 or 1.2.3^4`},
		{"document of nobody", func(s *Settings) { s.RepositoryUID = "" }, `document_uid: "1.2^x"; give repository_uid too: a document is asked for with both`},
		{"hash", func(s *Settings) { s.DocumentSHA1 = "12" }, `document_sha1: "12"; write 40 hexadecimal digits, as sha1sum prints them`},
		{"size", func(s *Settings) { s.DocumentSize = -1 }, `document_size: -1; write a size in bytes, at most 67108864`},
		{"measures of nothing", func(s *Settings) { s.DocumentUID = "" }, `document_sha1: "` + sha1 + `"; give document_uid too: it belongs to a test document` +
			"document_size: 1; give document_uid too: it belongs to a test document"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, got := all, ""
			tt.change(&s)
			s.Validate(func(key, value, want string) { got += key + ": " + value + "; " + want })
			require.Equal(t, tt.want, got)
		})
	}
	require.True(t, (&Settings{Scheme: "https"}).Secure())
}
