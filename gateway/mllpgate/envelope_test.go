package mllpgate_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gantry/balancing"
	"gantry/gateway/mllpgate"
	"gantry/protocols/hl7"
)

const (
	order = "MSH|^~\\&|RIS^1.2^ISO|HOSPITAL|PACS|ARCHIVE|20260102030405||ORM^O01^ORM_O01| 4711 |P^T|2.5.1|||AL|NE\r" +
		"PID|1||ZZ-GANTRY-1^^^A~ZZ-GANTRY-9^^^B||TEST^ONE\rORC|NW|A1\r"
	// merge moves the second patient into the first, and the fourth into the third.
	merge = "MSH|^~\\&|ADT|HOSPITAL|PACS|ARCHIVE|20260102030405||ADT^A40^ADT_A39|4712|P|2.5\r" +
		"EVN||20260102030405\r" +
		"PID|1||ZZ-GANTRY-1^^^A||TEST^ONE\rMRG|ZZ-GANTRY-2^^^A\r" +
		"PID|2||ZZ-GANTRY-3^^^A||TEST^TWO\rMRG|ZZ-GANTRY-4^^^A\r"
	batch = "FHS|^~\\&|A||||||||F-1\rBHS|^~\\&|LAB|EAST|||||||B-1\r" +
		"MSH|^~\\&|LIS|WEST|PACS|ARCHIVE|||ORU^R01|1|P|2.3\rPID|1||ZZ-GANTRY-1\r" +
		"MSH#*~\\&#LIS#WEST#PACS#ARCHIVE###ORU*R01#2#P#2.3\rPID#1##ZZ-GANTRY-2*x\r" +
		"MSH|^~\\&|LIS|WEST|PACS|ARCHIVE|||ORU^R01|3|P|2.3\rPID|1||ZZ-GANTRY-1\rBTS|3\rFTS|1\r"
)

var patient = &hl7.Path{Segment: "PID", Field: 3, Component: 1}

func envelope(t testing.TB, msg string, by *hl7.Path) *mllpgate.Envelope {
	t.Helper()
	e := new(mllpgate.Envelope)
	require.NoError(t, e.Read([]byte(msg), by))
	return e
}

func keys(names ...string) (list []balancing.Key) {
	for _, name := range names {
		list = append(list, balancing.NameKey(name))
	}
	return list
}

func TestEnvelopeMessage(t *testing.T) {
	e := envelope(t, order, patient)
	require.Equal(t, "MSH", e.Header.Name())
	require.Equal(t, "4711", string(e.ControlID), "spaces around it count for nothing")
	require.Equal(t, hl7.AnswerAccept, e.Answer)
	require.False(t, e.Batch)
	require.Equal(t, 1, e.Answers)
	require.Equal(t, keys("ZZ-GANTRY-1"), e.Keys)
	require.Equal(t, "ORM^O01", e.MessageType())
	require.Equal(t, "HOSPITAL", e.Facility())
}

func TestEnvelopeBatch(t *testing.T) {
	e := envelope(t, batch, patient)
	require.True(t, e.Batch)
	require.Equal(t, "FHS", e.Header.Name())
	require.Equal(t, "F-1", string(e.ControlID))
	require.Equal(t, hl7.AnswerApplication, e.Answer)
	require.Equal(t, 3, e.Answers)
	require.Equal(t, keys("ZZ-GANTRY-1", "ZZ-GANTRY-2"), e.Keys, "of all messages, each once, whatever their delimiters")
	require.Equal(t, "batch", e.MessageType())
	require.Equal(t, "WEST", e.Facility(), "the header has none, the first message does")

	e = envelope(t, batch[strings.Index(batch, "BHS"):], nil)
	require.Equal(t, "B-1", string(e.ControlID))
	require.Equal(t, "EAST", e.Facility())
	require.Empty(t, e.Keys)
	require.Equal(t, "B-2", string(envelope(t, "FHS|^~\\&|A\rBHS|^~\\&|||||||||B-2\rMSH|^~\\&|||||||A|1\r", nil).ControlID))
	e = envelope(t, "BHS|^~\\&|A\rBTS|0\r", patient)
	require.Zero(t, e.Answers)
	require.Equal(t, "none", e.Facility())
}

func TestEnvelopeKeys(t *testing.T) {
	many := func(n int) string {
		b := strings.Builder{}
		for i := range n {
			fmt.Fprintf(&b, "PID|%d||ZZ-GANTRY-%d\r", i, i)
		}
		return "MSH|^~\\&|A\r" + b.String()
	}
	for _, tt := range []struct {
		name, msg string
		by        *hl7.Path
		want      []balancing.Key
	}{
		{"no order", order, nil, nil},
		{"no such segment", "MSH|^~\\&|A\rOBX|1\r", patient, nil},
		{"null", "MSH|^~\\&|A\rPID|1||\"\"\r", patient, nil},
		{"of a merge all, the survivor first", merge, patient, keys("ZZ-GANTRY-1", "ZZ-GANTRY-3", "ZZ-GANTRY-2", "ZZ-GANTRY-4")},
		{"of a merge within a batch too", "BHS|^~\\&|A\r" + merge, patient, keys("ZZ-GANTRY-1", "ZZ-GANTRY-3", "ZZ-GANTRY-2", "ZZ-GANTRY-4")},
		{"MRG tells, not the event", strings.Replace(merge, "A40", "A31", 1), patient, keys("ZZ-GANTRY-1", "ZZ-GANTRY-3", "ZZ-GANTRY-2", "ZZ-GANTRY-4")},
		{"a field that MRG does not have", merge, &hl7.Path{Segment: "PID", Field: 5}, keys("TEST^ONE", "TEST^TWO")},
		{"a visit", "MSH|^~\\&|A\rPID|1\rPV1|1" + strings.Repeat("|", 18) + "V1\rMRG|||||V2\r", &hl7.Path{Segment: "PV1", Field: 19}, keys("V1", "V2")},
		{"merged into itself", strings.ReplaceAll(merge, "ZZ-GANTRY-2", "ZZ-GANTRY-1"), patient, keys("ZZ-GANTRY-1", "ZZ-GANTRY-3", "ZZ-GANTRY-4")},
		{"MRG first", "MSH|^~\\&|A\rMRG|ZZ-GANTRY-2\rMRG|ZZ-GANTRY-1\rPID|1||ZZ-GANTRY-1\rPID|2||ZZ-GANTRY-3\r", patient, keys("ZZ-GANTRY-1", "ZZ-GANTRY-2", "ZZ-GANTRY-3")},
		{"header", order, &hl7.Path{Segment: "MSH", Field: 4}, keys("HOSPITAL")},
		{"as many as fit", many(mllpgate.MaxKeys), &hl7.Path{Segment: "PID", Field: 5}, nil},
		{"one too many", many(mllpgate.MaxKeys + 1), patient, nil},
		{"many more, known ones among them", many(mllpgate.MaxKeys+1) + many(3)[12:], patient, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := envelope(t, order, patient)
			require.NoError(t, e.Read([]byte(tt.msg), tt.by))
			require.ElementsMatch(t, tt.want, e.Keys)
			if len(tt.want) > 0 {
				require.Equal(t, tt.want[0], e.Keys[0])
			}
		})
	}
	require.Len(t, envelope(t, many(mllpgate.MaxKeys), patient).Keys, mllpgate.MaxKeys)
}

func TestEnvelopeFits(t *testing.T) {
	for _, tt := range []struct {
		name, msg, id string
		want          bool
	}{
		{"its own", order, "4711", true},
		{"spaces", order, "  4711 ", true},
		{"another", order, "4712", false},
		{"the beginning of it", order, "471", false},
		{"none", order, "", false},
		{"none of none", "MSH|^~\\&|A\r", "", true},
		{"one of none", "MSH|^~\\&|A\r", "1", false},
		{"file header", batch, "F-1", true},
		{"batch header", batch, "B-1", true},
		{"first message", batch, "1", true},
		{"message with other delimiters", batch, " 2 ", true},
		{"no message", batch, "4", false},
		{"none of a batch", batch, "", false},
		{"none of a batch without one", "BHS|^~\\&|A\rMSH|^~\\&|||||||A|1\r", "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, envelope(t, tt.msg, nil).Fits([]byte(tt.id)))
		})
	}
}

func TestEnvelopeNotHL7(t *testing.T) {
	e := envelope(t, merge, patient)
	require.ErrorContains(t, e.Read([]byte("PID|1\r"), patient), "does not begin with MSH")
	require.Empty(t, e.Keys)
	require.Nil(t, e.Header.Bytes())
	_, ok := mllpgate.AppendNAK(nil, e, hl7.ApplicationReject, "", "", "1", now)
	require.False(t, ok)
}

func TestEnvelopeLabels(t *testing.T) {
	for _, tt := range []struct{ kind, facility, wantKind, wantFacility string }{
		{"ADT^A01^ADT_A01", "HOSPITAL^1.2^ISO", "ADT^A01", "HOSPITAL"},
		{"ACK", " ", "ACK", "none"},
		{"", "^1.2^ISO", "none", "none"},
		{"^A01", `""`, "^A01", "none"},
		{"ZZ-GANTRY-1^A01", "M\xdcNCHEN", "other", "other"},
		{"ABCDEFGH^ABCDEFGH", strings.Repeat("x", 41), "other", "other"},
		{"ABCDEFGH^ABCDEFG", strings.Repeat("x", 40), "ABCDEFGH^ABCDEFG", strings.Repeat("x", 40)},
		{"AB\x01", "A\x01", "other", "other"},
	} {
		e := envelope(t, "MSH|^~\\&|A|"+tt.facility+"|||||"+tt.kind+"|1\r", nil)
		require.Equal(t, tt.wantKind, e.MessageType())
		require.Equal(t, tt.wantFacility, e.Facility())
	}
	require.Equal(t, "ADT^A01", envelope(t, "MSH#*#A######ADT*A01\r", nil).MessageType(), "whatever the delimiter")
}

// In the steady state a message that is not a batch costs no memory.
func TestEnvelopeAllocatesNothing(t *testing.T) {
	e, label := envelope(t, merge, patient), make([]byte, 0, 64)
	rules := mllpgate.Rules{{MessageType: mllpgate.TypePatterns{"ORU"}}, {SendingFacility: mllpgate.Patterns{"NOWHERE^*", "HOSP*"}, AcceptAck: []string{"empty"}}}
	for name, msg := range map[string]string{"merge": merge, "batch": batch, "other delimiters": strings.ReplaceAll(merge, "^", "*")} {
		bytes, id := []byte(msg), []byte("2")
		require.Zero(t, testing.AllocsPerRun(100, func() {
			_ = e.Read(bytes, patient)
			if !e.Batch { // its answers are looked up
				_ = e.Fits(id)
			}
			label = e.AppendFacility(e.AppendMessageType(label[:0]))
			_ = rules.Find(e, source)
		}), name)
	}
}

// A batch that is answered message by message is looked through once, not once for every answer.
func TestAnswersToALargeBatch(t *testing.T) {
	const n = 50_000
	batch := []byte("BHS|^~\\&|RIS|HOSPITAL|ENGINE|HOSPITAL|20260101||||B1\r")
	for i := range n {
		batch = fmt.Appendf(batch, "MSH|^~\\&|RIS|HOSPITAL|ENGINE|HOSPITAL|20260101||ADT^A08|%d|P|2.5\r", i)
	}
	var e mllpgate.Envelope
	require.NoError(t, e.Read(batch, nil))
	require.Equal(t, n, e.Answers)
	for i := range n {
		require.True(t, e.Fits([]byte(strconv.Itoa(i))))
	}
	require.False(t, e.Fits([]byte("-1")))
	require.True(t, e.Fits([]byte("B1")))
}
