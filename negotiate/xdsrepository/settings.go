package xdsrepository

import (
	"regexp"
	"strconv"
	"strings"

	"gantry/negotiate"
	"gantry/negotiate/internal/soaptalk"
	"gantry/protocols/xds"
)

// Settings of the kind "xds-repository".
type Settings struct {
	Scheme         string   `yaml:"scheme" default:"http" enum:"http,https" doc:"https turns TLS on; the block tls then only adds to it."`
	Path           string   `yaml:"path" default:"/services/repository" doc:"Path of the repository service: what stands behind host and port in its address."`
	Host           string   `yaml:"host" doc:"Host header and host in wsa:To. Absent: the server's address as the check uses it."`
	RepositoryUID  string   `yaml:"repository_uid" doc:"The repository's own unique id (an OID). Absent: one that nobody has, so that XDSUnknownRepositoryId is the healthy answer; with it, XDSDocumentUniqueIdError is, and the repository has to look into its index."`
	DocumentUID    string   `yaml:"document_uid" doc:"Unique id of a test document that must be delivered; needs repository_uid. Absent: ask for a document that does not exist."`
	DocumentSize   int      `yaml:"document_size" default:"0" min:"0" max:"67108864" doc:"Size of the test document in bytes. 0 = anything but empty."`
	DocumentSHA1   string   `yaml:"document_sha1" doc:"SHA-1 of the test document, 40 hexadecimal digits: what the registry keeps as its hash."`
	HomeCommunity  string   `yaml:"home_community" doc:"Home community id, as urn:oid:1.2.3: only an XCA gateway in the repository's place needs it."`
	SecurityFile   string   `yaml:"security_file" format:"file" doc:"File with a wsse:Security element (XUA), sent as it stands and read anew for each check, so that a job may renew the assertion. Never logged. A server that refuses it counts as degraded, not as down: an assertion that expires must not take all servers out."`
	ExpectError    []string `yaml:"expect_error" doc:"Error codes and SOAP fault codes that count as healthy: for repositories whose normal answer to this question is XDSRepositoryError, or InvalidSecurity where no assertion can be given."`
	Chunked        bool     `yaml:"chunked" default:"false" doc:"Send the question in chunks without its length, as Axis2, CXF and .NET clients do: finds proxies that refuse that."`
	ExpectContinue bool     `yaml:"expect_continue" default:"false" doc:"Send Expect: 100-continue first, as .NET and curl do. A server that lets such clients wait counts as degraded."`
}

// MaxUID bounds unique ids, in bytes: those of documents may have 128 (IHE ITI TF-3 4.2.3.2.26).
const MaxUID = 128

// Ids that nobody can ever have issued: below OIDs that were made from random UUIDs for this
// purpose (ISO/IEC 9834-8).
const (
	impossibleRepository = "2.25.306431289462533086291646810188104948177"
	impossibleDocument   = impossibleRepository + ".1"
)

var _ negotiate.Settings = (*Settings)(nil)

// Secure reports whether the settings by themselves ask for TLS.
func (s *Settings) Secure() bool { return s.Scheme == "https" }

var (
	oid         = regexp.MustCompile(`^[0-2](\.(0|[1-9][0-9]*))+$`)
	documentUID = regexp.MustCompile(`^[0-9A-Za-z.^:_-]+$`) // an OID, perhaps with ^ and an extension
	sha1Hex     = regexp.MustCompile(`^[0-9A-Fa-f]{40}$`)
)

// Validate reports what cannot work.
func (s *Settings) Validate(report func(key, got, want string)) {
	s.endpoint().Validate(report)
	soaptalk.ValidateHome(s.HomeCommunity, report)
	if s.RepositoryUID != "" && (len(s.RepositoryUID) > MaxUID || !oid.MatchString(s.RepositoryUID)) {
		report("repository_uid", strconv.Quote(s.RepositoryUID), "write an OID, such as 1.2.3.4")
	}
	if s.DocumentUID != "" && (len(s.DocumentUID) > MaxUID || !documentUID.MatchString(s.DocumentUID)) {
		report("document_uid", strconv.Quote(s.DocumentUID), "write the document's unique id, such as 1.2.3.4.5 or 1.2.3^4")
	}
	if s.DocumentUID != "" && s.RepositoryUID == "" {
		report("document_uid", strconv.Quote(s.DocumentUID), "give repository_uid too: a document is asked for with both")
	}
	s.validateMeasures(report)
}

// validateMeasures: size and hash belong to a document.
func (s *Settings) validateMeasures(report func(key, got, want string)) {
	const needsDocument = "give document_uid too: it belongs to a test document"
	if s.DocumentSHA1 != "" && !sha1Hex.MatchString(s.DocumentSHA1) {
		report("document_sha1", strconv.Quote(s.DocumentSHA1), "write 40 hexadecimal digits, as sha1sum prints them")
	} else if s.DocumentSHA1 != "" && s.DocumentUID == "" {
		report("document_sha1", strconv.Quote(s.DocumentSHA1), needsDocument)
	}
	if s.DocumentSize < 0 || s.DocumentSize > xds.MaxPackage {
		report("document_size", strconv.Itoa(s.DocumentSize), "write a size in bytes, at most "+strconv.Itoa(xds.MaxPackage))
	} else if s.DocumentSize > 0 && s.DocumentUID == "" {
		report("document_size", strconv.Itoa(s.DocumentSize), needsDocument)
	}
}

func (s *Settings) endpoint() *soaptalk.Endpoint {
	return &soaptalk.Endpoint{Scheme: s.Scheme, Path: s.Path, Host: s.Host, SecurityFile: s.SecurityFile,
		ExpectError: s.ExpectError, Chunked: s.Chunked, ExpectContinue: s.ExpectContinue, Packed: true}
}

// Prober builds the probe for one server.
func (s *Settings) Prober(t negotiate.Target) (negotiate.Prober, error) {
	p := &probe{Caller: s.endpoint().Caller(t), settings: *s,
		request: xds.Retrieve{Home: soaptalk.Home(s.HomeCommunity), Repository: s.RepositoryUID, Document: s.DocumentUID}}
	p.settings.DocumentSHA1 = strings.ToLower(s.DocumentSHA1)
	if p.request.Repository == "" {
		p.request.Repository = impossibleRepository
	}
	if p.request.Document == "" {
		p.request.Document = impossibleDocument
	}
	return p, nil
}
