package negotiate

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// outcomes of the letters that the tests below write: passed, partly, failed.
var outcomes = map[rune]Outcome{'+': Passed, '~': Partly, '-': Failed}

// rules is the judgement written a second time, from the whole story instead of from counts.
func rules(from State, story string, rise, fall int) State {
	last := func(n int, letters string) bool {
		return len(story) >= n && strings.Trim(story[len(story)-n:], letters) == ""
	}
	switch {
	case from == Checking:
		return map[byte]State{'+': Up, '~': Degraded, '-': Down}[story[len(story)-1]]
	case from != Down && last(fall, "-"):
		return Down
	case from == Up && last(fall, "-~"):
		return Degraded
	case from == Down && last(rise, "+"):
		return Up
	case from == Down && last(rise, "+~"):
		return Degraded
	case from == Degraded && last(rise, "+"):
		return Up
	}
	return from
}

// TestHealthStep tries every story of up to seven results, from every state, for every rise
// and fall up to 3.
func TestHealthStep(t *testing.T) {
	for _, initial := range []State{Checking, Up, Degraded, Down} {
		for rise := 1; rise <= 3; rise++ {
			for fall := 1; fall <= 3; fall++ {
				tryAll(t, NewHealth(initial, rise, fall), "", 7)
			}
		}
	}
}

func tryAll(t *testing.T, h Health, story string, more int) {
	if more == 0 {
		return
	}
	for letter, outcome := range outcomes {
		next, told := h.Step(outcome), story+string(letter)
		if h.State() == Checking {
			told = "" // the first result decides, and counts toward nothing
			require.Equal(t, rules(Checking, string(letter), h.rise, h.fall), next.State())
		} else if want := rules(h.State(), told, h.rise, h.fall); next.State() != want {
			t.Fatalf("rise %d fall %d, %v after %q: %v, want %v", h.rise, h.fall, h.State(), told, next.State(), want)
		}
		if n, limit := next.toward(); n >= limit {
			t.Fatalf("rise %d fall %d, after %q: %v at %d/%d", h.rise, h.fall, told, next.State(), n, limit)
		}
		tryAll(t, next, told, more-1)
	}
}

func TestHealthStory(t *testing.T) {
	tests := []struct {
		name       string
		initial    State
		rise, fall int
		results    string // + passed, ~ partly, - failed
		want       string // state and count after each
	}{
		{"first success is decisive", Checking, 2, 3, "+", "up 0/3"},
		{"first failure is decisive", Checking, 2, 3, "-", "down 0/2"},
		{"first slow answer is decisive", Checking, 2, 3, "~", "degraded 0/3"},
		{"two failures are not enough", Up, 2, 3, "--", "up 1/3, up 2/3"},
		{"three in a row are", Up, 2, 3, "---", "up 1/3, up 2/3, down 0/2"},
		{"a success starts the count again", Up, 2, 3, "--+--", "up 1/3, up 2/3, up 0/3, up 1/3, up 2/3"},
		{"slow three times in a row", Up, 2, 3, "~~~", "up 1/3, up 2/3, degraded 0/3"},
		{"slow, then dead", Up, 2, 3, "~---", "up 1/3, up 2/3, degraded 2/3, down 0/2"},
		{"degraded recovers", Degraded, 2, 3, "+~++", "degraded 1/2, degraded 0/3, degraded 1/2, up 0/3"},
		{"degraded fails", Degraded, 2, 3, "---", "degraded 1/3, degraded 2/3, down 0/2"},
		{"a slow answer ends a row of failures", Degraded, 2, 3, "--~--", "degraded 1/3, degraded 2/3, degraded 0/3, degraded 1/3, degraded 2/3"},
		{"recovery takes rise in a row", Down, 2, 3, "+-++", "down 1/2, down 0/2, down 1/2, up 0/3"},
		{"recovery by slow answers", Down, 2, 3, "~+", "down 1/2, degraded 1/2"},
		{"and up with the next", Down, 2, 3, "~++", "down 1/2, degraded 1/2, up 0/3"},
		{"down stays down", Down, 2, 3, "--", "down 0/2, down 0/2"},
		{"rise and fall of one", Up, 1, 1, "-+~-", "down 0/1, up 0/1, degraded 0/1, down 0/1"},
		{"rise and fall below one count as one", Up, 0, -5, "-+", "down 0/1, up 0/1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h, got := NewHealth(tt.initial, tt.rise, tt.fall), []string{}
			for _, r := range tt.results {
				h = h.Step(outcomes[r])
				got = append(got, fmt.Sprint(h.State(), " ", h))
			}
			require.Equal(t, tt.want, strings.Join(got, ", "))
		})
	}
}

func TestHealthZeroValue(t *testing.T) {
	var h Health
	require.Equal(t, Checking, h.State())
	require.Equal(t, Up, h.Step(Passed).State())
	require.Equal(t, Down, h.Step(Passed).Step(Failed).State())
}

func TestHealthWithLimits(t *testing.T) {
	h := NewHealth(Up, 2, 5).Step(Failed).Step(Failed).Step(Failed)
	require.Equal(t, "3/5", h.String())
	require.True(t, h.Moving())

	h = h.WithLimits(2, 2)
	require.Equal(t, Up, h.State(), "a changed setting is no evidence")
	require.Equal(t, "1/2", h.String())
	require.Equal(t, Down, h.Step(Failed).State(), "the next result decides")

	require.Equal(t, "1/9", h.WithLimits(1, 9).String())
	require.Equal(t, "0/1", h.WithLimits(1, 1).String())
}

func TestStateText(t *testing.T) {
	for state, want := range map[State]string{Checking: "checking", Up: "up", Degraded: "degraded", Down: "down", State(9): "checking"} {
		require.Equal(t, want, state.String())
		text, err := state.MarshalText()
		require.NoError(t, err)
		require.Equal(t, want, string(text))
	}
}
