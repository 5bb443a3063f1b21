package main

import (
	"fmt"
	"time"

	"gantry/fixtures/sender"
)

// The summary in JSON. Names stay.
type (
	sendJSON struct {
		Target         string           `json:"target"`
		Verdict        string           `json:"verdict"` // ok, lost
		Total          int              `json:"total"`
		Done           int              `json:"done"`
		Warnings       int              `json:"warnings"`
		Lost           int              `json:"lost"`
		Retried        int              `json:"retried"`
		Skipped        int              `json:"skipped"`
		Bytes          int64            `json:"bytes"`
		DurationMS     float64          `json:"duration_ms"`
		PerSecond      float64          `json:"per_second"`
		BytesPerSecond float64          `json:"bytes_per_second"`
		Associations   associationsJSON `json:"associations"`
		Statuses       []statusJSON     `json:"statuses"`
		Reasons        []reasonJSON     `json:"reasons"`
		ResponseMS     *percentilesJSON `json:"response_ms,omitempty"`
		AssociationMS  *percentilesJSON `json:"association_ms,omitempty"`
	}
	associationsJSON struct {
		Asked    int            `json:"asked"`
		Released int            `json:"released"`
		Ended    map[string]int `json:"ended,omitempty"` // the others
	}
	statusJSON struct {
		Code  string `json:"code"`
		Class string `json:"class"`
		Count int    `json:"count"`
	}
	reasonJSON struct {
		Reason string `json:"reason"`
		Count  int    `json:"count"`
	}
	percentilesJSON struct {
		P50 float64 `json:"p50"`
		P90 float64 `json:"p90"`
		P99 float64 `json:"p99"`
		Max float64 `json:"max"`
	}
)

func (s *sendSummary) json() sendJSON {
	j := sendJSON{Target: s.target, Verdict: "ok", Total: s.Total + s.damaged, Done: s.Done, Warnings: s.Warnings, Lost: s.Lost() + s.damaged,
		Retried: s.Retried, Skipped: s.skipped, Bytes: s.Bytes, DurationMS: ms(s.Took),
		PerSecond: s.perSecond(float64(s.Done)), BytesPerSecond: s.perSecond(float64(s.Bytes)),
		Associations: associationsJSON{Asked: s.Associations, Released: s.Released},
		Statuses:     []statusJSON{}, Reasons: []reasonJSON{},
		ResponseMS: inMS(s.Response), AssociationMS: inMS(s.Opening)}
	if !s.complete() {
		j.Verdict = "lost"
	}
	for _, e := range s.Endings {
		if j.Associations.Ended == nil {
			j.Associations.Ended = map[string]int{}
		}
		j.Associations.Ended[e.What] = e.Times
	}
	for _, status := range s.Statuses {
		j.Statuses = append(j.Statuses, statusJSON{fmt.Sprintf("%04X", status.Code), status.Class(), status.Times})
	}
	if s.damaged > 0 {
		j.Reasons = append(j.Reasons, reasonJSON{whyDamaged, s.damaged})
	}
	for _, r := range s.Reasons {
		j.Reasons = append(j.Reasons, reasonJSON{r.What, r.Times})
	}
	return j
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func inMS(p sender.Percentiles) *percentilesJSON {
	if p.Max == 0 {
		return nil
	}
	return &percentilesJSON{ms(p.P50), ms(p.P90), ms(p.P99), ms(p.Max)}
}
