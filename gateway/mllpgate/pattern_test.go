package mllpgate_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gantry/gateway/mllpgate"
)

func TestParsePattern(t *testing.T) {
	for text, want := range map[string]mllpgate.Pattern{"RIS": "RIS", "  RIS 2 ": "RIS 2", "R**S": "R*S", "RIS^1.2&x^ISO": "RIS^1.2&x^ISO"} {
		p, err := mllpgate.ParsePattern(text)
		require.NoError(t, err)
		require.Equal(t, want, p)
	}
	for text, want := range map[string]string{
		"": "not a name, nor a pattern for one; write 1 to 256 characters", " ": "not a name", strings.Repeat("x", 257): "not a name",
		"MÜNCHEN": "a sign outside of ASCII, which messages write in several ways; put * in its place", "A\tB": "a sign outside of ASCII",
	} {
		_, err := mllpgate.ParsePattern(text)
		require.ErrorContains(t, err, want, text)
	}
}

func TestParseTypePattern(t *testing.T) {
	for text, want := range map[string]mllpgate.TypePattern{
		"ORU": "ORU", " ADT^A0? ": "ADT^A0?", "**^*^ADT_A01": "*^*^ADT_A01", "ORU^R01^ORU_R01": "ORU^R01^ORU_R01", "ZZ*": "ZZ*",
	} {
		p, err := mllpgate.ParseTypePattern(text)
		require.NoError(t, err)
		require.Equal(t, want, p)
	}
	for text, want := range map[string]string{
		"": "not a message type", "ORU^": "not a message type", "^R01": "not a message type", "ORU|R01": "not a message type", "ORU-R01": "not a message type",
		"ORU^R01^ORU_R01^x": "write CODE, CODE^TRIGGER or CODE^TRIGGER^STRUCTURE", "ÖRU": "not a message type", strings.Repeat("x", 257): "not a message type",
		"ORU_R01": "the name of a structure, where the code of a message stands; write ORU^R01 for code and trigger, or *^*^ORU_R01 for the structure",
	} {
		_, err := mllpgate.ParseTypePattern(text)
		require.ErrorContains(t, err, want, text)
	}
}

func TestParseRefusal(t *testing.T) {
	for text, want := range map[string]mllpgate.Verdict{"AR": {"AR", ""}, "AR-207": {"AR", "207"}, "CR-206": {"CR", "206"}, "AR-E17": {"AR", "E17"}} {
		v, err := mllpgate.ParseRefusal(text)
		require.NoError(t, err)
		require.Equal(t, want, v)
		require.Equal(t, text, v.String())
	}
	for text, want := range map[string]string{
		"AE-207": "AE says that something is wrong with the message: another server would say the same; write AR or CR", "CE": "CE says",
		"": "not a refusal", "AA": "not a refusal", "207": "not a refusal", "ar": "not a refusal", "AR-": "not an error code; write AR or CR, or with an error code of table 0357, such as AR-207",
		"AR-0": "not an error code", "AR-2 7": "not an error code", "AR-" + strings.Repeat("1", 21): "not an error code", "AR207": "not a refusal",
	} {
		_, err := mllpgate.ParseRefusal(text)
		require.ErrorContains(t, err, want, text)
	}
}

func TestParseReject(t *testing.T) {
	for text, want := range map[string]mllpgate.Verdict{"AR": {"AR", ""}, "AE": {"AE", ""}, "AR-200": {"AR", "200"}, "AE-101": {"AE", "101"}} {
		v, err := mllpgate.ParseReject(text)
		require.NoError(t, err)
		require.Equal(t, want, v)
	}
	for text, want := range map[string]string{
		"CR-200": "senders that ask for an accept acknowledgement get CR by themselves; write AR-200", "CE": "write AE",
		"": "not an answer that rejects", "AA": "not an answer that rejects", "no-reason": "not an answer that rejects", "AR-999": "not an error code of table 0357",
		"AR-0": "not an error code of table 0357", "AR-": "not an error code of table 0357; write AR or AE, or with an error code of table 0357, such as AR-200",
	} {
		_, err := mllpgate.ParseReject(text)
		require.ErrorContains(t, err, want, text)
	}
}

func TestVerdictIs(t *testing.T) {
	any, internal := mllpgate.Verdict{Code: "AR"}, mllpgate.Verdict{Code: "AR", Error: "207"}
	require.True(t, any.Is("AR", nil))
	require.True(t, any.Is("AR", []string{"200"}))
	require.False(t, any.Is("CR", nil))
	require.True(t, internal.Is("AR", []string{"101", "207"}))
	require.False(t, internal.Is("AR", []string{"200"}))
	require.False(t, internal.Is("AR", nil))
	require.False(t, internal.Is("AE", []string{"207"}))
}
