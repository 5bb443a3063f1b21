package pattern_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gantry/gateway/pattern"
)

// The matching itself is held to the plainest of all matchers by the fuzz target of gateway/dicomgate.

func TestMatch(t *testing.T) {
	for _, tt := range []struct {
		pattern, text string
		fold, want    bool
	}{
		{"RIS", "RIS", false, true}, {"RIS", "RIS2", false, false}, {"ris", "RIS", true, true}, {"R?S*", "RXS12", false, true},
		{"*A*B", "xAyAzB", false, true}, {"*?", "", false, false}, {"", "", false, true}, {"", "x", false, false},
	} {
		require.Equal(t, tt.want, pattern.Match(tt.pattern, tt.text, tt.fold), tt)
		require.Equal(t, tt.want, pattern.Match(tt.pattern, []byte(tt.text), tt.fold), tt)
	}
}

func TestSqueezed(t *testing.T) {
	require.Equal(t, "*a*?*", pattern.Squeezed("**a***?**"))
	require.Equal(t, 2, pattern.Least("*a*?*"))
	require.True(t, pattern.Literal("a.b"))
	require.False(t, pattern.Literal("a?"))
	require.EqualError(t, &pattern.Unfit{What: "not so", Want: "write it so"}, "not so; write it so")
}

func TestMatchAllocatesNothing(t *testing.T) {
	text := []byte("RIS^1.2.840.113619.6.197^ISO and so on, longer than what fits on a stack")
	require.Zero(t, testing.AllocsPerRun(100, func() { _ = pattern.Match("RIS*on a stack", text, false) }))
}
