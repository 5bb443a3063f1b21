package gallery

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gantry/fixtures/hl7"
	"gantry/fixtures/secure"
	"gantry/fixtures/viewer"
	"gantry/fixtures/xds"
)

// The peers that gantry simulate plays as well, by the same names of their faults.

// played is the command that starts a peer.
func played(protocol string, more []string, faults []string) string {
	words := append([]string{"gantry", "simulate", protocol}, more...)
	for _, f := range faults {
		words = append(words, "--fault", quoted(f))
	}
	return strings.Join(words, " ")
}

// receiver is a simulated HL7 receiver.
func receiver(faults ...string) peer {
	return peer{play: played("mllp", nil, faults), start: func(t *testing.T) string {
		f, err := hl7.FaultTable.Parse(faults)
		require.NoError(t, err)
		s, err := hl7.Start(hl7.Options{Faults: f})
		require.NoError(t, err)
		t.Cleanup(s.Close)
		return s.Addr()
	}}
}

// registry and repository are the two simulated actors of XDS.
func registry(faults ...string) peer   { return actor(xds.Registry, false, faults) }
func repository(faults ...string) peer { return actor(xds.Repository, false, faults) }

func actor(role xds.Role, secured bool, faults []string) peer {
	return peer{play: played("xds", []string{"--role", role.String()}, faults), start: func(t *testing.T) string {
		f, err := xds.FaultTable.Parse(faults)
		require.NoError(t, err)
		o := xds.Options{Role: role, Faults: f}
		if secured {
			o.Identity = identity(t)
		}
		s, err := xds.Start(o)
		require.NoError(t, err)
		t.Cleanup(s.Close)
		return s.Addr()
	}}
}

// viewing is a simulated viewer, over HTTPS.
func viewing(faults ...string) peer {
	return peer{play: played("http", nil, faults), start: func(t *testing.T) string {
		f, err := viewer.FaultTable.Parse(faults)
		require.NoError(t, err)
		s, err := viewer.Start(viewer.Options{Name: "VIEWER1", Identity: identity(t), Faults: f})
		require.NoError(t, err)
		t.Cleanup(s.Close)
		return s.Addr()
	}}
}

// identity is the certificate of the hospital's authority for all servers of the gallery.
func identity(t *testing.T) *secure.Identity {
	made, err := secure.Load(files.real(t, "server.pem"), files.real(t, "server-key.pem"))
	require.NoError(t, err)
	return made
}
