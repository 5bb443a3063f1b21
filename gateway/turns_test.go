package gateway

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"gantry/gateway/config"
)

// TestProbesTakeTurnsWithTheServersOwnChecks: also at a server without a port, which is known by its host alone.
func TestProbesTakeTurnsWithTheServersOwnChecks(t *testing.T) {
	c := config.Service{Name: "DICOM", Listen: []netip.AddrPort{netip.MustParseAddrPort("10.0.0.100:104")},
		Servers: []config.Server{{Name: "A", Host: "10.0.0.1"}, {Name: "B", Host: "10.0.0.2", Port: 11112}}}
	s := newService(c, nil)
	for _, tt := range []struct {
		host string
		port int
		want string
	}{{"10.0.0.1", 104, "10.0.0.1"}, {"10.0.0.2", 11112, "10.0.0.2:11112"}, {"10.0.0.3", 104, "10.0.0.3:104"}} {
		_, identity := s.checksFor(tt.host, tt.port)
		require.Equal(t, tt.want, identity)
	}
}
