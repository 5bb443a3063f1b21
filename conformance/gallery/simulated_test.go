package gallery

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gantry/fixtures/hl7"
	"gantry/fixtures/pacs"
	"gantry/fixtures/secure"
	"gantry/fixtures/viewer"
	"gantry/fixtures/xds"
)

// The peers that gantry simulate plays as well, by the same names of their faults.

// played is the command that starts a peer; empty for one that does nothing wrong.
func played(protocol string, faults []string) string {
	if len(faults) == 0 {
		return ""
	}
	words := []string{"gantry", "simulate", protocol}
	for _, f := range faults {
		words = append(words, "--fault", quoted(f))
	}
	return strings.Join(words, " ")
}

// archive is a simulated DICOM server.
func archive(faults ...string) peer {
	return peer{play: played("dicom", faults), start: func(t *testing.T) string {
		f, err := pacs.FaultTable.Parse(faults)
		require.NoError(t, err)
		s, err := pacs.Start(pacs.Options{Faults: f})
		require.NoError(t, err)
		t.Cleanup(s.Close)
		return s.Addr()
	}}
}

// receiver is a simulated HL7 receiver.
func receiver(faults ...string) peer {
	return peer{play: played("mllp", faults), start: func(t *testing.T) string {
		f, err := hl7.FaultTable.Parse(faults)
		require.NoError(t, err)
		s, err := hl7.Start(hl7.Options{Faults: f})
		require.NoError(t, err)
		t.Cleanup(s.Close)
		return s.Addr()
	}}
}

// registry and repository are the two simulated actors of XDS.
func registry(faults ...string) peer   { return actor(xds.Registry, nil, faults) }
func repository(faults ...string) peer { return actor(xds.Repository, nil, faults) }

// secureRegistry is a registry over HTTPS.
func secureRegistry(faults ...string) peer {
	p := actor(xds.Registry, identity, faults)
	p.play = overTLS(p.play)
	return p
}

// overTLS is the command of a server that shows the certificate of the gallery.
func overTLS(play string) string {
	head, faults, _ := strings.Cut(play, " --fault")
	return head + " --tls-cert server.pem --tls-key server-key.pem --fault" + faults
}

func actor(role xds.Role, shown func(*testing.T) *secure.Identity, faults []string) peer {
	return peer{play: played("xds", faults), start: func(t *testing.T) string {
		f, err := xds.FaultTable.Parse(faults)
		require.NoError(t, err)
		o := xds.Options{Role: role, Faults: f}
		if shown != nil {
			o.Identity = shown(t)
		}
		s, err := xds.Start(o)
		require.NoError(t, err)
		t.Cleanup(s.Close)
		return s.Addr()
	}}
}

// viewing is a simulated viewer, over HTTPS.
func viewing(faults ...string) peer {
	return peer{play: overTLS(played("http", faults)), start: func(t *testing.T) string {
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
