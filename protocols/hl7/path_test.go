package hl7

import (
	"bytes"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// merge moves ZZ-GANTRY-2 into ZZ-GANTRY-1; a second pair follows.
const merge = "MSH|^~\\&|ADT|HOSPITAL|PACS|ARCHIVE|20260102030405||ADT^A40^ADT_A39|4712|P|2.5\r" +
	"PID|1||ZZ-GANTRY-1^^^A~ZZ-GANTRY-9^^^B||TEST^ONE\r" +
	"MRG|ZZ-GANTRY-2^^^A||||V2\r" +
	"PID|2|\"\"|  ZZ-GANTRY-3  ^^^A||TEST^TWO\r" +
	"MRG|ZZ-GANTRY-4^^^A\r"

func collect(seq iter.Seq[[]byte]) (list []string) {
	for b := range seq {
		list = append(list, string(b))
	}
	return list
}

func header(t testing.TB, msg string) Segment {
	t.Helper()
	h, err := DecodeHeader([]byte(msg))
	require.NoError(t, err)
	return h
}

func TestParsePath(t *testing.T) {
	for text, want := range map[string]Path{
		"PID-3": {"PID", 3, 0, 0}, "PID-3.1": {"PID", 3, 1, 0}, "PID-3.4.2": {"PID", 3, 4, 2},
		"ZP1-999.99.99": {"ZP1", 999, 99, 99}, "MSH-4": {"MSH", 4, 0, 0},
	} {
		p, err := ParsePath(text)
		require.NoError(t, err, text)
		require.Equal(t, want, p, text)
		require.Equal(t, text, p.String())
	}
	require.Equal(t, "PID-3.1.2", Path{"PID", 3, 0, 2}.String())
	for text, want := range map[string]string{
		"": "no field", "PID": "no field", "PID3": "no field", "pid-3": "the name of a segment has three", "PI-3": "the name of a segment has three",
		"PIDX-3": "the name of a segment has three", "1ID-3": "the name of a segment has three", "PID-": `field "" is not a number from 1 to 999`,
		"PID-0": `field "0" is not`, "PID-1000": `field "1000" is not`, "PID-03": `field "03" is not`, "PID-3.": `component "" is not a number from 1 to 99`,
		"PID-3.100": `component "100" is not`, "PID-3.1.x": `subcomponent "x" is not`, "PID-+3": `field "+3" is not`, "PID-3.1.1.1": "more than a field", "PID-3^1": `field "3^1" is not`,
	} {
		_, err := ParsePath(text)
		require.ErrorContains(t, err, want, text)
	}
}

func TestPathFind(t *testing.T) {
	for _, tt := range []struct{ name, path, msg, want string }{
		{"first repetition", "PID-3.1", merge, "ZZ-GANTRY-1"},
		{"the field whole is its first repetition", "PID-3", merge, "ZZ-GANTRY-1^^^A"},
		{"subcomponent", "PID-3.4.2", order, "1.2"},
		{"subcomponent where there is one only", "PID-3.1.1", order, "100"},
		{"a subcomponent too many", "PID-3.1.2", order, ""},
		{"header", "MSH-4", merge, "HOSPITAL"},
		{"header, component", "MSH-9.2", merge, "A40"},
		{"header, separator", "MSH-1", merge, "|"},
		{"header, encoding characters are not split", "MSH-2", merge, "^~\\&"},
		{"segment is absent", "PV1-19", merge, ""},
		{"segment is shorter", "PID-40", merge, ""},
		{"component is absent", "PID-3.9", merge, ""},
		{"empty", "PID-2", merge, ""},
		{"null", "PID-2", "MSH|^~\\&|\rPID|1|\"\"|7\r", ""},
		{"spaces", "PID-2", "MSH|^~\\&|\rPID|1|  7 |\r", "7"},
		{"spaces alone", "PID-2", "MSH|^~\\&|\rPID|1|   |\r", ""},
		{"LF", "PID-3.1", strings.ReplaceAll(merge, "\r", "\n"), "ZZ-GANTRY-1"},
		{"CR LF", "PID-3.1", strings.ReplaceAll(merge, "\r", "\r\n"), "ZZ-GANTRY-1"},
		{"other delimiters", "PID-3.1.2", "MSH#*:?!#A\rPID###1!2*3:4\r", "2"},
		{"no component delimiter", "PID-3.1", "MSH|\rPID|||1^2\r", "1^2"},
		{"no component delimiter, second", "PID-3.2", "MSH|\rPID|||1^2\r", ""},
		{"a longer name is another segment", "PID-1", "MSH|^~\\&|\rPIDX|9\rPID|8", "8"},
		{"name without fields", "PID-1", "MSH|^~\\&|\rPID", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := ParsePath(tt.path)
			require.NoError(t, err)
			got := p.Find(header(t, tt.msg), []byte(tt.msg))
			require.Equal(t, tt.want, string(got))
			require.Equal(t, tt.want == "", got == nil)
		})
	}
}

func TestPathEach(t *testing.T) {
	p := Path{"PID", 3, 1, 0}
	h := header(t, merge)
	require.Equal(t, []string{"ZZ-GANTRY-1", "ZZ-GANTRY-3"}, collect(p.Each(h, []byte(merge))))
	prior, ok := p.Prior()
	require.True(t, ok)
	require.Equal(t, "MRG-1.1", prior.String())
	require.Equal(t, []string{"ZZ-GANTRY-2", "ZZ-GANTRY-4"}, collect(prior.Each(h, []byte(merge))))
	require.Empty(t, collect(Path{"PID", 2, 0, 0}.Each(h, []byte(merge))), "nothing and null are no values")
	for range p.Each(h, []byte(merge)) {
		break
	}
	for from, to := range map[string]string{"PID-2": "MRG-4", "PID-3.4.1": "MRG-1.4.1", "PID-4": "MRG-2", "PID-18.1": "MRG-3.1", "PV1-19": "MRG-5", "PV1-50": "MRG-6"} {
		p, err := ParsePath(from)
		require.NoError(t, err)
		prior, ok := p.Prior()
		require.True(t, ok)
		require.Equal(t, to, prior.String())
	}
	_, ok = Path{"PV1", 3, 0, 0}.Prior()
	require.False(t, ok)
}

func TestSegments(t *testing.T) {
	for _, end := range []string{"\r", "\n", "\r\n", "\r\r\n"} {
		msg := strings.ReplaceAll(merge, "\r", end)
		var names []string
		for s := range header(t, msg).Segments([]byte(msg)) {
			require.True(t, s.Is(s.Name()))
			names = append(names, s.Name())
		}
		require.Equal(t, []string{"MSH", "PID", "MRG", "PID", "MRG"}, names, "%q", end)
	}
}

// The paths are read straight from the bytes.
func TestReadingAllocatesNothing(t *testing.T) {
	msg := []byte(merge)
	batch := []byte("FHS|^~\\&|A\r" + merge + merge + "FTS|1\r")
	p, count := Path{"PID", 3, 1, 0}, 0
	allocs := testing.AllocsPerRun(100, func() {
		h, _ := DecodeHeader(msg)
		prior, _ := p.Prior()
		count += len(p.Find(h, msg)) + len(h.Part(MessageType, 2, 0)) + len(h.Field(ControlID)) + int(h.Answer()) + int(h.AnswerError())
		if h.Merge() && !h.Batch() {
			for b := range prior.Each(h, msg) {
				count += len(b)
			}
		}
		for s := range h.All(msg, "MRG") {
			count += len(s.Bytes())
		}
		for m := range Messages(batch) {
			count += len(m)
		}
		for h := range Headers(batch) {
			count += len(h.Bytes())
		}
	})
	require.Zero(t, allocs)
	require.NotZero(t, count)
}

// FuzzPath: a path finds what the plainest of all readers finds, and nothing outside of the message.
func FuzzPath(f *testing.F) {
	f.Add([]byte(merge), "PID-3.1")
	f.Add([]byte(order), "PID-3.4.2")
	f.Add([]byte("MSH#*:?!#A\nPID#\"\"#\r\n"), "PID-1")
	f.Add([]byte("MSH|\r\n\n\rMSH|^"), "MSH-3.1")
	f.Fuzz(func(t *testing.T, msg []byte, text string) {
		h, err := DecodeHeader(msg)
		p, err2 := ParsePath(text)
		if err != nil || err2 != nil {
			return
		}
		require.Equal(t, text, p.String())
		want := plainly(h.Delimiters, msg, p)
		got := collect(p.Each(h, msg))
		require.Equal(t, want, got)
		first := p.Find(h, msg)
		require.True(t, bytes.Contains(msg, first))
		require.True(t, first == nil || slices.Contains(got, string(first)))
		_, _ = p.Prior()
		_, _ = h.Merge(), h.AnswerError()
	})
}

// plainly takes the whole message apart.
func plainly(d Delimiters, msg []byte, p Path) (values []string) {
	text := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(msg))
	split := func(s string, by byte, n int) string {
		parts := []string{s}
		if by != 0 {
			parts = strings.Split(s, string([]byte{by}))
		}
		if n > len(parts) {
			return ""
		}
		return parts[n-1]
	}
	for line := range strings.SplitSeq(text, "\n") {
		fields := strings.Split(line, string([]byte{d.Field}))
		n, encoding := p.Field, false
		if p.Segment == "MSH" || p.Segment == "FHS" || p.Segment == "BHS" {
			fields = slices.Insert(fields, 1, string([]byte{d.Field}))
			encoding = n <= 2
		}
		if fields[0] != p.Segment || len(line) == 3 || n >= len(fields) {
			continue
		}
		value := fields[n]
		if !encoding {
			value = split(value, d.Repetition, 1)
			if p.Component > 0 {
				value = split(value, d.Component, p.Component)
			}
			if p.Subcomponent > 0 {
				value = split(value, d.Subcomponent, p.Subcomponent)
			}
		}
		if value = strings.Trim(value, " "); value != "" && value != `""` {
			values = append(values, value)
		}
	}
	return values
}
