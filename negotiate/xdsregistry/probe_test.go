package xdsregistry

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
		s.Path = "/services/registry"
	}
	s.Validate(func(key, got, want string) { t.Errorf("%s: %s; %s", key, got, want) })
	at := netip.MustParseAddrPort(address)
	p, err := s.Prober(negotiate.Target{Server: "XDS1", Host: at.Addr().String(), Port: int(at.Port())})
	require.NoError(t, err)
	return negotiate.Run(negotiate.WithTranscript(t.Context()), negotiate.Check{
		Address: func() (string, error) { return address, nil }, Prober: p})
}

var messageID = regexp.MustCompile(`MessageID>([^<]*)<`)

// registry answers every question with a status, errors and a number of references, and keeps
// the last question.
func registry(t *testing.T, status, content string, references int) (address string, asked *string) {
	t.Helper()
	asked = new(string)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		*asked = string(body)
		w.Header().Set("Content-Type", "application/soap+xml")
		_, _ = io.WriteString(w, `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://www.w3.org/2005/08/addressing"><s:Header>`+
			`<a:Action>urn:ihe:iti:2007:RegistryStoredQueryResponse</a:Action><a:RelatesTo>`+messageID.FindStringSubmatch(*asked)[1]+`</a:RelatesTo></s:Header><s:Body>`+
			`<q:AdhocQueryResponse xmlns:q="urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0" xmlns:rs="urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0" xmlns:rim="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"`+
			` status="urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:`+status+`">`+content+`<rim:RegistryObjectList>`+
			strings.Repeat(`<rim:ObjectRef id="urn:uuid:1"/>`, references)+`</rim:RegistryObjectList></q:AdhocQueryResponse></s:Body></s:Envelope>`)
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String(), asked
}

func failing(code string) string {
	return `<rs:RegistryErrorList><rs:RegistryError errorCode="` + code + `"/></rs:RegistryErrorList>`
}

const patient = "ZZ-GANTRY-PROBE^^^&1.2.3.4&ISO"

func TestVerdicts(t *testing.T) {
	alone, three := Settings{}, Settings{PatientID: patient, MinDocuments: 3}
	tests := []struct {
		name            string
		settings        Settings
		status, content string
		references      int
		sentence        string // of the fault; empty = healthy
	}{
		{"nothing found", alone, "Success", "", 0, ""},
		{"a document that nobody issued", alone, "Success", "", 1,
			"finds 1 document for an id that nobody has issued: it does not look at the question, or mixes up answers"},
		{"patient without documents", Settings{PatientID: patient}, "Success", "", 0, ""},
		{"patient with documents", Settings{PatientID: patient}, "Success", "", 7, ""},
		{"unknown patient", Settings{PatientID: patient}, "Failure", failing("XDSUnknownPatientId"), 0, ""},
		{"as many as expected", three, "Success", "", 3, ""},
		{"more than it may list", three, "Failure", failing("XDSTooManyResults"), 0, ""},
		{"empty after a restore", three, "Success", "", 0,
			"finds 0 documents of the test patient where at least 3 are expected: an empty, restored or wrong database"},
		{"one short", three, "Success", "", 2,
			"finds 2 documents of the test patient where at least 3 are expected: an empty, restored or wrong database"},
		{"patient lost", three, "Failure", failing("XDSUnknownPatientId"), 0,
			"does not know the test patient (XDSUnknownPatientId): an empty, restored or wrong database"},
		{"database down", three, "Failure", failing("XDSRegistryError"), 0,
			"reports XDSRegistryError: something behind it fails, often its database; the log of XDS1 says why. Where this is its normal answer, list it in expect_error"},
		{"declared normal", Settings{ExpectError: []string{"XDSRegistryError"}}, "Failure", failing("XDSRegistryError"), 0, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			address, _ := registry(t, tt.status, tt.content, tt.references)
			result := check(t, address, tt.settings)
			if tt.sentence == "" {
				require.Nil(t, result.Words())
				return
			}
			require.NotNil(t, result.Fault)
			require.Equal(t, tt.sentence, result.Fault.Sentence)
		})
	}
}

func TestQuestion(t *testing.T) {
	address, asked := registry(t, "Success", "", 0)
	require.Nil(t, check(t, address, Settings{HomeCommunity: "1.2.3"}).Words())
	require.Contains(t, *asked, `<rim:AdhocQuery id="urn:uuid:5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4" home="urn:oid:1.2.3">`)
	require.Contains(t, *asked, "('"+impossibleID+"')")

	result := check(t, address, Settings{PatientID: patient})
	require.Contains(t, *asked, "<rim:Value>'ZZ-GANTRY-PROBE^^^&amp;1.2.3.4&amp;ISO'</rim:Value>")
	require.Contains(t, *asked, "('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')")
	for _, p := range result.Transcript {
		require.NotContains(t, string(p.Bytes), "ZZ-GANTRY-PROBE")
	}
}

// TestSimulated goes through the simulated registry, whole and with its faults.
func TestSimulated(t *testing.T) {
	tests := []struct {
		name   string
		faults xds.Faults
		want   negotiate.Reason // of the fault; empty = none
		weaker bool             // degraded
	}{
		{"whole", xds.Faults{}, "", false},
		{"503", xds.Faults{Status: 503}, negotiate.ReasonBadStatus, false},
		{"login page", xds.Faults{HTML: true}, negotiate.ReasonMismatch, false},
		{"fault", xds.Faults{Receiver: true}, negotiate.ReasonBadStatus, false},
		{"fault with 200", xds.Faults{ReceiverOK: true}, negotiate.ReasonBadStatus, false},
		{"busy", xds.Faults{Code: "XDSRegistryBusy"}, "", true},
		{"mixed up", xds.Faults{WrongRelatesTo: true}, negotiate.ReasonMismatch, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server, err := xds.Start(xds.Options{Faults: tt.faults})
			require.NoError(t, err)
			defer server.Close()
			for name, s := range map[string]Settings{"plain": {}, "chunked": {Chunked: true}, "expecting": {ExpectContinue: true}, "patient": {PatientID: patient}} {
				result := check(t, server.Addr(), s)
				require.Equal(t, tt.weaker, result.Degraded != nil, name)
				if tt.want == "" {
					require.Nil(t, result.Fault, name)
				} else {
					require.NotNil(t, result.Fault, name)
					require.Equal(t, tt.want, result.Fault.Reason, name)
				}
			}
		})
	}
}

func TestValidate(t *testing.T) {
	tests := []struct {
		name     string
		settings Settings
		want     string
	}{
		{"all", Settings{Path: "/r", PatientID: patient, MinDocuments: 1, HomeCommunity: "urn:oid:1.2"}, ""},
		{"no CX", Settings{Path: "/r", PatientID: "1234^^^HOSPITAL"}, `patient_id: another form; write it as "ID^^^&OID&ISO", such as "ZZ-GANTRY-PROBE^^^&1.2.3.4&ISO"`},
		{"XML in it", Settings{Path: "/r", PatientID: "1^^^&amp;1.2&amp;ISO"}, `patient_id: another form; write it as "ID^^^&OID&ISO", such as "ZZ-GANTRY-PROBE^^^&1.2.3.4&ISO"`},
		{"documents of nobody", Settings{Path: "/r", MinDocuments: 1}, "min_documents: 1; give patient_id too: without a patient nothing is searched"},
		{"negative", Settings{Path: "/r", MinDocuments: -1}, "min_documents: -1; write 0 or more"},
		{"home", Settings{Path: "/r", HomeCommunity: "HOME"}, `home_community: "HOME"; write an OID, such as urn:oid:1.2.3.4`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			tt.settings.Validate(func(key, value, want string) { got += key + ": " + value + "; " + want })
			require.Equal(t, tt.want, got)
		})
	}
	require.True(t, (&Settings{Scheme: "https"}).Secure())
	require.False(t, (&Settings{Scheme: "http"}).Secure())
}
