package config

import (
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/gateway/mllpgate"
	"gantry/protocols/hl7"
)

// smallestMLLP has a place for keys of mllp, and one for keys of the service.
const smallestMLLP = "services:\n  - {name: A, protocol: mllp, listen: [10.0.0.1:2575], mllp: {routing: per-message%s}%s, servers: [{name: A1, address: 10.0.1.1}]}\n"

func messages(t *testing.T) []Service {
	t.Helper()
	data, err := os.ReadFile("testdata/good/message-routing.yaml")
	require.NoError(t, err)
	return parsed(t, string(data)).Services
}

// TestMLLPDefaults holds an independent copy of the defaults.
func TestMLLPDefaults(t *testing.T) {
	want := MLLP{
		Routing: "per-connection", AckMatch: "strict", AckTimeout: 30 * time.Second, Hold: 5 * time.Second, OnNoServer: "close",
		OnUnknownOutcome: "close", ConnectionsPerServer: 4, Pipelining: 1, Idle: 5 * time.Minute, MaxMessage: 16 << 20,
		FrameTimeout: time.Minute, ClientPipelining: 16, Memory: 256 << 20, BatchAnswers: "one",
	}
	require.Equal(t, want, parsed(t, strings.Replace(smallest, "dicom", "mllp", 1)).Services[0].MLLP)
	want.Routing = "per-message"
	require.Equal(t, want, messages(t)[1].MLLP)
	require.Equal(t, &Duplicates{10 * time.Minute, 10_000, 64 << 20}, messages(t)[2].MLLP.Duplicates, "an empty block turns it on")
}

func TestMLLP(t *testing.T) {
	s := messages(t)[0]
	require.Equal(t, MLLP{
		Routing: "per-message", OrderBy: &hl7.Path{Segment: "PID", Field: 3, Component: 1}, AckMatch: "strict", AckTimeout: 20 * time.Second,
		OnNoServer: "nak-ar", OnUnknownOutcome: "resend",
		RetryOn:              []mllpgate.Verdict{{Code: "AR", Error: "207"}, {Code: "CR", Error: "207"}, {Code: "AR", Error: "206"}, {Code: "CR"}},
		ConnectionsPerServer: 2, Pipelining: 8, Idle: time.Minute, MaxMessage: 64 << 20, FrameTimeout: 2 * time.Minute,
		ClientPipelining: 64, Memory: 1 << 30, BatchAnswers: "each", Duplicates: &Duplicates{5 * time.Minute, 500, 1 << 20},
	}, s.MLLP)
}

func TestMessageRoutes(t *testing.T) {
	routes := messages(t)[0].Routes
	require.Equal(t, Route{
		Messages: mllpgate.Rule{
			SendingApplication: mllpgate.Patterns{"RIS", "LIS^*"}, SendingFacility: mllpgate.Patterns{"HOSPITAL"},
			ReceivingApplication: mllpgate.Patterns{"PACS?"}, ReceivingFacility: mllpgate.Patterns{"*"},
			MessageType:  mllpgate.TypePatterns{"ORU", "ADT^A0?", "*^*^ADT_A01"},
			ProcessingID: mllpgate.Patterns{"P"}, Version: mllpgate.Patterns{"2.3.1", "2.5", "2.6*"},
			AcceptAck: []string{"AL", "ER"}, ApplicationAck: []string{"NE", "empty"},
			Source: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("10.2.3.4/32")},
		},
		Servers: []string{"LAB"},
	}, routes[0])
	require.Equal(t, []string{"ADT", "LAB"}, routes[1].Servers)
	require.Equal(t, &mllpgate.Verdict{Code: "AR", Error: "202"}, routes[2].Answer)
	require.Equal(t, &mllpgate.Verdict{Code: "AE"}, routes[3].Answer)
	require.True(t, routes[4].always())
	require.Nil(t, routes[4].Reject)
}

// TestMessagePersistence: what messages are ordered by is what they are remembered by; without an order nothing is, unless
// the file says so.
func TestMessagePersistence(t *testing.T) {
	for _, tt := range []struct{ defaults, mllp, own, want string }{
		{"", "", "", "none"},
		{"", "", "source-ip", "source-ip"},
		{"source-ip", "", "", "source-ip"},
		{"source-ip", "", "none", "none"},
		{"", ", order_by: PID-3.1", "", "order-by"},
		{"source-ip", ", order_by: PID-3.1", "", "order-by"},
		{"calling-ae", ", order_by: PID-3.1", "", "order-by"},
		{"none", ", order_by: PID-3.1", "order-by", "order-by"},
	} {
		text, own := "", ""
		if tt.defaults != "" {
			text = "defaults: {persistence: {by: " + tt.defaults + "}}\n"
		}
		if tt.own != "" {
			own = ", persistence: {by: " + tt.own + "}"
		}
		got := parsed(t, text+fmt.Sprintf(smallestMLLP, tt.mllp, own)).Services[0].Persistence
		require.Equal(t, Persistence{tt.want, time.Hour, 100_000}, got, tt)
	}
	require.Equal(t, "order-by", messages(t)[0].Persistence.By)
	require.Equal(t, 30*time.Minute, messages(t)[0].Persistence.Timeout, "from defaults")
}

// TestMLLPOnce: one mistake, one problem.
func TestMLLPOnce(t *testing.T) {
	for name, tt := range map[string]struct{ mllp, keys, want string }{
		"an order that is none is not missing too": {", order_by: PID", ", persistence: {by: order-by}", "mllp.order_by: not a place"},
		"a routing that is none":                   {", routing2: x", ", routes: [{reject: AR}]", "mllp.routing2: unknown key"},
		"a condition that is none":                 {"", ", routes: [{when: {type: [A]}, servers: [A1]}, {servers: [A1]}]", "routes[0].when.type: unknown key"},
	} {
		t.Run(name, func(t *testing.T) {
			text := problemsOf(t, fmt.Sprintf(smallestMLLP, tt.mllp, tt.keys))
			require.Contains(t, text, tt.want)
			require.NotContains(t, text, "\n", "one line")
		})
	}
	text := problemsOf(t, strings.Replace(fmt.Sprintf(smallestMLLP, "", ", routes: [{when: {message_type: [A]}, reject: AR}]"), "protocol: mllp, ", "", 1))
	require.NotContains(t, text, "\n", "without a protocol nobody can tell what a route may hold: "+text)
}

// TestMLLPAsText: two equal configurations read the same, wherever they stand in memory.
func TestMLLPAsText(t *testing.T) {
	a, b := messages(t)[0], messages(t)[0]
	require.Equal(t, fmt.Sprintf("%+v", a.MLLP), fmt.Sprintf("%+v", b.MLLP))
	require.Contains(t, fmt.Sprintf("%+v", a.MLLP), "OrderBy:PID-3.1")
	require.Contains(t, fmt.Sprintf("%+v", a.MLLP), "Duplicates:{5m0s 500 1048576}")
	b.MLLP.Duplicates.Entries++
	require.NotEqual(t, fmt.Sprintf("%+v", a.MLLP), fmt.Sprintf("%+v", b.MLLP))
	require.Equal(t, "AR-202", fmt.Sprintf("%+v", a.Routes[2].Answer))
	require.Contains(t, fmt.Sprintf("%+v", messages(t)[1].MLLP), "Duplicates:none")
}

func TestShownSize(t *testing.T) {
	for n, want := range map[int]string{0: "0B", 1: "1B", 1 << 10: "1KiB", 1500 << 10: "1500KiB", 16 << 20: "16MiB", 3 << 30: "3GiB", 1<<20 + 1: "1048577B"} {
		require.Equal(t, want, shownSize(n))
	}
}
