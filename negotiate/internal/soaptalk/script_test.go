package soaptalk

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"gantry/negotiate"
	"gantry/protocols/xds"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var registry = negotiate.Target{Service: "XDS", Server: "XDS1", Host: "10.12.1.150", Port: 17035, Version: "1.2.3"}

// asker is a kind of check as small as can be.
type asker struct {
	*Caller
	seen *xds.Response
}

func (a *asker) Negotiate(ctx context.Context, conn net.Conn) error {
	r, fault := a.Ask(ctx, conn, Question{Request: xds.GetDocuments("2.25.1"), Answer: "AdhocQueryResponse"})
	if a.seen = r; fault == nil && r != nil {
		fault = a.Judge(ctx, r, nil)
	}
	if fault != nil {
		return fault
	}
	return nil
}

// step is one thing that a scripted server does.
type step func(*script)

type script struct {
	conn   net.Conn
	reader *bufio.Reader
	heads  []*http.Request
	bodies []string
}

var messageID = regexp.MustCompile(`MessageID>([^<]*)<`)

// recv reads one request.
func recv(s *script) {
	r, err := http.ReadRequest(s.reader)
	if err != nil {
		return
	}
	s.heads = append(s.heads, r)
	body, _ := io.ReadAll(r.Body)
	s.bodies = append(s.bodies, string(body))
}

// head reads the head of a request alone.
func head(s *script) {
	r, err := http.ReadRequest(s.reader)
	if err == nil {
		s.heads = append(s.heads, r)
	}
}

// say sends words, with {id} replaced by the MessageID that came last.
func say(words string) step {
	return func(s *script) {
		id := "none"
		if n := len(s.bodies); n > 0 {
			if found := messageID.FindStringSubmatch(s.bodies[n-1]); found != nil {
				id = found[1]
			}
		}
		_, _ = io.WriteString(s.conn, strings.ReplaceAll(words, "{id}", id))
	}
}

const (
	soapType = "application/soap+xml; charset=UTF-8"
	html     = "text/html; charset=utf-8"
	ok       = "200 OK"
	// idLen is what {id} will be longer by.
	idLen = len("urn:uuid:00000000-0000-0000-0000-000000000000") - len("{id}")
)

// reply is a complete answer.
func reply(status, kind, body string) step {
	length := len(body) + idLen*strings.Count(body, "{id}")
	return say(fmt.Sprintf("HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", status, kind, length, body))
}

// silent reads on and says nothing until the other side is gone.
func silent(s *script) { _, _ = io.Copy(io.Discard, s.reader) }

func pause(d time.Duration) step { return func(*script) { time.Sleep(d) } }

// run plays the steps against one check in fake time.
func run(t *testing.T, e Endpoint, steps ...step) (result negotiate.Result, played *script) {
	t.Helper()
	if e.Path == "" {
		e.Path = "/services/registry"
	}
	synctest.Test(t, func(t *testing.T) {
		done := make(chan *script, 1)
		result = negotiate.Run(negotiate.WithTranscript(t.Context()), negotiate.Check{
			Address: func() (string, error) { return "10.12.1.150:17035", nil },
			Prober:  &asker{Caller: e.Caller(registry)},
			Dial: func(context.Context, string) (net.Conn, error) {
				here, there := net.Pipe()
				go func() {
					s := &script{conn: there, reader: bufio.NewReader(there)}
					for _, do := range steps {
						do(s)
					}
					there.Close()
					done <- s
				}()
				return here, nil
			},
		})
		played = <-done
	})
	return result, played
}

// envelopes of answers.
func soap(header, body string) string {
	return `<?xml version="1.0"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://www.w3.org/2005/08/addressing">` +
		`<s:Header>` + header + `</s:Header><s:Body>` + body + `</s:Body></s:Envelope>`
}

const related = `<a:Action>urn:ihe:iti:2007:RegistryStoredQueryResponse</a:Action><a:RelatesTo>{id}</a:RelatesTo>`

func adhoc(status, content string) string {
	if !strings.Contains(status, ":") {
		status = "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:" + status
	}
	return `<q:AdhocQueryResponse xmlns:q="urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0" xmlns:rs="urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0"` +
		` status="` + status + `">` + content + `</q:AdhocQueryResponse>`
}

func errorsOf(codes ...string) string {
	list := ""
	for _, code := range codes {
		list += `<rs:RegistryError errorCode="` + code + `" codeContext="ZZ-GANTRY-PROBE^SECRET" severity="urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:Error"/>`
	}
	return "<rs:RegistryErrorList>" + list + "</rs:RegistryErrorList>"
}

func failure(codes ...string) step {
	return reply(ok, soapType, soap(related, adhoc("Failure", errorsOf(codes...))))
}

func fault(code string, subcodes ...string) string {
	sub := ""
	for i := len(subcodes) - 1; i >= 0; i-- {
		sub = `<s:Subcode><s:Value>x:` + subcodes[i] + `</s:Value>` + sub + `</s:Subcode>`
	}
	return soap("", `<s:Fault><s:Code><s:Value>s:`+code+`</s:Value>`+sub+`</s:Code><s:Reason><s:Text xml:lang="en">ZZ-GANTRY-PROBE^SECRET</s:Text></s:Reason></s:Fault>`)
}

var healthy = reply(ok, soapType, soap(related, adhoc("Success", "")))
