package xdsregistry

import (
	"regexp"
	"strconv"

	"gantry/negotiate"
	"gantry/negotiate/internal/soaptalk"
	"gantry/protocols/xds"
)

// Settings of the kind "xds-registry".
type Settings struct {
	Scheme         string   `yaml:"scheme" default:"http" enum:"http,https" doc:"https turns TLS on; the block tls then only adds to it."`
	Path           string   `yaml:"path" default:"/services/registry" doc:"Path of the registry service: what stands behind host and port in its address."`
	Host           string   `yaml:"host" doc:"Host header and host in wsa:To. Absent: the server's address as the check uses it."`
	PatientID      string   `yaml:"patient_id" doc:"Ask for the approved documents of this test patient (FindDocuments), as ID^^^&OID&ISO. Absent: ask for a document that does not exist (GetDocuments); no patient takes part."`
	MinDocuments   int      `yaml:"min_documents" default:"0" min:"0" max:"100000" doc:"Documents of patient_id that must be found. 0 = any number, and a patient whom the registry does not know is healthy too."`
	HomeCommunity  string   `yaml:"home_community" doc:"Home community id, as urn:oid:1.2.3: only an XCA gateway in the registry's place needs it."`
	SecurityFile   string   `yaml:"security_file" format:"file" doc:"File with a wsse:Security element (XUA), sent as it stands and read anew for each check, so that a job may renew the assertion. Never logged. A server that refuses it counts as degraded, not as down: an assertion that expires must not take all servers out."`
	ExpectError    []string `yaml:"expect_error" doc:"Error codes and SOAP fault codes that count as healthy: for registries whose normal answer to this question is XDSRegistryError, or InvalidSecurity where no assertion can be given."`
	Chunked        bool     `yaml:"chunked" default:"false" doc:"Send the question in chunks without its length, as Axis2, CXF and .NET clients do: finds proxies that refuse that."`
	ExpectContinue bool     `yaml:"expect_continue" default:"false" doc:"Send Expect: 100-continue first, as .NET and curl do. A server that lets such clients wait counts as degraded."`
}

// MaxPatientID bounds patient_id, in bytes: CX in ITI TF-3 4.2.3.1.7 has 256.
const MaxPatientID = 256

// impossibleID is the unique id of a document that nobody can ever have stored: below an OID that
// was made from a random UUID for this purpose (ISO/IEC 9834-8).
const impossibleID = "2.25.206813352846102210164595592045685507382.1"

var _ negotiate.Settings = (*Settings)(nil)

// Secure reports whether the settings by themselves ask for TLS.
func (s *Settings) Secure() bool { return s.Scheme == "https" }

// cx is an identifier with its assigning authority: "ID^^^&OID&ISO".
var cx = regexp.MustCompile(`^[^\^&'\x00-\x1f]+\^\^\^&[0-9]+(\.[0-9]+)+&ISO$`)

// Validate reports what cannot work. The value of patient_id is not shown.
func (s *Settings) Validate(report func(key, got, want string)) {
	s.endpoint().Validate(report)
	soaptalk.ValidateHome(s.HomeCommunity, report)
	if s.PatientID != "" && (len(s.PatientID) > MaxPatientID || !cx.MatchString(s.PatientID)) {
		report("patient_id", "another form", `write it as "ID^^^&OID&ISO", such as "ZZ-GANTRY-PROBE^^^&1.2.3.4&ISO"`)
	}
	if s.MinDocuments < 0 {
		report("min_documents", strconv.Itoa(s.MinDocuments), "write 0 or more")
	}
	if s.MinDocuments > 0 && s.PatientID == "" {
		report("min_documents", strconv.Itoa(s.MinDocuments), "give patient_id too: without a patient nothing is searched")
	}
}

func (s *Settings) endpoint() *soaptalk.Endpoint {
	return &soaptalk.Endpoint{Scheme: s.Scheme, Path: s.Path, Host: s.Host, SecurityFile: s.SecurityFile,
		ExpectError: s.ExpectError, Chunked: s.Chunked, ExpectContinue: s.ExpectContinue}
}

// Prober builds the probe for one server.
func (s *Settings) Prober(t negotiate.Target) (negotiate.Prober, error) {
	query := xds.GetDocuments(impossibleID)
	if s.PatientID != "" {
		query = xds.FindDocuments(s.PatientID)
	}
	query.Home = soaptalk.Home(s.HomeCommunity)
	return &probe{Caller: s.endpoint().Caller(t), query: query, patient: s.PatientID != "", least: s.MinDocuments}, nil
}
