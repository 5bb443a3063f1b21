package xds

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// soap12 is an envelope as a registry sends it.
func soap12(header, body string) string {
	return `<?xml version="1.0" encoding="UTF-8"?><e:Envelope xmlns:e="` + SOAP12Namespace + `" xmlns:wsa="` + AddressingNamespace +
		`"><e:Header>` + header + `</e:Header><e:Body>` + body + `</e:Body></e:Envelope>`
}

func soap11(body string) string {
	return `<Envelope xmlns="` + SOAP11Namespace + `"><Body>` + body + `</Body></Envelope>`
}

func TestParseMessage(t *testing.T) {
	const related = `<wsa:Action>a</wsa:Action><wsa:RelatesTo> urn:uuid:1 </wsa:RelatesTo>`
	tests := []struct {
		name, in string
		want     Message
		err      string
	}{
		{"SOAP 1.2", soap12(related, "<x/>"), Message{Version: "1.2", Action: "a", RelatesTo: "urn:uuid:1", Content: "x"}, ""},
		{"SOAP 1.1, default namespace", soap11("<x xmlns=''/>"), Message{Version: "1.1", Content: "x"}, ""},
		{"byte order mark, blanks, comment", "\ufeff" + strings.Replace(soap12("", " \n<!-- c --><x/>"), "?>", "?>\n<!-- c -->", 1), Message{Version: "1.2", Content: "x"}, ""},
		{"line break and comment behind it", soap12("", "<x/>") + "\r\n<!-- served by node 2 -->\n", Message{Version: "1.2", Content: "x"}, ""},
		{"empty body", soap12("", ""), Message{Version: "1.2"}, ""},
		{"no header", `<Envelope xmlns="` + SOAP12Namespace + `"><Body/></Envelope>`, Message{Version: "1.2"}, ""},
		{"answers it knows not what", soap12(`<wsa:RelatesTo>http://www.w3.org/2005/08/addressing/unspecified</wsa:RelatesTo>`, ""), Message{Version: "1.2"}, ""},
		{"addressing of 2004 is another one", soap12(`<RelatesTo xmlns="http://schemas.xmlsoap.org/ws/2004/08/addressing">x</RelatesTo>`, ""), Message{Version: "1.2"}, ""},
		{"ISO 8859-1", strings.Replace(soap12("<wsa:To>\xfc</wsa:To>", ""), "UTF-8", "ISO-8859-1", 1), Message{Version: "1.2", To: "ü"}, ""},

		{"nothing", "", Message{}, "not well-formed XML"},
		{"HTML", "<html><p>login</html>", Message{}, "not well-formed XML"},
		{"other XML", "<Envelope/>", Message{}, "XML that is not a SOAP envelope"},
		{"no body", `<Envelope xmlns="` + SOAP12Namespace + `"/>`, Message{}, "SOAP envelope without a body"},
		{"cut off", soap12("", "")[:100], Message{}, "not well-formed XML"},
		{"two roots", soap12("", "") + "<x/>", Message{}, "not well-formed XML"},
		{"document type", "<!DOCTYPE x>" + soap11(""), Message{}, "XML with a document type, which SOAP forbids"},
		{"entities", `<!DOCTYPE x [<!ENTITY a "aaaa">]>` + soap11("&a;"), Message{}, "XML with a document type, which SOAP forbids"},
		{"unknown entity", soap11("&a;"), Message{}, "not well-formed XML"},
		{"text behind it", soap11("") + "x", Message{}, "not well-formed XML"},
		{"unknown character set", strings.Replace(soap12("", ""), "UTF-8", "EBCDIC", 1), Message{}, "not well-formed XML"},
		{"too deep", soap12("", strings.Repeat("<a>", MaxDepth)+strings.Repeat("</a>", MaxDepth)), Message{}, "XML nested too deep"},
		{"too many elements", soap12("", strings.Repeat("<a/>", 2*MaxNodes)), Message{}, "XML with too many elements"},
		{"too many attributes", soap12("", "<a"+strings.Repeat(` a=""`, MaxNodes)+"/>"), Message{}, "XML with too many elements"},
		{"too long", strings.Repeat(" ", MaxEnvelope+1), Message{}, "XML of more than 4096 KiB"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseMessage([]byte(tt.in))
			if tt.err != "" {
				require.EqualError(t, err, "xds: offset 0: "+tt.err)
				return
			}
			require.NoError(t, err)
			got.space, got.body = "", nil
			require.Equal(t, tt.want, *got)
		})
	}
}

func TestFault(t *testing.T) {
	const reason = `<e:Reason><e:Text xml:lang="en">Patient ZZ-GANTRY-PROBE</e:Text></e:Reason>`
	tests := []struct {
		name, in string
		want     *Fault
		codes    string
		security string
	}{
		{"none", soap12("", "<x/>"), nil, "", ""},
		{"another element of that name", soap12("", "<Fault/>"), nil, "", ""},
		{"Receiver", soap12("", `<e:Fault><e:Code><e:Value>e:Receiver</e:Value></e:Code>`+reason+`</e:Fault>`),
			&Fault{Code: "Receiver", Reason: "Patient ZZ-GANTRY-PROBE"}, "Receiver", ""},
		{"subcodes", soap12("", `<e:Fault><e:Code><e:Value> s:Sender </e:Value><e:Subcode><e:Value>wsse:FailedAuthentication</e:Value>`+
			`<e:Subcode><e:Value>x:Inner</e:Value></e:Subcode></e:Subcode></e:Code></e:Fault>`),
			&Fault{Code: "Sender", Subcodes: []string{"FailedAuthentication", "Inner"}}, "Sender/FailedAuthentication/Inner", "FailedAuthentication"},
		{"without anything", soap12("", `<e:Fault/>`), &Fault{}, "no code", ""},
		{"SOAP 1.1", soap11(`<Fault><faultcode xmlns="">s:Server</faultcode><faultstring xmlns="">x</faultstring></Fault>`),
			&Fault{Code: "Receiver", Reason: "x"}, "Receiver", ""},
		{"SOAP 1.1 with dots, wrongly qualified", soap11(`<Fault><faultcode>Client.Authentication..x</faultcode></Fault>`),
			&Fault{Code: "Sender", Subcodes: []string{"Authentication", "x"}}, "Sender/Authentication/x", ""},
		{"SOAP 1.1 security", soap11(`<Fault><faultcode>wsse:InvalidSecurity</faultcode></Fault>`),
			&Fault{Code: "InvalidSecurity"}, "InvalidSecurity", "InvalidSecurity"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, err := ParseMessage([]byte(tt.in))
			require.NoError(t, err)
			f := m.Fault()
			require.Equal(t, tt.want, f)
			if f != nil {
				require.Equal(t, tt.codes, f.Codes())
				require.Equal(t, tt.security, f.Security())
			}
		})
	}
}

func FuzzParseMessage(f *testing.F) {
	f.Add([]byte(soap12("<wsa:RelatesTo>x</wsa:RelatesTo>", "<x/>")))
	f.Add([]byte(soap11("<Fault><faultcode>a.b.c</faultcode></Fault>")))
	f.Add(Encode(header, FindDocuments("ZZ^^^&1.2&ISO")))
	f.Add([]byte(adhoc("Success", `<rim:RegistryObjectList><rim:ObjectRef id="x"/></rim:RegistryObjectList>`)))
	f.Add([]byte(retrieved("Success", "<x:DocumentResponse><x:Document>AAAA</x:Document></x:DocumentResponse>")))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := ParseMessage(b)
		if err != nil {
			require.Nil(t, m)
			return
		}
		if fault := m.Fault(); fault != nil {
			_ = fault.Codes() + fault.Security()
		}
		m.Response(nil)
		m.Response(&Package{})
	})
}
