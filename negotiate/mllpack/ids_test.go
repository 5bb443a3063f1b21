package mllpack

import (
	"context"
	"errors"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/negotiate"
	"gantry/protocols/mllp"
)

// answering is a connection whose peer has already answered, or refuses to listen.
type answering struct {
	net.Conn
	write, read error
	said        []byte
}

func (a *answering) Write(b []byte) (int, error) { return len(b), a.write }
func (a *answering) Read(b []byte) (int, error) {
	if len(a.said) == 0 {
		return 0, a.read
	}
	n := copy(b, a.said)
	a.said = a.said[n:]
	return n, nil
}
func (a *answering) SetReadDeadline(time.Time) error { return nil }

// TestWordsInControlIDs: one random control id in three thousand has "SQL" in it.
func TestWordsInControlIDs(t *testing.T) {
	const id, other = "GANTRYAAASQLAAAAAAAA", "XDISKX"
	for _, segments := range []string{"MSA|AR|" + id, "MSA|AR|" + id + "|message " + id + " is not wanted", "MSA|AR|" + other} {
		frame := ackHead + segments + "\r"
		talk := &talk{probe: &probe{}, ctx: context.Background(), id: id,
			conn: &answering{said: mllp.Append(nil, []byte(frame))}}
		a, fault := talk.read([]byte(frame))
		require.Nil(t, fault)
		require.Nil(t, talk.judge(a), segments)
	}
}

// TestRefusedWhileWriting: an alert that refuses our certificate waits to be read when the write fails.
func TestRefusedWhileWriting(t *testing.T) {
	talk := &talk{probe: &probe{secure: true}, ctx: context.Background(), id: "1", conn: &answering{write: syscall.EPIPE,
		read: &net.OpError{Op: "remote error", Err: errors.New("tls: certificate required")}}}
	fault := talk.ask()
	require.NotNil(t, fault)
	require.Equal(t, negotiate.ReasonHandshake, fault.Reason)
	require.Contains(t, fault.Sentence, "it wants a client certificate")
}
