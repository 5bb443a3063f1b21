package soaptalk

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/negotiate"
	"gantry/protocols/xds"
)

func TestMask(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"text and attributes", `<Name id="7">Doe</Name>`, `<Name id="*">***</Name>`},
		{"what is listed", `<a:Action s:mustUnderstand="1">urn:x</a:Action><Slot name="$X" v='1'/>`, `<a:Action s:mustUnderstand="1">urn:x</a:Action><Slot name="$X" v='*'/>`},
		{"listed, but not an identifier", `<Action>John Doe</Action><Slot name="1^^^x"/>`, `<Action>********</Action><Slot name="*****"/>`},
		{"only inside its parent", `<Code><Value>s:Sender</Value></Code><ValueList><Value>'1'</Value></ValueList>`, `<Code><Value>s:Sender</Value></Code><ValueList><Value>***</Value></ValueList>`},
		{"names, blanks and lines stay", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<x xmlns:r='urn:ihe:r'>\n  one\n  two </x>", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<x xmlns:r='urn:ihe:r'>\n  ***\n***** </x>"},
		{"nothing of a security header", `<wsse:Security><Action>urn:x</Action><Slot name="k"/></wsse:Security>`, `<wsse:Security><Action>*****</Action><Slot name="*"/></wsse:Security>`},
		{"a namespace of nobody", `<x xmlns="urn:patient:Doe" xmlns:y='urn:oasis:Doe 7'/>`, `<x xmlns="***************" xmlns:y='***************'/>`},
		{"comment, CDATA, instruction", `<x><!-- Doe --><![CDATA[Doe]]></x><?xml Doe?>`, `<x><!--*****--><![CDATA[***]]></x><?xml ***?>`},
		{"another instruction", `<?doe?><x/>`, `***********`},
		{"document type", `<!DOCTYPE Doe><x/>`, strings.Repeat("*", 18)},
		{"text that is cut off", `<Action>urn:x`, `<Action>*****`},
		{"attribute that is cut off", `<Slot name="Doe`, `<Slot *********`},
		{"attribute without quotes", `<Slot name=Doe>x</Slot>`, `<Slot *****************`},
		{"wrong end", `<x>a</y>Doe`, `<x>*` + `*******`},
		{"end without beginning", `</Doe>`, `******`},
		{"name that is none", `<Doe^John/>`, `***********`},
		{"no XML", "MSH|^~\\&|Doe\nDoe", "************\n***"},
		{"byte order mark", "\ufeff<x/>", "***<x/>"},
		{"too deep", strings.Repeat("<a>", xds.MaxDepth) + "<b/>", strings.Repeat("<a>", xds.MaxDepth) + "****"},
		{"user of an address", `<To>http://doe:secret@x/y</To><a href="cid:a@x"/>`, `<To>*********************</To><a href="*******"/>`},
		{"query of an address", `<To>http://x/y?patient=7</To>`, `<To>********************</To>`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := negotiate.Passage{Bytes: []byte(tt.in)}
			mask(&p)
			require.Equal(t, tt.want, string(p.Bytes))
		})
	}
}

func TestLayout(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"nested", "<?xml version='1.0'?><a><b/><c>x</c><d></d></a>", "<?xml version='1.0'?>\n<a>\n  <b/>\n  <c>*</c>\n  <d></d>\n</a>"},
		{"lines of its own stay", "<a>\n<b>x</b>\n</a>", "<a>\n<b>*</b>\n</a>"},
		{"tags in what is hidden", "<a><!--<b><c>--><d x='><'>y</d></a>", "<a>\n  <!--******-->\n  <d x='**'>*</d>\n</a>"},
		{"more ends than beginnings", "<a></a></a><b/>", "<a></a>********"},
		{"nothing", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := negotiate.Passage{Bytes: []byte(tt.in)}
			mask(&p)
			layout(&p)
			require.Equal(t, tt.want, string(p.Bytes))
			for _, s := range p.Masked {
				require.Equal(t, strings.Repeat("*", s.To-s.From), string(p.Bytes[s.From:s.To]))
			}
		})
	}
}

func TestTranscript(t *testing.T) {
	result, _ := run(t, Endpoint{SecurityFile: securityFile(t, assertion)}, recv,
		reply(ok, soapType, soap(related, adhoc("Failure", errorsOf("XDSUnknownPatientId")))))
	require.Nil(t, result.Fault)
	require.Len(t, result.Transcript, 4)
	head, question, answerHead, answer := result.Transcript[0], result.Transcript[1], result.Transcript[2], result.Transcript[3]
	require.True(t, head.Sent && question.Sent)
	require.False(t, answerHead.Sent || answer.Sent)
	require.Contains(t, head.Title, "HTTP request POST /services/registry, head of ")
	require.Contains(t, answerHead.Title, "HTTP answer 200 OK, head of ")
	require.Contains(t, question.Title, "SOAP envelope, ")
	require.Contains(t, string(question.Bytes), `
      <rim:AdhocQuery id="urn:uuid:5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4">
        <rim:Slot name="$XDSDocumentEntryUniqueId">
          <rim:ValueList>
            <rim:Value>**********</rim:Value>
          </rim:ValueList>`)
	require.Contains(t, string(question.Bytes), "<Assertion>*********</Assertion>")
	require.Equal(t, []string{"SOAP 1.2, AdhocQueryResponse", "status Failure", "error XDSUnknownPatientId, group alive", "registry objects: 0"}, answer.Notes)
	require.Contains(t, string(answer.Bytes), `errorCode="XDSUnknownPatientId" codeContext="**********************" severity="urn:oasis`)
}

func TestTellPackage(t *testing.T) {
	header := map[string][]string{"Content-Type": {"multipart/related; boundary=b"}}
	body := "--b\r\n\r\n" + soap("", "<x>Doe</x>") + "\r\n--b\r\nContent-ID: <d>\r\n\r\nDoe's document\r\n--b--"
	told := tell(header, []byte(body))
	require.Len(t, told, 1)
	require.Contains(t, told[0].Title, "MTOM package, ")
	require.Equal(t, []string{"SOAP 1.2, x", "attached: 14 bytes"}, told[0].Notes)
	require.NotContains(t, string(told[0].Bytes), "Doe")

	told = tell(header, []byte(body[:len(body)-4]))
	require.Contains(t, told[0].Notes, "it is not whole, or not in order")
	told = tell(map[string][]string{"Content-Type": {"text/html"}}, []byte("<p>Doe"))
	require.Equal(t, []negotiate.Passage{{Title: "body, 6 bytes of text/html", More: 6}}, told)
	told = tell(nil, []byte("<x>Doe</x>"))
	require.Equal(t, "XML, 10 bytes, not a SOAP envelope", told[0].Title)
	told = tell(nil, bytes.Repeat([]byte("<"), maxShown+5))
	require.Equal(t, 5, told[0].More)
}

// FuzzNarrate: whatever went over the connection, it is told without a panic, and a secret that
// stands where no identifier may stand is never shown.
func FuzzNarrate(f *testing.F) {
	f.Add([]byte("POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\n<x/>"), []byte("HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n<x>^SECRET^</x>"))
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"), []byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n<x/>\r\n0\r\n\r\n"))
	f.Add([]byte("\x16\x03"), []byte("HTTP/1.1 200 OK\r\nContent-Type: multipart/related; boundary=b\r\n\r\n--b\r\n\r\n<a><!-- ^SECRET^ --></a>\r\n--b--"))
	c := (&Endpoint{Path: "/"}).Caller(registry)
	f.Fuzz(func(t *testing.T, sent, got []byte) {
		for _, p := range c.Narrate([]negotiate.Chunk{{Sent: true, Data: sent}, {Data: got, At: time.Second, Lost: 7}}) {
			for _, s := range p.Masked {
				require.True(t, 0 <= s.From && s.From < s.To && s.To <= len(p.Bytes))
			}
		}
		p := negotiate.Passage{Bytes: append([]byte("<a>"), bytes.ReplaceAll(got, []byte("<"), []byte("^SECRET^"))...)}
		mask(&p)
		require.NotContains(t, string(p.Bytes), "SECRET")
	})
}
