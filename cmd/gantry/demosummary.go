package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"gantry/fixtures/hospital"
)

// summary is the honest end of a demonstration.
type summary struct {
	*demo
	b strings.Builder
}

// summarize prints what became of everything. The error means that something was answered wrongly.
func (d *demo) summarize() error {
	s := &summary{demo: d}
	s.headline()
	if d.traffic != nil {
		s.operations()
	}
	s.servers()
	s.failures()
	missing := s.missing()
	if _, err := io.WriteString(d.out, s.b.String()); err != nil {
		return unheard(err)
	}
	if d.traffic != nil && s.sum().Wrong > 0 || missing {
		return saidError{exitFailed}
	}
	return nil
}

func (s *summary) print(g *grid) {
	for row := headRow; row < len(g.rows); row++ {
		s.b.WriteString(g.line(row, 0, s.coloured()) + "\n")
	}
	s.b.WriteString("\n")
}

func (s *summary) sum() hospital.Tally {
	var sum hospital.Tally
	for _, o := range hospital.Operations() {
		sum = sum.Add(s.traffic.Ledger.Tally(o))
	}
	return sum
}

// headline: the whole in a few sentences, a line each.
func (s *summary) headline() {
	_, failures := s.show.Failures()
	fmt.Fprintf(&s.b, "The demo ran %s and made %s.\n", age(s.ended.Sub(s.began)), count(failures, "server failure"))
	if s.traffic == nil {
		s.b.WriteString("\n")
		return
	}
	t := s.sum()
	fmt.Fprintf(&s.b, "%s got the right answer.\n%s.\n", plural(int(t.OK), "operation"), s.verdict(t))
	for _, c := range s.traffic.Ledger.Complaints() {
		s.b.WriteString(cell{text: indent + printable(c), colour: red}.paint(s.coloured()) + "\n")
	}
	s.b.WriteString("\n")
}

// verdict says what did not go well at first, and whether it did in the end.
func (s *summary) verdict(t hospital.Tally) string {
	said := []string{}
	if t.Interrupted > 0 {
		said = append(said, plural(int(t.Interrupted), "attempt")+" before that had been interrupted by a failing server, and repeated")
	}
	if t.Failed > 0 {
		said = append(said, plural(int(t.Failed), "attempt")+" got no answer though no server was failing")
	}
	if t.Undone > 0 {
		said = append(said, plural(int(t.Undone), "operation")+" could not be repeated before the demo ended")
	}
	if t.Wrong > 0 {
		said = append(said, plural(int(t.Wrong), "operation")+" got a wrong answer")
	}
	if len(said) == 0 {
		return "Nothing was interrupted, nothing failed"
	}
	return strings.Join(said, ".\n")
}

func (s *summary) operations() {
	g := &grid{columns: []column{{head: "OPERATION"}, {head: "SENT", right: true}, {head: "OK", right: true},
		{head: "INTERRUPTED", right: true}, {head: "FAILED", right: true}, {head: "WRONG", right: true}}}
	for _, o := range hospital.Operations() {
		t := s.traffic.Ledger.Tally(o)
		g.add(plainCell(o.String()), number(t.OK+t.Interrupted+t.Failed+t.Wrong), number(t.OK), number(t.Interrupted), alarm(t.Failed), alarm(t.Wrong))
	}
	s.print(g)
}

func number(n int64) cell { return plainCell(strconv.FormatInt(n, 10)) }

// alarm is a number that should be 0.
func alarm(n int64) cell {
	c := number(n)
	if n > 0 {
		c.colour = red
	}
	return c
}

// servers: what each of them took.
func (s *summary) servers() {
	g := &grid{columns: []column{{head: "SERVER"}, {head: "SESSIONS", right: true}, {head: "IN", right: true},
		{head: "OUT", right: true}, {head: "OWN COUNT", right: true}}}
	for _, v := range s.last.Services {
		for _, r := range v.Servers {
			counted := ""
			if p := s.hospital.Find(r.Name); p != nil {
				counted = counts(p)
			}
			g.add(plainCell(r.Name), number(r.Total), plainCell(size(r.BytesIn)), plainCell(size(r.BytesOut)), plainCell(counted))
		}
	}
	s.print(g)
}

// shownFailures bounds the table of a demonstration that ran for days.
const shownFailures = 20

func (s *summary) failures() {
	all, total := s.show.Failures()
	if total == 0 {
		return
	}
	all = all[max(0, len(all)-shownFailures):]
	g := &grid{columns: []column{{head: "FAILURE"}, {head: "LASTED", right: true}, {head: "OUT OF SERVICE AFTER", right: true},
		{head: "INTERRUPTED", right: true}, {head: "BACK IN SERVICE AFTER", right: true}}}
	if total > len(all) {
		g.columns[0].head = fmt.Sprintf("LAST %d FAILURES", len(all))
	}
	for _, f := range all {
		did := map[hospital.Way]string{hospital.Hang: "hung", hospital.Stop: "was gone"}[f.Way]
		out, back := plainCell("not noticed"), plainCell("not seen")
		if !f.Noticed.IsZero() {
			out = plainCell(tenths(f.Noticed.Sub(f.From)))
		}
		if !f.Back.IsZero() {
			back = plainCell(tenths(f.Back.Sub(f.Until)))
		}
		g.add(plainCell(f.Server.Name+" "+did), plainCell(tenths(f.Until.Sub(f.From))), out, number(f.Interrupted), back)
	}
	s.print(g)
}

// missing compares the clients' books with the servers'. If the servers have counted less, somebody else has answered in
// their name. If they have counted a little more, answers were lost with a failing server.
func (s *summary) missing() bool {
	if s.traffic == nil {
		return false
	}
	var said []cell
	found := false
	for _, o := range []hospital.Operation{hospital.Store, hospital.Message, hospital.Query} {
		t := s.traffic.Ledger.Tally(o)
		n, noun := s.counted(o.Service())
		switch more := n - t.OK; {
		case more < 0:
			found = true
			said = append(said, cell{colour: red, text: fmt.Sprintf("%s: clients got %d good answers, but the servers counted only %s",
				o, t.OK, plural(int(n), noun))})
		case more > 0 && more <= t.Interrupted:
			said = append(said, plainCell(fmt.Sprintf("%s taken twice: the first answer was lost with its server", have(int(more), noun))))
		}
	}
	if !found {
		said = append([]cell{plainCell("Every answer that a client got is in the books of a server.")}, said...)
	}
	for _, c := range said {
		s.b.WriteString(c.paint(s.coloured()) + "\n")
	}
	return found
}

// counted is what the servers of a service have counted themselves.
func (s *summary) counted(service string) (n int64, noun string) {
	for _, p := range s.hospital.Servers() {
		if p.Service == service {
			n, noun = n+p.Count(), p.Noun
		}
	}
	return n, noun
}

// have: 1 object was, 2 objects were.
func have(n int, noun string) string {
	if n == 1 {
		return plural(n, noun) + " was"
	}
	return plural(n, noun) + " were"
}

// plural is a number with its noun.
func plural(n int, noun string) string {
	if stem, ok := strings.CutSuffix(noun, "y"); ok && n != 1 {
		return fmt.Sprintf("%d %sies", n, stem)
	}
	return count(n, noun)
}
