package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/fixtures/hospital"
	"gantry/gateway/admin"
)

// archives is a service in which PACS2 is in question.
func archives(kind, reason, pacs1, pacs3 string) admin.Status {
	return admin.Status{Services: []admin.ServiceStatus{{Name: "DICOM", Servers: []admin.ServerStatus{
		{Name: "PACS1", State: pacs1},
		{Name: "PACS2", State: "down", Checks: []admin.CheckStatus{{Name: "alive", Type: kind, Reason: reason}}},
		{Name: "PACS3", State: pacs3},
	}}}}
}

func TestNewsWords(t *testing.T) {
	event := func(kind, from, to string) admin.Event {
		return admin.Event{Time: morning, Kind: kind, Service: "DICOM", Server: "PACS2", Check: "alive", From: from, To: to, Message: "says \x1bno"}
	}
	falls, rises := event("state", "up", "down"), event("state", "down", "up")
	tests := []struct {
		name   string
		event  admin.Event
		status admin.Status
		want   string // empty: no news
	}{
		{"silent archive", falls, archives("dicom-echo", "timeout", "up", "up"),
			"PACS2 stopped answering C-ECHO: taken out of service, its work goes to PACS1 and PACS3"},
		{"gone", falls, archives("dicom-echo", "refused", "up", "down"),
			"PACS2 refuses connections: taken out of service, its work goes to PACS1"},
		{"the last one", falls, archives("http", "timeout", "down", "drain"),
			"PACS2 stopped answering HTTP: taken out of service, and no server of DICOM is left"},
		{"other reason", falls, archives("http", "bad-status", "up", "maint"),
			"PACS2 fails its check (says ·no): taken out of service, its work goes to PACS1"},
		{"archive back", rises, archives("dicom-echo", "", "up", "up"), "PACS2 answers C-ECHO again: back in service"},
		{"page back", rises, archives("http", "", "up", "up"), "PACS2 answers HTTP again: back in service"},
		{"port back", rises, archives("connect", "", "up", "up"), "PACS2 accepts connections again: back in service"},
		{"gone from the configuration", rises, admin.Status{}, "PACS2 passes its check again: back in service"},
		{"first judgement", event("state", "checking", "up"), archives("connect", "", "up", "up"), ""},
		{"drained", event("admin", "ready", "drain"), admin.Status{}, "a person set PACS2 from ready to drain"},
		{"weight", event("weight", "100", "50"), admin.Status{}, "a person set the weight of PACS2 from 100 to 50"},
		{"reload", event("reload", "", ""), admin.Status{}, "the configuration was loaded again"},
		{"start", event("start", "", ""), admin.Status{}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := newsroom{demo: &demo{show: hospital.NewShow(nil, hospital.Timing{}, morning)}}
			got, ok := n.word(tt.event, tt.status)
			require.Equal(t, tt.want != "", ok)
			if ok {
				require.Equal(t, news{at: morning, from: fromGateway, text: tt.want, colour: got.colour}, got)
			}
		})
	}
}

func TestWrap(t *testing.T) {
	tests := []struct {
		text  string
		width int
		want  string
	}{
		{"one two three", 20, "one two three"},
		{"one two three", 7, "one two|three"},
		{"one two three", 3, "one|two|three"},
		{"extraordinary news", 5, "extraordinary|news"},
		{"größer größer", 6, "größer|größer"},
		{"", 5, ""},
	}
	for _, tt := range tests {
		require.Equal(t, tt.want, strings.Join(wrap(tt.text, tt.width), "|"), "%q in %d", tt.text, tt.width)
	}
}

func TestDemoPhrases(t *testing.T) {
	require.Equal(t, "127.0.0.1:11112 :10104", listens([]string{"127.0.0.1:11112", "127.0.0.1:10104"}))
	require.Equal(t, "127.0.0.1:1 [::1]:1 :2", listens([]string{"127.0.0.1:1", "[::1]:1", "[::1]:2"}))
	require.Equal(t, "0 queries, 1 query, 2 objects", strings.Join([]string{plural(0, "query"), plural(1, "query"), plural(2, "object")}, ", "))
	require.Equal(t, []string{"1s", "1s", "2s", "10s"}, []string{seconds(-time.Second), seconds(1), seconds(1001 * time.Millisecond), seconds(10 * time.Second)})
	require.Equal(t, "2 interrupted, 0 failed, 1 answered wrongly", misses(hospital.Tally{OK: 5, Interrupted: 2, Wrong: 1}))
}

// The headline is a sentence in every case.
func TestVerdict(t *testing.T) {
	s := &summary{}
	require.Equal(t, "Nothing was interrupted, nothing failed", s.verdict(hospital.Tally{OK: 5}))
	require.Equal(t, "1 attempt before that had been interrupted by a failing server, and repeated", s.verdict(hospital.Tally{Interrupted: 1}))
	require.Equal(t, "2 attempts before that had been interrupted by a failing server, and repeated.\n"+
		"1 attempt got no answer though no server was failing.\n1 operation could not be repeated before the demo ended.\n"+
		"3 operations got a wrong answer", s.verdict(hospital.Tally{Interrupted: 2, Failed: 1, Undone: 1, Wrong: 3}))
}
