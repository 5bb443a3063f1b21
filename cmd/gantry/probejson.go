package main

import (
	"time"

	"gantry/negotiate"
	"gantry/negotiate/transcript"
)

// probeReport is a result for programs. Its keys are documented in docs/checks.md and stay; where the API of the gateway
// tells the same (POST …/checks/NAME), it tells it under the same key.
type probeReport struct {
	Type       string               `json:"type"` // the kind of check
	Target     string               `json:"target"`
	Start      time.Time            `json:"start"`
	DurationMS float64              `json:"duration_ms"`
	Verdict    string               `json:"verdict"` // healthy | degraded | unhealthy | not-made
	Stages     []stageReport        `json:"stages"`  // those that were reached, in order
	Stage      string               `json:"stage,omitempty"`
	Reason     string               `json:"reason,omitempty"`
	Peer       string               `json:"peer,omitempty"`    // what the server itself said
	Message    string               `json:"message"`           // the sentence of the verdict; empty when healthy
	Warning    *warningReport       `json:"warning,omitempty"` // what is wrong without changing the verdict
	Transcript []transcript.Passage `json:"transcript,omitempty"`
}

type stageReport struct {
	Stage   string  `json:"stage"`
	MS      float64 `json:"ms"`
	Verdict string  `json:"verdict"` // ok | degraded | warning | failed | not-made
}

type warningReport struct {
	Stage   string `json:"stage"`
	Reason  string `json:"reason"`
	Peer    string `json:"peer,omitempty"`
	Message string `json:"message"`
}

func (p *probing) report(r negotiate.Result) probeReport {
	out := probeReport{Type: p.kind, Target: p.target, Start: r.Start, DurationMS: transcript.Milliseconds(r.Duration),
		Verdict: verdicts[exitCode(r)], Stages: []stageReport{}}
	for _, s := range r.Stages {
		out.Stages = append(out.Stages, stageReport{string(s.Stage), transcript.Milliseconds(s.Took), stageWord(r, s.Stage)})
	}
	if f := decisive(r); f != nil {
		out.Stage, out.Reason, out.Peer, out.Message = string(f.Stage), string(f.Reason), f.Peer, f.Error()
	}
	if w := r.Warning; w != nil {
		out.Warning = &warningReport{string(w.Stage), string(w.Reason), w.Peer, w.Error()}
	}
	if p.verbose > 0 {
		out.Transcript = transcript.Of(r.Transcript)
	}
	return out
}

// decisive is what the verdict rests on; nil when the server is healthy.
func decisive(r negotiate.Result) *negotiate.Fault {
	if r.Fault != nil {
		return r.Fault
	}
	return r.Degraded
}

// stageWord is what became of a stage that was entered.
func stageWord(r negotiate.Result, stage negotiate.Stage) string {
	switch {
	case r.Fault != nil && r.Fault.Stage == stage && !judged(r):
		return verdicts[probeNotMade]
	case r.Fault != nil && r.Fault.Stage == stage:
		return "failed"
	case r.Degraded != nil && r.Degraded.Stage == stage:
		return "degraded"
	case r.Warning != nil && r.Warning.Stage == stage:
		return "warning"
	}
	return "ok"
}
