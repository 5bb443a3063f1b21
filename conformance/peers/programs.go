package peers

import (
	"os/exec"
	"slices"
)

// Program is a foreign program and the Debian package that brings it. A library that no package brings has
// an empty one, see FetchLibraries.
type Program struct{ Name, Package string }

// Programs that the suites use. A suite asks Missing for those it needs.
var Programs = []Program{
	{"storescu", "dcmtk"},
	{"echoscu", "dcmtk"},
	{"findscu", "dcmtk"},
	{"getscu", "dcmtk"},
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
	{"curl", "curl"},
	{"gcc", "gcc libc6-dev"}, // the race detector is linked with cgo
}

// Missing names those of the programs that are not installed.
func Missing(names ...string) []string {
	var missing []string
	for _, name := range names {
		if here := name == hapi && hasHAPI() || name != hapi && Find(name) != ""; !here {
			missing = append(missing, name)
		}
	}
	return missing
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
