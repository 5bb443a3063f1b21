package main

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"

	"gantry/gateway/config"
)

// TestProbeFlagsAreKeys: every key of every kind is a flag of the same name, and there is no other.
func TestProbeFlagsAreKeys(t *testing.T) {
	probe, _, err := newRoot(&newStage().surroundings).Find([]string{"probe"})
	require.NoError(t, err)
	want := map[string]bool{"tls": true, "output": true, "verbose": true, "count": true, "interval": true}
	flagsOf(config.CommonKeys(), want)
	require.Equal(t, want, namesOf(probe.PersistentFlags()))

	var kinds []string
	for _, c := range probe.Commands() {
		kinds = append(kinds, c.Name())
		t.Run(c.Name(), func(t *testing.T) {
			own := map[string]bool{}
			flagsOf(config.KindKeys(c.Name()), own)
			require.Equal(t, own, namesOf(ownSet(c)))
			require.NotContains(t, kindsHelp[c.Name()].short, "`")
			require.Contains(t, kindsHelp, c.Name(), "a kind without words of its own")
			require.Contains(t, c.Example, "gantry probe "+c.Name()+" ")
		})
	}
	require.Equal(t, config.Kinds(), kinds)
}

// flagsOf adds the flags that keys stand for.
func flagsOf(keys []config.CheckKey, into map[string]bool) {
	for _, k := range keys {
		name := strings.ReplaceAll(strings.TrimPrefix(k.Key, "tls."), "_", "-")
		into[name] = true
		if k.Switch && k.Default == "true" {
			into["no-"+name] = true
		}
	}
}

func namesOf(set *pflag.FlagSet) map[string]bool {
	names := map[string]bool{}
	set.VisitAll(func(f *pflag.Flag) { names[f.Name] = true })
	return names
}

// ownSet are the flags that a kind adds to those of its parent.
func ownSet(c *cobra.Command) *pflag.FlagSet {
	own := newFlagSet()
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Name != "help" && c.Parent().PersistentFlags().Lookup(f.Name) == nil {
			own.AddFlag(f)
		}
	})
	return own
}

// TestProbeExamples: what --help shows is taken, up to the point where the network begins.
func TestProbeExamples(t *testing.T) {
	probe, _, err := newRoot(&newStage().surroundings).Find([]string{"probe"})
	require.NoError(t, err)
	for _, c := range append(probe.Commands(), probe) {
		for line := range strings.Lines(c.Example) {
			t.Run(strings.TrimSpace(line), func(t *testing.T) {
				args := strings.Fields(strings.ReplaceAll(line, "'", ""))[1:]
				root := newRoot(&newStage().surroundings)
				cmd, rest, err := root.Find(args)
				require.NoError(t, err)
				require.NoError(t, cmd.ParseFlags(rest))
				require.NoError(t, cmd.ValidateArgs(cmd.Flags().Args()))
				_, err = parseTarget(cmd.Flags().Arg(0), aboutKind(cmd.Name()))
				require.NoError(t, err)
			})
		}
	}
}

func TestParseTarget(t *testing.T) {
	tests := []struct {
		name, text, kind string
		want             target
		problem          string
	}{
		{"address", "10.0.0.1:104", "connect", target{host: "10.0.0.1", port: 104}, ""},
		{"name", "pacs_1.example:104", "connect", target{host: "pacs_1.example", port: 104}, ""},
		{"IPv6", "[fd00::1]:104", "connect", target{host: "fd00::1", port: 104}, ""},
		{"URL", "https://viewer/a?b=c", "http", target{"viewer", 443, "https", "/a?b=c"}, ""},
		{"URL and port", "http://[fd00::1]:8042", "http", target{"fd00::1", 8042, "http", ""}, ""},
		{"capitals", "HTTPS://viewer/", "xds-registry", target{"viewer", 443, "https", "/"}, ""},
		{"IPv6 without port", "fd00::1", "connect", target{}, "has no port"},
		{"no host", ":104", "connect", target{}, "is not a host"},
		{"port too large", "a:65536", "connect", target{}, "is not a port"},
		{"port in words", "a:dicom", "connect", target{}, "is not a port"},
		{"path", "a/b:104", "connect", target{}, "is not a host"},
		{"URL for DICOM", "http://a/", "dicom-echo", target{}, "takes HOST:PORT, no URL"},
		{"other scheme", "dicom://a:104", "http", target{}, `"dicom" is not a scheme to check`},
		{"password", "http://u:hunter2@a/", "http", target{}, "a URL with a user or a password is not taken"},
		{"fragment", "http://a/#x", "http", target{}, "is never sent to a server"},
		{"URL without host", "http:///x", "http", target{}, "names no host"},
		{"URL with port 0", "http://a:0/", "http", target{}, "is not a port"},
		{"odd URL", "http://a:b:c/", "http", target{}, "is not a URL"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseTarget(tt.text, aboutKind(tt.kind))
			if tt.problem != "" {
				require.ErrorContains(t, err, tt.problem)
				require.NotContains(t, err.Error(), "hunter2")
				return
			}
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
		})
	}
}
