package config

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestResilience: what is absent, what a service takes over from the defaults, and what it turns off.
func TestResilience(t *testing.T) {
	tests := []struct {
		name, defaults, service string
		passive                 *Passive
		degraded                float64
		flapping                Flapping
	}{
		{"absent", "", "", nil, 0.5, Flapping{30 * time.Second, 5 * time.Minute, 10 * time.Minute}},
		{"empty blocks", "", "passive: {}, flapping: {}", &Passive{5, 30 * time.Second, 10 * time.Minute, 0.5}, 0.5,
			Flapping{30 * time.Second, 5 * time.Minute, 10 * time.Minute}},
		{"from the defaults", "passive: {eject: 1m}, degraded_weight: 10%, flapping: {hold: 1m}", "",
			&Passive{5, time.Minute, 10 * time.Minute, 0.5}, 0.1, Flapping{time.Minute, 5 * time.Minute, 10 * time.Minute}},
		{"single keys changed", "passive: {eject: 1m}, flapping: {hold: 1m}", "passive: {failures: 3}, flapping: {forgive: 1h}",
			&Passive{3, time.Minute, 10 * time.Minute, 0.5}, 0.5, Flapping{time.Minute, 5 * time.Minute, time.Hour}},
		{"turned off", "passive: {}", "passive: {failures: 0}, degraded_weight: 100%, flapping: {hold: 0s}",
			nil, 1, Flapping{0, 5 * time.Minute, 10 * time.Minute}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			body := "name: A, protocol: tcp, listen: [127.0.0.1:1], servers: [{name: a, address: 10.0.0.1}]"
			if tt.service != "" {
				body += ", " + tt.service
			}
			s := parsed(t, "defaults: {"+tt.defaults+"}\nservices: [{"+body+"}]\n").Services[0]
			require.Equal(t, tt.passive, s.Passive)
			require.InDelta(t, tt.degraded, s.DegradedWeight, 1e-9)
			require.Equal(t, tt.flapping, s.Flapping)
			require.Equal(t, "none", s.Panic)
		})
	}
}

// TestDefaultsAreNotShared: a service that changes a block of the defaults changes its own alone.
func TestDefaultsAreNotShared(t *testing.T) {
	c := parsed(t, `defaults: {passive: {failures: 7}}
services:
  - {name: A, protocol: tcp, listen: [127.0.0.1:1], passive: {failures: 3}, servers: [{name: a, address: 10.0.0.1}]}
  - {name: B, protocol: tcp, listen: [127.0.0.1:2], servers: [{name: a, address: 10.0.0.1}]}
`)
	require.Equal(t, 3, c.Services[0].Passive.Failures)
	require.Equal(t, 7, c.Services[1].Passive.Failures)
}
