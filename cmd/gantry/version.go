package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set by the linker: -ldflags "-X main.version=1.2.3". Empty in a plain `go build`, where the module's own
// version stands in.
var version string

// build is what is known of this program's origin.
type build struct {
	version, commit, golang string
}

func buildInfo() build {
	b := build{version: version, commit: "unknown", golang: runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b.orDevel()
	}
	if b.version == "" && info.Main.Version != "(devel)" {
		b.version = info.Main.Version
	}
	modified := false
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.commit = s.Value
		case "vcs.modified":
			modified = s.Value == "true"
		}
	}
	if modified {
		b.commit += " (modified)"
	}
	return b.orDevel()
}

func (b build) orDevel() build {
	if b.version == "" {
		b.version = "devel"
	}
	return b
}

func newVersion(s *surroundings) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version, the commit it was built from, and the Go version",
		Args:  cobra.NoArgs,
		RunE: work(func(*cobra.Command, []string) error {
			b := buildInfo()
			fmt.Fprintf(s.out, "gantry %s\ncommit %s\n%s %s/%s\n", b.version, b.commit, b.golang, runtime.GOOS, runtime.GOARCH)
			return nil
		}),
	}
}
