package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"gantry/gateway/admin"
)

// statusTable writes a status for people. Services and their servers share one table; the columns of each of the two
// kinds of line are aligned over all services:
//
//	SERVICE   PROTOCOL  STATE  LISTEN
//	  SERVER  ADDRESS            STATE  WEIGHT  ACTIVE  TOTAL      IN     OUT  CHECK
type statusTable struct {
	now     time.Time
	colours bool
	width   int // columns of the terminal; lines are cut to it. 0 = not cut
}

// indent sets servers off from their service.
const indent = "  "

func (t statusTable) render(s admin.Status) string {
	services := &grid{columns: []column{{head: "SERVICE"}, {head: "PROTOCOL"}, {head: "STATE"}, {head: "LISTEN"}}}
	servers := &grid{indent: indent, columns: []column{{head: "SERVER"}, {head: "ADDRESS"}, {head: "STATE"},
		{head: "WEIGHT", right: true}, {head: "ACTIVE", right: true}, {head: "TOTAL", right: true},
		{head: "IN", right: true}, {head: "OUT", right: true}, {head: "CHECK"}}}
	for _, v := range s.Services {
		services.add(plainCell(v.Name), plainCell(v.Protocol), stateCell(v.State), plainCell(strings.Join(v.Listen, " ")))
		for _, r := range v.Servers {
			servers.add(t.serverCells(r)...)
		}
	}
	return t.join(s, services, servers)
}

// join puts the servers' lines under their services'.
func (t statusTable) join(s admin.Status, services, servers *grid) string {
	var b strings.Builder
	b.WriteString(t.heading(s))
	line := func(g *grid, row int) { b.WriteString(g.line(row, t.width, t.colours) + "\n") }
	line(services, headRow)
	line(servers, headRow)
	next := 0
	for i, v := range s.Services {
		b.WriteString("\n")
		line(services, i)
		for _, r := range v.Servers {
			below := t.below(servers, next, r.State)
			line(servers, next)
			b.WriteString(below)
			next++
		}
	}
	b.WriteString(t.leaving(s.Leaving))
	return b.String()
}

// narrowest is the width from which on sentences have lines of their own, in columns.
const narrowest = 40

// below takes the sentence about a server that needs a look out of its row and gives it lines of its own, where the
// terminal is too narrow for both: why it is down is what people open the table for.
func (t statusTable) below(servers *grid, row int, state string) string {
	cells := servers.rows[row]
	last := &cells[len(cells)-1]
	if state == stateUp || state == "maint" || t.width < narrowest || utf8.RuneCountInString(servers.line(row, 0, false)) <= t.width {
		return ""
	}
	var b strings.Builder
	for _, line := range wrap(last.text, t.width-3*len(indent)) {
		b.WriteString(cell{text: strings.Repeat(indent, 3) + line}.cut(t.width).text + "\n")
	}
	*last = cell{}
	return b.String()
}

// heading says what runs, for how long and on which configuration; and loudly when the last reload was refused.
func (t statusTable) heading(s admin.Status) string {
	var b strings.Builder
	line := func(c cell) { b.WriteString(c.cut(t.width).paint(t.colours) + "\n") }
	line(plainCell(fmt.Sprintf("gantry %s, up %s, configuration %s of %s", s.Version, age(t.now.Sub(s.Started)),
		short(s.Config.Hash), s.Config.Loaded.Local().Format(time.DateTime))))
	if s.Stopping {
		line(cell{text: "stopping: no new sessions are taken, those that run may finish", colour: cyan})
	}
	if !s.Config.OK {
		line(cell{text: "the last reload was refused and this older configuration stays in force" + why(s.Config), colour: red})
	}
	for _, p := range s.Config.Problems {
		line(cell{text: indent + printable(p.String()), colour: red})
	}
	return b.String() + "\n"
}

// why introduces the problems. A sound file can be refused too, for an address in use, say: then there are none.
func why(c admin.ConfigStatus) string {
	if len(c.Problems) == 0 {
		return "; the log says why"
	}
	return ":"
}

func (t statusTable) serverCells(r admin.ServerStatus) []cell {
	name := r.Name
	if r.Backup {
		name += " (backup)"
	}
	return []cell{plainCell(name), plainCell(r.Address), stateCell(r.State), plainCell(strconv.Itoa(r.Weight)),
		plainCell(strconv.FormatInt(r.Active, 10)), plainCell(strconv.FormatInt(r.Total, 10)),
		plainCell(size(r.BytesIn)), plainCell(size(r.BytesOut)), plainCell(t.left(r.Left) + t.aside(r) + lastResult(r))}
}

// left says what runs on a server that takes no new sessions, and how long it may: "3 associations, 1.2 GB so far,
// CT2 → DICOM1, aborted in 9m; ".
func (t statusTable) left(l *admin.LeftStatus) string {
	switch {
	case l == nil:
		return ""
	case l.Sessions == 0:
		return "nothing left; "
	case l.Until.IsZero():
		return l.Words + "; "
	}
	return l.Words + ", aborted in " + age(max(l.Until.Sub(t.now), 0)) + "; "
}

// leaving lists servers that a reload took away while they had sessions.
func (t statusTable) leaving(all []admin.LeavingStatus) string {
	if len(all) == 0 {
		return ""
	}
	var b strings.Builder
	line := func(c cell) { b.WriteString(c.cut(t.width).paint(t.colours) + "\n") }
	b.WriteString("\n")
	line(plainCell("no longer in the configuration"))
	for _, l := range all {
		line(cell{text: printable(indent + l.Service + "/" + l.Server + ": " + strings.TrimSuffix(t.left(&l.Left), "; ")), colour: cyan})
	}
	return b.String()
}

// aside says why a server that its checks find well is left out, and for how long.
func (t statusTable) aside(r admin.ServerStatus) string {
	if r.AsideUntil.IsZero() {
		return ""
	}
	why := map[string]string{"held": "it went down again and again", "ejected": "live traffic failed"}[r.State]
	if why == "" {
		return "" // down, drain or maint say more
	}
	return why + ", used again in " + age(max(r.AsideUntil.Sub(t.now), 0)) + "; "
}

// lastResult is the check that decides, in a sentence: the first of those in the worst state.
func lastResult(r admin.ServerStatus) string {
	switch {
	case r.Admin == admin.AdminMaint:
		return "not checked"
	case len(r.Checks) == 0:
		return "no checks"
	}
	worst := r.Checks[0]
	for _, c := range r.Checks[1:] {
		if badness[c.State] > badness[worst.State] {
			worst = c
		}
	}
	sentence := worst.Message
	if sentence == "" {
		sentence = worst.State
	}
	if rest := len(r.Checks) - 1; rest > 0 && worst.State == stateUp {
		sentence += fmt.Sprintf(" (and %d more up)", rest)
	}
	return worst.Name + ": " + sentence
}

const stateUp = "up"

// badness orders the states of checks.
var badness = map[string]int{stateUp: 0, "checking": 1, "degraded": 2, "down": 3}

// stateCell colours a state by how soon somebody should look at it.
func stateCell(state string) cell {
	colours := map[string]string{stateUp: green, "down": red, "panic": red, "checking": yellow, "degraded": yellow,
		"held": yellow, "ejected": yellow, "drain": cyan, "maint": cyan}
	return cell{text: printable(state), colour: colours[state]}
}
