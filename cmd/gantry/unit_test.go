package main

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestUnit holds the systemd unit to what the program relies on and promises.
func TestUnit(t *testing.T) {
	text, err := os.ReadFile("../../packaging/gantry.service")
	require.NoError(t, err)
	unit := map[string][]string{}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(key, "#") {
			unit[key] = append(unit[key], value)
		}
	}
	duration := func(key string) time.Duration {
		d, err := time.ParseDuration(unit[key][0])
		require.NoError(t, err, key)
		return d
	}
	require.Equal(t, []string{"notify"}, unit["Type"], "systemd 252 does not know notify-reload")
	require.Equal(t, []string{strconv.Itoa(exitUsage)}, unit["RestartPreventExitStatus"])
	require.Greater(t, duration("WatchdogSec")/2, reloadTimeout, "no sign of life is given while a reload runs")
	require.Greater(t, duration("TimeoutStopSec"), extendBy, "the first request for more time must come in time")
	require.Greater(t, extendBy, extendEvery)

	start := strings.Fields(unit["ExecStart"][0])
	check := strings.Fields(unit["ExecReload"][0])
	require.Equal(t, "check-config", check[1], "the file is checked before the signal is sent")
	require.Equal(t, start[len(start)-1], check[len(check)-1], "and it is the same file")
	require.Contains(t, unit["ExecReload"][1], "-HUP $MAINPID")
}
