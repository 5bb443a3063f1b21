package mllpack

import (
	"bytes"
	"context"
	"io"
	"net"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gantry/negotiate"
	"gantry/protocols/mllp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var hl71 = negotiate.Target{Service: "HL7", Server: "HL71", Host: "10.12.1.130", Port: 2575, Version: "1.2.3"}

func proberOf(t testing.TB, s Settings, target negotiate.Target) negotiate.Prober {
	t.Helper()
	s.Validate(func(key, got, want string) { t.Errorf("%s: %s; %s", key, got, want) })
	p, err := s.Prober(target)
	require.NoError(t, err)
	return p
}

// step is one thing that a scripted receiver does.
type step func(*script)

type script struct {
	conn net.Conn
	got  []string // messages received, without framing
}

// id is MSH-10 of the last message received.
func (s *script) id() string {
	if len(s.got) == 0 {
		return ""
	}
	return string(bytes.Split([]byte(s.got[len(s.got)-1]), []byte("|"))[9])
}

// recv reads one frame byte by byte; at the end of the stream it does nothing.
func recv(s *script) {
	var b []byte
	for one := make([]byte, 1); !bytes.HasSuffix(b, []byte("\x1c\r")); {
		if _, err := io.ReadFull(s.conn, one); err != nil {
			return
		}
		b = append(b, one...)
	}
	s.got = append(s.got, string(b[1:len(b)-2]))
}

// hear reads until the other side closes.
func hear(s *script) { _, _ = io.Copy(io.Discard, s.conn) }

func pause(d time.Duration) step { return func(*script) { time.Sleep(d) } }

// raw sends bytes as they are; a field ID in them becomes the control id that was received.
func raw(text string) step {
	return func(s *script) {
		text := strings.NewReplacer("|ID", "|"+s.id(), "#ID", "#"+s.id()).Replace(text)
		_, _ = io.WriteString(s.conn, text)
	}
}

// framed sends one frame.
func framed(message string) step { return raw(string(mllp.Append(nil, []byte(message)))) }

const ackHead = `MSH|^~\&|RIS|WARD|GANTRY|GANTRY|20260102030405||ACK^ZHC^ACK|77|T|2.5.1` + "\r"

// ack sends an acknowledgement with these segments behind MSH.
func ack(segments string) step { return framed(ackHead + segments + "\r") }

// run plays the steps against one check in fake time. got is what the receiver was sent.
func run(t *testing.T, settings Settings, timeout time.Duration, steps ...step) (result negotiate.Result, got []string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		played := make(chan *script, 1)
		result = negotiate.Run(negotiate.WithTranscript(t.Context()), negotiate.Check{
			Timeout: timeout,
			Address: func() (string, error) { return "10.12.1.130:2575", nil },
			Prober:  proberOf(t, settings, hl71),
			Dial: func(context.Context, string) (net.Conn, error) {
				here, there := net.Pipe()
				go func() {
					s := &script{conn: there}
					for _, do := range steps {
						do(s)
					}
					_ = there.Close()
					played <- s
				}()
				return here, nil
			},
		})
		got = (<-played).got
	})
	return result, got
}

// wantStages fails unless the check went through all of its stages.
func wantStages(t *testing.T, r negotiate.Result) {
	t.Helper()
	var stages []negotiate.Stage
	for _, s := range r.Stages {
		stages = append(stages, s.Stage)
	}
	require.Equal(t, []negotiate.Stage{negotiate.StageConnect, negotiate.StageAsk, negotiate.StageClose}, stages)
}

var builtIn = regexp.MustCompile(`^MSH\|\^~\\&\|GANTRY\|GANTRY\|\|\|\d{14}\|\|ZHC\^ZHC\|GANTRY[A-Z2-7]{14}\|T\|2\.5\.1\r$`)
