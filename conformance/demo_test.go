package conformance

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestDemo: the README's first command, from the program as it is shipped, with nothing else around.
func TestDemo(t *testing.T) {
	out, err := exec.CommandContext(within(t, time.Minute), plain(t), "demo", "--duration", "6s").CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "nothing failed")
	require.Contains(t, string(out), "Every answer that a client got is in the books of a server.")
}

// TestDemoConfigurationIsValid: what the demo prints of its configuration passes the checker.
func TestDemoConfigurationIsValid(t *testing.T) {
	ctx := within(t, time.Minute)
	yaml, err := exec.CommandContext(ctx, plain(t), "demo", "--print-config").Output()
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "gantry.yaml")
	require.NoError(t, os.WriteFile(file, yaml, 0o600))
	out, err := exec.CommandContext(ctx, plain(t), "check-config", file).CombinedOutput()
	require.NoError(t, err, "%s", out)
}
