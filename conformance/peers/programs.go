package peers

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// Program is a foreign program and the Debian package that brings it; of a library the package that is needed to
// fetch it, if any, see FetchLibraries.
type Program struct{ Name, Package string }

// Programs that the suites use. A suite asks Missing for those it needs.
var Programs = []Program{
	{"storescu", "dcmtk"},
	{"echoscu", "dcmtk"},
	{"findscu", "dcmtk"},
	{"getscu", "dcmtk"},
	{"movescu", "dcmtk"},
	{"storescp", "dcmtk"},
	{"dcmqrscp", "dcmtk"},
	{"wlmscpfs", "dcmtk"},
	{"dump2dcm", "dcmtk"},
	{"Orthanc", "orthanc"},
	{"haproxy", "haproxy"},
	{"nginx", "nginx libnginx-mod-stream"},
	{"mllp_send", "python3-hl7"},
	{"javac", "default-jdk-headless"},
	{"mvn", "maven"},
	{hapi, ""},
	{pynetdicom, "python3-venv"},
	{"curl", "curl"},
	{"gcc", "gcc libc6-dev"}, // the race detector is linked with cgo
}

// Missing names those of the programs that are not installed.
func Missing(names ...string) []string {
	var missing []string
	for _, name := range names {
		here := Find(name) != ""
		if l, ok := libraries[name]; ok {
			here = l.has()
		}
		if !here {
			missing = append(missing, name)
		}
	}
	return missing
}

// libraries are no programs and come in no package: each is fetched from its own registry into the user's cache
// folder, in exactly one version and content.
var libraries = map[string]struct {
	has   func() bool
	fetch func(context.Context) error
}{
	hapi:       {hasHAPI, fetchHAPI},
	pynetdicom: {hasPynetdicom, fetchPynetdicom},
}

// FetchLibraries brings those of the named peers that are libraries: HAPI by Maven, pynetdicom by pip.
func FetchLibraries(ctx context.Context, names []string) error {
	var errs []error
	for _, name := range names {
		if l, ok := libraries[name]; ok {
			errs = append(errs, l.fetch(ctx))
		}
	}
	return errors.Join(errs...)
}

// cacheFolder is where a library is kept: <user's cache>/gantry-conformance/<name>.
func cacheFolder(name string) (string, error) {
	cache, err := os.UserCacheDir()
	return filepath.Join(cache, "gantry-conformance", name), err
}

// Find is the program's path, or "" when it is not installed. Daemons stand in folders that are not in
// every user's PATH.
func Find(name string) string {
	for _, candidate := range []string{name, "/usr/sbin/" + name, "/usr/local/sbin/" + name} {
		if file, err := exec.LookPath(candidate); err == nil {
			return file
		}
	}
	return ""
}

// Packages are the Debian packages of the named programs, each once.
func Packages(names []string) []string {
	var packages []string
	for _, p := range Programs {
		if p.Package != "" && slices.Contains(names, p.Name) && !slices.Contains(packages, p.Package) {
			packages = append(packages, p.Package)
		}
	}
	return packages
}
