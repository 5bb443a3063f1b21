package dicomgate_test

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"gantry/gateway/dicomgate"
	"gantry/protocols/dicom"
)

const jpegBaseline = "1.2.840.10008.1.2.4.50"

// imaging proposes CT images uncompressed, and MR images compressed.
func imaging() *dicom.AssociateRQ {
	rq := asking("VNA", "CT1")
	rq.ImplementationClassUID = "1.2.276.0.7230010.3.0.3.6.7"
	rq.Contexts = []dicom.PresentationContext{
		{ID: 1, AbstractSyntax: dicom.CTImageStorageUID, TransferSyntaxes: []string{dicom.ImplicitVRLittleEndianUID, dicom.ExplicitVRLittleEndianUID}},
		{ID: 3, AbstractSyntax: dicom.MRImageStorageUID, TransferSyntaxes: []string{jpegBaseline}},
	}
	return rq
}

func TestRouteMatch(t *testing.T) {
	type route = dicomgate.Route
	for _, tt := range []struct {
		name  string
		route route
		want  bool
	}{
		{"everything", route{}, true},
		{"called title", route{CalledAE: dicomgate.Patterns{"PACS", "VNA"}}, true},
		{"other called title", route{CalledAE: dicomgate.Patterns{"CT1"}}, false},
		{"calling title", route{CallingAE: dicomgate.Patterns{"CT*"}}, true},
		{"case counts", route{CallingAE: dicomgate.Patterns{"ct1"}}, false},
		{"case is ignored", route{CallingAE: dicomgate.Patterns{"ct1"}, IgnoreCase: true}, true},
		{"one of two keys", route{CallingAE: dicomgate.Patterns{"CT*"}, CalledAE: dicomgate.Patterns{"X"}}, false},
		{"SOP class", route{SOPClass: dicomgate.Syntaxes{dicom.MRImageStorageUID}}, true},
		{"SOP class by its keyword", route{SOPClass: dicomgate.Syntaxes{"MR*"}}, true},
		{"no such SOP class", route{SOPClass: dicomgate.Syntaxes{dicom.VerificationUID, "*Find"}}, false},
		{"transfer syntax", route{TransferSyntax: dicomgate.Syntaxes{"JPEG*"}}, true},
		{"both in one context", route{SOPClass: dicomgate.Syntaxes{"MR*"}, TransferSyntax: dicomgate.Syntaxes{jpegBaseline}}, true},
		{"both, but in two contexts", route{SOPClass: dicomgate.Syntaxes{"CT*"}, TransferSyntax: dicomgate.Syntaxes{jpegBaseline}}, false},
		{"network", route{Source: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}, true},
		{"other network", route{Source: []netip.Prefix{netip.MustParsePrefix("10.9.0.0/16"), netip.MustParsePrefix("fd00::/8")}}, false},
		{"implementation", route{ImplementationClass: dicomgate.Patterns{"1.2.276.0.7230010.*"}}, true},
		{"other implementation", route{ImplementationClass: dicomgate.Patterns{"1.2.40.*"}}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, tt.route.Match(imaging(), netip.MustParseAddr("10.1.2.3")))
		})
	}
}

// TestRouteSource: an address has several ways to be written.
func TestRouteSource(t *testing.T) {
	r := dicomgate.Route{Source: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fe80::/10")}}
	for source, want := range map[string]bool{"::ffff:10.1.2.3": true, "fe80::1%eth0": true, "fd00::1": false, "11.0.0.1": false} {
		require.Equal(t, want, r.Match(imaging(), netip.MustParseAddr(source)), source)
	}
}

func TestRouteWithoutImplementation(t *testing.T) {
	rq := imaging()
	rq.ImplementationClassUID = ""
	r := dicomgate.Route{ImplementationClass: dicomgate.Patterns{"*"}}
	require.False(t, r.Match(rq, netip.Addr{}), "none is not any")
}

// TestRouteBounded: of a request made to cost time only the beginning is looked at.
func TestRouteBounded(t *testing.T) {
	rq, r := imaging(), dicomgate.Route{TransferSyntax: dicomgate.Syntaxes{"9.*"}}
	many := make([]string, dicomgate.MaxSyntaxes)
	for i := range many {
		many[i] = fmt.Sprintf("1.%d", i)
	}
	rq.Contexts[0].TransferSyntaxes = append(many, "9.1")
	require.False(t, r.Match(rq, netip.Addr{}))
	many[dicomgate.MaxSyntaxes-1] = "9.1"
	rq.Contexts[0].TransferSyntaxes = many
	require.True(t, r.Match(rq, netip.Addr{}))
}

func TestFind(t *testing.T) {
	routes := dicomgate.Routes{{CallingAE: dicomgate.Patterns{"CT*"}}, {CallingAE: dicomgate.Patterns{"CT1", "MR*"}}, {CalledAE: dicomgate.Patterns{"OLD"}}}
	for _, tt := range []struct {
		called, calling string
		want            int
	}{{"VNA", "CT1", 0}, {"VNA", "MR1", 1}, {"OLD", "US1", 2}, {"OLD", "MR1", 1}, {"VNA", "US1", -1}} {
		require.Equal(t, tt.want, routes.Find(asking(tt.called, tt.calling), netip.Addr{}), tt)
	}
	require.Equal(t, -1, dicomgate.Routes(nil).Find(imaging(), netip.Addr{}))
}

func TestAlways(t *testing.T) {
	require.True(t, new(dicomgate.Route).Always())
	require.True(t, (&dicomgate.Route{IgnoreCase: true}).Always())
	require.False(t, (&dicomgate.Route{Source: []netip.Prefix{{}}}).Always())
	require.False(t, (&dicomgate.Route{TransferSyntax: dicomgate.Syntaxes{"*"}}).Always())
}
