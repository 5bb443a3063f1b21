package xds

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

// axis2 is a package as Axis2 writes it, with text around it that is to be ignored.
var axis2 = crlf(`This is a multi-part message.
--MIMEBoundaryurn_uuid_1
content-type: application/xop+xml; charset=UTF-8; type="application/soap+xml"
content-transfer-encoding: binary
content-id: <0.urn:uuid:1@apache.org>

<root/>
--MIMEBoundaryurn_uuid_1
Content-Type: text/plain
CONTENT-TRANSFER-ENCODING: binary
CONTENT-ID: <doc@x>

hello
--MIMEBoundaryurn_uuid_1--
epilogue
`)

func TestReadPackage(t *testing.T) {
	const plain = "multipart/related; boundary=b"
	helloPart := map[string]Part{"doc@x": {Size: 5, SHA1: hello}}
	tests := []struct {
		name, kind, body, root string
		parts                  map[string]Part
		count                  int
	}{
		{"plain envelope", "Application/SOAP+xml; charset=UTF-8", "<root/>", "<root/>", nil, 0},
		{"no type at all", "", "<root/>", "<root/>", nil, 0},
		{"Axis2", `multipart/related; boundary=MIMEBoundaryurn_uuid_1; type="application/xop+xml"; start="<0.urn:uuid:1@apache.org>"; start-info="application/soap+xml"; action="x"`,
			axis2, "<root/>", helloPart, 2},
		{"boundary with colons, without quotes", "multipart/related; type=application/xop+xml; boundary=uuid:1:2; start=<r>",
			crlf("--uuid:1:2\nContent-ID: <r>\n\n<root/>\n--uuid:1:2--"), "<root/>", map[string]Part{}, 1},
		{"boundary in quotes, with an escape", `multipart/related; BOUNDARY="a\"b"`, crlf("--a\"b\n\n<root/>\n--a\"b--\n"), "<root/>", map[string]Part{}, 1},
		{"no start: the first is the root", plain, crlf("--b\n\n<root/>\n--b\nContent-ID: doc@x\n\nhello\n--b--\n"), "<root/>", helloPart, 2},
		{"root comes last", plain + `; start="<r>"`, crlf("--b\nContent-ID: <doc@x>\n\nhello\n--b\nContent-ID: <r>\n\n<root/>\n--b--\n"), "<root/>", helloPart, 2},
		{"start names nobody", plain + `; start="<other>"`, crlf("--b\nContent-Type: application/xop+xml\nContent-ID: <r>\n\n<root/>\n--b--\n"), "<root/>",
			map[string]Part{"r": {Size: 7, SHA1: "7c6c3bbe0ab1b6a3f8bd0ec1a1a1aa8d1c76e6d0"}}, 1},
		{"base64", plain, crlf("--b\nContent-Transfer-Encoding: base64\n\nPHJv\nb3QvPg==\n--b\nContent-ID: <doc@x>\nContent-Transfer-Encoding: BASE64\n\naGVsbG8=\n--b--\n"), "<root/>", helloPart, 2},
		{"quoted-printable", plain, crlf("--b\nContent-Transfer-Encoding: quoted-printable\n\n<root=\n/>\n--b--\n"), "<root/>", map[string]Part{}, 1},
		{"line feeds alone", plain, "--b\n\n<root/>\n--b--\n", "<root/>", map[string]Part{}, 1},
		{"boundary-like text in a part", plain, crlf("--b\n\n<root>--bc</root>\n--b--\n"), "<root>--bc</root>", map[string]Part{}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := ReadPackage(tt.kind, iotest.OneByteReader(strings.NewReader(tt.body)))
			require.NoError(t, err)
			require.Equal(t, tt.root, string(p.Root))
			require.Equal(t, tt.count, p.Count)
			for id, part := range tt.parts {
				if id == "r" { // the root, kept under its own name too
					part.SHA1 = p.Parts[id].SHA1
				}
				require.Equal(t, part, p.Parts[id], id)
			}
			require.Len(t, p.Parts, len(tt.parts))
		})
	}
}

func TestReadPackageFails(t *testing.T) {
	const plain = "multipart/related; boundary=b"
	broken := errors.New("connection lost")
	tests := []struct {
		name, kind string
		body       io.Reader
		want       error
	}{
		{"no closing boundary", plain, strings.NewReader(crlf("--b\n\n<root/>\n")), ErrTruncated},
		{"cut off between parts", plain, strings.NewReader(crlf("--b\n\n<root/>\n--b\n")), ErrTruncated},
		{"cut off in a document", plain, strings.NewReader(crlf("--b\n\n<root/>\n--b\nContent-ID: <d>\n\nhel")), ErrTruncated},
		{"cut off in a part's header", plain, strings.NewReader(crlf("--b\nContent-Ty")), ErrTruncated},
		{"empty", plain, strings.NewReader(""), ErrTruncated},
		{"another boundary", plain, strings.NewReader(crlf("--c\n\n<root/>\n--c--\n")), ErrTruncated},
		{"no boundary", "multipart/related", strings.NewReader("--b--"), ErrPackage},
		{"boundary too long", "multipart/related; boundary=" + strings.Repeat("x", maxBoundary+1), strings.NewReader(""), ErrPackage},
		{"header without a colon", plain, strings.NewReader(crlf("--b\nPATIENT INVENTED\n\n<root/>\n--b--")), ErrPackage},
		{"broken base64", plain, strings.NewReader(crlf("--b\nContent-Transfer-Encoding: base64\n\n?!\n--b--")), ErrPackage},
		{"too many parts", plain, strings.NewReader(strings.Repeat(crlf("--b\n\nx\n"), MaxParts+1) + "--b--"), ErrTooLarge},
		{"envelope too large", "", strings.NewReader(strings.Repeat("x", MaxEnvelope+1)), ErrTooLarge},
		{"root too large", plain, strings.NewReader(crlf("--b\n\n") + strings.Repeat("x", MaxEnvelope+1)), ErrTooLarge},
		{"connection lost", "", io.MultiReader(strings.NewReader("<ro"), iotest.ErrReader(broken)), broken},
		{"connection lost in a document", plain, io.MultiReader(strings.NewReader(crlf("--b\n\n<root/>\n--b\n\nhel")), iotest.ErrReader(broken)), broken},
		{"endless document", plain, io.MultiReader(strings.NewReader(crlf("--b\n\n<root/>\n--b\n\n")), endless{}), ErrTooLarge},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ReadPackage(tt.kind, tt.body)
			require.ErrorIs(t, err, tt.want)
		})
	}
}

type endless struct{}

func (endless) Read(b []byte) (int, error) { return len(b), nil }

func TestMediaType(t *testing.T) {
	tests := []struct {
		in, kind string
		params   map[string]string
	}{
		{"", "", map[string]string{}},
		{" Text/HTML ", "text/html", map[string]string{}},
		{"a/b; X=y", "a/b", map[string]string{"x": "y"}},
		{`a/b;x="y;z=1" junk ; q = 2`, "a/b", map[string]string{"x": "y;z=1", "q": "2"}},
		{"a/b; flag; x=1; x=2", "a/b", map[string]string{"x": "1"}},
		{`a/b; x="open`, "a/b", map[string]string{"x": "open"}},
		{"a/b; =", "a/b", map[string]string{}},
	}
	for _, tt := range tests {
		kind, params := MediaType(tt.in)
		require.Equal(t, tt.kind, kind, tt.in)
		require.Equal(t, tt.params, params, tt.in)
	}
}

func TestPercentDecoded(t *testing.T) {
	for in, want := range map[string]string{"a%40b": "a@b", "%": "%", "%4": "%4", "%zz": "%zz", "%2B+": "++"} {
		require.Equal(t, want, percentDecoded(in))
	}
}

func FuzzReadPackage(f *testing.F) {
	f.Add(`multipart/related; boundary=MIMEBoundaryurn_uuid_1; start="<0.urn:uuid:1@apache.org>"`, []byte(axis2))
	f.Add("multipart/related; boundary=b", []byte(crlf("--b\nContent-Transfer-Encoding: base64\n\nPHJvb3QvPg==\n--b--")))
	f.Add("text/xml", []byte("<x/>"))
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		p, err := ReadPackage(kind, strings.NewReader(string(body)))
		require.NotNil(t, p)
		if err == nil {
			require.LessOrEqual(t, p.Count, MaxParts)
			require.LessOrEqual(t, len(p.Root), len(body))
		}
	})
}

func FuzzSecurityHeader(f *testing.F) {
	f.Add([]byte(`<wsse:Security xmlns:wsse="` + SecurityNamespace + `"/>`))
	f.Fuzz(func(t *testing.T, b []byte) {
		header, err := SecurityHeader(b)
		if err != nil {
			return
		}
		require.Contains(t, string(b), string(header))
		again, err := SecurityHeader(header)
		require.NoError(t, err)
		require.Equal(t, header, again)
	})
}
