package config

import (
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/gateway/dicomgate"
	"gantry/protocols/dicom"
)

// TestDICOMDefaults holds an independent copy of the defaults.
func TestDICOMDefaults(t *testing.T) {
	s := parsed(t, smallest).Services[0]
	require.Equal(t, DICOM{
		RetryAssociate: 1, AssociateTimeout: 10 * time.Second, QueueTimeout: 5 * time.Second, Inspect: true, Accept: &dicomgate.Acceptance{},
	}, s.DICOM)
	require.Empty(t, s.Routes)
}

func associations(t *testing.T) Service {
	t.Helper()
	data, err := os.ReadFile("testdata/good/associations.yaml")
	require.NoError(t, err)
	return parsed(t, string(data)).Services[0]
}

func TestDICOM(t *testing.T) {
	s := associations(t)
	called, calling := dicomgate.Patterns{"VNA", "PACS*"}, dicomgate.Patterns{"CT*", "US_?", "MR 1", "WS7"}
	require.Equal(t, DICOM{
		AcceptCalledAE: called, AcceptCallingAE: calling, IgnoreAECase: true,
		RetryAssociate: 0, AssociateTimeout: time.Minute, ResponseTimeout: 2 * time.Minute,
		AssociationsPerCallingAE: 4, Queue: 16, QueueTimeout: 2 * time.Second, Inspect: true,
		Accept: &dicomgate.Acceptance{Called: called, Calling: calling, IgnoreCase: true},
	}, s.DICOM)
	require.Equal(t, "calling-ae", s.Persistence.By)
}

func TestRoutes(t *testing.T) {
	routes := associations(t).Routes
	require.Equal(t, Route{
		When: dicomgate.Route{
			CalledAE: dicomgate.Patterns{"vna"}, CallingAE: dicomgate.Patterns{"ct*"}, IgnoreCase: true,
			SOPClass:            dicomgate.Syntaxes{dicom.CTImageStorageUID, "*Find", dicom.MRImageStorageUID, "1.3.12.*"},
			TransferSyntax:      dicomgate.Syntaxes{"1.2.840.10008.1.2.4.50", "JPEG2000*", dicom.ImplicitVRLittleEndianUID},
			Source:              []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("10.2.3.4/32")},
			ImplementationClass: dicomgate.Patterns{"1.2.276.0.7230010.3.0.3.6.7", "1.2.40.*"},
		},
		Servers: []string{"PACS2", "PACS1"}, CallingAE: "CT",
	}, routes[0])
	require.Equal(t, &dicom.Reject{Result: 2, Source: 1, Reason: 1}, routes[1].Reject)
	require.Equal(t, &dicom.RejectCongestion, routes[2].Reject)
	require.Equal(t, []any{"ULTRASOUND", []string(nil)}, []any{routes[3].CallingAE, routes[3].Servers})
	require.True(t, routes[4].When.Always())
}

// TestAssociateTimeout: what nobody wrote follows from the time for the whole beginning.
func TestAssociateTimeout(t *testing.T) {
	for timeouts, want := range map[string]time.Duration{"{}": 10 * time.Second, "{handshake: 3s}": 3 * time.Second, "{handshake: 1m}": 10 * time.Second} {
		own := parsed(t, strings.Replace(smallest, "servers:", "timeouts: "+timeouts+", servers:", 1))
		require.Equal(t, want, own.Services[0].DICOM.AssociateTimeout, timeouts)
		inherited := parsed(t, "defaults: {timeouts: "+timeouts+"}\n"+smallest)
		require.Equal(t, want, inherited.Services[0].DICOM.AssociateTimeout, timeouts)
	}
	own := parsed(t, "defaults: {timeouts: {handshake: 3s}}\n"+strings.Replace(smallest, "servers:", "timeouts: {handshake: 1m}, servers:", 1))
	require.Equal(t, 10*time.Second, own.Services[0].DICOM.AssociateTimeout, "the service's own time counts, not that of defaults")
}

// TestAcceptedTitle: checks ask for the title that clients ask for, where there is only one.
func TestAcceptedTitle(t *testing.T) {
	for _, tt := range []struct{ name, accept, server, want string }{
		{"the only one", "[VNA]", "", "VNA"},
		{"beside patterns", `["PACS*", VNA]`, "", "VNA"},
		{"the server's own comes first", "[VNA]", "ARCHIVE", "ARCHIVE"},
		{"two", "[VNA, PACS]", "", ""},
		{"patterns alone", `["PACS?"]`, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.Replace(smallest, "servers:", "dicom: {accept_called_ae: "+tt.accept+"}, servers:", 1)
			if tt.server != "" {
				text = strings.Replace(text, "address: 10.0.1.1", "address: 10.0.1.1, ae_title: "+tt.server, 1)
			}
			server := parsed(t, text).Services[0].Servers[0]
			require.Equal(t, tt.want, server.Checks[0].AETitle)
			require.Equal(t, tt.server, server.AETitle, "what is written into requests is said at the server alone")
		})
	}
}

// TestDICOMOnce: one mistake, one problem.
func TestDICOMOnce(t *testing.T) {
	for name, tt := range map[string]struct{ keys, want string }{
		"a title that is none makes no route unreachable": {
			`dicom: {accept_called_ae: ["A\\B"]}, routes: [{when: {called_ae: [VNA]}, servers: [A1]}]`, "dicom.accept_called_ae[0]: not an AE title"},
		"a condition that is none does not take everything": {
			"routes: [{when: {calling: [A]}, servers: [A1]}, {servers: [A1]}]", "routes[0].when.calling: unknown key"},
		"a server without name":  {"routes: [{servers: ['!']}]", "routes[0].servers[0]: not a usable name"},
		"a route that is a list": {"routes: [[A1]]", "routes[0]: wrong type (got a list)"},
	} {
		t.Run(name, func(t *testing.T) {
			text := problemsOf(t, strings.Replace(smallest, "servers:", tt.keys+", servers:", 1))
			require.Contains(t, text, tt.want)
			require.NotContains(t, text, "\n", "one line")
		})
	}
}

// TestOtherProtocols: a service whose protocol is the mistake is not blamed for its keys too.
func TestOtherProtocols(t *testing.T) {
	for _, protocol := range []string{"http", "dicm"} {
		text := strings.Replace(smallest, "servers:", "dicom: {queue: 1}, routes: [{when: {path: [/]}, servers: [A1]}], servers:", 1)
		text = problemsOf(t, strings.Replace(text, "dicom", protocol, 1))
		require.NotContains(t, text, "\n", "one line")
		require.Contains(t, text, "protocol: ")
	}
}

// TestManyRoutes: the longest list of routes is gone through quickly, and nothing is said twice.
func TestManyRoutes(t *testing.T) {
	var routes []string
	for i := range 100 {
		routes = append(routes, fmt.Sprintf("{when: {calling_ae: [CT%d]}, servers: [A1]}", i))
	}
	text := strings.Replace(smallest, "servers: [{", "routes: ["+strings.Join(routes, ", ")+"], servers: [{", 1)
	require.Len(t, parsed(t, text).Services[0].Routes, 100)
	require.Contains(t, problemsOf(t, strings.Replace(text, "]}, servers: [A1]}]", "]}, servers: [A1]}, {servers: [A1]}]", 1)), "list is too long (got 101)")
}

// TestNearestKeyword: keywords of PS3.6 are long and have capitals.
func TestNearestKeyword(t *testing.T) {
	for wrong, want := range map[string]string{
		"StudyRootQueryRetrieveInformationModelFnd": "StudyRootQueryRetrieveInformationModelFind",
		"CTImageStorge": "CTImageStorage", "MR Image Storage": "MRImageStorage", "ctimagestorage": "CTImageStorage",
	} {
		text := problemsOf(t, strings.Replace(smallest, "servers:", "routes: [{when: {sop_class: ["+wrong+"]}, servers: [A1]}], servers:", 1))
		require.Contains(t, text, fmt.Sprintf("did you mean %q?", want))
	}
}
