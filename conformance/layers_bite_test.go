package conformance

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestLayersBite breaks every rule once: a rule that cannot fail proves nothing.
func TestLayersBite(t *testing.T) {
	broken := map[string]struct{ where, text string }{
		"protocols turn bytes into values: no network, files, log or context": {
			"protocols/dicom/x.go", `package dicom; import _ "net/netip"`},
		"protocols have no clock": {
			"protocols/hl7/x.go", `package hl7; import clock "time"; var now = clock.Now`},
		"protocols know nothing of each other or of the house": {
			"protocols/mllp/x.go", `package mllp; import _ "gantry/protocols/hl7"`},
		"balancing needs the standard library alone": {
			"balancing/x.go", `package balancing; import _ "golang.org/x/time/rate"`},
		"the judge of health knows no protocol": {
			"negotiate/x.go", `package negotiate; import _ "gantry/protocols"`},
		"a kind of check knows the judge, what kinds share, and its own protocol": {
			"negotiate/http/x.go", `package httpcheck; import _ "gantry/negotiate/connect"`},
		"a room of the gateway does not look up at the gateway": {
			"gateway/relay/x.go", `package relay; import _ "gantry/gateway"`},
		"nothing below the gateway looks up at it": {
			"fixtures/pacs/x.go", `package pacs; import _ "gantry/gateway/config"`},
		"programs are not imported": {
			"gateway/x_test.go", `package gateway; import _ "gantry/cmd/gantry/table"`},
		"gnet lives in gateway/engine": {
			"gateway/relay/x_test.go", `package relay; import _ "github.com/panjf2000/gnet/v2/pkg/netpoll"`},
		"Prometheus lives in files called …metrics.go and in gateway/admin": {
			"gateway/counters.go", `package gateway; import _ "github.com/prometheus/client_golang/prometheus"`},
		"only programs end the process": {
			"gateway/x.go", `package gateway; import "os"; func f() { os.Exit(1) }`},
		"only programs hear signals": {
			"gateway/x.go", `package gateway; import "os/signal"; func f() { signal.Notify(nil) }`},
		"loggers are handed down, never fetched": {
			"negotiate/x.go", `package negotiate; import "log/slog"; func f() { slog.Info("up") }`},
		"simulated peers serve tests, programs and conformance": {
			"gateway/x.go", `package gateway; import _ "gantry/fixtures/pacs"`},
		"conformance is imported by nothing": {
			"cmd/gantry/x.go", `package main; import _ "gantry/conformance/peers"`},
		"testify is for tests": {
			"fixtures/x.go", `package fixtures; import _ "github.com/stretchr/testify/require"`},
		"a failed requirement ends the test": {
			"balancing/x_test.go", `package balancing; import _ "github.com/stretchr/testify/assert"`},
		"exported names are documented": {
			"balancing/x.go", "package balancing; type Key [16]byte"},
	}
	require.Len(t, broken, len(rules), "one broken file for each rule")
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			bad, ok := broken[r.name]
			require.True(t, ok, "no broken file for this rule")
			s, err := parseSource(bad.where, bad.text)
			require.NoError(t, err)
			require.Len(t, r.check(s), 1)
		})
	}
}

// TestLayersAllow lists what a rule must not mistake for a broken arrow.
func TestLayersAllow(t *testing.T) {
	for where, text := range map[string]string{
		"protocols/dicom/x.go":       `package dicom; import (_ "gantry/protocols"; _ "time"; _ "gantry/protocols/dicom/uid")`,
		"protocols/dicom/x_test.go":  `package dicom; import (_ "os"; _ "github.com/stretchr/testify/require")`,
		"balancing/x.go":             `package balancing; import ("time"; _ "net/netip"); var now = time.Now`,
		"negotiate/dicomecho/x.go":   `package dicomecho; import (_ "gantry/negotiate"; _ "gantry/protocols/dicom"; _ "net")`,
		"gateway/metrics.go":         `package gateway; import _ "github.com/prometheus/client_golang/prometheus"`,
		"gateway/engine/x.go":        `package engine; import _ "github.com/panjf2000/gnet/v2"`,
		"gateway/x.go":               `package gateway; import (_ "gantry/gateway/admin"; "log/slog"); var _ slog.Level = slog.LevelInfo`,
		"cmd/gantry/main.go":         `package main; import ("os"; _ "gantry/gateway"; _ "gantry/fixtures/pacs"); func main() { os.Exit(0) }`,
		"gateway/config/gen/main.go": `package main; import "os"; func main() { os.Exit(1) }`,
	} {
		s, err := parseSource(where, text)
		require.NoError(t, err, where)
		for _, r := range rules {
			require.Empty(t, r.check(s), "%s against %q", where, r.name)
		}
	}
}

// TestPackageDocsBite shows the three ways in which a package comment can be wrong.
func TestPackageDocsBite(t *testing.T) {
	const doc = "// Package a says it.\npackage a"
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"none":      {map[string]string{"a/a.go": "package a"}, "has no package comment"},
		"two":       {map[string]string{"a/doc.go": doc, "a/a.go": doc}, "several package comments"},
		"elsewhere": {map[string]string{"a/a.go": doc}, "move it to doc.go"},
		"right":     {map[string]string{"a/doc.go": doc, "a/a.go": "package a"}, ""},
		"program":   {map[string]string{"a/a.go": "// Gantry runs.\npackage main"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var files []source
			for where, text := range c.files {
				s, err := parseSource(where, text)
				require.NoError(t, err)
				files = append(files, s)
			}
			found := strings.Join(packageDocs(files), "\n")
			if c.want == "" {
				require.Empty(t, found)
				return
			}
			require.Contains(t, found, c.want)
		})
	}
}
