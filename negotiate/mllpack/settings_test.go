package mllpack

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/negotiate"
)

// problems are what Validate reports, as "key: want".
func problems(s *Settings) []string {
	var got []string
	s.Validate(func(key, value, want string) { got = append(got, key+": "+want) })
	return got
}

func TestValidate(t *testing.T) {
	tests := []struct {
		name     string
		settings Settings
		want     string // "" = fine
	}{
		{"absent", Settings{}, ""},
		{"all set", Settings{SendingApplication: "GANTRY^1.2.3^ISO", SendingFacility: "A & B", ReceivingApplication: "RIS", ReceivingFacility: "WARD",
			ProcessingID: "P", Version: "2.3.1", MessageType: "ZXY^Z01^ZXY_Z01", Expect: []string{"AA", "CE"}, ExpectError: []string{"200", "E17"}}, ""},
		{"field separator", Settings{SendingApplication: "A|B"}, `sending_application: write ASCII text without | \ and ~`},
		{"segment end", Settings{ReceivingFacility: "A\rPID"}, `receiving_facility: write ASCII text`},
		{"repetition", Settings{SendingFacility: "A~B"}, `sending_facility: write ASCII`},
		{"not ASCII", Settings{ReceivingApplication: "RÖ"}, `receiving_application: write ASCII`},
		{"a real type", Settings{MessageType: "ADT^A01"}, "message_type: write a type of your own such as ZHC^ZHC, or write the message yourself"},
		{"a real trigger", Settings{MessageType: "ZHC^A01"}, "message_type: write a type of your own"},
		{"a real structure", Settings{MessageType: "ZHC^ZHC^ADT_A01"}, "message_type: write a type of your own"},
		{"a type with more behind it", Settings{MessageType: "ZHC^ZHC|1|P|2.5\rPID|1"}, "message_type: write a type of your own"},
		{"a type with a line end", Settings{MessageType: "ZHC^ZHC\n"}, "message_type: write a type of your own"},
		{"processing id", Settings{ProcessingID: "X|Y"}, "processing_id: write T"},
		{"version", Settings{Version: "2.5\rPID"}, "version: write a version such as 2.5.1"},
		{"code", Settings{Expect: []string{"AA", "OK"}}, "expect[1]: write AA, AE, AR, CA, CE or CR"},
		{"error", Settings{ExpectError: []string{"not found"}}, "expect_error[0]: write a code of table 0357 such as 200"},
		{"no file", Settings{Message: "/nowhere/probe.hl7"}, "message: name a readable file with one HL7 message of at most 1 MiB (no such file or directory)"},
		{"a folder", Settings{Message: "/"}, "message: name a readable file with one HL7 message of at most 1 MiB (not a regular file)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := problems(&tt.settings)
			if tt.want == "" {
				require.Empty(t, got)
				return
			}
			require.Len(t, got, 1)
			require.Contains(t, got[0], tt.want)
		})
	}
}

// TestMessageHasItsOwnType: two types would be one too many.
func TestMessageHasItsOwnType(t *testing.T) {
	file := filepath.Join(t.TempDir(), "m.hl7")
	require.NoError(t, os.WriteFile(file, []byte("MSH|^~\\&|A|B|C|D|1||ADT^A08|x|T|2.5\n"), 0o600))
	require.Empty(t, problems(&Settings{Message: file, MessageType: DefaultMessageType}))
	require.Equal(t, []string{"message_type: remove it: the file named by message has a type of its own"},
		problems(&Settings{Message: file, MessageType: "ZXY^Z01"}))
}

// TestMessageFiles: whatever cannot be one question with one answer is found at load, and not quoted.
func TestMessageFiles(t *testing.T) {
	const head = "MSH|^~\\&|A|B|C|D|1||ADT^A08|x|T|2.5"
	tests := []struct{ name, text, want string }{
		{"empty", " \n", "it is empty"},
		{"not HL7", "<html>", "line 1 does not begin with the name of a segment"},
		{"another segment first", "PID|1\n", "it does not begin with an MSH segment"},
		{"a batch", "BHS|^~\\&|A\n" + head, "it does not begin with an MSH segment"},
		{"two messages", head + "\n" + head, "it holds several messages"},
		{"a wrapped line", head + "\nOBX|1|TX|||long\n text|\n", "line 3 does not begin with the name of a segment"},
		{"framed", "\x0b" + head + "\x1c\r", "the framing bytes 0B or 1C, which the check adds itself"},
		{"UTF-16", "\xff\xfeM\x00S\x00H\x00", "it is in UTF-16"},
		{"no type", "MSH|^~\\&|A|B|C|D|1|||x|T|2.5", "MSH-9 is empty"},
		{"no delimiters", "MSH||A|B", "MSH-2 has no encoding characters"},
		{"an acknowledgement", "MSH|^~\\&|A|B|C|D|1||ACK|x|T|2.5\nMSA|AA|1", "it is an acknowledgement, which nobody answers"},
		{"no answer wanted", head + "|||NE|NE", "MSH-15 and MSH-16 ask for no sure answer"},
		{"answer on error only", head + "|||ER|NE", "MSH-15 and MSH-16 ask for no sure answer"},
		{"unknown placeholder", strings.Replace(head, "|C|", "|{receiver}|", 1), "placeholder {receiver} in MSH is not known"},
		{"too large", head + "\n" + strings.Repeat("NTE|1\n", MaxMessage/6), "file is larger than 1 MiB"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := own(t, tt.text)
			got := problems(&s)
			require.Len(t, got, 1)
			require.Contains(t, got[0], tt.want)
			_, err := s.Prober(negotiate.Target{})
			require.Error(t, err)
		})
	}
}

// TestOwnMessages: how a file becomes what is sent.
func TestOwnMessages(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"control id replaced", "MSH|^~\\&|A|B|C|D|1||ADT^A08|4711|T|2.5\r", "MSH|^~\\&|A|B|C|D|1||ADT^A08|NEW|T|2.5\r"},
		{"control id added", "MSH|^~\\&|A|B|C|D|1||ADT", "MSH|^~\\&|A|B|C|D|1||ADT|NEW\r"},
		{"LF, blank lines, byte order mark", "\xef\xbb\xbfMSH|^~\\&|A|B|C|D|1||ADT|4|T|2.5\n\nEVN|A08\n", "MSH|^~\\&|A|B|C|D|1||ADT|NEW|T|2.5\rEVN|A08\r"},
		{"CR LF, other delimiters", "MSH#*:?!#A#B#C#D#1##ADT*A08#9#T#2.5\r\nEVN#A08\r\n", "MSH#*:?!#A#B#C#D#1##ADT*A08#NEW#T#2.5\rEVN#A08\r"},
		{"placeholders", "MSH|^~\\&|{sending_application}|{sending_facility}|{receiving_application}|{receiving_facility}|{time}||QBP^Q22|{control_id}|{processing_id}|{version}\nQPD|Q22|{control_id}|{other}\n",
			"MSH|^~\\&|GANTRY|GANTRY|RIS|WARD|20260102030405||QBP^Q22|NEW|T|2.5.1\rQPD|Q22|NEW|{other}\r"},
		{"bytes of other character sets stay", "MSH|^~\\&|A|B|C|D|1||ADT|4|T|2.5\rZZZ|\xc4\x81\r", "MSH|^~\\&|A|B|C|D|1||ADT|NEW|T|2.5\rZZZ|\xc4\x81\r"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := own(t, tt.text)
			s.ReceivingApplication, s.ReceivingFacility = "RIS", "WARD"
			p := proberOf(t, s, hl71).(*probe)
			require.Equal(t, tt.want, fill(p.message, "NEW", time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)))
		})
	}
}

// TestLoad: a caller may open the file in its own way, and the content belongs to the settings.
func TestLoad(t *testing.T) {
	s := Settings{Message: "probe.hl7"}
	s.Load(func(name string, max int64) ([]byte, error) {
		require.Equal(t, "probe.hl7", name)
		require.Equal(t, int64(MaxMessage), max)
		return []byte(testADT), nil
	})
	require.Empty(t, problems(&s))
	require.Equal(t, testADT, string(s.Content))
	s.Load(func(string, int64) ([]byte, error) { return nil, errors.New("gone") })
	require.Equal(t, []string{"message: name a readable file with one HL7 message of at most 1 MiB (gone)"}, problems(&s))
	s = Settings{Message: "probe.hl7"}
	s.Load(func(string, int64) ([]byte, error) { return nil, nil })
	require.Equal(t, []string{"message: name a file with one HL7 message (it is empty)"}, problems(&s))
	(&Settings{}).Load(nil) // nothing to read
}

// TestReadOnce: a file that changes later changes nothing until the next load.
func TestReadOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "probe.hl7")
	require.NoError(t, os.WriteFile(file, []byte(testADT), 0o600))
	s := Settings{Message: file}
	require.Empty(t, problems(&s))
	require.NoError(t, os.Remove(file))
	_, err := s.Prober(hl71)
	require.NoError(t, err)
}

// FuzzSettings: nothing that Validate lets pass turns the built-in message into another one.
func FuzzSettings(f *testing.F) {
	f.Add("GANTRY", "GANTRY", "RIS", "WARD", "T", "2.5.1", "ZHC^ZHC")
	f.Add("A|B", "\r", "{time}", "{control_id}", "P", "", "ADT^A01")
	f.Fuzz(func(t *testing.T, app, facility, toApp, toFacility, processing, version, kind string) {
		s := Settings{SendingApplication: app, SendingFacility: facility, ReceivingApplication: toApp, ReceivingFacility: toFacility,
			ProcessingID: processing, Version: version, MessageType: kind}
		if len(problems(&s)) > 0 {
			return
		}
		p, err := s.Prober(hl71)
		require.NoError(t, err)
		message := fill(p.(*probe).message, "NEW", time.Time{})
		require.Equal(t, 1, strings.Count(message, "\r"))
		fields := strings.Split(message, "|")
		require.Len(t, fields, 12)
		require.Regexp(t, `^Z..\^Z..`, fields[8])
		require.Equal(t, "NEW", fields[9])
	})
}
