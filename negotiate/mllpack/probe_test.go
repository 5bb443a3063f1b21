package mllpack

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/negotiate"
)

// own writes an operator's message and names it in settings.
func own(t *testing.T, text string) Settings {
	t.Helper()
	file := filepath.Join(t.TempDir(), "probe.hl7")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return Settings{Message: file}
}

const testADT = "MSH|^~\\&|GANTRY|GANTRY|RIS|WARD|{time}||ADT^A08|x|T|2.5\nEVN|A08|{time}\nPID|1||ZZ-GANTRY-PROBE||PROBE^INVENTED\n"

func TestHealthy(t *testing.T) {
	tests := []struct {
		name     string
		settings Settings
		steps    []step
	}{
		{"AA", Settings{}, []step{recv, ack("MSA|AA|ID"), hear}},
		{"CA", Settings{}, []step{recv, ack("MSA|CA|ID"), hear}},
		{"white space between frames", Settings{}, []step{recv, raw("\n \x00\r"), ack("MSA|AA|ID"), hear}},
		{"padded control id", Settings{}, []step{recv, ack("MSA|AA|ID "), hear}},
		{"padded code", Settings{}, []step{recv, ack("MSA|AA |ID"), hear}},
		{"empty lines in front", Settings{}, []step{recv, framed("\r\n" + ackHead + "MSA|AA|ID\r"), hear}},
		{"query response", Settings{}, []step{recv, framed("MSH|^~\\&|A|B|C|D|1||RSP^K22|9|P|2.5\rMSA|AA|ID\rQAK|1|NF\r"), hear}},
		{"other delimiters, LF", Settings{}, []step{recv, framed("MSH#*:?!#A#B#C#D#1##ACK#9#P#2.3\nMSA#AA#ID\n"), hear}},
		{"byte order mark", Settings{}, []step{recv, framed("\xef\xbb\xbf" + ackHead + "MSA|AA|ID\r"), hear}},
		{"unsupported type, ERR-3", Settings{}, []step{recv, ack("MSA|AR|ID\rERR|||200^Unsupported message type^HL70357|E"), hear}},
		{"required field, ERR-1 of old versions", Settings{}, []step{recv, ack("MSA|AE|ID\rERR|MSH^1^5^101&Required field missing&HL70357"), hear}},
		{"unsupported event, MSA-6", Settings{}, []step{recv, ack("MSA|CR|ID||||201"), hear}},
		{"a code that says why, and a word that sounds ill", Settings{}, []step{recv, ack("MSA|AE|ID|no such table in database\rERR|||103"), hear}},
		{"rejected without a code", Settings{}, []step{recv, ack("MSA|AR|ID|I do not know that"), hear}},
		{"HAPI without a route", Settings{}, []step{recv, ack("MSA|AR|ID\rERR|||207^Application internal error^HL70357^^^^^^No appropriate destination could be found to which this message could be routed.|E"), hear}},
		{"commit answer of release 2", Settings{}, []step{recv, framed("\x06"), hear}},
		{"expected AR, whatever the error", Settings{Expect: []string{"AA", "AR"}}, []step{recv, ack("MSA|AR|ID"), hear}},
		{"expected error", Settings{ExpectError: []string{"207"}}, []step{recv, ack("MSA|AR|ID\rERR|||207"), hear}},
		{"AA where only errors are named", Settings{ExpectError: []string{"200"}}, []step{recv, ack("MSA|AA|ID"), hear}},
		{"error named beside AA alone", Settings{Expect: []string{"AA"}, ExpectError: []string{"200"}}, []step{recv, ack("MSA|AE|ID\rERR|||200"), hear}},
		{"code and error expected", Settings{Expect: []string{"AA", "AR"}, ExpectError: []string{"200"}}, []step{recv, ack("MSA|AR|ID\rERR|||200"), hear}},
		{"commit, then the application", Settings{Expect: []string{"AA"}}, []step{recv, framed("\x06"), pause(time.Second), ack("MSA|AA|ID"), recv, hear}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, got := run(t, tt.settings, 0, tt.steps...)
			require.Nil(t, r.Fault)
			require.Nil(t, r.Degraded)
			require.Nil(t, r.Warning)
			wantStages(t, r)
			require.Regexp(t, builtIn, got[0])
			require.Less(t, r.Duration, 2*time.Second)
		})
	}
}

// TestSick are acknowledgements that speak against the receiver.
func TestSick(t *testing.T) {
	tests := []struct {
		name           string
		settings       Settings
		answer         step
		peer, sentence string
	}{
		{"AE 207", Settings{}, ack("MSA|AE|ID\rERR|||207^Application internal error^HL70357|E"), "MSA AE, ERR 207",
			"acknowledges with AE, error 207 (Application internal error): it takes messages but cannot work on them; look at its log, its database and its disk; if that is its answer to types that it does not know, write expect_error: [207]"},
		{"AR 206 in the second ERR", Settings{}, ack("MSA|AR|ID\rERR|||200\rERR|||206"), "MSA AR, ERR 200, ERR 206", "acknowledges with AR, error 206 (Application record locked): it takes"},
		{"AE 207 in the second error of ERR-1", Settings{}, ack("MSA|AE|ID\rERR|MSH^1^9^200&type~^^^207&internal"), "MSA AE, ERR 200, ERR 207", "acknowledges with AE, error 207 (Application internal error)"},
		{"text about the database", Settings{}, ack("MSA|AE|ID|Connection to DATABASE lost for DOE^JOHN"), "MSA AE", "acknowledges with AE and a text about its database, queue or disk"},
		{"release 2 says no", Settings{}, framed("\x15"), "MLLP commit 15", "refuses to store the message (MLLP release 2, commit answer 15)"},
		{"release 2 says no, AA expected", Settings{Expect: []string{"AA"}}, framed("\x15"), "MLLP commit 15", "refuses to store"},
		{"AR where AA is expected", Settings{Expect: []string{"AA"}}, ack("MSA|AR|ID\rERR|||200"), "MSA AR, ERR 200",
			"acknowledges with AR, error 200 (Unsupported message type) where AA is expected: its log says why"},
		{"AA where AR is expected", Settings{Expect: []string{"AR"}}, ack("MSA|AA|ID"), "MSA AA", "acknowledges with AA where AR is expected"},
		{"another error", Settings{ExpectError: []string{"200", "201"}}, ack("MSA|AR|ID\rERR|||207"), "MSA AR, ERR 207", "where error 200, 201 is expected"},
		{"right error, wrong code", Settings{Expect: []string{"AA", "AR"}, ExpectError: []string{"200"}}, ack("MSA|AE|ID\rERR|||200"), "MSA AE, ERR 200", "where AA, AR and error 200 is expected"},
		{"ill under a wrong MSA-2", Settings{}, ack("MSA|AE|\rERR|||207"), "MSA AE, ERR 207", "acknowledges with AE, error 207"},
		{"what is no code is not shown", Settings{Expect: []string{"AA"}}, ack("MSA|AE|ID\rERR|||DOE^JOHN|E\rERR|||Patient Doe"), "MSA AE, ERR something that is no code, ERR something that is no code", "AE, error something that is no code where"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, _ := run(t, tt.settings, 0, recv, tt.answer, hear)
			require.NotNil(t, r.Fault)
			require.Equal(t, negotiate.StageAsk, r.Fault.Stage)
			require.Equal(t, negotiate.ReasonBadStatus, r.Fault.Reason)
			require.Equal(t, tt.peer, r.Fault.Peer)
			require.Contains(t, r.Fault.Sentence, tt.sentence)
			require.NotContains(t, r.Fault.Sentence+r.Fault.Peer, "JOHN")
		})
	}
}

// TestOwnMessageMustBeTaken: who writes a message himself wants it taken, unless he says otherwise.
func TestOwnMessageMustBeTaken(t *testing.T) {
	tests := []struct {
		name, answer, sentence string
	}{
		{"AA", "MSA|AA|ID", ""},
		{"rejected by design", "MSA|AR|ID\rERR|||202", ""},
		{"AE without a code", "MSA|AE|ID|text", "does not take the message: it acknowledges with AE and no error code; look at its log"},
		{"its own code", "MSA|AE|ID\rERR|||E17", "does not take the message: it acknowledges with AE, error E17; look"},
		{"duplicate", "MSA|AR|ID\rERR|||205", "AR, error 205 (Duplicate key identifier)"},
		{"internal error", "MSA|AR|ID\rERR|||207^^^^^^^^No appropriate destination", "acknowledges with AR, error 207 (Application internal error)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, got := run(t, own(t, testADT), 0, recv, ack(tt.answer), hear)
			require.Regexp(t, `^MSH\|\^~\\&\|GANTRY\|GANTRY\|RIS\|WARD\|\d{14}\|\|ADT\^A08\|GANTRY[A-Z2-7]{14}\|T\|2\.5\rEVN\|A08\|\d{14}\rPID\|1\|\|ZZ-GANTRY-PROBE\|\|PROBE\^INVENTED\r$`, got[0])
			if tt.sentence == "" {
				require.Nil(t, r.Fault)
				return
			}
			require.NotNil(t, r.Fault)
			require.Contains(t, r.Fault.Sentence, tt.sentence)
			require.NotContains(t, r.Fault.Sentence, "expect_error: [")
		})
	}
}

// TestDegraded are receivers that live, but that senders cannot rely on.
func TestDegraded(t *testing.T) {
	tests := []struct {
		name     string
		steps    []step
		reason   negotiate.Reason
		sentence string
	}{
		{"other control id", []step{recv, ack("MSA|AA|4711"), hear}, negotiate.ReasonMismatch, "acknowledges, but not our message: MSA-2 is not"},
		{"empty control id", []step{recv, ack("MSA|AA"), hear}, negotiate.ReasonMismatch, "acknowledges without saying which message (MSA-2 is empty)"},
		{"stale ones, then closed", []step{recv, ack("MSA|AA|1"), ack("MSA|AE|2")}, negotiate.ReasonMismatch, "acknowledges, but not our message"},
		{"lower case", []step{recv, ack("MSA|aa|ID"), hear}, negotiate.ReasonMalformed, "acknowledges with aa in lower case: strict senders do not know that code"},
		{"CR missing", []step{recv, raw("\x0b" + ackHead + "MSA|AA|ID\r\x1c"), hear}, negotiate.ReasonMalformed, "leaves out the CR at the end of its frame"},
		{"CR missing, then closed", []step{recv, raw("\x0b" + ackHead + "MSA|AA|ID\r\x1c")}, negotiate.ReasonMalformed, "leaves out the CR"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, _ := run(t, Settings{}, 0, tt.steps...)
			require.Nil(t, r.Fault)
			require.NotNil(t, r.Degraded)
			require.Equal(t, tt.reason, r.Degraded.Reason)
			require.Contains(t, r.Degraded.Sentence, tt.sentence)
			require.NotContains(t, r.Degraded.Sentence+r.Degraded.Peer, "4711")
			require.Less(t, r.Duration, StaleWait+TrailerWait+time.Second)
		})
	}
}

// TestWarned are oddities that change nothing.
func TestWarned(t *testing.T) {
	stale, ours := ack("MSA|AA|OLD"), ack("MSA|AA|ID")
	tests := []struct {
		name     string
		settings Settings
		steps    []step
		sentence string
	}{
		{"stale acknowledgement first", Settings{}, []step{recv, stale, pause(500 * time.Millisecond), ours, hear}, "acknowledges another message first, then ours"},
		{"two stale ones in one piece with ours", Settings{}, []step{recv, raw("\x0b" + ackHead + "MSA|AA|1\r\x1c\r\x0b" + ackHead + "MSA|AA|2\r\x1c\r\x0b" + ackHead + "MSA|AA|ID\r\x1c\r"), hear}, "another message first"},
		{"stale one with its end doubled", Settings{}, []step{recv, stale, raw("\x1c\r"), ours, hear}, "another message first"},
		{"closes after its answer", Settings{}, []step{recv, ours}, "acknowledges, then closes the connection: senders that keep theirs open"},
		{"accepted by expect, but says it is ill", Settings{Expect: []string{"AR"}}, []step{recv, ack("MSA|AR|ID\rERR|||207"), hear}, "which expect allows: it may be ill"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, _ := run(t, tt.settings, 0, tt.steps...)
			require.Nil(t, r.Fault)
			require.Nil(t, r.Degraded)
			require.NotNil(t, r.Warning)
			require.Contains(t, r.Warning.Sentence, tt.sentence)
		})
	}
}

// TestEachCheckHasAnIDOfItsOwn: receivers that look for duplicates must never find one.
func TestEachCheckHasAnIDOfItsOwn(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		id := newID()
		require.Len(t, id, 20)
		require.True(t, codeLike([]byte(id)), "transcripts show it")
		require.False(t, seen[id])
		seen[id] = true
	}
	require.Equal(t, 1, strings.Count(fill("a{control_id}b", "X", time.Time{}), "aXb"))
}
