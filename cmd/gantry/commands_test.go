package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gantry/gateway/admin"
)

// TestUsage: whatever is wrong with a command line is exit code 2, one sentence and where to read more.
func TestUsage(t *testing.T) {
	tests := []struct {
		name, args, want string
	}{
		{"unknown command", "statsu", `unknown command "statsu" for "gantry"; did you mean status?`},
		{"unknown command, nothing near", "xyz", `unknown command "xyz" for "gantry"`},
		{"unknown flag", "status --colour", "unknown flag: --colour"},
		{"unknown form", "status --output xml", `invalid argument "xml" for "-o, --output" flag: use text or json`},
		{"too many arguments", "status now", `unknown command "now" for "gantry status"`},
		{"no configuration", "run", `required flag(s) "config" not set`},
		{"no file", "check-config", "requires at least 1 arg(s), only received 0"},
		{"a group alone", "server", `"gantry server" needs one of its commands: drain, maint, ready, weight`},
		{"a verb that does not exist", "server stop A/B", `unknown command "stop" for "gantry server"; there is drain, maint, ready, weight`},
		{"no server", "server drain", "accepts 1 arg(s), received 0"},
		{"a server without its service", "server drain PACS1", "\"PACS1\" does not name a server; write SERVICE/SERVER, as `gantry status` shows them"},
		{"a service alone", "server drain DICOM/", "\"DICOM/\" does not name a server; write SERVICE/SERVER, as `gantry status` shows them"},
		{"too many parts", "server drain A/B/C", "\"A/B/C\" does not name a server; write SERVICE/SERVER, as `gantry status` shows them"},
		{"no weight", "server weight A/B", "accepts 2 arg(s), received 1"},
		{"weight of zero", "server weight A/B 0", `"0" is not a weight; use 1 to 256`},
		{"weight in words", "server weight A/B heavy", `"heavy" is not a weight; use 1 to 256`},
		{"weight too large", "server weight A/B 257", `"257" is not a weight; use 1 to 256`},
		{"not an address", "status --admin ftp://x", `--admin: "ftp://x" is not the address of a gateway; write it like http://127.0.0.1:9440`},
		{"no token file", "status --token-file /nonexistent/token", "--token-file: /nonexistent/token: no such file or directory"},
		{"unknown shell", "completion tcsh", `invalid argument "tcsh" for "gantry completion"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newStage()
			require.Equal(t, exitUsage, s.run(t, strings.Fields(tt.args)...))
			said, hint, _ := strings.Cut(s.err.String(), "\n")
			require.Equal(t, "gantry: "+tt.want, said)
			require.Regexp(t, `^Try 'gantry[a-z -]* --help'\.\n$`, hint)
			require.Empty(t, s.out.String())
		})
	}
}

func TestHelpIsNoError(t *testing.T) {
	for _, args := range [][]string{{}, {"--help"}, {"help", "run"}, {"server", "--help"}} {
		s := newStage()
		require.Equal(t, exitOK, s.run(t, args...))
		require.Contains(t, s.out.String(), "Usage:")
		require.Empty(t, s.err.String())
	}
}

func TestTokenFiles(t *testing.T) {
	url := newHospital().serve(t, "s3cret")
	tests := []struct {
		name, content string
		code          int
		want          string
	}{
		{"right", "s3cret", exitOK, ""},
		{"with the editor's new line", "s3cret\n", exitOK, ""},
		{"wrong", "other", exitFailed, "the gateway at URL does not take this token; compare --token-file with its admin.token"},
		{"empty", "\n", exitUsage, "--token-file: FILE must hold one token on one line"},
		{"two lines", "a\nb\n", exitUsage, "--token-file: FILE must hold one token on one line"},
		{"not a token", strings.Repeat("x", maxToken+1), exitUsage, "--token-file: FILE is larger than 4096 bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, file := newStage(), tokenFile(t, tt.content)
			require.Equal(t, tt.code, s.run(t, "status", "--admin", url, "--token-file", file))
			said := strings.ReplaceAll(withoutURL(s.err.String(), url), file, "FILE")
			if tt.want == "" {
				require.Empty(t, said)
				return
			}
			require.True(t, strings.HasPrefix(said, "gantry: "+tt.want+"\n"), said)
		})
	}
	s := newStage()
	require.Equal(t, exitFailed, s.run(t, "status", "--admin", url))
	require.Equal(t, "gantry: the gateway at URL asks for a token; use --token-file\n", withoutURL(s.err.String(), url))
}

func TestServerCommands(t *testing.T) {
	tests := []struct {
		name, args string
		code       int
		want       string
	}{
		{"drain", "server drain DICOM-Modalities/DICOM1", exitOK,
			"DICOM-Modalities/DICOM1: drain, weight 100, 12 sessions active\n"},
		{"maint", "server maint HL7/HL71", exitOK, "HL7/HL71: maint, weight 100, 0 sessions active\n"},
		{"ready says both the word and the health", "server ready DICOM-Modalities/DICOM3", exitOK,
			"DICOM-Modalities/DICOM3: ready, checking, weight 1, 1 session active\n"},
		{"weight", "server weight DICOM-Modalities/DICOM2 256", exitOK,
			"DICOM-Modalities/DICOM2: ready, down, weight 256, 0 sessions active\n"},
		{"unknown service", "server drain HL8/HL71", exitFailed,
			"gantry: no service is called \"HL8\"; there is DICOM-Modalities, HL7\n"},
		{"unknown server", "server drain HL7/HL79", exitFailed, "gantry: no server is called \"HL79\"\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newStage()
			args := append(strings.Fields(tt.args), "--admin", newHospital().serve(t, ""))
			require.Equal(t, tt.code, s.run(t, args...))
			require.Equal(t, tt.want, s.out.String()+s.err.String())
		})
	}
}

func TestServerCompletion(t *testing.T) {
	url := newHospital().serve(t, "")
	s := newStage()
	require.Equal(t, exitOK, s.run(t, "__complete", "server", "drain", "--admin", url, ""))
	require.Contains(t, s.out.String(), "DICOM-Modalities/DICOM2\tdown\n")
	require.Contains(t, s.out.String(), "HL7/HL72\tmaint\n")

	s = newStage() // nothing to offer, and no error either
	require.Equal(t, exitOK, s.run(t, "__complete", "server", "drain", "--admin", "http://127.0.0.1:1", ""))
	require.NotContains(t, s.out.String(), "DICOM")
}

func TestReloadCommand(t *testing.T) {
	problems := []admin.Problem{
		{File: "gantry.yaml", Line: 3, Col: 5, Path: "services[0].weigth", Message: "unknown key", Want: `did you mean "weight"?`},
		{File: "gantry.yaml", Line: 9, Col: 1, Path: "services[1].listen", Message: "missing"},
	}
	tests := []struct {
		name     string
		reloaded admin.Reloaded
		refusal  error
		code     int
		want     string
	}{
		{"changes", admin.Reloaded{Changed: true, Hash: "77aa5f2c09bd1e4c",
			Services:  admin.Difference{Removed: []string{"HL7"}},
			Servers:   admin.Difference{Added: []string{"DICOM/PACS3"}, Changed: []string{"DICOM/PACS1"}, Removed: []string{"HL7/HL71"}},
			Listeners: admin.Difference{Removed: []string{"10.12.1.120:2575"}}}, nil, exitOK, `configuration 77aa5f2c09bd is in force
  removed  service  HL7
  added    server   DICOM/PACS3
  removed  server   HL7/HL71
  changed  server   DICOM/PACS1
  removed  listener 10.12.1.120:2575
`},
		{"the same file", admin.Reloaded{Hash: "77aa5f2c09bd1e4c"}, nil, exitOK,
			"nothing changed: the configuration in force is still 77aa5f2c09bd\n"},
		{"problems are bad configuration", admin.Reloaded{}, &admin.ReloadError{Problems: problems}, exitUsage,
			`gantry.yaml:3:5: services[0].weigth: unknown key; did you mean "weight"?
gantry.yaml:9:1: services[1].listen: missing
gantry: the configuration has 2 problems; the old one stays in force
`},
		{"an address in use is a failure", admin.Reloaded{}, &admin.ReloadError{Err: os.ErrExist}, exitFailed,
			"gantry: file already exists\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h, s := newHospital(), newStage()
			h.reloaded, h.refusal = tt.reloaded, tt.refusal
			require.Equal(t, tt.code, s.run(t, "reload", "--admin", h.serve(t, "")))
			require.Equal(t, tt.want, s.out.String()+s.err.String())
			require.Equal(t, "127.0.0.1", h.by)
		})
	}
}

func TestNoGateway(t *testing.T) {
	for _, args := range []string{"status", "reload", "server drain A/B", "server weight A/B 5", "status --watch"} {
		s := newStage()
		require.Equal(t, exitFailed, s.run(t, append(strings.Fields(args), "--admin", "http://127.0.0.1:1")...))
		require.Equal(t, "gantry: no gateway answers at http://127.0.0.1:1: connection refused; is gantry running? use --admin\n", s.err.String())
		require.Empty(t, s.out.String())
	}
}

func TestCheckConfig(t *testing.T) {
	tests := []struct {
		name, args, golden string
		code               int
	}{
		{"sound", "testdata/gantry.yaml", "check-good.txt", exitOK},
		{"problems, all of them", "testdata/bad.yaml", "check-bad.txt", exitUsage},
		{"several files", "testdata/gantry.yaml testdata/bad.yaml testdata/none.yaml", "check-several.txt", exitUsage},
		{"JSON", "-o json testdata/gantry.yaml testdata/bad.yaml", "check.json", exitUsage},
		{"JSON, sound", "-o json testdata/gantry.yaml", "check-good.json", exitOK},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newStage()
			require.Equal(t, tt.code, s.run(t, append([]string{"check-config"}, strings.Fields(tt.args)...)...))
			require.Empty(t, s.err.String())
			golden(t, tt.golden, s.out.String())
			if strings.HasSuffix(tt.golden, ".json") {
				require.True(t, json.Valid(s.out.Bytes()))
			}
		})
	}
}

func TestVersion(t *testing.T) {
	version = "1.2.3"
	defer func() { version = "" }()
	s := newStage()
	require.Equal(t, exitOK, s.run(t, "version"))
	require.Regexp(t, `^gantry 1\.2\.3\ncommit \S.*\ngo1\S+.* linux/\w+\n$`, s.out.String())

	s = newStage()
	require.Equal(t, exitOK, s.run(t, "--version"))
	require.Equal(t, "gantry 1.2.3\n", s.out.String())

	version = ""
	require.NotEmpty(t, buildInfo().version, "a plain build has a version too")
}

func TestCompletionScripts(t *testing.T) {
	for shell, mark := range map[string]string{"bash": "__start_gantry", "zsh": "#compdef gantry", "fish": "complete -c gantry"} {
		s := newStage()
		require.Equal(t, exitOK, s.run(t, "completion", shell))
		require.Contains(t, s.out.String(), mark)
	}
}
