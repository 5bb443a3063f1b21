package gateway

import (
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"gantry/gateway/config"
	"gantry/negotiate"
)

// TestExcusedChecksAreNoFailures: an alert on failed checks must not fire for a single-slot server that works.
func TestExcusedChecksAreNoFailures(t *testing.T) {
	g, _ := smallGateway(slog.New(slog.DiscardHandler))
	reg := NewRegistry()
	m := newMetrics(reg, g)
	g.last.Store(&attempt{})
	g.plan.Load().config = &config.Config{}
	failures := func() (n float64) {
		all, err := reg.Gather()
		require.NoError(t, err)
		for _, f := range all {
			if f.GetName() == "gantry_check_failures_total" {
				n += f.GetMetric()[0].GetCounter().GetValue()
			}
		}
		return n
	}
	key := negotiate.Key{Service: "DICOM", Server: "DICOM1", Check: "echo"}
	timeout := &negotiate.Fault{Stage: negotiate.StageOpen, Reason: negotiate.ReasonTimeout}
	m.checked(key, negotiate.Result{Fault: timeout, Excused: "it works"})
	require.Zero(t, failures())
	m.checked(key, negotiate.Result{Fault: timeout})
	require.Equal(t, 1.0, failures())
}
