package main

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/fixtures/sender"
)

const sendPage = "../../docs/send.md"

// aReport is the example of the page.
var aReport = sender.Report{
	Total: 1000, Done: 997, Warnings: 4, Bytes: 997 * (512<<10 + 650), Associations: 101, Released: 100,
	Endings:  []sender.Count{{What: "aborted by the peer", Times: 1}},
	Statuses: []sender.Status{{Code: 0, Times: 993}, {Code: 0xA700, Times: 2}, {Code: 0xB000, Times: 4}},
	Reasons: []sender.Count{{What: "C-STORE answered with status A700 (out of resources)", Times: 2},
		{What: "association aborted by the service provider: reason not specified (2/0)", Times: 1}},
	Response: sender.Percentiles{P50: 5210 * time.Microsecond, P90: 9870 * time.Microsecond, P99: 31400 * time.Microsecond, Max: 212300 * time.Microsecond},
	Opening:  sender.Percentiles{P50: 1220 * time.Microsecond, P90: 2950 * time.Microsecond, P99: 8100 * time.Microsecond, Max: 8800 * time.Microsecond},
	Took:     3420 * time.Millisecond,
}

// TestSendPage keeps docs/send.md what the command says. Write it anew with
//
//	go test ./cmd/gantry -run TestSendPage -update
func TestSendPage(t *testing.T) {
	head, err := os.ReadFile("testdata/send_head.md")
	require.NoError(t, err)
	tail, err := os.ReadFile("testdata/send_tail.md")
	require.NoError(t, err)
	s := sendSummary{Report: &aReport, target: "10.12.1.100:104", noun: "object", skipped: 2}
	got := string(head) + s.text(false) + string(tail)
	if *update {
		require.NoError(t, os.WriteFile(sendPage, []byte(got), 0o644))
	}
	want, err := os.ReadFile(sendPage)
	require.NoError(t, err)
	require.Equal(t, string(want), got, "docs/send.md is stale; run: go test ./cmd/gantry -run TestSendPage -update")
}
