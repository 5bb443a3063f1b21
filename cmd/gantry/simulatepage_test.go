package main

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"gantry/fixtures/hl7"
	"gantry/fixtures/pacs"
	"gantry/fixtures/viewer"
	"gantry/fixtures/xds"
)

const simulatePage = "../../docs/simulate.md"

// TestSimulatePage keeps docs/simulate.md what the tables of faults say. Write it anew with
//
//	go test ./cmd/gantry -run TestSimulatePage -update
func TestSimulatePage(t *testing.T) {
	about, err := os.ReadFile("testdata/simulate_dicom.md")
	require.NoError(t, err)
	receiver, err := os.ReadFile("testdata/simulate_mllp.md")
	require.NoError(t, err)
	got := simulateHead +
		string(about) + faultTable(pacs.FaultTable.Entries()) +
		string(receiver) + faultTable(hl7.FaultTable.Entries()) +
		"\n## XDS\n\n" + faultTable(xds.FaultTable.Entries()) +
		"\n## HTTP\n\n" + faultTable(viewer.FaultTable.Entries())
	if *update {
		require.NoError(t, os.WriteFile(simulatePage, []byte(got), 0o644))
	}
	want, err := os.ReadFile(simulatePage)
	require.NoError(t, err)
	require.Equal(t, string(want), got, "docs/simulate.md is stale; run: go test ./cmd/gantry -run TestSimulatePage -update")
}

const simulateHead = `<!-- Generated from the tables of faults; do not edit. See cmd/gantry/simulatepage_test.go. -->

# Simulated servers

` + "`gantry simulate dicom|mllp|xds|http`" + ` plays a server for integration work: one that does its work properly, or one that fails
in a way that real servers are known for. What it has is made up, but for objects and worklists that dicom is given; what it is
sent it keeps, if at all, in memory, unless dicom is told to keep objects.

` + "```" + `
gantry simulate dicom --fault store-refused          # a full disk, on 127.0.0.1:11112
gantry simulate mllp --fault error=207 --fault-rate 10%
gantry simulate xds --fault busy --fault flapping=5
gantry simulate http --tls --fault expired-certificate
` + "```" + `

- Faults add up: ` + "`--fault`" + ` may be given several times. ` + "`--fault-rate`" + `, ` + "`--fault-after`" + ` and ` + "`flapping`" + ` say which turns go wrong,
  the same ones each time. A turn is an association, a message or a request. Faults of TLS hold for every handshake.
- SIGUSR1 turns the faults off and on again; Ctrl-C or SIGTERM ends it with exit code 0.
- Standard error has a line for each conversation: AE titles, contexts, operations and statuses; message type, control id and
  acknowledgement; transaction and error code. Never anything about a patient. Port checks are shown with ` + "`--verbose`" + `;
  ` + "`--output json`" + ` makes each line an object.
- It listens on loopback unless ` + "`--listen`" + ` says otherwise, and it asks nobody who they are: keep it off clinical networks.

The last column has the numbers of the [failure gallery](failure-gallery.md), which says how each failure looks to users and
which check notices it. Flags are in [commands.md](commands.md#gantry-simulate-dicom).

`
