package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gantry/fixtures/hl7"
	"gantry/fixtures/hl7/ledger"
	"gantry/fixtures/secure"
)

// engine starts a receiver, with a record when there is a path for it.
func engine(t *testing.T, record string, faults ...string) *hl7.Receiver {
	t.Helper()
	f, err := hl7.FaultTable.Parse(faults)
	require.NoError(t, err)
	o := hl7.Options{Faults: f}
	if record != "" {
		w, err := ledger.RecordReceived(record)
		require.NoError(t, err)
		o.Record = w.Receive
		t.Cleanup(func() { w.Close() })
	}
	r, err := hl7.Start(o)
	require.NoError(t, err)
	t.Cleanup(r.Close)
	return r
}

// What the summary says, and the exit code that goes with it.
func TestSendMLLP(t *testing.T) {
	tests := []struct {
		name, faults, args string
		code               int
		want               []string
	}{
		{"all well", "slow=1us", "--generate 20 --size 4KiB --concurrency 2 --pipeline 2", exitOK,
			[]string{"20 messages to ", "connections  2\n", "answers      20 AA", "response", "Nothing was lost: all 20 messages accepted"}},
		{"one", "slow=1us", "--generate 1", exitOK, []string{"the message was accepted"}},
		{"refused", "error=207", "--generate 3", exitFailed,
			[]string{"answers      3 AE 207", "REFUSED: 3 of 3 messages.", "  3 × AE, error 207 (Application internal error)"}},
		{"sent again", "close flapping=2", "--generate 10 --retry 3 --retry-wait 1ms", exitOK, []string{"sent again", "of them broken", "all 10 messages accepted"}},
		{"lost", "close", "--generate 10", exitFailed, []string{"LOST: 10 of 10 messages.", "  3 × connection closed by the peer without an answer", "  7 × not sent: "}},
		{"wrong, and well in the end", "stale-ack flapping=1", "--generate 4 --retries 3 --retry-wait 0", exitFailed,
			[]string{"answers      4 AA", "WRONG: 3 answers.", "  3 × a second answer to a message that had its answer"}},
		{"nothing taken", "commit-nak", "--generate 2", exitFailed, []string{"2 15", "REFUSED: 2 of 2 messages.\n  2 × the commit byte 15"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := engine(t, "", strings.Fields(tt.faults)...)
			s := newStage()
			require.Equal(t, tt.code, s.run(t, append([]string{"send", "mllp", r.Addr()}, strings.Fields(tt.args)...)...), s.err.String()+s.out.String())
			for _, want := range tt.want {
				require.Contains(t, s.out.String(), want)
			}
			for line := range strings.Lines(s.out.String()) {
				require.LessOrEqual(t, len([]rune(line)), 81, "a narrow terminal")
			}
		})
	}
}

const twoMessages = "MSH|^~\\&|A|B|C|D|1||ADT^A01|1|P|2.5\nPID|||ZZ-1\nMSH|^~\\&|A|B|C|D|1||ADT^A01|2|P|2.5\n"

// Files go as messages, and those with losses are listed for another go.
func TestSendMLLPFiles(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"1.hl7": twoMessages, "2.hl7": strings.ReplaceAll(twoMessages, "ZZ-1", "ZZ-\xff"), "README": "none", "3": "\x0bMSH|"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	list := filepath.Join(t.TempDir(), "failed")
	r := engine(t, "", "ascii-only")
	s := newStage()
	require.Equal(t, exitFailed, s.run(t, "send", "mllp", r.Addr(), dir, "--failed", list, "--output", "json"))
	var j mllpJSON
	require.NoError(t, json.Unmarshal(s.out.Bytes(), &j))
	require.Equal(t, []any{"lost", 5, 3, 2, 1, 1, 1}, []any{j.Verdict, j.Total, j.Done, j.Lost, j.Unanswered, j.Unsent, j.Skipped})
	require.Equal(t, []answerJSON{{"AA", 3}}, j.Answers)
	require.Equal(t, []reasonJSON{{whyDamagedHL7, 1}, {"connection closed by the peer without an answer", 1}}, j.Reasons)
	require.Empty(t, j.Run)
	b, err := os.ReadFile(list)
	require.NoError(t, err)
	require.Equal(t, []string{filepath.Join(dir, "2.hl7"), filepath.Join(dir, "3")}, strings.Fields(string(b)))
}

// The records of a sender and of its receiver agree, or they do not.
func TestSendMLLPRecords(t *testing.T) {
	tests := []struct {
		fault, args string
		code        int
		verdict     string
		words       string
	}{
		{"slow=1us", "", exitOK, "ok", "Both ends agree: all 30 accepted are kept"},
		{"lost-ack flapping=1", "--retries 3 --retry-wait 0", exitOK, "ok", "29 kept more than once, having been sent again"},
		{"lost flapping=3", "", exitFailed, "differ", "THE TWO ENDS DO NOT AGREE: 15 missing."},
	}
	for _, tt := range tests {
		t.Run(tt.fault, func(t *testing.T) {
			dir := t.TempDir()
			sent, received := filepath.Join(dir, "sent.jsonl"), filepath.Join(dir, "r.jsonl")
			r := engine(t, received, strings.Fields(tt.fault)...)
			args := append([]string{"send", "mllp", r.Addr(), "--generate", "30", "-o", "json", "--record", sent, "--received", received}, strings.Fields(tt.args)...)
			s := newStage()
			require.Equal(t, tt.code, s.run(t, args...), s.err.String())
			var j struct {
				Verdict string
				Judged  judgedJSON
			}
			require.NoError(t, json.Unmarshal(s.out.Bytes(), &j))
			require.Equal(t, []string{tt.verdict, tt.verdict}, []string{j.Verdict, j.Judged.Verdict})
			require.Equal(t, 30, j.Judged.Messages)

			s = newStage()
			require.Equal(t, tt.code, s.run(t, "send", "mllp", "--judge", sent, received), s.err.String())
			require.Contains(t, s.out.String(), tt.words)
			s = newStage()
			require.Equal(t, tt.code, s.run(t, "send", "mllp", "--judge", sent, received, "-o", "json"))
			var alone judgedJSON
			require.NoError(t, json.Unmarshal(s.out.Bytes(), &alone))
			require.Equal(t, j.Judged, alone)
		})
	}
}

func TestSendMLLPBadUsage(t *testing.T) {
	dir := t.TempDir()
	text, record := filepath.Join(dir, "text"), filepath.Join(dir, "record")
	require.NoError(t, os.WriteFile(text, []byte("no HL7"), 0o600))
	require.NoError(t, os.WriteFile(record, []byte(`{"record":"received","clock":"c"}`+"\n"), 0o600))
	tests := map[string]string{
		"":                                       "HOST:PORT is missing",
		"h:1":                                    "nothing to send",
		"h --generate 1":                         "has no port; write HOST:PORT or [IPv6]:PORT; HL7 receivers",
		"h:1 --generate 1 x":                     "exclude each other",
		"h:1 " + text:                            "no HL7 in it",
		"h:1 /nowhere":                           "no such file",
		"h:1 /dev/null":                          "/dev/null: not a file",
		"h:1 --generate -1":                      "are from 1 to 10000000",
		"h:1 --generate 1 -c 0":                  "--concurrency is from 1 to 1000",
		"h:1 --generate 1 --pipeline 1001":       "--pipeline is from 1 to 1000",
		"h:1 --generate 1 --size 1GiB":           "--size: \"1GiB\" is not a size from 1 to 256MiB",
		"h:1 --generate 1 --types adt":           "--types: \"adt\" is no message type",
		"h:1 --generate 1 --patients 0":          "--patients is from 1",
		"h:1 --generate 6000000 --repeat 2":      "too many for one run",
		"h:1 --generate 1 --by turns":            "use patient or round-robin",
		"h:1 --generate 1 --failed f":            "--failed lists files",
		"h:1 --types ADT^A08 " + text:            "--types is about generated messages",
		"h:1 --generate 1 --sending-facility a|": "--sending-facility: a field of MSH",
		"h:1 --generate 1 --may-resend":          "give --received too",
		"h:1 --generate 1 --received /nowhere":   "--received: open /nowhere",
		"h:1 --generate 1 --record /dev/null":    "--record: not a file",
		"--judge":                                "name those of the senders and of the receivers",
		"--judge a b --generate 1":               "leave out --generate",
		"--judge " + text + " " + text:           "no whole line in it, so not a record",
		"--judge " + record + " " + record:       "no sender's record",
	}
	for args, want := range tests {
		t.Run(args, func(t *testing.T) {
			s := newStage()
			require.Equal(t, exitUsage, s.run(t, append([]string{"send", "mllp"}, strings.Fields(args)...)...), s.out.String())
			require.Contains(t, s.err.String(), want)
		})
	}
}

func TestSendMLLPOverTLS(t *testing.T) {
	identity, err := secure.SelfSigned("test")
	require.NoError(t, err)
	r, err := hl7.Start(hl7.Options{Identity: identity})
	require.NoError(t, err)
	t.Cleanup(r.Close)
	for args, code := range map[string]int{"--tls --no-verify": exitOK, "--tls": exitFailed, "": exitFailed} {
		s := newStage()
		got := s.run(t, append([]string{"send", "mllp", r.Addr(), "--generate", "2", "--timeout", "5s"}, strings.Fields(args)...)...)
		require.Equal(t, code, got, "%s: %s%s", args, s.out.String(), s.err.String())
	}
}

// The line of a running job is for terminals alone, and leaves nothing behind.
func TestSendMLLPProgress(t *testing.T) {
	r := engine(t, "", "slow=20ms")
	s := newStage()
	s.watched = func() bool { return true }
	require.Equal(t, exitOK, s.run(t, "send", "mllp", r.Addr(), "--generate", "30"))
	require.Contains(t, s.err.String(), " of 30 messages, ")
	require.True(t, bytes.HasSuffix(s.err.Bytes(), []byte("\r\x1b[K")))
}

// A receiver that is killed has recorded what it acknowledged, and goes on with its record.
func TestSimulateMLLPRecord(t *testing.T) {
	dir := t.TempDir()
	received, sent := filepath.Join(dir, "r.jsonl"), filepath.Join(dir, "sent.jsonl")
	for range 2 {
		r := simulate(t, "mllp", "--record", received)
		s := newStage()
		require.Equal(t, exitOK, s.run(t, "send", "mllp", r.address, "--generate", "20", "--pipeline", "4", "--record", sent), s.out.String())
		require.NoError(t, r.cmd.Process.Kill())
		_ = r.cmd.Wait()
	}
	s := newStage()
	require.Equal(t, exitOK, s.run(t, "send", "mllp", "--judge", sent, received))
	require.Contains(t, s.out.String(), "sent  40 messages in 40 attempts: 40 accepted")
	for args, want := range map[string]string{"--record /dev/null": "--record: not a file", "--max-message 1GiB": "1 to 256MiB"} {
		s := newStage()
		require.Equal(t, exitUsage, s.run(t, append([]string{"simulate", "mllp"}, strings.Fields(args)...)...))
		require.Contains(t, s.err.String(), want)
	}
}
