package conformance

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/conformance/peers"
)

// TestOutlivesTheReaderOfItsLog: the logger at the other end of the pipe crashes; the gateway goes on.
func TestOutlivesTheReaderOfItsLog(t *testing.T) {
	admin, file := peers.FreeAddr(), filepath.Join(t.TempDir(), "gantry.yaml")
	yaml := fmt.Sprintf("admin: {listen: '%s'}\n%s", admin, tcpService(peers.FreeAddr(), peers.FreeAddr()))
	require.NoError(t, os.WriteFile(file, []byte(yaml), 0o600))
	reader, writer, err := os.Pipe()
	require.NoError(t, err)
	cmd := exec.CommandContext(within(t, time.Minute), raced(t), "run", "--config", file)
	cmd.Stderr = writer
	require.NoError(t, cmd.Start())
	require.NoError(t, writer.Close())
	lines := bufio.NewScanner(reader)
	for lines.Scan() && !strings.Contains(lines.Text(), "ready") {
	}
	require.NoError(t, reader.Close())

	for range 3 { // each writes a line
		resp, err := http.Post("http://"+admin+"/api/v1/reload", "application/json", nil)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, http.StatusOK, resp.StatusCode)
	}
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	require.NoError(t, cmd.Wait())
}
