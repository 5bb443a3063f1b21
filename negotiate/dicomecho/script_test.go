package dicomecho

import (
	"bytes"
	"context"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gantry/negotiate"
	"gantry/protocols/dicom"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var dicom2 = negotiate.Target{Service: "DICOM", Server: "DICOM2", Host: "10.12.1.111", Port: 104, Version: "1.2.3"}

func proberOf(t testing.TB, s Settings, target negotiate.Target) negotiate.Prober {
	t.Helper()
	s.Validate(func(key, got, want string) { t.Errorf("%s: %s; %s", key, got, want) })
	p, err := s.Prober(target)
	require.NoError(t, err)
	return p
}

// step is one thing that a scripted server does.
type step func(*script)

type script struct {
	conn net.Conn
	got  [][]byte // whole PDUs received
}

// recv reads one whole PDU; at the end of the stream it does nothing.
func recv(s *script) {
	head := make([]byte, dicom.HeaderLen)
	if _, err := io.ReadFull(s.conn, head); err != nil {
		return
	}
	_, length, err := dicom.DecodeHeader(head)
	if err != nil {
		panic(err)
	}
	body := make([]byte, length)
	_, _ = io.ReadFull(s.conn, body)
	s.got = append(s.got, append(head, body...))
}

// hear reads PDUs until the other side closes.
func hear(s *script) {
	for n := -1; n != len(s.got); {
		n = len(s.got)
		recv(s)
	}
}

func send(b []byte) step { return func(s *script) { _, _ = s.conn.Write(b) } }

func pause(d time.Duration) step { return func(*script) { time.Sleep(d) } }

// drip sends one byte a second.
func drip(b []byte) step {
	return func(s *script) {
		for i := range b {
			time.Sleep(time.Second)
			if _, err := s.conn.Write(b[i : i+1]); err != nil {
				return
			}
		}
	}
}

func accept(results ...dicom.ContextResult) step {
	ac := dicom.AssociateAC{Version: 1, CalledAE: "ANY-SCP", CallingAE: "GANTRY", Results: results,
		UserInformation: dicom.UserInformation{MaxLength: 16384, ImplementationClassUID: "2.25.1"}}
	return send(ac.Append(nil))
}

var accepted = accept(dicom.ContextResult{ID: contextID, TransferSyntax: dicom.ImplicitVRLittleEndianUID})

func response(status, id uint16) dicom.Command {
	return dicom.Command{Field: dicom.CEchoRSP, MessageIDBeingRespondedTo: id, DataSetType: dicom.NoDataSet, Status: status}
}

func message(context byte, c dicom.Command) []byte {
	return dicom.AppendPData(nil, dicom.PDV{ContextID: context, Command: true, Last: true, Data: c.Append(nil)})
}

func answer(status, id uint16) step { return send(message(contextID, response(status, id))) }

var (
	released   = send(dicom.AppendReleaseRP(nil))
	releaseRQ  = send(dicom.AppendReleaseRQ(nil))
	abortBy    = func(source, reason byte) step { return send(dicom.Abort{Source: source, Reason: reason}.Append(nil)) }
	wellBehave = []step{recv, accepted, recv, answer(0, 1), recv, released, hear}
)

// run plays the steps against one check in fake time. got is what the server received.
func run(t *testing.T, settings Settings, target negotiate.Target, steps ...step) (result negotiate.Result, got [][]byte) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		played := make(chan *script, 1)
		result = negotiate.Run(t.Context(), negotiate.Check{
			Address: func() (string, error) { return "10.12.1.111:104", nil },
			Prober:  proberOf(t, settings, target),
			Dial: func(context.Context, string) (net.Conn, error) {
				here, there := net.Pipe()
				go func() {
					s := &script{conn: there}
					for _, do := range steps {
						do(s)
					}
					there.Close()
					played <- s
				}()
				return here, nil
			},
		})
		got = (<-played).got
	})
	return result, got
}

// lastAbort returns the A-ABORT that the server received last; ok is false if there was none.
func lastAbort(got [][]byte) (a dicom.Abort, ok bool) {
	if len(got) == 0 {
		return a, false
	}
	a, err := dicom.DecodeAbort(got[len(got)-1])
	return a, err == nil
}

// cut returns all but the last n bytes.
func cut(b []byte, n int) []byte { return bytes.Clone(b[:len(b)-n]) }
