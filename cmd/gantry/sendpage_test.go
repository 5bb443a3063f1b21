package main

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/fixtures/feed"
	"gantry/fixtures/hl7/ledger"
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

// aFeed is the example of messages, and aJudgement that of records.
var (
	aFeed = feed.Report{
		Total: 10000, Accepted: 9996, Refused: 3, Unanswered: 1, Wrong: 2, Again: 14, Bytes: 9996 << 10, Connections: 21, Broken: 5, Failed: 2,
		Answers:      []feed.Count{{What: "AA", Times: 9996}, {What: "AE 207", Times: 3}},
		WrongAnswers: []feed.Count{{What: "an answer to a message that was not sent on this connection", Times: 2}},
		Reasons:      []feed.Count{{What: "no answer in time", Times: 1}},
		Refusals:     []feed.Count{{What: "AE, error 207 (Application internal error)", Times: 3}},
		Response:     feed.Percentiles{P50: 812 * time.Microsecond, P90: 1930 * time.Microsecond, P99: 6210 * time.Microsecond, Max: 41200 * time.Microsecond},
		Opening:      feed.Percentiles{P50: 233 * time.Microsecond, P90: 341 * time.Microsecond, P99: 612 * time.Microsecond, Max: 612 * time.Microsecond},
		Took:         2210 * time.Millisecond,
	}
	aJudgement = ledger.Report{
		Messages: 20000, Attempts: 20104, Accepted: 20000, Kept: 20102, Doubled: 101, Multiple: 1, Others: 12, OneClock: true,
		Receivers: []ledger.Share{{Name: "a", Received: 10111, Kept: 10111}, {Name: "b", Received: 10003, Kept: 10003}},
		Offences:  []string{`"K7Q2XN-3-1042" was sent once and kept 2 times: by b, a`},
	}
)

// TestSendPage keeps docs/send.md what the command says. Write it anew with
//
//	go test ./cmd/gantry -run TestSendPage -update
func TestSendPage(t *testing.T) {
	part := func(name string) string {
		b, err := os.ReadFile("testdata/" + name + ".md")
		require.NoError(t, err)
		return string(b)
	}
	objects := sendSummary{Report: &aReport, target: "10.12.1.100:104", noun: "object", skipped: 2}
	messages := mllpSummary{Report: &aFeed, target: "10.12.1.120:2575", run: "K7Q2XN"}
	records := judgement{&aJudgement}
	got := part("send_head") + objects.text(false) + part("send_tail") + part("send_mllp_head") + messages.text(false) +
		part("send_mllp_tail") + records.text(false) + part("send_records_tail")
	if *update {
		require.NoError(t, os.WriteFile(sendPage, []byte(got), 0o644))
	}
	want, err := os.ReadFile(sendPage)
	require.NoError(t, err)
	require.Equal(t, string(want), got, "docs/send.md is stale; run: go test ./cmd/gantry -run TestSendPage -update")
}
