package soaptalk

import (
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gantry/negotiate"
	"gantry/negotiate/internal/httptalk"
	"gantry/protocols"
	"gantry/protocols/xds"
)

// Endpoint is what the settings of all SOAP checks have in common.
type Endpoint struct {
	Scheme, Path, Host string
	SecurityFile       string   // path of a file with a wsse:Security element; empty = none
	ExpectError        []string // codes of errors and SOAP faults that count as healthy
	Chunked            bool     // send the question in chunks
	ExpectContinue     bool     // send "Expect: 100-continue" first
	Packed             bool     // send the question in an MTOM package
}

// Validate reports what cannot work, under the keys that all SOAP checks use.
func (e *Endpoint) Validate(report func(key, got, want string)) {
	httptalk.ValidatePath(e.Path, report)
	httptalk.ValidateHost(e.Host, report)
	for i, code := range e.ExpectError {
		if !codeForm.MatchString(code) {
			report(fmt.Sprintf("expect_error[%d]", i), strconv.Quote(code), "write an error code such as XDSRegistryError, or the subcode of a SOAP fault such as InvalidSecurity")
		}
	}
	if e.SecurityFile != "" {
		if _, err := readSecurity(e.SecurityFile); err != nil {
			report("security_file", strconv.Quote(e.SecurityFile), "give a file that holds one wsse:Security element: "+err.Error())
		}
	}
}

// codeForm is what an error code looks like. A code of a peer that does not is not shown: it may
// be free text.
var codeForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{0,63}$`)

// readSecurity reads the header anew for each check, so that whoever renews an assertion need
// not tell gantry. Errors do not quote the file.
func readSecurity(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, bare(err)
	}
	if !info.Mode().IsRegular() { // a pipe would hold the check up
		return nil, errors.New("it is not a regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, bare(err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, xds.MaxSecurity+1))
	if err != nil {
		return nil, bare(err)
	}
	header, err := xds.SecurityHeader(b)
	var wrong *protocols.SyntaxError
	if errors.As(err, &wrong) {
		return nil, errors.New(wrong.Msg)
	}
	return header, err
}

// bare drops the path from an error: it is shown already.
func bare(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// Caller puts questions to one server. It is not changed after it was built.
type Caller struct {
	endpoint Endpoint
	secure   bool
	host     string // Host header
	agent    string
	server   string // for sentences
	address  string // address of the service, wsa:To
}

// Caller builds the caller for one server.
func (e *Endpoint) Caller(t negotiate.Target) *Caller {
	c := &Caller{endpoint: *e, secure: t.Secure || e.Scheme == "https", host: e.Host, agent: httptalk.Agent(t), server: t.Server}
	c.endpoint.ExpectError = slices.Clone(e.ExpectError)
	if c.endpoint.Path == "" {
		c.endpoint.Path = "/"
	}
	if c.host == "" {
		c.host = httptalk.HostHeader(t, c.secure)
	}
	if c.server == "" {
		c.server = "the server"
	}
	c.address = httptalk.Scheme(c.secure) + "://" + c.host + c.endpoint.Path
	return c
}

// expected reports a code that the operator declared healthy.
func (c *Caller) expected(codes ...string) bool {
	return slices.ContainsFunc(codes, func(code string) bool { return slices.Contains(c.endpoint.ExpectError, code) })
}

// shownCode is a code as it may be shown.
func shownCode(code string) string {
	if codeForm.MatchString(code) {
		return code
	}
	return "a code that is none"
}

// shownCodes are those of a fault: "Sender/ActionNotSupported".
func shownCodes(f *xds.Fault) string {
	all := append([]string{f.Code}, f.Subcodes...)
	for i, code := range all {
		all[i] = shownCode(code)
	}
	return strings.Join(all, "/")
}

// homeForm is a home community id, with or without its prefix.
var homeForm = regexp.MustCompile(`^(urn:oid:)?[0-2](\.(0|[1-9][0-9]*))+$`)

// ValidateHome reports a home community id that is none; empty stands for none.
func ValidateHome(id string, report func(key, got, want string)) {
	if id != "" && !homeForm.MatchString(id) {
		report("home_community", strconv.Quote(id), "write an OID, such as urn:oid:1.2.3.4")
	}
}

// Home writes a home community id as the profile does (IHE ITI TF-3 4.2.3.2.12).
func Home(id string) string {
	if id == "" || strings.HasPrefix(id, "urn:oid:") {
		return id
	}
	return "urn:oid:" + id
}
