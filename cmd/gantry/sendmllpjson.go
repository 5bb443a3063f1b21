package main

import "gantry/fixtures/feed"

// The summary in JSON. Names stay.
type (
	mllpJSON struct {
		Target         string              `json:"target"`
		Run            string              `json:"run,omitempty"`
		Verdict        string              `json:"verdict"` // ok, wrong, lost, refused, differ
		Total          int                 `json:"total"`
		Done           int                 `json:"done"`
		Accepted       int                 `json:"accepted"`
		Unasked        int                 `json:"unasked"`
		Refused        int                 `json:"refused"`
		Lost           int                 `json:"lost"`
		Unanswered     int                 `json:"unanswered"`
		Unsent         int                 `json:"unsent"`
		Wrong          int                 `json:"wrong"`
		Again          int                 `json:"sent_again"`
		Skipped        int                 `json:"skipped"`
		Bytes          int64               `json:"bytes"`
		DurationMS     float64             `json:"duration_ms"`
		PerSecond      float64             `json:"per_second"`
		BytesPerSecond float64             `json:"bytes_per_second"`
		Connections    mllpConnectionsJSON `json:"connections"`
		Answers        []answerJSON        `json:"answers"`
		WrongAnswers   []reasonJSON        `json:"wrong_answers"`
		Reasons        []reasonJSON        `json:"reasons"`
		Refusals       []reasonJSON        `json:"refusals"`
		ResponseMS     *percentilesJSON    `json:"response_ms,omitempty"`
		ConnectionMS   *percentilesJSON    `json:"connection_ms,omitempty"`
		Judged         any                 `json:"judged,omitempty"`
	}
	mllpConnectionsJSON struct {
		Made   int `json:"made"`
		Broken int `json:"broken"`
		Failed int `json:"failed"`
	}
	answerJSON struct {
		Answer string `json:"answer"`
		Count  int    `json:"count"`
	}
)

func (s *mllpSummary) json() any {
	j := &mllpJSON{Target: s.target, Run: s.run, Verdict: s.word(), Total: s.Total + s.damaged, Done: s.Done(), Accepted: s.Accepted,
		Unasked: s.Unasked, Refused: s.Refused, Lost: s.Lost() + s.damaged, Unanswered: s.Unanswered, Unsent: s.Unsent + s.damaged,
		Wrong: s.Wrong, Again: s.Again, Skipped: s.skipped, Bytes: s.Bytes, DurationMS: ms(s.Took),
		PerSecond: s.perSecond(float64(s.Done())), BytesPerSecond: s.perSecond(float64(s.Bytes)),
		Connections: mllpConnectionsJSON{s.Connections, s.Broken, s.Failed},
		Answers:     []answerJSON{}, WrongAnswers: reasonsJSON(s.WrongAnswers), Reasons: []reasonJSON{}, Refusals: reasonsJSON(s.Refusals),
		ResponseMS: inMS(s.Response), ConnectionMS: inMS(s.Opening)}
	for _, a := range s.Answers {
		j.Answers = append(j.Answers, answerJSON{a.What, a.Times})
	}
	if s.damaged > 0 {
		j.Reasons = append(j.Reasons, reasonJSON{whyDamagedHL7, s.damaged})
	}
	j.Reasons = append(j.Reasons, reasonsJSON(s.Reasons)...)
	if s.judged != nil {
		j.Judged = (&judgement{s.judged}).json()
	}
	return j
}

// word is the worst of what has happened.
func (s *mllpSummary) word() string {
	switch {
	case s.Wrong > 0:
		return "wrong"
	case s.Lost()+s.damaged > 0:
		return "lost"
	case s.Refused > 0:
		return "refused"
	case !s.complete():
		return "differ"
	}
	return "ok"
}

func reasonsJSON(counts []feed.Count) []reasonJSON {
	list := []reasonJSON{}
	for _, c := range counts {
		list = append(list, reasonJSON{c.What, c.Times})
	}
	return list
}
