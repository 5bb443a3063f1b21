package main

import (
	"encoding/json"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// volatile are the parts of an output that differ from run to run.
var volatile = regexp.MustCompile(`[0-9.]+ ms|"(start|target)": "[^"]*"|_?ms": [0-9.]+|127\.0\.0\.1:[0-9]+|Date: [^"\\\n]*`)

// steady makes an output of a probe comparable.
func steady(text string) string {
	return volatile.ReplaceAllStringFunc(text, func(found string) string {
		switch {
		case strings.HasSuffix(found, " ms"):
			return strings.Repeat("0", len(found)-3) + " ms"
		case strings.HasPrefix(found, "127"):
			return "ADDRESS"
		case strings.HasPrefix(found, "Date"):
			return "Date: TODAY"
		}
		name, value, _ := strings.Cut(found, ": ")
		if strings.HasPrefix(value, `"`) {
			return name + `: "…"`
		}
		return name + ": 0"
	})
}

// TestProbeJSON: the form that scripts rely on.
func TestProbeJSON(t *testing.T) {
	url := web(t, map[string]http.HandlerFunc{"/": page200, "/ill": http.NotFound, "/slow": slow200})
	ask := func(t *testing.T, args ...string) (report probeReport, text string) {
		t.Helper()
		s := newStage()
		s.run(t, append([]string{"probe", "http", "-o", "json"}, args...)...)
		require.NoError(t, json.Unmarshal(s.out.Bytes(), &report))
		return report, steady(s.out.String())
	}
	_, text := ask(t, url+"/")
	golden(t, "probe-healthy.json", text)
	_, text = ask(t, url+"/ill")
	golden(t, "probe-unhealthy.json", text)

	report, _ := ask(t, url+"/slow", "--max-latency", "5ms")
	require.Equal(t, []string{"degraded", "slow"}, []string{report.Verdict, report.Reason})
	require.Contains(t, report.Message, "answers correctly, but slowly")

	report, _ = ask(t, url+"/", "-v")
	require.NotEmpty(t, report.Transcript)
	require.True(t, report.Transcript[0].Sent)
}

// TestProbeText: the table of a run, in golden files.
func TestProbeText(t *testing.T) {
	url := web(t, map[string]http.HandlerFunc{"/": page200, "/ill": http.NotFound})
	for name, args := range map[string][]string{
		"probe-healthy.txt": {"http", url + "/"}, "probe-unhealthy.txt": {"http", url + "/ill"},
		"probe-tls.txt": {"connect", strings.TrimPrefix(url, "http://"), "--tls"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage()
			s.run(t, append([]string{"probe"}, args...)...)
			text := regexp.MustCompile(`0+ ms`).ReplaceAllString(steady(s.out.String()), "0 ms")
			golden(t, name, regexp.MustCompile(` {2,}`).ReplaceAllString(text, "  ")) // columns are as wide as the times
		})
	}
	s := newStage().terminal(80, 24)
	s.run(t, "probe", "http", url+"/ill", "-v")
	require.Contains(t, s.out.String(), red+"unhealthy"+normal)
	require.Contains(t, s.out.String(), cyan+"→"+normal)
}

// TestProbeHostilePeer: nothing that a peer says reaches the terminal as it was said.
func TestProbeHostilePeer(t *testing.T) {
	const attack = "\x1b[2J\x1b]0;owned\x07\u009b31m\u202e\r\x08"
	tests := map[string][]string{
		"http":         {"http", "http://" + answering(t, "HTTP/1.1 500 "+attack+"\r\nX-A: "+attack+"\r\nContent-Length: 3\r\n\r\n"+attack) + "/"},
		"no HTTP":      {"http", "http://" + answering(t, attack) + "/"},
		"dicom":        {"dicom-echo", answering(t, attack)},
		"mllp":         {"mllp", answering(t, "\x0bMSH|^~\\&|"+attack+"|\rMSA|AE|"+attack+"|"+attack+"\r\x1c\r")},
		"xds":          {"xds-registry", "http://" + answering(t, "HTTP/1.1 200 OK\r\nContent-Type: text/html"+attack+"\r\nContent-Length: 3\r\n\r\n"+attack) + "/x"},
		"tls":          {"connect", answering(t, attack), "--tls"},
		"in our words": {"connect", "a\u202eb" + attack + ":1"},
	}
	for name, args := range tests {
		for _, more := range []string{"-v", "-vv", "--count=2"} {
			t.Run(name+" "+more, func(t *testing.T) {
				s := newStage()
				require.NotZero(t, s.run(t, append([]string{"probe", more, "--interval=100ms"}, args...)...))
				for _, r := range s.out.String() + s.err.String() {
					require.True(t, r == '\n' || r >= ' ' && r != 0x7f && (r < 0x80 || r > 0x9f) && r != '\u202e', "%q", s.out.String()+s.err.String())
				}
			})
		}
	}
}

// TestProbeCount: a server that answers now well and now badly is found out.
func TestProbeCount(t *testing.T) {
	var asked atomic.Int32
	url := web(t, map[string]http.HandlerFunc{"/": func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1)%2 == 0 {
			http.NotFound(w, r)
			return
		}
		page200(w, r)
	}})
	s := newStage()
	require.Equal(t, probeUnhealthy, s.run(t, "probe", "http", url+"/", "--count", "5", "--interval", "100ms"))
	require.Contains(t, s.out.String(), "\n5 runs: 3 healthy, 2 unhealthy\ntime to the answer: min ")
	require.Equal(t, 1, strings.Count(s.out.String(), ": as before\n"))
	require.Contains(t, s.out.String(), "the verdict changed 4 times: behind this address may stand several servers")

	s = newStage()
	require.Equal(t, probeUnhealthy, s.run(t, "probe", "http", url+"/", "-n", "2", "-i", "100ms", "-o", "json"))
	lines := strings.Split(strings.TrimSpace(s.out.String()), "\n")
	require.Len(t, lines, 3)
	var last struct{ Summary summaryReport }
	require.NoError(t, json.Unmarshal([]byte(lines[2]), &last))
	require.Equal(t, []any{"http", "unhealthy", 2, 1, 1, 1}, []any{last.Summary.Type, last.Summary.Verdict, last.Summary.Runs,
		last.Summary.Healthy, last.Summary.Unhealthy, last.Summary.Changes})
}

// TestProbeInterrupted: the person's own Ctrl-C ends the series with its summary, and a single run without a verdict.
func TestProbeInterrupted(t *testing.T) {
	interrupt := func(s *stage) chan os.Signal {
		arrived := make(chan os.Signal, 1)
		s.signals = func(...os.Signal) (<-chan os.Signal, func()) { return arrived, func() {} }
		return arrived
	}
	s := newStage()
	arrived := interrupt(s)
	var asked atomic.Int32
	url := web(t, map[string]http.HandlerFunc{"/": func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) == 2 {
			arrived <- syscall.SIGINT
			<-r.Context().Done() // the run that it breaks off
			return
		}
		page200(w, r)
	}})
	require.Equal(t, 0, s.run(t, "probe", "http", url+"/", "--count", "0", "--interval", "100ms"))
	require.Contains(t, s.out.String(), "\n1 run: 1 healthy\n")

	s = newStage()
	arrived = interrupt(s)
	silent := web(t, map[string]http.HandlerFunc{"/": func(_ http.ResponseWriter, r *http.Request) {
		arrived <- os.Interrupt
		<-r.Context().Done()
	}})
	require.Equal(t, probeNotMade, s.run(t, "probe", "http", silent+"/"))
	require.Contains(t, s.out.String(), "not-made (ask, canceled): the check was called off\n")
}
