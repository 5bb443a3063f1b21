package mllpack

import (
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/fixtures/rude"
	"gantry/negotiate"
)

// receiver plays scripts on real sockets, one a connection; the last one is for all that follow.
func receiver(t *testing.T, scripts ...rude.Script) (check func() negotiate.Result, s *rude.Server) {
	t.Helper()
	s, err := rude.Listen(scripts...)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return func() negotiate.Result { return checkOf(t, s, 300*time.Millisecond) }, s
}

func checkOf(t *testing.T, s *rude.Server, timeout time.Duration) negotiate.Result {
	t.Helper()
	return negotiate.Run(t.Context(), negotiate.Check{Prober: proberOf(t, Settings{}, hl71), Timeout: timeout,
		Address: func() (string, error) { return s.Addr(), nil }})
}

// accept acknowledges one message under its own control id.
func accept(p *rude.Peer) error {
	if err := rude.RecvUntil("\x1c\r")(p); err != nil {
		return err
	}
	s := &script{conn: p, got: []string{string(p.Received)}}
	ack("MSA|AA|ID")(s)
	return nil
}

// wellBehaved acknowledges, and closes when the sender has closed.
var wellBehaved = rude.Script{accept, rude.RecvAll()}

// TestSaysGoodbye: the receiver sees the end of the stream, no reset, and the check waits for it no
// longer than it takes.
func TestSaysGoodbye(t *testing.T) {
	check, s := receiver(t, wellBehaved)
	waited := 0
	for i := range 20 {
		r := check()
		require.Nil(t, r.Fault)
		require.Nil(t, r.Warning)
		wantStages(t, r)
		if r.Stages[2].Took >= CloseWait {
			waited++
		}
		played, err := s.Run(t.Context(), i)
		require.NoError(t, err)
		require.NoError(t, played.Err)
	}
	require.Less(t, waited, 10, "a busy machine makes some late, not most")
	require.Equal(t, int64(20), s.Connections(), "each check has a connection of its own")
}

// TestLateWords: what a receiver sends after the end of our direction is still read, so that its side
// never sees a reset.
func TestLateWords(t *testing.T) {
	_, s := receiver(t, rude.Script{accept, rude.RecvAll(), rude.Send([]byte("late")), rude.Send([]byte("later")), rude.RecvAll()})
	require.Nil(t, checkOf(t, s, 0).Words())
	played, err := s.Run(t.Context(), 0)
	require.NoError(t, err)
	require.NoError(t, played.Err)
}

// TestGoodbyeToDeafPeers: one that never closes holds the check up for CloseWait and no longer.
func TestGoodbyeToDeafPeers(t *testing.T) {
	_, s := receiver(t, rude.Script{accept, rude.Deaf()})
	r := checkOf(t, s, time.Minute)
	require.Nil(t, r.Words())
	wantStages(t, r)
	require.GreaterOrEqual(t, r.Stages[2].Took, CloseWait)
	require.Less(t, r.Stages[2].Took, 10*CloseWait)
}

// TestGallery walks through receivers that are up for TCP and dead for senders.
func TestGallery(t *testing.T) {
	silent := rude.Script{rude.RecvUntil("\x1c\r"), rude.Deaf()}
	tests := []struct {
		name    string
		scripts []rude.Script
		want    []negotiate.Reason // of one check after the other; "" = healthy
	}{
		{"31: channel stopped", []rude.Script{{rude.Deaf()}}, []negotiate.Reason{"timeout", "timeout"}},
		{"37: the third connection hangs", []rude.Script{wellBehaved, wellBehaved, silent}, []negotiate.Reason{"", "", "timeout"}},
		{"38: stops after two exceptions", []rude.Script{{rude.RecvUntil("\x1c\r")}, {rude.RecvUntil("\x1c\r")}, silent}, []negotiate.Reason{"closed", "closed", "timeout"}},
		{"40: closes after each message", []rude.Script{{accept}}, []negotiate.Reason{"", ""}},
		{"44: a firewall has forgotten the connection", []rude.Script{{rude.RecvUntil("\x1c\r"), rude.Reset()}}, []negotiate.Reason{"reset"}},
		{"reset after the answer", []rude.Script{{accept, rude.Reset()}}, []negotiate.Reason{""}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			check, _ := receiver(t, tt.scripts...)
			for _, want := range tt.want {
				r := check()
				if want == "" {
					require.Nil(t, r.Fault)
					continue
				}
				require.NotNil(t, r.Fault)
				require.Equal(t, want, r.Fault.Reason)
				require.Equal(t, want == negotiate.ReasonTimeout, r.Fault.Busy)
			}
		})
	}
}

// TestMessageNotTaken: a receiver that stops reading cannot hold a check beyond its time.
func TestMessageNotTaken(t *testing.T) {
	here, there := net.Pipe()
	defer there.Close()
	defer here.Close()
	prober := proberOf(t, Settings{}, hl71)
	require.NoError(t, here.SetDeadline(time.Now().Add(50*time.Millisecond)))
	err := prober.Negotiate(t.Context(), here)
	require.ErrorContains(t, err, "does not take a message of")
}
