package config

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gantry/negotiate/dicomecho"
)

// TestAETitle: each server's checks know its title, which is a setting like others.
func TestAETitle(t *testing.T) {
	servers := parsed(t, `services:
  - name: A
    protocol: dicom
    listen: [127.0.0.1:104]
    servers:
      - {name: one, address: 10.0.0.1, ae_title: " VNA "}
      - {name: two, address: 10.0.0.2}
      - {name: three, address: 10.0.0.1:105, checks: [{type: dicom-echo, called_ae: OTHER}], ae_title: VNA}
`).Services[0].Servers
	require.Equal(t, []string{"VNA", "", "VNA"}, []string{servers[0].Checks[0].AETitle, servers[1].Checks[0].AETitle, servers[2].Checks[0].AETitle})
	require.Empty(t, servers[0].Checks[0].Settings.(*dicomecho.Settings).CalledAE, "absent: the probe takes the server's")
	require.Equal(t, "OTHER", servers[2].Checks[0].Settings.(*dicomecho.Settings).CalledAE)
}

// TestAETitleIsASetting: a new title is a new check.
func TestAETitleIsASetting(t *testing.T) {
	of := func(title string) string {
		return parsed(t, "services: [{name: A, protocol: dicom, listen: [127.0.0.1:104], servers: [{name: one, address: 10.0.0.1, ae_title: "+
			title+"}]}]\n").Services[0].Servers[0].Checks[0].Fingerprint
	}
	require.Equal(t, of("VNA"), of("VNA"))
	require.NotEqual(t, of("VNA"), of("PACS"))
}
