package conformance

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/conformance/peers"
	"gantry/negotiate"
)

// quietRuns is how often each check is made, one after the other, as fast as the peer answers.
const quietRuns = 200

// TestQuiet: checks leave no more complaints in a server's log than one good conversation of an ordinary
// client does: an echoscu, or an HL7 message by mllp_send. Who looks through that log at night does not look
// at the load balancer.
func TestQuiet(t *testing.T) {
	eachStand(t, func(t *testing.T, ctx context.Context, s *standing) {
		usual, err := s.listen(ctx, 1, goodbyeWait, func() error { return s.plain(ctx) })
		require.NoError(t, err)
		for _, c := range s.checks {
			var took []time.Duration
			heard, err := s.listen(ctx, quietRuns, goodbyeWait, func() error {
				for range quietRuns {
					r, err := healthy(ctx, c)
					if err != nil {
						return fmt.Errorf("run %d of %s: %w", len(took)+1, c.Name, err)
					}
					took = append(took, r.Duration)
				}
				return nil
			})
			require.NoError(t, err)
			require.LessOrEqual(t, len(heard), len(usual), "complaints about %d runs of %s:\n%s\nand about one ordinary conversation:\n%s",
				quietRuns, c.Name, some(heard), some(usual))
			slices.Sort(took)
			t.Logf("%d × %s: median %.1f ms, slowest %.1f ms, %d complaints", quietRuns, c.Name,
				ms(took[quietRuns/2]), ms(took[quietRuns-1]), len(heard))
		}
	})
}

// TestQuietHearsNoise: what makes TestQuiet fail. A DICOM check that goes without a release and an HL7 one
// that goes in the middle of its message leave a complaint with some of these servers, and no good end with
// all of them. Either is heard.
func TestQuietHearsNoise(t *testing.T) {
	eachStand(t, func(t *testing.T, ctx context.Context, s *standing) {
		if s.ended == "" {
			t.Skip("it writes nothing about good conversations")
		}
		rude := s.checks[0]
		rude.Prober = rudeProber{rude.Prober}
		heard, err := s.listen(ctx, 1, time.Second, func() error {
			negotiate.Run(ctx, rude)
			return nil
		})
		t.Logf("complaints: %q; %v", heard, err)
		require.True(t, len(heard) > 0 || errors.Is(err, context.DeadlineExceeded))
	})
}

// TestComplaintsAreRecognised: lines as the peers write them.
func TestComplaintsAreRecognised(t *testing.T) {
	for line, heard := range map[string]bool{
		"I: Association Release": false,
		"W: Added missing type 2 sequence attribute (0008,1110) to the current record": true,
		"E: Unrecognized PDU type: 47":  true,
		"F: cannot listen":              true,
		"I: Cleaned up after child (7)": false,
		"I1123 00:26:36.514866 CommandDispatcher.cpp:333] (dicom) Association Received":      false,
		"E1123 00:26:36.514866 OrthancException.cpp:61] Error in the network protocol":       true,
		"W1123 00:26:36.514866 main.cpp:2031] Orthanc has started":                           true,
		"WARNING receiver the connection was lost":                                           true,
		"INFO receiver the sender has gone":                                                  false,
		"Traceback (most recent call last):":                                                 true,
		"[hapi-worker-1] INFO ca.uhn.hl7v2.app.SimpleServer - Accepted connection":           false,
		"[hapi-worker-6] ERROR ca.uhn.hl7v2.app.Receiver - IOException: closing Connection":  true,
		"Exception in thread \"main\" java.net.BindException":                                true,
		"2026/11/23 00:26:36 [error] 17#17: *1 open() failed (2: No such file or directory)": true,
		"2026/11/23 00:26:36 [notice] 17#17: signal process started":                         false,
	} {
		require.Equal(t, heard, complaints.MatchString("before\n"+line+"\nbehind"), line)
	}
}

// rudeProber holds the conversation of a Prober on a connection that it cuts at its last word, or in the
// middle of its first one when there is only one.
type rudeProber struct{ negotiate.Prober }

func (p rudeProber) Negotiate(ctx context.Context, conn net.Conn) error {
	return p.Prober.Negotiate(ctx, &rudeConn{Conn: conn})
}

type rudeConn struct {
	net.Conn
	writes int
}

// Write passes the first half of the third write of a DICOM check, its release, and of the only write of an
// HL7 one; then it resets the connection.
func (c *rudeConn) Write(b []byte) (int, error) {
	c.writes++
	if c.writes < 3 && b[0] != 0x0b {
		return c.Conn.Write(b)
	}
	_, _ = c.Conn.Write(b[:len(b)/2])
	if tcp, ok := negotiate.Underlying[*net.TCPConn](c.Conn); ok {
		_ = tcp.SetLinger(0)
	}
	return 0, c.Conn.Close()
}

// goodbyeWait is how long after the last word a busy peer may take to write that it was the last one.
const goodbyeWait = 20 * time.Second

// listen returns what the peer complains about while do runs, and until it has written that so many
// conversations came to their good end: an error, when it does not in time.
func (s *standing) listen(ctx context.Context, conversations int, wait time.Duration, do func() error) ([]string, error) {
	mark := s.Mark()
	if err := do(); err != nil {
		return nil, fmt.Errorf("%w; %s wrote:\n%s", err, s.Name, tail(s.Log()))
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	var written string
	err := peers.Until(ctx, fmt.Sprintf("%s has written %q %d times", s.Name, s.ended, conversations), func() (err error) {
		if written, err = s.LogSince(mark); err != nil {
			return err
		}
		if s.ended == "" {
			return nil
		}
		if n := strings.Count(written, s.ended); n < conversations {
			return fmt.Errorf("so far %d times; its last words:\n%s", n, tail(written))
		}
		return nil
	})
	return slices.DeleteFunc(complaints.FindAllString(written, -1), s.forgiven), err
}

// forgiven are complaints that are not about how the check talks, but about what it is.
func (s *standing) forgiven(complaint string) bool {
	return s.usual != "" && strings.Contains(complaint, s.usual)
}

// some is the beginning of a long list.
func some(lines []string) string { return strings.Join(lines[:min(len(lines), 10)], "\n") }

// tail is the end of a long log.
func tail(log string) string { return log[max(0, len(log)-3000):] }

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
