package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/gateway/admin"
)

func TestChecks(t *testing.T) {
	tests := []struct {
		name, golden string
		args         []string
		want         int
	}{
		{"what is remembered", "checks.txt", []string{"HL7/DICOM2"}, exitOK},
		{"as JSON", "checks.json", []string{"HL7/DICOM2", "--output", "json"}, exitOK},
		{"one made now, which fails", "checks-run.txt", []string{"HL7/DICOM2", "--run", "dicom-echo"}, exitFailed},
		{"with its conversation", "checks-run-verbose.txt", []string{"HL7/DICOM2", "--run", "dicom-echo", "-v"}, exitFailed},
		{"one that passes", "checks-run-passed.txt", []string{"HL7/DICOM2", "--run", "dicom-find"}, exitOK},
		{"one as JSON", "checks-run.json", []string{"HL7/DICOM2", "--run", "dicom-echo", "--output", "json"}, exitFailed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newStage()
			args := append([]string{"checks", "--admin", newHospital().serve(t, "")}, tt.args...)
			require.Equal(t, tt.want, s.run(t, args...), s.err.String())
			require.Empty(t, s.err.String())
			golden(t, tt.golden, s.out.String())
		})
	}
}

func TestChecksUsage(t *testing.T) {
	for _, args := range [][]string{{"checks"}, {"checks", "DICOM2"}, {"checks", "HL7/DICOM2", "-v"}} {
		require.Equal(t, exitUsage, newStage().run(t, args...), args)
	}
	s := newStage()
	require.Equal(t, exitFailed, s.run(t, "checks", "HL7/X", "--admin", newHospital().serve(t, "")))
	require.Contains(t, s.err.String(), `no server is called "X"`)
}

// TestStatusOfServersAside: why a server that its checks find well gets no clients, and for how long.
func TestStatusOfServersAside(t *testing.T) {
	h := newHospital()
	servers := h.status.Services[0].Servers
	s := newStage()
	servers[0].State, servers[0].AsideUntil = "ejected", s.now().Add(95e9)
	servers[1].State, servers[1].AsideUntil = "held", s.now().Add(5e9)
	servers[2].State, servers[2].AsideUntil = "drain", s.now().Add(5e9)
	servers[1].Checks[0] = admin.CheckStatus{Name: "connect", State: "degraded", Message: "slow"}
	require.Equal(t, exitOK, s.run(t, "status", "--admin", h.serve(t, "")))
	require.Contains(t, s.out.String(), "live traffic failed, used again in 1m35s; dicom-echo:")
	require.Contains(t, s.out.String(), "it went down again and again, used again in 5s; dicom-echo: 10.12.1.111:104 refuses")
	require.NotContains(t, s.out.String(), "used again in 5s; connect")
}

// TestStatusOfWhatIsLeft: what still runs where nothing new comes, in words.
func TestStatusOfWhatIsLeft(t *testing.T) {
	h := newHospital()
	h.status.Stopping = true
	h.status.Services[0].Servers[0].Left = &admin.LeftStatus{}
	h.status.Services[0].Servers[2].Left.Until = time.Time{}
	h.status.Leaving = []admin.LeavingStatus{{Service: "DICOM-Modalities", Server: "OLD",
		Left: admin.LeftStatus{Sessions: 3, Words: "3 associations, 1.2 GB so far, CT2 → OLD"}}}
	s := newStage()
	require.Equal(t, exitOK, s.run(t, "status", "--admin", h.serve(t, "")))
	for _, want := range []string{
		"stopping: no new sessions are taken, those that run may finish\n",
		"nothing left; dicom-echo",
		"1 association, 1.2 kB so far, CT2 → DICOM3; connect",
		"\nno longer in the configuration\n  DICOM-Modalities/OLD: 3 associations, 1.2 GB so far, CT2 → OLD\n",
	} {
		require.Contains(t, s.out.String(), want)
	}
}
