package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"gantry/negotiate"
	"gantry/negotiate/transcript"
)

// probeSummary is what many runs of one check come to.
type probeSummary struct {
	codes   [4]int // runs by exit code
	changes int    // times that the verdict was another one than that of the run before
	last    int
	took    []time.Duration // to the answer, of the runs that found the server fit to serve
}

func (s *probeSummary) runs() int { return s.codes[0] + s.codes[1] + s.codes[2] + s.codes[3] }

func (s *probeSummary) add(r negotiate.Result) {
	code := exitCode(r)
	if s.judged() > 0 && code != probeNotMade && code != s.last {
		s.changes++
	}
	if code != probeNotMade {
		s.last = code
	}
	s.codes[code]++
	if code <= probeDegraded {
		s.took = append(s.took, latency(r))
	}
}

// judged is the number of runs that say something about the server.
func (s *probeSummary) judged() int { return s.runs() - s.codes[probeNotMade] }

// exitCode is the worst verdict.
func (s *probeSummary) exitCode() int {
	for _, code := range []int{probeUnhealthy, probeDegraded, probeHealthy} {
		if s.codes[code] > 0 {
			return code
		}
	}
	return probeNotMade
}

// spread returns the shortest, the middle and the longest time, zero when no run passed.
func (s *probeSummary) spread() (least, median, most time.Duration) {
	if len(s.took) == 0 {
		return 0, 0, 0
	}
	sorted := slices.Sorted(slices.Values(s.took))
	middle := len(sorted) / 2
	median = sorted[middle]
	if len(sorted)%2 == 0 {
		median = (sorted[middle-1] + sorted[middle]) / 2
	}
	return sorted[0], median, sorted[len(sorted)-1]
}

// flips says what it usually means when the verdict comes and goes; empty when it does not.
func (s *probeSummary) flips() string {
	good := s.codes[probeHealthy] + s.codes[probeDegraded]
	switch {
	case good == 0 || s.codes[probeUnhealthy] == 0:
		return ""
	case s.changes == 1:
		return "the verdict changed once while it was watched: the server has just stopped or come back"
	}
	return fmt.Sprintf("the verdict changed %d times: behind this address may stand several servers, some of them ill"+
		" (another balancer, a name with several addresses), or one that is overloaded", s.changes)
}

// text is the summary for people.
func (s *probeSummary) text(fold func(string) string) string {
	var b strings.Builder
	parts := make([]string, 0, len(s.codes))
	for code, n := range s.codes {
		if n > 0 || code == probeHealthy {
			parts = append(parts, fmt.Sprintf("%d %s", n, verdicts[code]))
		}
	}
	fmt.Fprintf(&b, "\n%s: %s\n", count(s.runs(), "run"), strings.Join(parts, ", "))
	if least, median, most := s.spread(); len(s.took) > 0 {
		fmt.Fprintf(&b, "time to the answer: min %s, median %s, max %s\n", millis(least), millis(median), millis(most))
	}
	if flips := s.flips(); flips != "" {
		fmt.Fprintln(&b, fold(flips))
	}
	return b.String()
}

// summaryReport is the summary for programs: the last line of --output json with --count.
type summaryReport struct {
	Type      string  `json:"type"`
	Target    string  `json:"target"`
	Verdict   string  `json:"verdict"` // the worst
	Message   string  `json:"message"` // about a verdict that comes and goes; else empty
	Runs      int     `json:"runs"`
	Healthy   int     `json:"healthy"`
	Degraded  int     `json:"degraded"`
	Unhealthy int     `json:"unhealthy"`
	NotMade   int     `json:"not_made"`
	Changes   int     `json:"changes"`
	MinMS     float64 `json:"min_ms"` // of the runs that passed, as the next two
	MedianMS  float64 `json:"median_ms"`
	MaxMS     float64 `json:"max_ms"`
}

func (p *probing) summary(s *probeSummary) summaryReport {
	least, median, most := s.spread()
	return summaryReport{
		Type: p.kind, Target: p.target, Verdict: verdicts[s.exitCode()], Message: s.flips(), Runs: s.runs(),
		Healthy: s.codes[probeHealthy], Degraded: s.codes[probeDegraded], Unhealthy: s.codes[probeUnhealthy],
		NotMade: s.codes[probeNotMade], Changes: s.changes,
		MinMS: transcript.Milliseconds(least), MedianMS: transcript.Milliseconds(median), MaxMS: transcript.Milliseconds(most),
	}
}

// showLine shows one run of many.
func (p *probing) showLine(n int, r negotiate.Result) error {
	if p.json {
		return jsonLine(p.out, p.report(r))
	}
	colours, code := p.coloured(), exitCode(r)
	var b strings.Builder
	fmt.Fprintf(&b, "%5d  %s  %10s", n, cell{text: verdicts[code], colour: verdictColours[code]}.padded(11, false, colours), millis(latency(r)))
	if f := r.Words(); f != nil {
		fmt.Fprintf(&b, "  %s, %s: %s", f.Stage, f.Reason, p.again(printable(f.Error())))
	}
	b.WriteString("\n")
	if p.verbose > 0 {
		b.WriteString(p.conversation(r, colours))
	}
	_, err := io.WriteString(p.out, b.String())
	return err
}

// again is the sentence, or that it is the same as the last one: what is said for the hundredth time hides what is new.
func (p *probing) again(sentence string) string {
	if sentence == p.said {
		return "as before"
	}
	p.said = sentence
	return sentence
}

func (p *probing) showSummary(s *probeSummary) error {
	if p.json {
		return jsonLine(p.out, map[string]summaryReport{"summary": p.summary(s)})
	}
	_, err := io.WriteString(p.out, s.text(p.fold))
	return err
}

// jsonLine writes a value on one line.
func jsonLine(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
