package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"gantry/fixtures/hl7"
	"gantry/fixtures/modality"
	"gantry/fixtures/xds"
)

// asProgram holds the arguments of this test binary when it plays the program.
const asProgram = "GANTRY_TEST_ARGUMENTS"

// TestProgram is the program itself, in a process of its own; in the test's own process it does nothing.
func TestProgram(t *testing.T) {
	if arguments := os.Getenv(asProgram); arguments != "" {
		os.Exit(run(context.Background(), theProcess(), strings.Split(arguments, "\n")))
	}
}

// simulator is a running `gantry simulate`.
type simulator struct {
	t       *testing.T
	cmd     *exec.Cmd
	lines   chan map[string]any
	address string
}

func simulate(t *testing.T, args ...string) *simulator {
	t.Helper()
	args = append([]string{"simulate"}, append(args, "--listen", "127.0.0.1:0", "--log-format", "json")...)
	s := &simulator{t: t, cmd: exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestProgram$"), lines: make(chan map[string]any, 64)}
	s.cmd.Env = append(os.Environ(), asProgram+"="+strings.Join(args, "\n"))
	stderr, err := s.cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, s.cmd.Start())
	go s.read(stderr)
	s.address = s.says("listening")["address"].(string)
	return s
}

func (s *simulator) read(from io.Reader) {
	defer close(s.lines)
	for in := bufio.NewScanner(from); in.Scan(); {
		var line map[string]any
		if json.Unmarshal(in.Bytes(), &line) == nil {
			s.lines <- line
		}
	}
}

// says is the next line, which has a message.
func (s *simulator) says(message string) map[string]any {
	s.t.Helper()
	line := next(s.t, s.lines)
	require.Equal(s.t, message, line["msg"])
	return line
}

func (s *simulator) toggle() {
	s.t.Helper()
	require.NoError(s.t, s.cmd.Process.Signal(syscall.SIGUSR1))
	s.says("faults changed")
}

// stop ends it as a service manager would, and gives its summary.
func (s *simulator) stop() map[string]any {
	s.t.Helper()
	require.NoError(s.t, s.cmd.Process.Signal(syscall.SIGTERM))
	summary := s.says("stopped")
	require.Nil(s.t, next(s.t, s.lines), "the last line")
	require.NoError(s.t, s.cmd.Wait(), "exit code 0")
	return summary
}

func TestSimulateDICOM(t *testing.T) {
	s := simulate(t, "dicom", "--fault", "wrong-status=0110", "--ae-title", "VNA")
	echo := func() error {
		a, err := modality.Dial(t.Context(), modality.Options{Address: s.address, CalledAE: "VNA", CallingAE: "CT1"})
		require.NoError(t, err)
		_, err = a.Echo(t.Context())
		require.NoError(t, a.Release(t.Context()))
		return err
	}
	require.ErrorContains(t, echo(), "0110")
	line := s.says("association requested")
	require.Equal(t, []any{"CT1", "Verification, SecondaryCaptureImageStorage in ImplicitVRLittleEndian", 131072.0},
		[]any{line["calling_ae"], line["proposed"], line["max_pdu"]})
	require.Contains(t, line["implementation"], "GANTRY_SIM 2.25.")
	line = s.says("association")
	require.Equal(t, []any{"CT1", "VNA", "C-ECHO 0110", "released", true},
		[]any{line["calling_ae"], line["called_ae"], line["operations"], line["end"], line["faulty"]})
	s.toggle()
	require.NoError(t, echo())
	s.says("association requested")
	require.Equal(t, "C-ECHO 0000", s.says("association")["operations"])
	require.EqualValues(t, 2, s.stop()["associations"])
}

func TestSimulateMLLP(t *testing.T) {
	s := simulate(t, "mllp", "--fault", "error=207", "--fault-after", "1")
	sender, err := hl7.Dial(t.Context(), hl7.SenderOptions{Address: s.address})
	require.NoError(t, err)
	defer sender.Close()
	for _, want := range []string{"AA", "AE"} {
		ack, err := sender.Send(t.Context(), hl7.Order("RIS", 1))
		require.NoError(t, err)
		require.Equal(t, want, ack.Code)
		line := s.says("message")
		require.Equal(t, []any{"RIS-1", want}, []any{line["control_id"], line["ack"]})
		for _, value := range line {
			require.NotContains(t, fmt.Sprint(value), "SIMULATED", "no patient in the log")
		}
	}
	require.EqualValues(t, 1, s.stop()["accepted"])
}

func TestSimulateXDS(t *testing.T) {
	s := simulate(t, "xds", "--fault", "busy", "--fault-rate", "50%")
	c := xds.Client{URL: "http://" + s.address + xds.Registry.Path()}
	for _, want := range []string{"Success", "Failure"} {
		a, err := c.GetDocuments(t.Context(), xds.DocumentUniqueID)
		require.NoError(t, err)
		require.Equal(t, want, a.Status)
		require.Equal(t, "ITI-18", s.says("request")["transaction"])
	}
	require.EqualValues(t, 2, s.stop()["iti_18"])
}

func TestSimulateHTTP(t *testing.T) {
	s := simulate(t, "http", "--fault", "status=503")
	for _, want := range []int{503, 200} {
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		answer, err := client.Get("http://" + s.address + "/login")
		require.NoError(t, err)
		answer.Body.Close()
		require.Equal(t, want, answer.StatusCode)
		s.says("request")
		if want == 503 {
			s.toggle()
		}
	}
	require.EqualValues(t, 2, s.stop()["requests"])
}

func TestSimulateBadUsage(t *testing.T) {
	tests := []struct {
		args string
		code int
		want string
	}{
		{"simulate", exitUsage, "needs one of its commands: dicom, http, mllp, xds"},
		{"simulate dicom --fault silnet", exitUsage, `unknown fault "silnet"; did you mean "silent"?`},
		{"simulate http --fault flapping", exitUsage, "name one as well"},
		{"simulate mllp --fault silent --fault-rate lots", exitUsage, "write it like 10%"},
		{"simulate mllp --fault silent --fault-after -1", exitUsage, "negative"},
		{"simulate dicom --fault expired-certificate", exitUsage, "give --tls as well"},
		{"simulate xds --tls-cert x", exitUsage, "go together"},
		{"simulate dicom --studies -1", exitUsage, "from 0 to 1000"},
		{"simulate dicom --worklist nowhere.yaml", exitUsage, "no such file"},
		{"simulate dicom --max-pdu 1KiB", exitUsage, "4KiB to 16MiB"},
		{"simulate dicom --keep-size 2GiB", exitUsage, "name one as well"},
		{"simulate dicom --sop-class CTImage", exitUsage, "neither a UID nor a keyword"},
		{"simulate dicom --move-destination CT1", exitUsage, "not AE=HOST:PORT"},
		{"simulate dicom --move-destination CT1=1.2.3.4:99999", exitUsage, "not AE=HOST:PORT"},
		{"simulate dicom --called-ae SEVENTEEN_LETTERS", exitUsage, `--called-ae: "SEVENTEEN_LETTERS" is no AE title`},
		{"simulate dicom --commit-to CT1=1.2.3.4:1 --commit-to CT1=1.2.3.4:2", exitUsage, "named twice"},
		{"simulate dicom --max-associations -1", exitUsage, "from 0 to"},
		{"simulate mllp --listen 192.0.2.1:2575", exitFailed, "listen"}, // RFC 5737: nobody's address
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			s := newStage()
			require.Equal(t, tt.code, s.run(t, strings.Fields(tt.args)...))
			require.Contains(t, s.err.String(), tt.want)
		})
	}
}

// Help fits into a terminal.
func TestSimulateHelpIsNarrow(t *testing.T) {
	s := newStage()
	require.Equal(t, exitOK, s.run(t, "simulate", "dicom", "--help"))
	for line := range strings.Lines(s.out.String()) {
		require.LessOrEqual(t, len(line), helpWidth+2, line)
	}
}
