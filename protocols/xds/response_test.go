package xds

import (
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	statusPrefix = "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:"
	partial      = "urn:ihe:iti:2007:ResponseStatusType:PartialSuccess"
)

// adhoc is the answer of a registry; a status without a colon gets the prefix of ebRS.
func adhoc(status, content string) string {
	return soap12("", `<q:AdhocQueryResponse xmlns:q="`+queryNamespace+`" xmlns:rs="`+rsNamespace+`" xmlns:rim="`+rimNamespace+
		`" status="`+fullStatus(status)+`">`+content+`</q:AdhocQueryResponse>`)
}

func retrieved(status, content string) string {
	return soap12("", `<x:RetrieveDocumentSetResponse xmlns:x="`+xdsbNamespace+`" xmlns:rs="`+rsNamespace+
		`"><rs:RegistryResponse status="`+fullStatus(status)+`"/>`+content+`</x:RetrieveDocumentSetResponse>`)
}

func fullStatus(status string) string {
	if status == "Success" || status == "Failure" {
		return statusPrefix + status
	}
	return status
}

func errorList(entries string) string {
	return `<rs:RegistryErrorList highestSeverity="urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:Error">` + entries + `</rs:RegistryErrorList>`
}

func registryError(code, severity string) string {
	return `<rs:RegistryError errorCode="` + code + `" codeContext="ZZ-GANTRY-PROBE" location="" severity="urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:` + severity + `"/>`
}

func TestResponse(t *testing.T) {
	tests := []struct {
		name, in string
		want     *Response
	}{
		{"empty Success", adhoc("Success", `<rim:RegistryObjectList/>`), &Response{Status: StatusSuccess}},
		{"no list", adhoc("Success", ``), &Response{Status: StatusSuccess}},
		{"references", adhoc("Success", `<rim:RegistryObjectList><rim:ObjectRef id="a"/> <rim:ObjectRef id="b"/></rim:RegistryObjectList>`),
			&Response{Status: StatusSuccess, Objects: 2}},
		{"Failure", adhoc("Failure", errorList(registryError("XDSRegistryBusy", "Error"))),
			&Response{Status: StatusFailure, Errors: []Error{{Code: "XDSRegistryBusy"}}}},
		{"PartialSuccess has its own prefix", adhoc(partial, errorList(registryError("XDSUnavailableCommunity", "Error"))),
			&Response{Status: StatusPartialSuccess, Errors: []Error{{Code: "XDSUnavailableCommunity"}}}},
		{"PartialSuccess with the wrong prefix is none", adhoc(statusPrefix+"PartialSuccess", ""), &Response{}},
		{"warning", adhoc("Success", errorList(registryError("XDSExtraMetadataNotSaved", "Warning"))),
			&Response{Status: StatusSuccess, Errors: []Error{{Code: "XDSExtraMetadataNotSaved", Warning: true}}}},
		{"code with a prefix, severity without", adhoc("Failure", errorList(`<rs:RegistryError errorCode=" urn:ihe:iti:2007:XDSRegistryError"/>`)),
			&Response{Status: StatusFailure, Errors: []Error{{Code: "XDSRegistryError"}}}},
		{"no status", adhoc("", ""), &Response{}},
		{"plain RegistryResponse", soap12("", `<RegistryResponse xmlns="`+rsNamespace+`" status="`+statusPrefix+`Success"/>`), &Response{Status: StatusSuccess}},
		{"retrieve, nothing delivered", retrieved("Failure", ""), &Response{Status: StatusFailure}},
		{"retrieve without a response", soap12("", `<RetrieveDocumentSetResponse xmlns="`+xdsbNamespace+`"/>`), nil},
		{"right name, wrong namespace", soap12("", `<AdhocQueryResponse status="`+statusPrefix+`Success"/>`), nil},
		{"nothing", soap12("", ""), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, err := ParseMessage([]byte(tt.in))
			require.NoError(t, err)
			require.Equal(t, tt.want, m.Response(nil))
		})
	}
}

// hello is the SHA-1 of "hello".
const hello = "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d"

func TestDocuments(t *testing.T) {
	p := &Package{Parts: map[string]Part{"doc@x": {Size: 5, SHA1: hello}, "raw%40x": {Size: 7}}}
	include := func(href string) string {
		return `<x:Document><i:Include xmlns:i="http://www.w3.org/2004/08/xop/include" href="` + href + `"/></x:Document>`
	}
	tests := []struct {
		name, content string
		p             *Package
		want          Document
	}{
		{"inline", "<x:Document>aGVs\n  bG8=\r\n</x:Document>", nil, Document{Size: 5, SHA1: hello}},
		{"inline, empty", "<x:Document/>", nil, Document{SHA1: "da39a3ee5e6b4b0d3255bfef95601890afd80709"}},
		{"inline, broken", "<x:Document>aGVsbG8</x:Document>", nil, Document{Problem: "is not valid base64"}},
		{"inline beside a package", "<x:Document>aGVsbG8=</x:Document>", p, Document{Size: 5, SHA1: hello}},
		{"attached", include("cid:doc@x"), p, Document{Size: 5, SHA1: hello}},
		{"attached, encoded", include("cid:doc%40x"), p, Document{Size: 5, SHA1: hello}},
		{"attached, encoded in both places", include("cid:raw%40x"), p, Document{Size: 7}},
		{"attached, missing", include("cid:other"), p, Document{Problem: "refers to an attachment that did not come"}},
		{"attached, no package", include("cid:doc@x"), nil, Document{Problem: "refers to an attachment that did not come"}},
		{"attached elsewhere", include("http://x/doc@x"), p, Document{Problem: "refers to an attachment that did not come"}},
		{"no content", "", p, Document{Problem: "has no content"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, err := ParseMessage([]byte(retrieved("Success", `<x:DocumentResponse><x:HomeCommunityId>urn:oid:1</x:HomeCommunityId><x:RepositoryUniqueId>1.2</x:RepositoryUniqueId>`+
				`<x:DocumentUniqueId>1.2.3</x:DocumentUniqueId><x:mimeType>text/plain</x:mimeType>`+tt.content+`</x:DocumentResponse>`)))
			require.NoError(t, err)
			tt.want.Home, tt.want.Repository, tt.want.ID, tt.want.MIMEType = "urn:oid:1", "1.2", "1.2.3", "text/plain"
			require.Equal(t, []Document{tt.want}, m.Response(tt.p).Documents)
		})
	}
}

func TestGroups(t *testing.T) {
	for code, want := range map[string]string{
		"XDSUnknownPatientId": "alive", "XDSDocumentUniqueIdError": "alive", "XDSRepositoryBusy": "busy",
		"XDSRegistryNotAvailable": "sick", "XDSRegistryError": "catch-all", "XDSMissingDocument": "write", "Vendor42": "unknown", "": "unknown",
	} {
		require.Equal(t, want, GroupOf(code).String(), code)
	}
	require.Equal(t, "unknown", Group(99).String())
	require.Less(t, GroupAlive, GroupBusy)
	require.Less(t, GroupCatchAll, GroupSick)
}
