package dicomscript

import (
	"bytes"
	"context"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"gantry/negotiate"
	"gantry/protocols/dicom"
)

// Step is one thing that a scripted server does.
type Step func(*Script)

// Script is a server on one connection.
type Script struct {
	Conn net.Conn
	Got  [][]byte // whole PDUs received
}

// Recv reads one whole PDU; at the end of the stream it does nothing.
func Recv(s *Script) {
	head := make([]byte, dicom.HeaderLen)
	if _, err := io.ReadFull(s.Conn, head); err != nil {
		return
	}
	_, length, err := dicom.DecodeHeader(head)
	if err != nil {
		panic(err)
	}
	body := make([]byte, length)
	_, _ = io.ReadFull(s.Conn, body)
	s.Got = append(s.Got, append(head, body...))
}

// Hear reads PDUs until the other side closes.
func Hear(s *Script) {
	for n := -1; n != len(s.Got); {
		n = len(s.Got)
		Recv(s)
	}
}

// RecvMessage reads PDUs until a command, and the data set that it announces, are complete.
func RecvMessage(s *Script) {
	var commands dicom.Assembler
	var command *dicom.Command
	for {
		n := len(s.Got)
		if Recv(s); len(s.Got) == n {
			return
		}
		pdvs, err := dicom.DecodePDVs(s.Got[n][dicom.HeaderLen:])
		if err != nil {
			return
		}
		for _, pdv := range pdvs {
			c, err := commands.Add(pdv)
			switch {
			case err != nil:
				return
			case c != nil && !c.HasDataSet():
				return
			case c != nil:
				command = c
			case command != nil && !pdv.Command && pdv.Last:
				return
			}
		}
	}
}

// Send writes bytes in one piece.
func Send(b []byte) Step { return func(s *Script) { _, _ = s.Conn.Write(b) } }

// Flood writes bytes many times over, and goes on with the script meanwhile.
func Flood(b []byte, times int) Step {
	return func(s *Script) {
		go func() {
			for range times {
				if _, err := s.Conn.Write(b); err != nil {
					return
				}
			}
		}()
	}
}

// Pause waits in fake time.
func Pause(d time.Duration) Step { return func(*Script) { time.Sleep(d) } }

// Drip sends one byte a second.
func Drip(b []byte) Step {
	return func(s *Script) {
		for i := range b {
			time.Sleep(time.Second)
			if _, err := s.Conn.Write(b[i : i+1]); err != nil {
				return
			}
		}
	}
}

// Accept answers an association request; max is the announced maximum length.
func Accept(max uint32, results ...dicom.ContextResult) Step {
	ac := dicom.AssociateAC{Version: 1, CalledAE: "ANY-SCP", CallingAE: "GANTRY", Results: results,
		UserInformation: dicom.UserInformation{MaxLength: max, ImplementationClassUID: "2.25.1"}}
	return Send(ac.Append(nil))
}

// Agree accepts contexts with Implicit VR Little Endian.
func Agree(ids ...byte) Step {
	var results []dicom.ContextResult
	for _, id := range ids {
		results = append(results, dicom.ContextResult{ID: id, TransferSyntax: dicom.ImplicitVRLittleEndianUID})
	}
	return Accept(16384, results...)
}

// Say sends a command, and a data set if it is not empty.
func Say(context byte, c dicom.Command, dataSet []byte) Step {
	return Send(Message(context, c, dataSet))
}

// Message is a command as one P-DATA-TF, and its data set as another if it is not empty.
func Message(context byte, c dicom.Command, dataSet []byte) []byte {
	b := dicom.AppendPData(nil, dicom.PDV{ContextID: context, Command: true, Last: true, Data: c.Append(nil)})
	if len(dataSet) > 0 {
		b = dicom.AppendPData(b, dicom.PDV{ContextID: context, Last: true, Data: dataSet})
	}
	return b
}

// Released agrees to a release.
func Released(s *Script) { Send(dicom.AppendReleaseRP(nil))(s) }

// ReleaseRQ asks for one.
func ReleaseRQ(s *Script) { Send(dicom.AppendReleaseRQ(nil))(s) }

// Abort aborts.
func Abort(source, reason byte) Step {
	return Send(dicom.Abort{Source: source, Reason: reason}.Append(nil))
}

// Run plays the steps against one check in fake time. got is what the server received.
func Run(t *testing.T, p negotiate.Prober, steps ...Step) (result negotiate.Result, got [][]byte) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		played := make(chan *Script, 1)
		result = negotiate.Run(negotiate.WithTranscript(t.Context()), negotiate.Check{
			Address: func() (string, error) { return "10.12.1.111:104", nil },
			Prober:  p,
			Dial: func(context.Context, string) (net.Conn, error) {
				here, there := net.Pipe()
				go func() {
					s := &Script{Conn: there}
					for _, do := range steps {
						do(s)
					}
					there.Close()
					played <- s
				}()
				return here, nil
			},
		})
		got = (<-played).Got
	})
	return result, got
}

// LastAbort returns the A-ABORT that the server received last; ok is false if there was none.
func LastAbort(got [][]byte) (a dicom.Abort, ok bool) {
	if len(got) == 0 {
		return a, false
	}
	a, err := dicom.DecodeAbort(got[len(got)-1])
	return a, err == nil
}

// Canned runs a check against a connection that has all answers ready: for fuzzing.
func Canned(ctx context.Context, p negotiate.Prober, answers []byte) negotiate.Result {
	return negotiate.Run(negotiate.WithTranscript(ctx), negotiate.Check{
		Address: func() (string, error) { return "a:1", nil }, Prober: p,
		Dial: func(context.Context, string) (net.Conn, error) {
			return &canned{answers: bytes.NewReader(answers)}, nil
		},
	})
}

type canned struct {
	net.Conn
	answers *bytes.Reader
}

func (c *canned) Read(b []byte) (int, error)       { return c.answers.Read(b) }
func (c *canned) Write(b []byte) (int, error)      { return len(b), nil }
func (c *canned) SetDeadline(time.Time) error      { return nil }
func (c *canned) SetReadDeadline(time.Time) error  { return nil }
func (c *canned) SetWriteDeadline(time.Time) error { return nil }
func (c *canned) Close() error                     { return nil }
