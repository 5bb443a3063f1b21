package gateway_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"gantry/gateway"
	"gantry/gateway/admin"
)

// syncBuffer is a log that a test reads while the gateway writes.
type syncBuffer struct {
	mu  sync.Mutex
	out strings.Builder
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.out.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.out.String()
}

// A service that people have left without servers is as dead as one whose
// servers died, and the log says when it is over.
func TestServiceWithoutServersIsSaid(t *testing.T) {
	a := serve(t, "A")
	var log syncBuffer
	h := startLogged(t, tcpService(freePort(t), "", a), slog.New(slog.NewTextHandler(&log, nil)))
	h.await("S", "A", "up")
	for _, step := range []struct{ word, says string }{
		{"drain", `level=ERROR msg="no server of the service is usable" service=S`},
		{"ready", `level=INFO msg="the service has a usable server again" service=S`},
	} {
		require.NotContains(t, log.String(), step.says)
		require.NoError(t, h.SetServer("S", "A", admin.ServerChange{Admin: &step.word}))
		require.Contains(t, log.String(), step.says)
	}
	_, err := h.reload("services:\n- name: S\n  protocl: tcp\n")
	require.Error(t, err)
	require.Contains(t, log.String(), "protocl", "each problem is in the log")
}

func TestAdminOnIPv4OnlyIsOnIPv4Only(t *testing.T) {
	t.Setenv("GANTRY_TEST_TOKEN", "a-token-for-this-test-alone")
	a := serve(t, "A")
	file := t.TempDir() + "/gantry.yaml"
	services := tcpService(freePort(t), "", a)
	require.NoError(t, os.WriteFile(file, []byte("admin: {listen: '0.0.0.0:0', token: '${GANTRY_TEST_TOKEN}'}\n"+services), 0o600))
	g, err := gateway.New(gateway.Options{ConfigFile: file})
	require.NoError(t, err)
	require.NoError(t, g.Start(context.Background()))
	t.Cleanup(func() { _ = g.Stop(context.Background()) })
	require.True(t, strings.HasPrefix(g.AdminAddr(), "0.0.0.0:"), g.AdminAddr())
}

// What clients carry is in no log line, metric, event or status, at any level;
// neither is what they send in the wrong place.
func TestNothingOfWhatIsCarriedIsTold(t *testing.T) {
	const secret = "ZZINVENTED"
	for _, protocol := range []string{"mllp", "dicom", "tcp"} {
		t.Run(protocol, func(t *testing.T) {
			a := serve(t, "A")
			addr := freePort(t)
			var log syncBuffer
			logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			h := startLogged(t, strings.Replace(tcpService(addr, "", a), "protocol: tcp", "protocol: "+protocol, 1), logger)
			h.await("S", "A", "up")
			c := dial(t, addr)
			_, err := c.Write([]byte("\x0bMSH|^~\\&|A|B\rPID|||" + secret + "||" + secret + "^X\r\x1c\r"))
			require.NoError(t, err)
			require.NoError(t, c.CloseWrite())
			c.ended()
			h.stopWithin(patience)
			require.Contains(t, log.String(), "stopped")
			told := log.String() + exposition(t, h) + fmt.Sprintf("%+v %+v", h.Events(), h.Status())
			require.NotContains(t, told, secret)
		})
	}
}
