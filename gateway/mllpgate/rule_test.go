package mllpgate_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gantry/gateway/mllpgate"
)

var source = netip.MustParseAddr("10.1.2.3")

func TestRuleMatch(t *testing.T) {
	type rule = mllpgate.Rule
	type patterns = mllpgate.Patterns
	types := func(p ...mllpgate.TypePattern) rule { return rule{MessageType: p} }
	for _, tt := range []struct {
		name string
		rule rule
		want bool
	}{
		{"everything", rule{}, true},
		{"first component", rule{SendingApplication: patterns{"RIS"}}, true},
		{"whole field", rule{SendingApplication: patterns{"RIS^1.2^ISO"}}, true},
		{"pattern for the whole field", rule{SendingApplication: patterns{"*^ISO"}}, true},
		{"second component alone", rule{SendingApplication: patterns{"1.2"}}, false},
		{"one of several", rule{SendingFacility: patterns{"CLINIC", "HOSP*"}}, true},
		{"case counts", rule{SendingFacility: patterns{"hospital"}}, false},
		{"receivers", rule{ReceivingApplication: patterns{"PACS"}, ReceivingFacility: patterns{"ARCHIVE"}}, true},
		{"one of two keys", rule{ReceivingApplication: patterns{"PACS"}, ReceivingFacility: patterns{"VNA"}}, false},
		{"code alone", types("ORM"), true},
		{"code and trigger", types("ADT", "ORM^O01"), true},
		{"code and any trigger", types("ORM^*"), true},
		{"wildcard in the trigger", types("ORM^O0?"), true},
		{"structure", types("*^*^ORM_O01"), true},
		{"other structure", types("ORM^O01^ORM_O02"), false},
		{"other code", types("ORU"), false},
		{"a code that only begins so", types("OR"), false},
		{"processing id", rule{ProcessingID: patterns{"P"}}, true},
		{"processing id with its mode", rule{ProcessingID: patterns{"P^T"}}, true},
		{"other processing id", rule{ProcessingID: patterns{"T", "D"}}, false},
		{"version", rule{Version: patterns{"2.5*"}}, true},
		{"other version", rule{Version: patterns{"2.5"}}, false},
		{"acknowledgements", rule{AcceptAck: []string{"AL"}, ApplicationAck: []string{"NE", "empty"}}, true},
		{"other acknowledgements", rule{AcceptAck: []string{"empty"}}, false},
		{"network", rule{Source: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}, true},
		{"other network", rule{Source: []netip.Prefix{netip.MustParsePrefix("10.9.0.0/16")}}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, tt.rule.Match(envelope(t, order, nil), source))
			require.Equal(t, tt.want, tt.rule.Match(envelope(t, strings.NewReplacer("^", "*", "|", "#").Replace(order), nil), source), "other delimiters")
		})
	}
}

func TestRuleEmptyFields(t *testing.T) {
	e := envelope(t, "MSH|^~\\&|\"\"||||||ACK\r", nil)
	for _, tt := range []struct {
		rule mllpgate.Rule
		want bool
	}{
		{mllpgate.Rule{SendingApplication: mllpgate.Patterns{"*"}}, true},
		{mllpgate.Rule{SendingApplication: mllpgate.Patterns{"?*"}}, false},
		{mllpgate.Rule{SendingFacility: mllpgate.Patterns{"?*"}}, false},
		{mllpgate.Rule{MessageType: mllpgate.TypePatterns{"ACK^*"}}, true},
		{mllpgate.Rule{MessageType: mllpgate.TypePatterns{"ACK^?*"}}, false},
		{mllpgate.Rule{AcceptAck: []string{"AL", "empty"}, ApplicationAck: []string{"empty"}}, true},
	} {
		require.Equal(t, tt.want, tt.rule.Match(e, source), tt.rule)
	}
}

// A batch says who sends it to whom; what it does not say is taken from its first message.
func TestRuleBatch(t *testing.T) {
	e := envelope(t, batch[strings.Index(batch, "BHS"):], nil)
	require.True(t, (&mllpgate.Rule{SendingApplication: mllpgate.Patterns{"LAB"}, SendingFacility: mllpgate.Patterns{"EAST"},
		ReceivingApplication: mllpgate.Patterns{"PACS"}, MessageType: mllpgate.TypePatterns{"ORU^R01"}, Version: mllpgate.Patterns{"2.3"}}).Match(e, source))
	require.False(t, (&mllpgate.Rule{SendingFacility: mllpgate.Patterns{"WEST"}}).Match(e, source))
	require.False(t, (&mllpgate.Rule{MessageType: mllpgate.TypePatterns{"ORU"}}).Match(envelope(t, "BHS|^~\\&|A\rBTS|0\r", nil), source))
}

func TestRuleSource(t *testing.T) {
	r := mllpgate.Rule{Source: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fe80::/10")}}
	for from, want := range map[string]bool{"::ffff:10.1.2.3": true, "fe80::1%eth0": true, "fd00::1": false, "11.0.0.1": false} {
		require.Equal(t, want, r.Match(envelope(t, order, nil), netip.MustParseAddr(from)), from)
	}
}

func TestRuleBounded(t *testing.T) {
	long := strings.Repeat("x", mllpgate.MaxMatched)
	r := mllpgate.Rule{SendingApplication: mllpgate.Patterns{"*"}}
	require.True(t, r.Match(envelope(t, "MSH|^~\\&|"+long, nil), source))
	require.False(t, r.Match(envelope(t, "MSH|^~\\&|"+long+"x", nil), source))
	require.True(t, r.Match(envelope(t, "MSH|^~\\&|A^"+long, nil), source), "its first component is a name")
	require.False(t, (&mllpgate.Rule{MessageType: mllpgate.TypePatterns{"*"}}).Match(envelope(t, "MSH|^~\\&|||||||"+long+"x", nil), source))
}

func TestRulesFind(t *testing.T) {
	rules := mllpgate.Rules{{MessageType: mllpgate.TypePatterns{"ORU"}}, {SendingApplication: mllpgate.Patterns{"ADT", "RIS"}}, {MessageType: mllpgate.TypePatterns{"ORM"}}}
	require.Equal(t, 1, rules.Find(envelope(t, order, nil), source))
	require.Equal(t, 0, rules.Find(envelope(t, batch, nil), source))
	require.Equal(t, -1, rules.Find(envelope(t, "MSH|^~\\&|A", nil), source))
	require.Equal(t, -1, mllpgate.Rules(nil).Find(envelope(t, order, nil), source))
	require.True(t, new(mllpgate.Rule).Always())
	for _, r := range rules {
		require.False(t, r.Always())
	}
}
