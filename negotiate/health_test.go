package negotiate

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestHealthStep walks every state, count and event for every rise and fall up to 4, against
// the rules written a second time: as a table of what each (state, count, event) leads to.
func TestHealthStep(t *testing.T) {
	type at struct {
		state State
		count int
	}
	for rise := 1; rise <= 4; rise++ {
		for fall := 1; fall <= 4; fall++ {
			// pass and fail hold the next position for each position.
			pass := map[at]at{{Checking, 0}: {Up, 0}}
			fail := map[at]at{{Checking, 0}: {Down, 0}}
			for n := range fall {
				pass[at{Up, n}] = at{Up, 0}
				fail[at{Up, n}] = at{Up, n + 1}
			}
			fail[at{Up, fall - 1}] = at{Down, 0}
			for n := range rise {
				fail[at{Down, n}] = at{Down, 0}
				pass[at{Down, n}] = at{Down, n + 1}
			}
			pass[at{Down, rise - 1}] = at{Up, 0}

			for from, want := range pass {
				h := Health{state: from.state, count: from.count, rise: rise, fall: fall}.Step(true)
				require.Equal(t, want, at{h.state, h.count}, "rise %d fall %d: pass at %v", rise, fall, from)
			}
			for from, want := range fail {
				h := Health{state: from.state, count: from.count, rise: rise, fall: fall}.Step(false)
				require.Equal(t, want, at{h.state, h.count}, "rise %d fall %d: fail at %v", rise, fall, from)
			}
		}
	}
}

func TestHealthStory(t *testing.T) {
	tests := []struct {
		name       string
		initial    State
		rise, fall int
		results    string // + healthy, - not
		want       string // state and count after each
	}{
		{"first success is decisive", Checking, 2, 3, "+", "up 0/3"},
		{"first failure is decisive", Checking, 2, 3, "-", "down 0/2"},
		{"two failures are not enough", Up, 2, 3, "--", "up 1/3, up 2/3"},
		{"three in a row are", Up, 2, 3, "---", "up 1/3, up 2/3, down 0/2"},
		{"a success starts the count again", Up, 2, 3, "--+--", "up 1/3, up 2/3, up 0/3, up 1/3, up 2/3"},
		{"recovery takes rise in a row", Down, 2, 3, "+-++", "down 1/2, down 0/2, down 1/2, up 0/3"},
		{"down stays down", Down, 2, 3, "--", "down 0/2, down 0/2"},
		{"rise and fall of one", Up, 1, 1, "-+-", "down 0/1, up 0/1, down 0/1"},
		{"rise and fall below one count as one", Up, 0, -5, "-+", "down 0/1, up 0/1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h, got := NewHealth(tt.initial, tt.rise, tt.fall), ""
			for i, r := range tt.results {
				h = h.Step(r == '+')
				if i > 0 {
					got += ", "
				}
				got += fmt.Sprint(h.State(), " ", h)
			}
			require.Equal(t, tt.want, got)
		})
	}
}

func TestHealthZeroValue(t *testing.T) {
	var h Health
	require.Equal(t, Checking, h.State())
	require.Equal(t, Up, h.Step(true).State())
	require.Equal(t, Down, h.Step(true).Step(false).State())
}

func TestHealthWithLimits(t *testing.T) {
	h := NewHealth(Up, 2, 5).Step(false).Step(false).Step(false)
	require.Equal(t, "3/5", h.String())
	require.True(t, h.Moving())

	h = h.WithLimits(2, 2)
	require.Equal(t, Up, h.State(), "a changed setting is no evidence")
	require.Equal(t, "1/2", h.String())
	require.Equal(t, Down, h.Step(false).State(), "the next result decides")

	require.Equal(t, "1/9", h.WithLimits(1, 9).String())
	require.Equal(t, "0/1", h.WithLimits(1, 1).String())
}

func TestStateText(t *testing.T) {
	for state, want := range map[State]string{Checking: "checking", Up: "up", Down: "down", State(9): "checking"} {
		require.Equal(t, want, state.String())
		text, err := state.MarshalText()
		require.NoError(t, err)
		require.Equal(t, want, string(text))
	}
}
