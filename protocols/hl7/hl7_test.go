package hl7

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/protocols"
)

const order = "MSH|^~\\&|RIS^1.2^ISO|HOSPITAL|PACS|ARCHIVE|20260102030405||ORM^O01^ORM_O01|4711|P^T|2.5.1|||AL|NE||8859/1\r" +
	"PID|1||100^^^HOSPITAL&1.2&ISO~200^^^OTHER||TEST^ONE\r" +
	"ORC|NW|A1\r"

func TestSegmentFields(t *testing.T) {
	h, err := DecodeHeader([]byte(order))
	require.NoError(t, err)
	require.Equal(t, "MSH", h.Name())
	require.Equal(t, Delimiters{'|', '^', '~', '\\', '&'}, h.Delimiters)
	for n, want := range map[int]string{
		FieldSeparator: "|", EncodingCharacters: "^~\\&", SendingApplication: "RIS^1.2^ISO", SendingFacility: "HOSPITAL",
		ReceivingApplication: "PACS", ReceivingFacility: "ARCHIVE", MessageTime: "20260102030405", 8: "",
		MessageType: "ORM^O01^ORM_O01", ControlID: "4711", ProcessingID: "P^T", VersionID: "2.5.1",
		AcceptCondition: "AL", ApplicationCondition: "NE", CharacterSet: "8859/1", 19: "", 99: "",
	} {
		require.Equal(t, want, h.Text(n), "MSH-%d", n)
	}
	require.Equal(t, "O01", h.Component(MessageType, 2))
	require.Equal(t, "", h.Component(MessageType, 4))
	require.Equal(t, "PACS", h.Component(ReceivingApplication, 1))

	pid, ok := h.Find([]byte(order), "PID")
	require.True(t, ok)
	require.Equal(t, "1", pid.Text(1), "only header segments count their separator")
	require.Equal(t, "100^^^HOSPITAL&1.2&ISO~200^^^OTHER", pid.Text(3))
	require.Equal(t, "HOSPITAL&1.2&ISO", pid.Component(3, 4))
	_, ok = h.Find([]byte(order), "OBX")
	require.False(t, ok)
}

func TestDecodeHeader(t *testing.T) {
	tests := []struct {
		name string
		msg  string
		want Delimiters
		id   string
		err  string
	}{
		{"other delimiters", "MSH#*:?!#A#B#C#D#1##ADT*A01#9#P#2.3\r", Delimiters{'#', '*', ':', '?', '!'}, "9", ""},
		{"truncation character of 2.7", "MSH|^~\\&#|A|B|C|D|1||ADT^A01|9|P|2.7\r", Delimiters{'|', '^', '~', '\\', '&'}, "9", ""},
		{"one encoding character", "MSH|^|A|B|C|D|1||ADT^A01|9\r", Delimiters{Field: '|', Component: '^'}, "9", ""},
		{"LF ends", "MSH|^~\\&|A|B|C|D|1||ADT^A01|9\nPID|8", Delimiters{'|', '^', '~', '\\', '&'}, "9", ""},
		{"no end at all", "MSH|^~\\&|A|B|C|D|1||ADT^A01|9", Delimiters{'|', '^', '~', '\\', '&'}, "9", ""},
		{"shortest", "MSH|", Delimiters{Field: '|'}, "", ""},
		{"batch", "BHS|^~\\&|A\rMSH|^~\\&|B\r", Delimiters{'|', '^', '~', '\\', '&'}, "", ""},
		{"file", "FHS|^~\\&|A\r", Delimiters{'|', '^', '~', '\\', '&'}, "", ""},
		{"nothing", "", Delimiters{}, "", "message of 0 bytes"},
		{"three bytes", "MSH", Delimiters{}, "", "message of 3 bytes"},
		{"MSH and the end", "MSH\r|^~", Delimiters{}, "", "message of 3 bytes"},
		{"another segment", "PID|1\r", Delimiters{}, "", "does not begin with MSH"},
		{"lower case", "msh|^~\\&|", Delimiters{}, "", "does not begin with MSH"},
		{"letter as separator", "MSHA^~", Delimiters{}, "", "field separator 41"},
		{"space as separator", "MSH A", Delimiters{}, "", "field separator 20"},
		{"control character as separator", "MSH\x01^~", Delimiters{}, "", "field separator 01"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h, err := DecodeHeader([]byte(tt.msg))
			if tt.err != "" {
				var syntax *protocols.SyntaxError
				require.ErrorAs(t, err, &syntax)
				require.ErrorContains(t, err, tt.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tt.want, h.Delimiters)
			require.Equal(t, tt.id, h.Text(ControlID))
		})
	}
}

func TestFindAcrossLineEnds(t *testing.T) {
	for name, msg := range map[string]string{
		"CR":    "MSH|^~\\&|A\rEVN|\rPID|7\r",
		"LF":    "MSH|^~\\&|A\nEVN|\nPID|7\n",
		"CRLF":  "MSH|^~\\&|A\r\nEVN|\r\nPID|7\r\n",
		"blank": "MSH|^~\\&|A\r\r\nPID|7",
	} {
		t.Run(name, func(t *testing.T) {
			h, err := DecodeHeader([]byte(msg))
			require.NoError(t, err)
			pid, ok := h.Find([]byte(msg), "PID")
			require.True(t, ok)
			require.Equal(t, "7", pid.Text(1))
		})
	}
}

// The table of acknowledgement modes.
func TestAnswer(t *testing.T) {
	tests := []struct {
		accept, application string
		want                Answer
	}{
		{"", "", AnswerApplication},
		{"AL", "NE", AnswerAccept},
		{"AL", "", AnswerAccept},
		{"AL", "AL", AnswerAccept},
		{"NE", "AL", AnswerApplication},
		{"", "AL", AnswerApplication},
		{"NE", "NE", AnswerNone},
		{"NE", "", AnswerNone},
		{"", "NE", AnswerNone},
		{"ER", "NE", AnswerMaybe},
		{"SU", "AL", AnswerMaybe},
		{"NE", "ER", AnswerMaybe},
	}
	for _, tt := range tests {
		t.Run(tt.accept+"/"+tt.application, func(t *testing.T) {
			h, err := DecodeHeader([]byte("MSH|^~\\&|A|B|C|D|1||ADT^A01|9|P|2.5|||" + tt.accept + "|" + tt.application))
			require.NoError(t, err)
			require.Equal(t, tt.want, h.Answer())
		})
	}
}

func TestAckAppend(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	tests := []struct {
		name string
		msg  string
		ack  Ack
		want string
	}{
		{"accept", order, Ack{Code: ApplicationAccept, ControlID: "G1", Time: at},
			"MSH|^~\\&|PACS|ARCHIVE|RIS^1.2^ISO|HOSPITAL|20260102030405||ACK^O01^ACK|G1|P^T|2.5.1\rMSA|AA|4711\r"},
		{"reject in 2.5.1", order, Ack{Code: ApplicationReject, ControlID: "G1", Error: ErrorInternal},
			"MSH|^~\\&|PACS|ARCHIVE|RIS^1.2^ISO|HOSPITAL|||ACK^O01^ACK|G1|P^T|2.5.1\rMSA|AR|4711\r" +
				"ERR|||207^Application internal error^HL70357|E\r"},
		{"error in 2.3", "MSH|^~\\&|A|B|C|D|1||ADT|9|P|2.3\r", Ack{Code: ApplicationError, ControlID: "G2", Error: "101", Text: "no PID"},
			"MSH|^~\\&|C|D|A|B|||ACK|G2|P|2.3\rMSA|AE|9|no PID\rERR|^^^101&Required field missing&HL70357\r"},
		{"other delimiters, text escaped", "MSH#*:?!#A#B#C#D#1##ADT*A01#9#P#2.5\r", Ack{Code: "AE", ControlID: "G#3", Text: "a|b*c:d?e!f\ng"},
			"MSH#*:?!#C#D#A#B###ACK*A01*ACK#G?F?3#P#2.5\rMSA#AE#9#a|b?S?c?R?d?E?e?T?f g\r"},
		{"no delimiters to write with", "MSH|", Ack{Code: "AR", ControlID: "G4", Text: "a|b", Error: "200"},
			"MSH||||||||ACK|G4||\rMSA|AR||a b\rERR|||200|E\r"},
		{"old version, but no components", "MSH||A|||||||||2.3\r", Ack{Code: "AR", ControlID: "G5", Error: "200"},
			"MSH||||A||||ACK|G5||2.3\rMSA|AR|\rERR|||200|E\r"},
		{"unknown error code", order, Ack{Code: "AE", Error: "999"},
			"MSH|^~\\&|PACS|ARCHIVE|RIS^1.2^ISO|HOSPITAL|||ACK^O01^ACK||P^T|2.5.1\rMSA|AE|4711\rERR|||999^^HL70357|E\r"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h, err := DecodeHeader([]byte(tt.msg))
			require.NoError(t, err)
			got := tt.ack.Append([]byte("x"), h)
			require.Equal(t, "x"+tt.want, string(got))
		})
	}
}

func TestDecodeAcknowledgement(t *testing.T) {
	head := "MSH|^~\\&|A|B|C|D|1||ACK|9|P|2.5\r"
	tests := []struct {
		name string
		msg  string
		want Acknowledgement
		err  string
	}{
		{"accept", head + "MSA|AA|4711\r", Acknowledgement{Code: "AA", ControlID: "4711"}, ""},
		{"ERR-3", head + "MSA|AE|4711|text\rERR|||207^internal^HL70357|E\r", Acknowledgement{"AE", "4711", "207"}, ""},
		{"ERR-1", head + "MSA|AE|4711\rERR|PID^1^3^101&missing\r", Acknowledgement{"AE", "4711", "101"}, ""},
		{"MSA-6", head + "MSA|AR|4711||||200^no\r", Acknowledgement{"AR", "4711", "200"}, ""},
		{"query response", "MSH|^~\\&|A|B|C|D|1||RSP^K22|9|P|2.5\rMSA|AA|4711\rQAK|1|NF\r", Acknowledgement{Code: "AA", ControlID: "4711"}, ""},
		{"empty", head + "MSA\r", Acknowledgement{}, ""},
		{"no MSA", head, Acknowledgement{}, "without an MSA segment"},
		{"no MSH", "MSA|AA|4711\r", Acknowledgement{}, "does not begin with MSH"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := DecodeAcknowledgement([]byte(tt.msg))
			if tt.err != "" {
				require.ErrorContains(t, err, tt.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
			require.Equal(t, strings.HasSuffix(got.Code, "A"), got.Positive())
		})
	}
}

// What one answer says in several places.
func TestErrorCodes(t *testing.T) {
	head := "MSH|^~\\&|A|B|C|D|1||ACK|9|P|2.5\r"
	tests := []struct {
		name, msg string
		want      []string
	}{
		{"none", head + "MSA|AA|1\r", nil},
		{"ERR-3 of two segments", head + "MSA|AE|1\rERR|||101^missing|W\rERR|||207^internal|E\r", []string{"101", "207"}},
		{"ERR-1.4", head + "MSA|AE|1\rERR|PID^1^3^103&not in table&HL70357\r", []string{"103"}},
		{"ERR-1.4, repeated", head + "MSA|AE|1\rERR|PID^1^3^101&missing~PV1^1^2^207&internal~~OBX^1^5^ 102 \r", []string{"101", "207", "102"}},
		{"blanks in ERR-3", head + "MSA|AE|1\rERR|PID^1^3^101|| |E\r", []string{"101"}},
		{"ERR-1 without a code, MSA-6", head + "MSA|AR|1||||200^no&x\rERR|PID^1^3\r", []string{"200"}},
		{"ERR without anything", head + "MSA|AR|1\rERR\r", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h, err := DecodeHeader([]byte(tt.msg))
			require.NoError(t, err)
			require.Equal(t, tt.want, h.ErrorCodes([]byte(tt.msg)))
		})
	}
	many := []byte(head + strings.Repeat("ERR|||1\r", 100))
	h, err := DecodeHeader(many)
	require.NoError(t, err)
	require.Len(t, h.ErrorCodes(many), MaxErrorCodes)
	require.Equal(t, "Application internal error", ErrorWords("207"))
	require.Empty(t, ErrorWords("999"))
}

// A header that can be read has fields that can be asked for, whatever they hold.
func FuzzDecodeHeader(f *testing.F) {
	f.Add([]byte(order))
	f.Add([]byte("MSH|"))
	f.Add([]byte("BHS#*:?!#A\r\nMSH#*:?!"))
	f.Fuzz(func(t *testing.T, msg []byte) {
		h, err := DecodeHeader(msg)
		if err != nil {
			require.Zero(t, h)
			return
		}
		for n := range 30 {
			_, _ = h.Field(n), h.Component(n, 2)
		}
		require.Equal(t, string(msg[3:4]), h.Text(FieldSeparator))
		_, _ = h.Find(msg, "PID")
	})
}

// Whatever the header looks like: its acknowledgement can be read, and answers
// the right message.
func FuzzAck(f *testing.F) {
	f.Add([]byte(order))
	f.Add([]byte("MSH|"))
	f.Add([]byte("MSH#*:?!#A#B#C#D#1##ADT*A01#9#P#2.3\nPID#1"))
	f.Add([]byte("BHS|^~\\&|A|B\rMSH|^~\\&"))
	f.Fuzz(func(t *testing.T, msg []byte) {
		h, err := DecodeHeader(msg)
		if err != nil {
			return
		}
		_ = h.Answer()
		if h.Name() != "MSH" {
			return
		}
		ack := Ack{Code: "AR", ControlID: "G1", Text: "sorry", Error: ErrorInternal}.Append(nil, h)
		again, err := DecodeHeader(ack)
		require.NoError(t, err)
		require.Equal(t, h.Delimiters, again.Delimiters)
		require.Equal(t, h.Text(SendingApplication), again.Text(ReceivingApplication))
		got, err := DecodeAcknowledgement(ack)
		require.NoError(t, err)
		require.Equal(t, h.Text(ControlID), got.ControlID)
	})
}

func FuzzDecodeAcknowledgement(f *testing.F) {
	f.Add([]byte("MSH|^~\\&|A|B|C|D|1||ACK|9|P|2.5\rMSA|AE|4711\rERR|PID^1^3^101&missing\r"))
	f.Fuzz(func(t *testing.T, msg []byte) {
		a, err := DecodeAcknowledgement(msg)
		if err != nil {
			require.Zero(t, a)
			return
		}
		h, err := DecodeHeader(msg)
		require.NoError(t, err)
		codes := h.ErrorCodes(msg)
		require.Equal(t, a.Error != "", len(codes) > 0)
		require.LessOrEqual(t, len(codes), MaxErrorCodes)
	})
}
