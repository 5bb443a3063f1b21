package main

import (
	"fmt"
	"strings"

	"gantry/fixtures/hl7/ledger"
)

// judgement is a comparison of records alone.
type judgement struct{ *ledger.Report }

func (j *judgement) text(colours bool) string {
	var b strings.Builder
	judgementText(&b, j.Report, colours)
	return b.String()
}

// judgementText says what two ends have noted, and whether it agrees.
func judgementText(b *strings.Builder, r *ledger.Report, colours bool) {
	facts := grid{columns: make([]column, 2)}
	facts.add(cell{text: "sent"}, cell{text: sentFacts(r)})
	for _, receiver := range r.Receivers {
		facts.add(plainCell(receiver.Name), cell{text: fmt.Sprintf("%d received, %d kept", receiver.Received, receiver.Kept)})
	}
	if notes := notes(r); notes != "" {
		facts.add(cell{text: "noted"}, cell{text: notes})
	}
	for row := range facts.rows {
		b.WriteString(facts.line(row, 0, colours) + "\n")
	}
	b.WriteString("\n")
	if r.OK() {
		order := "in order at each receiver"
		if r.OneClock {
			order = "in order"
		}
		text := fmt.Sprintf("Both ends agree: all %d accepted are kept, none oftener than sent, those of each\npatient %s, none changed, none invented.", r.Accepted, order)
		fmt.Fprintln(b, cell{text: text, colour: green}.paint(colours))
		return
	}
	fmt.Fprintln(b, cell{text: "THE TWO ENDS DO NOT AGREE: " + strings.Join(offences(r), ", ") + ".", colour: red}.paint(colours))
	for _, words := range r.Offences {
		fmt.Fprintf(b, "  %s\n", printable(words))
	}
	if rest := r.Count() - len(r.Offences); rest > 0 {
		fmt.Fprintf(b, "  and %d more\n", rest)
	}
}

// some joins the counts that are not zero.
func some(counts []told) (parts []string) {
	for _, c := range counts {
		if c.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", c.n, c.what))
		}
	}
	return parts
}

func sentFacts(r *ledger.Report) string {
	line := fmt.Sprintf("%s in %s: ", count(r.Messages, "message"), count(r.Attempts, "attempt"))
	return line + strings.Join(some([]told{{r.Accepted, "accepted"}, {r.Refused, "refused"}, {r.Unanswered, "unanswered"},
		{r.Unasked, "asked for no answer"}, {r.Open, "without an end"}, {r.Unsent, "never sent"}}), ", ")
}

// notes are no offences.
func notes(r *ledger.Report) string {
	notes := some([]told{{r.Doubled, "kept more than once, having been sent again"}, {r.KeptUnanswered, "unanswered and kept"},
		{r.KeptRefused, "refused and kept"}, {r.Late, "kept late, having been given up"}, {r.Others, "of other senders or runs"}})
	if r.CutShort {
		notes = append(notes, "a sender's record has no end")
	}
	return strings.Join(notes, ", ")
}

func offences(r *ledger.Report) []string {
	return some([]told{{r.Missing, "missing"}, {r.Multiple, "kept oftener than sent"}, {r.Misplaced, "out of order"}, {r.Altered, "changed"},
		{r.Invented, "invented"}, {r.Wrong, "answered wrongly"}, {r.Unended, "without an end"}})
}

// The comparison in JSON. Names stay.
type judgedJSON struct {
	Verdict        string         `json:"verdict"` // ok, differ
	Messages       int            `json:"messages"`
	Attempts       int            `json:"attempts"`
	Accepted       int            `json:"accepted"`
	Refused        int            `json:"refused"`
	Unanswered     int            `json:"unanswered"`
	Unasked        int            `json:"unasked"`
	Open           int            `json:"open"`
	Kept           int            `json:"kept"`
	Receivers      []receiverJSON `json:"receivers"`
	Doubled        int            `json:"doubled"`
	KeptUnanswered int            `json:"kept_unanswered"`
	KeptRefused    int            `json:"kept_refused"`
	Late           int            `json:"late"`
	Others         int            `json:"others"`
	OneClock       bool           `json:"one_clock"`
	CutShort       bool           `json:"cut_short"`
	Missing        int            `json:"missing"`
	Multiple       int            `json:"multiple"`
	Misplaced      int            `json:"misplaced"`
	Altered        int            `json:"altered"`
	Invented       int            `json:"invented"`
	Wrong          int            `json:"wrong"`
	Unended        int            `json:"unended"`
	Offences       []string       `json:"offences"`
}

type receiverJSON struct {
	Name     string `json:"name"`
	Received int    `json:"received"`
	Kept     int    `json:"kept"`
}

func (j *judgement) json() any {
	if j.Report == nil {
		return nil
	}
	r := j.Report
	out := judgedJSON{Verdict: "ok", Messages: r.Messages, Attempts: r.Attempts, Accepted: r.Accepted, Refused: r.Refused, Unanswered: r.Unanswered,
		Unasked: r.Unasked, Open: r.Open, Kept: r.Kept, Receivers: []receiverJSON{}, Doubled: r.Doubled, KeptUnanswered: r.KeptUnanswered,
		KeptRefused: r.KeptRefused, Late: r.Late, Others: r.Others, OneClock: r.OneClock, CutShort: r.CutShort, Missing: r.Missing,
		Multiple: r.Multiple, Misplaced: r.Misplaced, Altered: r.Altered, Invented: r.Invented, Wrong: r.Wrong, Unended: r.Unended,
		Offences: append([]string{}, r.Offences...)}
	if !r.OK() {
		out.Verdict = "differ"
	}
	for _, s := range r.Receivers {
		out.Receivers = append(out.Receivers, receiverJSON(s))
	}
	return &out
}
