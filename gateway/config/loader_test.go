package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gantry/negotiate/mllpack"
	"gantry/negotiate/xdsregistry"
)

// TestFilesOfChecks: files that settings name stand beside the configuration; what is read of them is a setting.
func TestFilesOfChecks(t *testing.T) {
	folder := t.TempDir()
	write := func(name, content string) {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600))
	}
	of := func(check string) Check {
		text := strings.Replace(smallest, "servers:", "checks: ["+check+"], servers:", 1)
		write("gantry.yaml", text)
		c, _, err := Load(filepath.Join(folder, "gantry.yaml"))
		require.NoError(t, err)
		return c.Services[0].Servers[0].Checks[0]
	}
	fingerprints := map[string]bool{}
	for _, patient := range []string{"ZZ-GANTRY-1", "ZZ-GANTRY-2"} {
		write("query.hl7", "MSH|^~\\&|GANTRY|GANTRY|||{time}||QBP^Q22|{control_id}|T|2.5.1\rQPD|Q22|1|"+patient+"\r")
		c := of("{type: mllp, message: query.hl7}")
		require.Contains(t, string(c.Settings.(*mllpack.Settings).Content), patient)
		fingerprints[c.Fingerprint] = true
	}
	require.Len(t, fingerprints, 2, "a new message under the old name is a change")

	data, err := os.ReadFile("testdata/files/security.xml")
	require.NoError(t, err)
	write("security.xml", string(data))
	c := of("{type: xds-registry, security_file: security.xml}")
	require.Equal(t, filepath.Join(folder, "security.xml"), c.Settings.(*xdsregistry.Settings).SecurityFile, "opened anew by each check")
}
