package mllpgate

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestTimesOfAnOutcome: how long a message waited, how long its server took, and both together.
func TestTimesOfAnOutcome(t *testing.T) {
	const wait, answer, most = 200 * time.Millisecond, 300 * time.Millisecond, 3 * time.Second
	tests := []struct {
		name string
		end  func(s *scene, c *Client) // of message 2, which waits behind 1
		want [3]time.Duration          // answered, waited, took
	}{
		{"answered", func(s *scene, _ *Client) { s.answer("1", "AA"); s.wait(answer); s.answer("2", "AA") },
			[3]time.Duration{answer, wait, wait + answer}},
		{"not answered", func(s *scene, _ *Client) { s.answer("1", "AA"); s.wait(most) },
			[3]time.Duration{0, wait, wait + most}},
		{"not sent: its client left", func(s *scene, c *Client) { s.router.Gone(c, s.now); s.answer("1", "AA") },
			[3]time.Duration{0, wait, wait}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newScene(t, func(set *Settings) { one(set); set.AckTimeout = most })
			s.down(1)
			a, b := s.client(), s.client()
			s.send(a, "1", "")
			s.connect()
			s.send(b, "2", "")
			s.wait(wait)
			tt.end(s, b)
			for i, told := range s.told {
				if told[0] == '2' {
					require.Equal(t, tt.want, s.times[i], told)
					return
				}
			}
			t.Error("nothing was told of it")
		})
	}
}
