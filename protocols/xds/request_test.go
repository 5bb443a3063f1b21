package xds

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden envelopes anew")

var header = Header{To: "http://10.12.1.150:17035/services/registry?a=b&c=d", MessageID: "urn:uuid:67616e74-7279-4000-8000-000000000000"}

// TestGoldenEnvelopes holds each request to a file, byte for byte.
func TestGoldenEnvelopes(t *testing.T) {
	home := GetDocuments("1.2.3")
	home.Home = "urn:oid:1.2.3.4"
	secured := header
	secured.Security = []byte(`<w:Security xmlns:w="` + SecurityNamespace + `">` + "\n <kept  as='is'/>\n</w:Security>")
	tests := map[string][]byte{
		"get-documents.xml":      Encode(header, GetDocuments("2.25.1")),
		"get-documents-home.xml": Encode(header, home),
		"find-documents.xml":     Encode(header, FindDocuments("ZZ-GANTRY-PROBE'1^^^&1.2.3&ISO")),
		"retrieve.xml":           Encode(header, Retrieve{Repository: "1.2.3", Document: "4.5.6^7"}),
		"retrieve-home.xml":      Encode(header, Retrieve{Home: "urn:oid:1.2", Repository: "1.2.3", Document: "4.5.6"}),
		"secured.xml":            Encode(secured, GetDocuments("2.25.1")),
	}
	for name, got := range tests {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join("testdata", name)
			if *update {
				require.NoError(t, os.WriteFile(file, got, 0o644))
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			require.Equal(t, string(want), string(got))
		})
	}
}

// TestEnvelopeReadsBack: what is written is understood by the reader of the same package.
func TestEnvelopeReadsBack(t *testing.T) {
	m, err := ParseMessage(Encode(header, Retrieve{Repository: "1.2.3", Document: "<&>"}))
	require.NoError(t, err)
	require.Equal(t, "1.2", m.Version)
	require.Equal(t, ActionRetrieve, m.Action)
	require.Equal(t, header.To, m.To)
	require.Equal(t, header.MessageID, m.MessageID)
	require.Equal(t, "RetrieveDocumentSetRequest", m.Content)
	require.Nil(t, m.Fault())
	require.Nil(t, m.Response(nil))
}

func TestValueCoding(t *testing.T) {
	require.Equal(t, "'it''s'", Quote("it's"))
	require.Equal(t, "('a')", QuoteList("a"))
	require.Equal(t, "('a','b''c')", QuoteList("a", "b'c"))
}

func TestPackReadsBack(t *testing.T) {
	kind, body := Pack([]byte("<x/>"), ActionRetrieve, "uuid:67616e74")
	require.Equal(t, `multipart/related; boundary="uuid:67616e74"; type="application/xop+xml"; start="<root@gantry>"; `+
		`start-info="application/soap+xml"; action="urn:ihe:iti:2007:RetrieveDocumentSet"`, kind)
	p, err := ReadPackage(kind, strings.NewReader(string(body)))
	require.NoError(t, err)
	require.Equal(t, "<x/>", string(p.Root))
	require.Equal(t, 1, p.Count)
	require.Equal(t, `application/soap+xml; charset=UTF-8; action="a"`, ContentType("a"))
}

func TestSecurityHeader(t *testing.T) {
	const open = `<wsse:Security xmlns:wsse="` + SecurityNamespace + `">`
	tests := []struct {
		name, file, want, err string
	}{
		{"as it is", open + "\n  <a  b='c'/></wsse:Security>", open + "\n  <a  b='c'/></wsse:Security>", ""},
		{"declaration, comment and blanks around", "\ufeff<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- x -->\n" + open + "ü</wsse:Security>\n", open + "ü</wsse:Security>", ""},
		{"default namespace", `<Security xmlns="` + SecurityNamespace + `"/>`, `<Security xmlns="` + SecurityNamespace + `"/>`, ""},
		{"empty", "", "", "not well-formed XML"},
		{"text", "password", "", "not well-formed XML"},
		{"cut off", open, "", "not well-formed XML"},
		{"another element", `<Assertion xmlns="urn:oasis:names:tc:SAML:2.0:assertion"/>`, "", "root element is not wsse:Security of WS-Security 1.0"},
		{"a whole envelope", string(Encode(header, GetDocuments("1"))), "", "root element is not wsse:Security of WS-Security 1.0"},
		{"prefix left behind", open + `<ds:Signature/></wsse:Security>`, "", `namespace prefix "ds" is not declared in the file`},
		{"prefix of an attribute left behind", open + `<a wsu:Id="x"/></wsse:Security>`, "", `namespace prefix "wsu" is not declared in the file`},
		{"document type", `<!DOCTYPE x [<!ENTITY e "x">]>` + open + `</wsse:Security>`, "", "XML with a document type, which SOAP forbids"},
		{"two elements", open + `</wsse:Security>` + open + `</wsse:Security>`, "", "not well-formed XML"},
		{"too long", open + strings.Repeat("x", MaxSecurity) + `</wsse:Security>`, "", "XML of more than 256 KiB"},
		{"another character set", `<?xml version="1.0" encoding="ISO-8859-1"?>` + open + "\xfc</wsse:Security>", "", "XML that is not in UTF-8"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := SecurityHeader([]byte(tt.file))
			require.Equal(t, tt.want, string(got))
			if tt.err == "" {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, "xds: offset 0: "+tt.err)
		})
	}
}
